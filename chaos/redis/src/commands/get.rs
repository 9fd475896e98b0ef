use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `GET key`
pub(super) const GET: Command = Command::new("get", 2, run);

fn run(call: &mut Call<'_>) -> Reply {
    let value = call.state.store.get(call.client.database, call.word(1), call.now_ms);
    Ok(value.map_or(Frame::Null, Frame::Bulk))
}
