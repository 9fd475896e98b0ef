//! One connection: reads what has come, answers every whole request in it, writes the replies at once, reads on.

use super::{Client, DEFAULT, Server, State};
use crate::{
    codec::{Frame, Protocol, RequestDecoder, RequestLimits},
    commands::{self, Call},
};
use bytes::BytesMut;
use host::Stream;
use std::{io, sync::Arc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Replies are written once there are so many bytes of them, though there are further requests: a client that sends
/// without reading must not fill the memory, nor keep the others waiting.
const REPLY_BYTES: usize = 64 * 1024;

/// Room for one read.
const READ_BYTES: usize = 16 * 1024;

/// A request may be larger than all that can be stored by this much; then the connection is closed.
const REQUEST_MARGIN_BYTES: u64 = 1024 * 1024;

/// Serves one connection until the client or `QUIT` ends it.
pub(super) async fn serve(server: Arc<Server>, mut stream: Stream) -> io::Result<()> {
    let Some(mut session) = Session::register(&server, &stream) else {
        stream.write_all(b"-ERR max number of clients reached\r\n").await?;
        return stream.shutdown().await;
    };
    loop {
        let next = session.answer();
        if !session.outbox.is_empty() {
            stream.write_all(&session.outbox).await?;
            stream.flush().await?;
            session.outbox.clear();
        }
        match next {
            Next::Close => return stream.shutdown().await,
            Next::Answer => {}
            Next::Read => {
                session.inbox.reserve(READ_BYTES);
                if stream.read_buf(&mut session.inbox).await? == 0 {
                    return Ok(());
                }
            }
        }
    }
}

enum Next {
    /// There may be further whole requests.
    Answer,
    Read,
    Close,
}

struct Session {
    server: Arc<Server>,
    id: u64,
    decoder: RequestDecoder,
    inbox: BytesMut,
    outbox: BytesMut,
}

impl Session {
    fn register(server: &Arc<Server>, stream: &Stream) -> Option<Self> {
        let now_ms = server.clock.now_ms();
        let mut state = server.state();
        if state.clients.len() >= state.max_clients {
            state.stats.rejected_connections += 1;
            return None;
        }
        state.stats.connections += 1;
        let needs_no_password = !state.users.ask();
        let id = state.clients.enter(&stream.peer(), DEFAULT.into(), needs_no_password, now_ms);
        drop(state);
        let (inbox, outbox) = (BytesMut::new(), BytesMut::new());
        Some(Self { server: Arc::clone(server), id, decoder: RequestDecoder::default(), inbox, outbox })
    }

    /// Answers the whole requests in the inbox.
    fn answer(&mut self) -> Next {
        let now_ms = self.server.clock.now_ms();
        let server = Arc::clone(&self.server);
        let mut state = server.state();
        let Some(mut client) = state.clients.take(self.id) else { return Next::Close };
        let next = loop {
            if self.outbox.len() >= REPLY_BYTES {
                break Next::Answer;
            }
            if let Some(next) = self.answer_one(&mut client, &mut state, now_ms) {
                break next;
            }
        };
        state.stats.output_bytes += self.outbox.len() as u64;
        state.stats.output_rate.add(self.outbox.len() as u64, now_ms);
        state.clients.put_back(client);
        next
    }

    /// Answers the next request; what to do where there is none, or no other.
    fn answer_one(&mut self, client: &mut Client, state: &mut State, now_ms: i64) -> Option<Next> {
        let is_known = client.authenticated || !state.users.ask();
        let limits = limits(is_known, state.store.max_bytes());
        let request = match self.decoder.decode(&mut self.inbox, &limits) {
            Ok(Some(request)) => request,
            Ok(None) => return Some(Next::Read),
            Err(error) => {
                Frame::error(&format!("ERR {error}")).encode(Protocol::Resp2, &mut self.outbox);
                return Some(Next::Close);
            }
        };
        client.active_ms = now_ms;
        state.stats.input_bytes += request.raw.len() as u64;
        state.stats.input_rate.add(request.raw.len() as u64, now_ms);
        commands::execute(&mut Call { arguments: &request.arguments, client, state, now_ms }, &mut self.outbox);
        client.closing.then_some(Next::Close)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.server.state();
        if let Some(mut client) = state.clients.leave(self.id) {
            client.transaction.unwatch(&mut state.store);
        }
    }
}

/// The limits of what a client may send: never much more than could be stored.
fn limits(authenticated: bool, max_memory_bytes: u64) -> RequestLimits {
    let mut limits = if authenticated { RequestLimits::default() } else { RequestLimits::unauthenticated() };
    if max_memory_bytes > 0 {
        let most = max_memory_bytes.saturating_add(REQUEST_MARGIN_BYTES);
        limits.bytes = usize::try_from(most).unwrap_or(usize::MAX).min(limits.bytes);
    }
    limits
}
