//! Descriptors: the number of sockets that a process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let lower = current.map_or(512, |current| current - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(lower), maximum }).expect("lowering is allowed");
        open_as_many_as_allowed();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: maximum, maximum });
    }
}
