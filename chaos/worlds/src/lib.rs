//! Where a system runs: local processes with their keeper.
