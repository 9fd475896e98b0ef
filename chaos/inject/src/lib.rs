//! The interpreter of faults, and the TCP proxy that puts it on a link.
