use super::{Call, Command, Reply, glob};
use crate::codec::Frame;

/// `KEYS pattern`
pub(super) const KEYS: Command = Command::new("keys", run);

fn run(call: &mut Call<'_>) -> Reply {
    let (pattern, mut keys) = (call.word(1), vec![]);
    call.state.store.scan(call.client.database, 0, usize::MAX, call.now_ms, |key| {
        if glob(pattern, key) {
            keys.push(Frame::bulk(key));
        }
    });
    Ok(Frame::Array(keys))
}
