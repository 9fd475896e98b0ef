use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `ECHO message`
pub(super) const ECHO: Command = Command::new("echo", run);

fn run(call: &mut Call<'_>) -> Reply {
    Ok(Frame::bulk(call.word(1)))
}
