//! A stream above TLS: handshakes and records are read and written as the stream is.

use crate::{
    dialogue::{Dialogue, Side},
    layer::Ways,
    lock,
};
use chaos_model::effect::Handshake;
use futures_util::{future::BoxFuture, task::AtomicWaker};
use host::{Connection, Halves, Stream};
use rustls::{
    ClientConnection, ServerConnection,
    server::{Accepted, Acceptor},
};
use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write as _},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are still read from a peer with which TLS has failed, so that it sees why before a reset could throw that away.
const MOST_HEARD_OUT: usize = 64 << 10;

/// A stream above TLS. Both of its halves drive the one below, so that each wakes both.
pub(crate) struct TlsStream {
    core: Mutex<Core>,
    woken: Arc<Woken>,
}

struct Core {
    below: Stream,
    phase: Phase,
    side: Side,
    ways: Arc<Ways>,
    dialogue: Arc<Dialogue>,
    /// The peer was told of the end, or is not to be.
    is_told: bool,
    /// The time for which a fault holds up the handshake.
    pause: Option<BoxFuture<'static, ()>>,
}

enum Phase {
    /// Nobody knows yet what the client wants.
    Hello(Acceptor),
    /// The client's wishes are known, and a fault may have something to say to them.
    Met(Box<Accepted>),
    Speaking(rustls::Connection),
    /// TLS has failed; the alert has gone, or could not. Bytes that were heard out since.
    Failed(usize),
}

#[derive(Default)]
struct Woken {
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reader.wake();
        self.writer.wake();
    }
}

impl TlsStream {
    /// One of a client that was just accepted.
    pub(crate) fn accepted(below: Stream, ways: &Arc<Ways>, dialogue: &Arc<Dialogue>) -> Self {
        Self::new(below, Phase::Hello(Acceptor::default()), Side::Client, ways, dialogue)
    }

    /// One to a service, which is yet to shake hands.
    pub(crate) fn dialled(
        below: Stream,
        connection: ClientConnection,
        ways: &Arc<Ways>,
        dialogue: &Arc<Dialogue>,
    ) -> Self {
        Self::new(below, Phase::Speaking(connection.into()), Side::Service, ways, dialogue)
    }

    fn new(below: Stream, phase: Phase, side: Side, ways: &Arc<Ways>, dialogue: &Arc<Dialogue>) -> Self {
        let (ways, dialogue) = (Arc::clone(ways), Arc::clone(dialogue));
        let core = Core { below, phase, side, ways, dialogue, is_told: false, pause: None };
        Self { core: Mutex::new(core), woken: Arc::default() }
    }

    /// Ready once both have shaken hands.
    pub(crate) fn poll_handshake(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.driven(cx, |woken| &woken.writer, Core::poll_handshake)
    }

    /// Does something with what is below, on behalf of a reader or a writer.
    fn driven<T>(
        &self,
        cx: &Context<'_>,
        who: fn(&Woken) -> &AtomicWaker,
        what: impl FnOnce(&mut Core, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        who(&self.woken).register(cx.waker());
        let waker = Waker::from(Arc::clone(&self.woken));
        what(&mut lock(&self.core), &mut Context::from_waker(&waker))
    }

    fn poll_read(&self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.driven(cx, |woken| &woken.reader, |core, cx| core.poll_read(cx, buf))
    }

    fn poll_write(&self, cx: &Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.driven(cx, |woken| &woken.writer, |core, cx| core.poll_write(cx, bufs))
    }

    fn poll_flush(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.driven(cx, |woken| &woken.writer, Core::poll_flush)
    }

    fn poll_shutdown(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.driven(cx, |woken| &woken.writer, Core::poll_shutdown)
    }
}

impl Core {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if !ready!(self.poll_hello(cx))? {
                return Poll::Ready(Ok(()));
            }
            // What TLS has to say itself. Where it can't be said, there may be something to read all the same.
            let _ = self.poll_send(cx);
            let Phase::Speaking(connection) = &mut self.phase else { return self.poll_hear_out(cx).map(Err) };
            match connection.reader().read(buf.initialize_unfilled()) {
                Ok(count) => {
                    buf.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Without a word that it ends. It is passed on as it is.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return self.end_of_cut(),
                Err(error) => return Poll::Ready(Err(error)),
            }
            if !connection.wants_read() {
                // Not before something is sent, which wakes the reader too.
                return Poll::Pending;
            }
            match ready!(self.poll_receive(cx)) {
                Ok(0) if self.is_handshaking() => return self.end_of_cut(),
                Ok(_) => {}
                // A client shall see why.
                Err(_) if self.side == Side::Client && matches!(self.phase, Phase::Failed(_)) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn end_of_cut(&self) -> Poll<io::Result<()>> {
        self.dialogue.cut(self.side);
        Poll::Ready(Ok(()))
    }

    fn is_handshaking(&self) -> bool {
        match &self.phase {
            Phase::Hello(_) | Phase::Met(_) => true,
            Phase::Speaking(connection) => connection.is_handshaking(),
            Phase::Failed(_) => false,
        }
    }

    /// Ready once it is known what the client wants; with false where it leaves before.
    fn poll_hello(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if let Phase::Met(_) = &self.phase {
                return self.poll_met(cx);
            }
            let Phase::Hello(acceptor) = &mut self.phase else { return Poll::Ready(Ok(true)) };
            let mut below = Below { stream: &mut self.below, cx };
            let count = match acceptor.read_tls(&mut below) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                read => read?,
            };
            if count == 0 {
                self.dialogue.cut(self.side);
                return Poll::Ready(Ok(false));
            }
            let accepted = match acceptor.accept() {
                Ok(None) => continue,
                Ok(Some(accepted)) => accepted,
                Err((error, alert)) => {
                    self.refuse(cx, error, alert);
                    return Poll::Ready(Ok(true));
                }
            };
            self.phase = Phase::Met(Box::new(accepted));
        }
    }

