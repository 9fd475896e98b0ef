use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `DBSIZE`
pub(super) const DBSIZE: Command = Command::new("dbsize", run);

fn run(call: &mut Call<'_>) -> Reply {
    Ok(Frame::count(call.state.store.len(call.client.database)))
}
