//! A TCP listener whose mode can be switched while the port stays bound.
//!
//! - Refusing is `shutdown(SHUT_RD)` on the listening socket: Linux stops listening (queued connections get RST, new
//!   ones ECONNREFUSED) and keeps an explicitly bound port, until `listen` is called again. `SO_REUSEADDR` is off
//!   meanwhile, or another program could listen there.
//! - A blackhole is a socket filter (classic BPF) that drops every packet for the listener: SYNs vanish, and the kernel
//!   counts them by socket. A full accept queue would do the same, but needs connections of our own to fill it, and lets
//!   through as many as its rounding allows.

use super::{descriptors::Allowance, stream::TcpConnection};
use crate::{Accept, ListenMode, ListenSwitch, Stream, TurnedAway};
use futures_util::future::BoxFuture;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::{
    io,
    net::{Shutdown, SocketAddr},
    os::fd::AsRawFd as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, sync::watch};

/// Length of the accept queue: as many waiting connections as the kernel allows by default (net.core.somaxconn since
/// Linux 5.4).
const BACKLOG: i32 = 4096;

pub(super) struct TcpAccept {
    shared: Arc<Shared>,
    mode: watch::Receiver<ListenMode>,
    /// Absent after a change of mode: tokio remembers the hang-up of a socket that stopped listening, and would try it
    /// without end. So it has to be registered afresh.
    listener: Option<TcpListener>,
    /// Taken from the kernel at the moment in which the mode changed.
    held: Option<Stream>,
    port: u16,
    allowance: Allowance,
}

struct Shared {
    mode: watch::Sender<ListenMode>,
    /// Locked while switching, so that two switches can't interleave.
    switch: Mutex<Switch>,
}

struct Switch {
    /// Absent once the listener is gone: nothing may make its port listen again.
    socket: Option<Socket>,
    /// Up to the last change of mode.
    turned_away: TurnedAway,
    /// Resets that the kernel had counted at that change.
    resets_before: u64,
    drops_before: u64,
}

/// A socket that is bound and doesn't listen yet.
fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections in TIME_WAIT must not keep a restarted program from its port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn port_of(socket: &Socket) -> io::Result<u16> {
    Ok(socket.local_addr()?.as_socket().map_or(0, |address| address.port()))
}

impl TcpAccept {
    pub(super) fn bind(mut address: SocketAddr, allowance: Allowance) -> io::Result<Self> {
        let mut socket = bound(address)?;
        if address.port() == 0 {
            // A socket loses a port that the kernel chose when it stops listening, so it is asked for by its number. The
            // first socket holds the port until the second has it, too.
            address.set_port(port_of(&socket)?);
            socket = bound(address)?;
        }
        socket.listen(BACKLOG)?;
        #[expect(clippy::disallowed_methods, reason = "one task accepts: there is no order in which to wake")]
        let (sender, mode) = watch::channel(ListenMode::Accept);
        let switch =
            Switch { socket: Some(socket), turned_away: TurnedAway::default(), resets_before: 0, drops_before: 0 };
        let shared = Arc::new(Shared { mode: sender, switch: Mutex::new(switch) });
        let mut this = Self { shared, mode, listener: None, held: None, port: address.port(), allowance };
        this.register()?;
        Ok(this)
    }

    fn register(&mut self) -> io::Result<()> {
        let switch = self.shared.switch();
        let socket = switch.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        self.listener = Some(TcpListener::from_std(socket.try_clone()?.into())?);
        Ok(())
    }