    /// Ready once faults let the handshake go on, or have ended it.
    fn poll_met(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let action = self.dialogue.action();
        if action.is_of_handshakes() {
            self.dialogue.note_act();
        }
        match action.handshake {
            None => {}
            // Whoever drives the connection comes back when the faults change.
            Some(Handshake::Hang) => return Poll::Pending,
            Some(Handshake::Delay(delay)) => {
                let pause = self.pause.get_or_insert_with(|| self.ways.pause(delay));
                ready!(pause.as_mut().poll(cx));
            }
            Some(Handshake::Reset) => {
                std::mem::replace(&mut self.below, Stream::new(Nowhere)).abort();
                self.phase = Phase::Failed(MOST_HEARD_OUT);
                return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
            }
            Some(Handshake::Alert(alert)) => {
                // A record with a fatal alert (RFC 8446, 5.1 and 6). It fits into what the kernel holds.
                let record = [21, 3, 3, 0, 2, 2, alert.number()];
                let _ = Below { stream: &mut self.below, cx }.write_all(&record);
                self.phase = Phase::Failed(0);
                return Poll::Ready(Ok(true));
            }
        }
        let Phase::Met(accepted) = std::mem::replace(&mut self.phase, Phase::Failed(0)) else {
            return Poll::Ready(Ok(true));
        };
        let (config, hello) = self.ways.meet(&accepted.client_hello(), action);
        match accepted.into_connection(config) {
            Ok(connection) => {
                self.phase = Phase::Speaking(ServerConnection::into(connection));
                self.dialogue.begin(hello);
            }
            Err((error, alert)) => self.refuse(cx, error, alert),
        }
        Poll::Ready(Ok(true))
    }

    /// Tells the log, unless it is a fault's doing.
    fn tell(&self, error: &io::Error) {
        if self.side == Side::Service || !self.dialogue.was_acted_on() {
            self.ways.tell(self.side, error);
        }
    }

    /// Tells a client that there will be no TLS.
    fn refuse(&mut self, cx: &mut Context<'_>, error: rustls::Error, mut alert: rustls::server::AcceptedAlert) {
        // It fits into what the kernel holds: nothing was sent before it.
        let _ = alert.write_all(&mut Below { stream: &mut self.below, cx });
        self.tell(&io::Error::new(ErrorKind::InvalidData, error));
        self.phase = Phase::Failed(0);
    }

