use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `GET key`
pub(super) const GET: Command = Command::new("get", run);

fn run(call: &mut Call<'_>) -> Reply {
    Ok(call.read(call.word(1)).map_or(Frame::Null, Frame::Bulk))
}
