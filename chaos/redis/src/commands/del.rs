use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `DEL key [key …]`: how many were there.
pub(super) const DEL: Command = Command::new("del", -2, run);

fn run(call: &mut Call<'_>) -> Reply {
    let (keys, store) = (call.after(1), &mut call.state.store);
    Ok(Frame::count(keys.iter().filter(|key| store.remove(call.client.database, key, call.now_ms)).count()))
}
