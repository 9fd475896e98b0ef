use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `GETSET key value`: the old value.
pub(super) const GETSET: Command = Command::new("getset", run);

fn run(call: &mut Call<'_>) -> Reply {
    let old = call.read(call.word(1));
    call.state.store.set(call.client.database, call.word(1), call.word(2), None);
    Ok(old.map_or(Frame::Null, Frame::Bulk))
}
