//! Descriptors: the number of sockets and files that a process may have open, and who may take the last of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{io, os::fd::AsRawFd};

/// Lets this process, and those it starts, open as many files and sockets as the machine allows: raises the soft limit
/// to the hard one (`setrlimit(2)`). The soft limit is often 1024, for programs that use `select(2)`. What can't be
/// raised stays as it is. Called by a program's `main`, since it changes the process.
pub fn open_as_many_as_allowed() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some() && limit.current != limit.maximum {
        // It fails where even the hard limit is above what the kernel grants: then the soft one has to do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}

/// The number of descriptors that this process may have open (`RLIMIT_NOFILE`, `getrlimit(2)`); none where there is no bound.
#[must_use]
pub fn most_descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// True for an error by which the machine says that it has run out of something that each connection needs: descriptors, ports,
/// memory.
#[must_use]
pub fn is_exhaustion(error: &io::Error) -> bool {
    let codes = [libc::EMFILE, libc::ENFILE, libc::EADDRNOTAVAIL, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// The descriptors that a host may take: all of the process, but for the last, which are set apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// The first number that it may not have; none where it may have all.
    end: Option<u64>,
}

impl Allowance {
    /// All that this process may have by now, but for the last `reserve`.
    pub(super) fn but_for(reserve: u64) -> Self {
        let end = most_descriptors().filter(|_| reserve > 0).map(|most| most.saturating_sub(reserve));
        Self { end }
    }

    /// True where the host may keep this one.
    // The kernel gives the lowest number that is free (open(2)): whoever is given one of the last has found all others taken,
    // by whomever. So there is nothing to count.
    pub(super) fn has(self, descriptor: &impl AsRawFd) -> bool {
        let number = u64::try_from(descriptor.as_raw_fd()).unwrap_or(u64::MAX);
        self.end.is_none_or(|end| number < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let lower = current.map_or(512, |current| current - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(lower), maximum }).expect("lowering is allowed");
        open_as_many_as_allowed();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: maximum, maximum });
    }

    #[test]
    fn the_last_are_set_apart() {
        let file = File::open("/dev/null").unwrap();
        assert!(Allowance::but_for(0).has(&file));
        let number = u64::try_from(file.as_raw_fd()).unwrap();
        assert!(Allowance { end: Some(number + 1) }.has(&file));
        assert!(!Allowance { end: Some(number) }.has(&file));
        assert!(!Allowance::but_for(u64::MAX).has(&file), "all of them are");
    }

    #[test]
    fn what_the_machine_lacks_is_told_from_what_a_peer_did() {
        assert!(is_exhaustion(&io::Error::from_raw_os_error(libc::EMFILE)));
        assert!(!is_exhaustion(&io::Error::from_raw_os_error(libc::ECONNREFUSED)));
        assert!(!is_exhaustion(&io::ErrorKind::QuotaExceeded.into()));
    }
}
