use super::{Call, Command, InTransaction, Refusal, Reply, refuse, run};
use crate::{
    codec::{Frame, Protocol, count},
    server::Open,
};
use bytes::BytesMut;

/// `MULTI`: the commands that follow are queued.
pub(super) const MULTI: Command = Command { in_transaction: InTransaction::Runs, ..Command::new("multi", begin) };

/// `DISCARD`: forgets what was queued, and the watched keys.
pub(super) const DISCARD: Command = Command { in_transaction: InTransaction::Ends, ..Command::new("discard", discard) };

/// `EXEC`: runs what was queued; null where a watched key has changed.
pub(super) const EXEC: Command = Command {
    in_transaction: InTransaction::Executes,
    // Never run: it writes more than one reply, by `execute`.
    ..Command::new("exec", |_| Err(WITHOUT_MULTI))
};

const WITHOUT_MULTI: Refusal = Refusal::says("ERR EXEC without MULTI");

fn begin(call: &mut Call<'_>) -> Reply {
    if call.client.transaction.is_open() {
        return Err(Refusal::says("ERR MULTI calls can not be nested"));
    }
    call.client.transaction.begin();
    Ok(Frame::OK)
}

fn discard(call: &mut Call<'_>) -> Reply {
    if !call.client.transaction.is_open() {
        return Err(Refusal::says("ERR DISCARD without MULTI"));
    }
    abandon(call);
    Ok(Frame::OK)
}

/// Forgets what was queued, and the watched keys.
pub(super) fn abandon(call: &mut Call<'_>) {
    call.client.transaction.end();
    call.client.transaction.unwatch(&mut call.state.store);
}

/// Each reply is written as it comes: a command among them may switch the protocol.
pub(super) fn execute(call: &mut Call<'_>, out: &mut BytesMut) {
    let overtaken = call.client.transaction.is_overtaken(&mut call.state.store, call.now_ms);
    let Some(Open { requests, failed, .. }) = call.client.transaction.end() else {
        return refuse(WITHOUT_MULTI, call, out);
    };
    call.client.transaction.unwatch(&mut call.state.store);
    if failed {
        let text = "EXECABORT Transaction discarded because of previous errors.";
        return refuse(Refusal::says(text), call, out);
    }
    if overtaken {
        return match call.client.protocol {
            Protocol::Resp2 => out.extend_from_slice(b"*-1\r\n"),
            Protocol::Resp3 => Frame::Null.encode(Protocol::Resp3, out),
        };
    }
    count(out, b'*', requests.len());
    for queued in requests {
        let Call { client, state, now_ms, .. } = call;
        run(queued.command, &mut Call { arguments: &queued.arguments, client, state, now_ms: *now_ms }, out);
    }
}
