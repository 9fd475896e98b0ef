use super::{Call, Command, Reply};
use crate::{codec::Frame, server::Look};

/// `EXISTS key [key …]`: how many are there; a key that is named twice counts twice.
pub(super) const EXISTS: Command = Command::new("exists", run);

fn run(call: &mut Call<'_>) -> Reply {
    Ok(Frame::count(call.after(1).iter().filter(|key| call.deadline_ms(key, Look::Peek).is_some()).count()))
}
