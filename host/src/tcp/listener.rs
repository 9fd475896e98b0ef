//! A TCP listener whose answer can be switched while the port stays bound.
//!
//! - Refusing is `shutdown(SHUT_RD)` on the listening socket: Linux stops listening (queued connections get RST, new ones
//!   ECONNREFUSED) and keeps the port, until `listen` is called again. No other program can take the port meanwhile.
//! - A blackhole is a socket filter (classic BPF) that drops every packet for the listener: SYNs vanish, and the kernel
//!   counts them by socket. A full accept queue would do the same, but needs connections of our own to fill it, and lets
//!   through as many as its rounding allows.

use super::stream::TcpConnection;
use crate::{Accept, Answer, Control, Stream, TurnedAway};
use futures_util::future::BoxFuture;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::{
    io,
    net::{Shutdown, SocketAddr},
    os::fd::AsRawFd as _,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, sync::watch};

/// As many waiting connections as the kernel allows by default (net.core.somaxconn since Linux 5.4).
const BACKLOG: i32 = 4096;

pub(super) struct TcpAccept {
    shared: Arc<Shared>,
    answer: watch::Receiver<Answer>,
    /// Absent after a change of answer: epoll remembers the hang-up of a socket that stopped listening, so it has to be
    /// registered afresh.
    listener: Option<TcpListener>,
    port: u16,
}

struct Shared {
    socket: Socket,
    answer: watch::Sender<Answer>,
    /// Held while switching, so that two switches can't interleave.
    switching: Mutex<Switching>,
}

#[derive(Default)]
struct Switching {
    refused: u64,
    resets_at_refusal: u64,
}

impl TcpAccept {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut socket = claim(address)?;
        let port = socket.local_addr()?.as_socket().map_or(0, |address| address.port());
        if address.port() == 0 {
            // The kernel lets go of a port that it chose itself when the socket stops listening, and keeps one that was
            // asked for. Both sockets can be bound, since neither listens yet.
            socket = claim(SocketAddr::new(address.ip(), port))?;
        }
        socket.listen(BACKLOG)?;
        let (sender, answer) = watch::channel(Answer::Accept);
        let shared = Arc::new(Shared { socket, answer: sender, switching: Mutex::default() });
        let mut this = Self { shared, answer, listener: None, port };
        this.register()?;
        Ok(this)
    }

    fn register(&mut self) -> io::Result<&TcpListener> {
        let listener = TcpListener::from_std(self.shared.socket.try_clone()?.into())?;
        Ok(self.listener.insert(listener))
    }

    async fn next(&mut self) -> io::Result<Stream> {
        loop {
            if *self.answer.borrow_and_update() != Answer::Accept {
                self.listener = None;
                // The sender lives as long as `shared`, so this can't fail.
                let _ = self.answer.changed().await;
                continue;
            }
            if self.listener.is_none() {
                self.register()?;
            }
            let Some(listener) = &self.listener else { continue };
            tokio::select! {
                biased;
                _ = self.answer.changed() => self.listener = None,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => return TcpConnection::new(stream).map(Stream::new),
                    // It stopped listening under our hands: the change of answer says so in a moment.
                    Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                        let _ = self.answer.changed().await;
                        self.answer.mark_changed();
                        self.listener = None;
                    }
                    // The client gave up before it was taken.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }
}

impl Accept for TcpAccept {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(self.next())
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn control(&self) -> Arc<dyn Control> {
        Arc::clone(&self.shared) as Arc<dyn Control>
    }
}

impl Drop for TcpAccept {
    fn drop(&mut self) {
        // Controls may outlive the listener and share its socket: the port is freed here all the same.
        let _ = self.shared.socket.shutdown(Shutdown::Read);
    }
}

impl Control for Shared {
    fn set(&self, answer: Answer) -> io::Result<()> {
        let mut switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *self.answer.borrow();
        if before == answer {
            return Ok(());
        }
        match before {
            Answer::Refuse => {
                switching.refused += resets_sent().saturating_sub(switching.resets_at_refusal);
                self.socket.listen(BACKLOG)?;
            }
            Answer::Blackhole => self.socket.detach_filter()?,
            Answer::Accept | Answer::Hang => {}
        }
        match answer {
            Answer::Refuse => {
                self.socket.shutdown(Shutdown::Read)?;
                switching.resets_at_refusal = resets_sent();
            }
            // BPF_RET with 0 bytes: keep nothing of any packet (linux/filter.h).
            Answer::Blackhole => self.socket.attach_filter(&[SockFilter::new(0x06, 0, 0, 0)])?,
            Answer::Accept | Answer::Hang => {}
        }
        self.answer.send_replace(answer);
        Ok(())
    }

    fn turned_away(&self) -> TurnedAway {
        let switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match *self.answer.borrow() {
            Answer::Refuse => resets_sent().saturating_sub(switching.resets_at_refusal),
            _ => 0,
        };
        TurnedAway { refused: switching.refused + current, dropped: drops(&self.socket) }
    }
}

/// A socket that is bound and doesn't listen yet.
fn claim(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections in TIME_WAIT must not keep a restarted program from its port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Resets that this machine (network namespace) has sent: `OutRsts` of `/proc/self/net/snmp`; 0 where there is no such file.
fn resets_sent() -> u64 {
    let Ok(snmp) = std::fs::read_to_string("/proc/self/net/snmp") else { return 0 };
    let mut tcp = snmp.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (Some(names), Some(values)) = (tcp.next(), tcp.next()) else { return 0 };
    let column = names.split(' ').position(|name| name == "OutRsts");
    column.and_then(|column| values.split(' ').nth(column)?.parse().ok()).unwrap_or(0)
}

/// Packets that the kernel dropped at this socket: `SK_MEMINFO_DROPS` of `SO_MEMINFO` (linux/sock_diag.h).
#[expect(unsafe_code, reason = "no crate offers SO_MEMINFO, the kernel's only count by socket")]
fn drops(socket: &Socket) -> u64 {
    const SO_MEMINFO: libc::c_int = 55;
    const DROPS: usize = 8;
    let mut meminfo = [0_u32; 16];
    let Ok(mut length) = libc::socklen_t::try_from(size_of_val(&meminfo)) else { return 0 };
    // SAFETY: the pointer and length describe `meminfo`, which outlives the call; the kernel writes at most `length`
    // bytes and any bytes are valid u32s; the descriptor is open, since `socket` is borrowed.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_MEMINFO, meminfo.as_mut_ptr().cast(), &raw mut length)
    };
    if result == 0 { u64::from(meminfo[DROPS]) } else { 0 }
}
