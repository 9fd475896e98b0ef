//! One connection: reads what has come, answers every whole request in it, writes the replies at once, reads on.

use super::{Client, Server};
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
    client: Client,
    decoder: RequestDecoder,
    inbox: BytesMut,
    outbox: BytesMut,
}

impl Session {
    fn register(server: &Arc<Server>, stream: &Stream) -> Option<Self> {
        let now_ms = server.clock.now_ms();
        let mut state = server.state();
        if state.clients.len() >= state.config.max_clients {
            state.stats.rejected_connections += 1;
            return None;
        }
        state.stats.connections += 1;
        let id = state.clients.next_id();
        let client = Client::new(id, &stream.peer(), state.config.password.is_none(), now_ms);
        state.clients.publish(&client);
        drop(state);
        Some(Self {
            server: Arc::clone(server),
            client,
            decoder: RequestDecoder::default(),
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
        })
    }

    /// Answers the whole requests in the inbox.
    fn answer(&mut self) -> Next {
        let Self { server, client, decoder, inbox, outbox } = self;
        let now_ms = server.clock.now_ms();
        let mut state = server.state();
        let next = loop {
            if outbox.len() >= REPLY_BYTES {
                break Next::Answer;
            }
            let limits = limits(client.authenticated, state.store.max_bytes());
            let request = match decoder.decode(inbox, &limits) {
                Ok(Some(request)) => request,
                Ok(None) => break Next::Read,
                Err(error) => {
                    Frame::error(&format!("ERR {error}")).encode(Protocol::Resp2, outbox);
                    break Next::Close;
                }
            };
            client.active_ms = now_ms;
            let reply = commands::execute(Call { arguments: &request.arguments, client, state: &mut state, now_ms });
            reply.encode(client.protocol, outbox);
            if client.closing {
                break Next::Close;
            }
        };
        state.clients.publish(client);
        next
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.server.state().clients.remove(self.client.id);
    }
}

/// What a client may send: never much more than could be stored.
fn limits(authenticated: bool, max_memory_bytes: u64) -> RequestLimits {
    let mut limits = if authenticated { RequestLimits::default() } else { RequestLimits::unauthenticated() };
    if max_memory_bytes > 0 {
        let most = max_memory_bytes.saturating_add(REQUEST_MARGIN_BYTES);
        limits.bytes = usize::try_from(most).unwrap_or(usize::MAX).min(limits.bytes);
    }
    limits
}
