//! The run lock of this machine. Real-time runs on one machine hold it one after the other, so that they don't disturb
//! each other's timings.
//!
//! The lock is a listening Unix socket with an abstract name (unix(7)): the kernel frees it with its holder, however
//! that ends, and there is no file that could be left behind. Whoever waits connects to it, and learns of its end by the
//! end of that connection.

use std::{
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    time::Duration,
};
use tokio::io::AsyncReadExt as _;

/// The name is the network namespace's, so the machine's unless it is divided: every user's runs disturb each other
/// alike.
const NAME: &[u8] = b"chaos-run-turn";

/// Lock that is held until it is dropped.
#[derive(Debug)]
#[must_use = "dropping the lock lets others run"]
pub struct RunLock {
    _listener: UnixListener,
}

impl RunLock {
    /// Waits for the lock, and tells the process id of its holder, if known, where it has to.
    ///
    /// # Errors
    /// Where the machine gives no lock.
    pub async fn take(mut tell: impl FnMut(Option<u32>)) -> io::Result<Self> {
        let mut told = None;
        loop {
            match try_take() {
                Ok(listener) => return Ok(Self { _listener: listener }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
            let Ok((mut holder, pid)) = connect().await else {
                // It ended, or its queue of those who wait is full: look again in a moment.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            if told != Some(pid) {
                told = Some(pid);
                tell(pid);
            }
            // Nothing is ever sent: this returns when the holder ends.
            let _ = holder.read(&mut [0]).await;
        }
    }
}

// A socket and no file: the kernel frees an abstract name with its holder, and nothing stays behind.
fn try_take() -> io::Result<UnixListener> {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(NAME)?)
}

async fn connect() -> io::Result<(tokio::net::UnixStream, Option<u32>)> {
    let address = SocketAddr::from_abstract_name(NAME)?;
    let stream = std::os::unix::net::UnixStream::connect_addr(&address)?;
    stream.set_nonblocking(true)?;
    let stream = tokio::net::UnixStream::from_std(stream)?;
    let pid = stream.peer_cred()?.pid().and_then(|pid| u32::try_from(pid).ok());
    Ok((stream, pid))
}
