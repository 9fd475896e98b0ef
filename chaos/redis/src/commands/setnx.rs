use super::{Call, Command, Reply};
use crate::{codec::Frame, server::Look};

/// `SETNX key value`: 1 where there was no such key, and now is.
pub(super) const SETNX: Command = Command::new("setnx", run);

fn run(call: &mut Call<'_>) -> Reply {
    let is_absent = call.deadline_ms(call.word(1), Look::Change).is_none();
    if is_absent {
        call.state.store.set(call.client.database, call.word(1), call.word(2), None);
    }
    Ok(Frame::Integer(i64::from(is_absent)))
}
