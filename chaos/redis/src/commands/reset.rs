use super::{Call, Command, InTransaction, Reply, transaction::abandon};
use crate::{
    codec::{Frame, Protocol},
    server::DEFAULT,
};
use bytes::Bytes;

/// `RESET`: the connection is as it was at its start.
pub(super) const RESET: Command = Command { in_transaction: InTransaction::Ends, ..Command::new("reset", run) };

fn run(call: &mut Call<'_>) -> Reply {
    abandon(call);
    call.client.database = 0;
    call.client.protocol = Protocol::Resp2;
    call.client.name = Bytes::new();
    call.client.user = DEFAULT.into();
    call.client.authenticated = !call.state.users.ask();
    Ok(Frame::Simple(Bytes::from_static(b"RESET")))
}
