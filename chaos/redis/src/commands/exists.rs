use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `EXISTS key [key …]`: how many are there; a key that is named twice counts twice.
pub(super) const EXISTS: Command = Command::new("exists", -2, run);

fn run(call: &mut Call<'_>) -> Reply {
    let (keys, store) = (call.after(1), &mut call.state.store);
    Ok(Frame::count(keys.iter().filter(|key| store.get(call.client.database, key, call.now_ms).is_some()).count()))
}
