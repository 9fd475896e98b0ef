use super::{Access, Call, Command, Refusal, Reply};
use crate::codec::{Frame, parse_integer};

/// `SETEX key seconds value`: what client libraries still send for `SET` with `EX`.
pub(super) const SETEX: Command =
    Command { access: Access::Grows, ..Command::new("setex", 4, |call| run(call, "setex", 1000)) };

/// `PSETEX key milliseconds value`
pub(super) const PSETEX: Command =
    Command { access: Access::Grows, ..Command::new("psetex", 4, |call| run(call, "psetex", 1)) };

fn run(call: &mut Call<'_>, name: &str, unit_ms: i64) -> Reply {
    let after = parse_integer(call.word(2)).ok_or(Refusal::NOT_AN_INTEGER)?;
    let positive = Some(after).filter(|after| *after > 0);
    let deadline_ms = positive.and_then(|after| after.checked_mul(unit_ms)?.checked_add(call.now_ms));
    let deadline_ms = deadline_ms.ok_or_else(|| Refusal::invalid_expire(name))?;
    call.state.store.set(call.client.database, call.word(1), call.word(3), Some(deadline_ms));
    Ok(Frame::OK)
}
