use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `GETDEL key`: the value of a key that is then gone.
pub(super) const GETDEL: Command = Command::new("getdel", run);

fn run(call: &mut Call<'_>) -> Reply {
    let old = call.read(call.word(1));
    call.remove(call.word(1));
    Ok(old.map_or(Frame::Null, Frame::Bulk))
}