    /// Takes what has come from below; gives how much.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Phase::Speaking(connection) = &mut self.phase else { return Poll::Ready(Ok(0)) };
        let mut below = Below { stream: &mut self.below, cx };
        let count = match connection.read_tls(&mut below) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
            read => read?,
        };
        let was_handshaking = connection.is_handshaking();
        match connection.process_new_packets() {
            Ok(_) => Poll::Ready(Ok(count)),
            Err(error) => {
                let error = io::Error::new(ErrorKind::InvalidData, error);
                // Whoever dials says why a service's handshake failed.
                if self.side == Side::Client || !was_handshaking {
                    self.tell(&error);
                }
                let _ = self.poll_send(cx);
                self.phase = Phase::Failed(0);
                Poll::Ready(Err(error))
            }
        }
    }

    /// Sends what TLS has ready.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Phase::Speaking(connection) = &mut self.phase else { return Poll::Ready(Ok(())) };
        let mut below = Below { stream: &mut self.below, cx };
        while connection.wants_write() {
            match connection.write_tls(&mut below) {
                Ok(0) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !ready!(self.poll_hello(cx))? {
            return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
        }
        loop {
            ready!(self.poll_send(cx))?;
            let Phase::Speaking(connection) = &self.phase else {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            };
            if !connection.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_receive(cx))? == 0 {
                let why = "it ended the connection in the midst of the handshake";
                return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, why)));
            }
        }
    }

    /// Hears a peer out with which TLS has failed, for a while.
    fn poll_hear_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Phase::Failed(heard) = &mut self.phase else { return Poll::Ready(ErrorKind::InvalidData.into()) };
        let _ = Pin::new(&mut self.below).poll_shutdown(cx);
        loop {
            let mut bytes = [0; 4096];
            let mut buffer = ReadBuf::new(&mut bytes);
            let result = ready!(Pin::new(&mut self.below).poll_read(cx, &mut buffer));
            *heard += buffer.filled().len();
            if result.is_err() || buffer.filled().is_empty() || *heard > MOST_HEARD_OUT {
                return Poll::Ready(ErrorKind::InvalidData.into());
            }
        }
    }

    /// Takes bytes once those of before are sent, so that no more than one write waits here.
    fn poll_write(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.is_handshaking() {
            ready!(self.poll_handshake(cx))?;
        }
        ready!(self.poll_send(cx))?;
        let Phase::Speaking(connection) = &mut self.phase else {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        };
        let count = connection.writer().write_vectored(bufs)?;
        // Where it can't go now, `poll_flush` goes on with it; an error is the next writer's.
        let _ = self.poll_send(cx);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.below).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let was_told = std::mem::replace(&mut self.is_told, true);
        let is_silenced = self.side == Side::Client && self.dialogue.action().ends_unannounced;
        if !(was_told || is_silenced || self.dialogue.was_cut_before(self.side))
            && let Phase::Speaking(connection) = &mut self.phase
        {
            connection.send_close_notify();
        }
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.below).poll_shutdown(cx)
    }
}

impl Connection for TlsStream {
    fn split(&mut self) -> Halves<'_> {
        (Box::new(Half(self)), Box::new(Half(self)))
    }

    fn abort(self: Box<Self>) {
        self.core.into_inner().unwrap_or_else(PoisonError::into_inner).below.abort();
    }

    fn peer(&self) -> String {
        lock(&self.core).below.peer()
    }

    fn unsent(&self) -> usize {
        let core = lock(&self.core);
        let waits = matches!(&core.phase, Phase::Speaking(connection) if connection.wants_write());
        core.below.unsent() + usize::from(waits)
    }

    fn limit_unsent(&self, bytes: u32) {
        lock(&self.core).below.limit_unsent(bytes);
    }
}

/// The place of a stream that was reset.
struct Nowhere;

impl AsyncRead for Nowhere {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Nowhere {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Connection for Nowhere {
    fn split(&mut self) -> Halves<'_> {
        (Box::new(Self), Box::new(Self))
    }

    fn abort(self: Box<Self>) {}

    fn peer(&self) -> String {
        "nowhere".to_owned()
    }
}

struct Half<'a>(&'a TlsStream);

impl AsyncRead for Half<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buf)
    }
}

impl AsyncWrite for Half<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, &[IoSlice::new(buf)])
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Self::poll_read(&self, cx, buf)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write(&self, cx, &[IoSlice::new(buf)])
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_flush(&self, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_shutdown(&self, cx)
    }
}

/// The stream below, as rustls reads and writes it: what would wait would block.
struct Below<'a, 'c> {
    stream: &'a mut Stream,
    cx: &'a mut Context<'c>,
}

fn now<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

impl io::Read for Below<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        now(Pin::new(&mut *self.stream).poll_read(self.cx, &mut buf))?;
        Ok(buf.filled().len())
    }
}

impl io::Write for Below<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.stream).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.stream).poll_write_vectored(self.cx, bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.stream).poll_flush(self.cx))
    }
}
