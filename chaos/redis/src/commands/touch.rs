use super::{Call, Command, Reply};
use crate::{codec::Frame, server::Look};

/// `TOUCH key [key …]`: they count as used; how many are there.
pub(super) const TOUCH: Command = Command::new("touch", run);

fn run(call: &mut Call<'_>) -> Reply {
    Ok(Frame::count(call.after(1).iter().filter(|key| call.deadline_ms(key, Look::Read).is_some()).count()))
}
