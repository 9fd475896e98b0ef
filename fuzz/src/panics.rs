//! Panics, wherever they are: a task's reaches nobody but the hook.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The last panic that nobody has taken, in words.
// The hook is the process's, and so is what it tells.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// An input is being tried.
static TRYING: AtomicBool = AtomicBool::new(false);

/// Does something, and keeps the panics meanwhile. None is printed: an input that is made smaller panics again and again.
pub(crate) fn during<T>(attempt: impl FnOnce() -> T) -> T {
    keep();
    TRYING.store(true, Ordering::Relaxed);
    let result = attempt();
    TRYING.store(false, Ordering::Relaxed);
    result
}

fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if TRYING.load(Ordering::Relaxed) {
                // Where RUST_BACKTRACE asks for it.
                let trace = Backtrace::capture();
                let way =
                    if trace.status() == BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
                *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{panic}{way}"));
            } else {
                usual(panic);
            }
        }));
    });
}

/// The last panic since this was asked before.
pub(crate) fn take() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).take()
}
