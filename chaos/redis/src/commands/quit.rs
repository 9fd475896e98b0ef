use super::{Call, Command, InTransaction, Reply};
use crate::codec::Frame;

/// `QUIT`: the connection is closed behind the reply; requests behind it are not answered.
pub(super) const QUIT: Command = Command { in_transaction: InTransaction::Ends, ..Command::new("quit", run) };

fn run(call: &mut Call<'_>) -> Reply {
    call.client.closing = true;
    Ok(Frame::OK)
}
