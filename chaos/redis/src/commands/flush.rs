use super::{Call, Command, Refusal};
use crate::codec::Frame;

/// `FLUSHALL [ASYNC | SYNC]`: both are done at once.
pub(super) const FLUSHALL: Command = Command::new("flushall", |call| {
    check_mode(call)?;
    call.state.store.flush_all();
    Ok(Frame::OK)
});

/// `FLUSHDB [ASYNC | SYNC]`
pub(super) const FLUSHDB: Command = Command::new("flushdb", |call| {
    check_mode(call)?;
    call.state.store.flush(call.client.database);
    Ok(Frame::OK)
});

fn check_mode(call: &Call<'_>) -> Result<(), Refusal> {
    match call.after(1) {
        [] => Ok(()),
        [mode] if mode.eq_ignore_ascii_case(b"async") || mode.eq_ignore_ascii_case(b"sync") => Ok(()),
        _ => Err(Refusal::SYNTAX),
    }
}
