use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `MGET key [key …]`
pub(super) const MGET: Command = Command::new("mget", run);

fn run(call: &mut Call<'_>) -> Reply {
    let values = call.after(1).iter().map(|key| call.read(key).map_or(Frame::Null, Frame::Bulk));
    Ok(Frame::Array(values.collect()))
}