    async fn next(&mut self) -> io::Result<Stream> {
        loop {
            let (mode, changed) = {
                let seen = self.mode.borrow_and_update();
                (*seen, seen.has_changed())
            };
            // Also where the mode is the same again: the socket may have stopped listening in between.
            if changed || mode != ListenMode::Accept {
                self.listener = None;
            }
            if mode != ListenMode::Accept {
                if mode == ListenMode::Refuse
                    && let Some(stream) = self.held.take()
                {
                    stream.abort();
                }
                self.changed().await;
                continue;
            }
            if let Some(stream) = self.held.take() {
                return Ok(stream);
            }
            if self.listener.is_none() {
                self.register()?;
            }
            let Some(listener) = &self.listener else { continue };
            tokio::select! {
                biased;
                _ = self.mode.changed() => self.listener = None,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if !self.allowance.has(&stream) {
                            // A close would be an end in good order.
                            stream.set_zero_linger()?;
                            return Err(io::ErrorKind::QuotaExceeded.into());
                        }
                        let stream = TcpConnection::new(stream).map(Stream::new)?;
                        if !self.mode.has_changed().unwrap_or(false) {
                            return Ok(stream);
                        }
                        self.held = Some(stream);
                    }
                    // It stopped listening under our hands: the change of mode says so in a moment, or has already.
                    Err(error) if error.raw_os_error() == Some(libc::EINVAL) => self.changed().await,
                    // The client gave up before it was taken.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Waits for a change of mode that wasn't seen yet.
    async fn changed(&mut self) {
        // The sender lives as long as `shared`, so this can't fail.
        let _ = self.mode.changed().await;
        self.listener = None;
    }
}

impl Accept for TcpAccept {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(self.next())
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn control(&self) -> Arc<dyn ListenSwitch> {
        Arc::clone(&self.shared) as Arc<dyn ListenSwitch>
    }
}

impl Drop for TcpAccept {
    fn drop(&mut self) {
        // Controls may live on, but the socket is closed here, and with it the port is free.
        self.shared.switch().socket = None;
    }
}

impl Shared {
    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.switch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListenSwitch for Shared {
    fn set(&self, mode: ListenMode) -> io::Result<()> {
        let mut switch = self.switch();
        let before = *self.mode.borrow();
        if before == mode {
            return Ok(());
        }
        let turned_away = switch.turned_away(before);
        if let Some(socket) = &switch.socket {
            change(socket, before, mode)?;
        }
        switch.turned_away = turned_away;
        switch.resets_before = if mode == ListenMode::Refuse { resets_sent() } else { 0 };
        switch.drops_before = switch.socket.as_ref().map_or(0, drops);
        self.mode.send_replace(mode);
        Ok(())
    }

    fn turned_away(&self) -> TurnedAway {
        self.switch().turned_away(*self.mode.borrow())
    }
}

impl Switch {
    /// All that was turned away, while `mode` holds.
    fn turned_away(&self, mode: ListenMode) -> TurnedAway {
        let mut sum = self.turned_away;
        match (&self.socket, mode) {
            (Some(_), ListenMode::Refuse) => sum.refused += resets_sent().saturating_sub(self.resets_before),
            (Some(socket), ListenMode::Blackhole) => sum.dropped += drops(socket).saturating_sub(self.drops_before),
            _ => {}
        }
        sum
    }
}

/// The new mode begins before the old one ends, so that nobody gets through between the two. Where a step fails, those
/// before it are taken back.
fn change(socket: &Socket, from: ListenMode, to: ListenMode) -> io::Result<()> {
    // A filter rather than a full accept queue: the queue needs connections of our own to fill it and lets through as
    // many as its rounding allows; the filter takes effect at once, and the kernel counts what it dropped, which proves
    // that the fault fired.
    if to == ListenMode::Blackhole {
        // BPF_RET with 0 bytes: keep nothing of any packet (linux/filter.h).
        socket.attach_filter(&[SockFilter::new(0x06, 0, 0, 0)]).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let why = "a blackhole is a socket filter, which this kernel lets only who has CAP_NET_ADMIN attach";
                io::Error::new(error.kind(), why)
            }
            _ => error,
        })?;
    }
    if from == ListenMode::Refuse {
        let resumed = socket.set_reuse_address(true).and_then(|()| socket.listen(BACKLOG));
        if resumed.is_err() {
            let _ = socket.set_reuse_address(false);
            if to == ListenMode::Blackhole {
                let _ = socket.detach_filter();
            }
            return resumed;
        }
    }
    if to == ListenMode::Refuse {
        // `shutdown`, and `listen` again later, rather than a close: the port stays bound, so no other program can take
        // it meanwhile, and what waits in the accept queue is reset.
        socket.shutdown(Shutdown::Read)?;
        // Only now: connections inherit it, and without it those that were taken before would keep us from listening
        // again.
        socket.set_reuse_address(false)?;
    }
    if from == ListenMode::Blackhole {
        socket.detach_filter()?;
    }
    Ok(())
}

/// Resets that this machine (network namespace) has sent: `OutRsts` of `/proc/self/net/snmp`; 0 where there is no such
/// file.
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
