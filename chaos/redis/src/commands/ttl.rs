use super::{Call, Command};
use crate::{codec::Frame, server::Look};

/// `PTTL key`: milliseconds that are left; -1 for a key without deadline, -2 where there is no such key.
pub(super) const PTTL: Command = Command::new("pttl", |call| Ok(Frame::Integer(left_ms(call))));

/// `TTL key`: the same in seconds, rounded to the nearest.
pub(super) const TTL: Command = Command::new("ttl", |call| {
    let left = left_ms(call);
    Ok(Frame::Integer(if left < 0 { left } else { left / 1000 + i64::from(left % 1000 >= 500) }))
});

fn left_ms(call: &mut Call<'_>) -> i64 {
    match call.deadline_ms(call.word(1), Look::Peek) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => deadline_ms.saturating_sub(call.now_ms).max(0),
    }
}
