use super::{Call, Command};
use crate::{codec::Frame, server::Look};

/// `PEXPIRETIME key`: the deadline in milliseconds since the Unix epoch; -1 for a key without one, -2 where there is no
/// such key.
pub(super) const PEXPIRETIME: Command = Command::new("pexpiretime", |call| Ok(Frame::Integer(time_ms(call))));

/// `EXPIRETIME key`: the same in seconds, rounded to the nearest.
pub(super) const EXPIRETIME: Command = Command::new("expiretime", |call| {
    let time = time_ms(call);
    Ok(Frame::Integer(if time < 0 { time } else { time / 1000 + i64::from(time % 1000 >= 500) }))
});

fn time_ms(call: &mut Call<'_>) -> i64 {
    match call.deadline_ms(call.word(1), Look::Peek) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => deadline_ms,
    }
}
