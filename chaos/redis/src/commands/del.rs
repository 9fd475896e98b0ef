use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `DEL key [key …]`: how many were there.
pub(super) const DEL: Command = Command::new("del", run);

/// `UNLINK key [key …]`: the same. Redis gives the memory back behind its clients' backs; there is little of it here.
pub(super) const UNLINK: Command = Command::new("unlink", run);

fn run(call: &mut Call<'_>) -> Reply {
    Ok(Frame::count(call.after(1).iter().filter(|key| call.remove(key)).count()))
}
