use super::Command;
use crate::codec::Frame;

/// `RANDOMKEY`: of the seed's random stream, so that it repeats.
pub(super) const RANDOMKEY: Command = Command::new("randomkey", |call| {
    let key = call.state.store.random_key(call.client.database, call.now_ms);
    Ok(key.map_or(Frame::Null, Frame::bulk))
});
