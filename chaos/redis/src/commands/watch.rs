use super::{Call, Command, InTransaction, Refusal, Reply};
use crate::codec::Frame;

/// `WATCH key [key …]`: the next `EXEC` does nothing if any of them has changed until then.
pub(super) const WATCH: Command = Command { in_transaction: InTransaction::Runs, ..Command::new("watch", watch) };

/// `UNWATCH`
pub(super) const UNWATCH: Command = Command::new("unwatch", |call| {
    call.client.transaction.unwatch(&mut call.state.store);
    Ok(Frame::OK)
});

fn watch(call: &mut Call<'_>) -> Reply {
    if call.client.transaction.is_open() {
        return Err(Refusal::says("ERR WATCH inside MULTI is not allowed"));
    }
    for key in call.after(1) {
        call.client.transaction.watch(&mut call.state.store, call.client.database, key, call.now_ms);
    }
    Ok(Frame::OK)
}
