//! The runtime of a simulation: one thread, and a clock that jumps to the next timer whenever nothing else can go on.

use std::io;

/// Runs a simulation on a runtime of its own, on this thread: a virtual clock, one task at a time, in an order that does
/// not depend on the machine. Not to be called within another runtime's tasks; a thread of its own will do.
///
/// # Errors
/// Where the machine gives no runtime.
pub fn block_on<F: Future>(simulation: F) -> io::Result<F::Output> {
    // One thread for one simulation: the command runs as many at once as there are cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(simulation))
}
