use crate::{Connection, stream::Halves};
use std::{
    io,
    os::fd::AsRawFd as _,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A TCP connection without Nagle's delay.
pub(super) struct TcpConnection(TcpStream);

impl TcpConnection {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        // Requests are small and latency is what is measured: Nagle's algorithm would add up to 40 ms.
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }
}

impl Connection for TcpConnection {
    fn split(&mut self) -> Halves<'_> {
        let (read, write) = self.0.split();
        (Box::new(read), Box::new(write))
    }

    fn abort(self: Box<Self>) {
        // Linger 0 makes the close a reset (socket(7)). It fails only on a socket that is gone already.
        let _ = self.0.set_zero_linger();
    }

    fn peer(&self) -> String {
        self.0.peer_addr().map_or_else(|_| "gone".to_owned(), |address| address.to_string())
    }

    #[expect(unsafe_code, reason = "no crate offers SIOCOUTQ")]
    fn unsent(&self) -> usize {
        let mut bytes: libc::c_int = 0;
        // SAFETY: SIOCOUTQ (which is TIOCOUTQ, tcp(7)) writes one int to where the pointer says, which is `bytes`; the
        // descriptor is open, since the stream is borrowed.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
        if result == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
    }

    fn limit_unsent(&self, bytes: u32) {
        // TCP_NOTSENT_LOWAT (tcp(7)). Where it fails, the kernel keeps more, and all else is the same.
        let _ = socket2::SockRef::from(&self.0).set_tcp_notsent_lowat(bytes);
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
