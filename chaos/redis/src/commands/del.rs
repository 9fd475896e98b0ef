use super::{Call, Command, Keys, Reply};
use crate::codec::Frame;

/// `DEL key [key …]`: how many were there.
pub(super) const DEL: Command = Command { keys: Keys::All, ..Command::new("del", -2, run) };

/// `UNLINK key [key …]`: the same. Redis gives the memory back behind its clients' backs; there is little of it here.
pub(super) const UNLINK: Command = Command { keys: Keys::All, ..Command::new("unlink", -2, run) };

fn run(call: &mut Call<'_>) -> Reply {
    Ok(Frame::count(call.after(1).iter().filter(|key| call.remove(key)).count()))
}
