use super::{Call, Command, Refusal, Reply};
use crate::{
    codec::{Frame, parse_integer},
    server::Look,
};
use bytes::Bytes;

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`: 1 where the deadline was set.
pub(super) const PEXPIRE: Command = Command::new("pexpire", |call| run(call, "pexpire", 1, call.now_ms));

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) const EXPIRE: Command = Command::new("expire", |call| run(call, "expire", 1000, call.now_ms));

/// `PEXPIREAT key milliseconds [NX | XX | GT | LT]`: since the Unix epoch.
pub(super) const PEXPIREAT: Command = Command::new("pexpireat", |call| run(call, "pexpireat", 1, 0));

/// `EXPIREAT key seconds [NX | XX | GT | LT]`
pub(super) const EXPIREAT: Command = Command::new("expireat", |call| run(call, "expireat", 1000, 0));

/// `PERSIST key`: 1 where there was a deadline to take away.
pub(super) const PERSIST: Command = Command::new("persist", |call| {
    let had_one = call.deadline_ms(call.word(1), Look::Change).flatten().is_some();
    if had_one {
        call.state.store.set_deadline(call.client.database, call.word(1), None);
    }
    Ok(Frame::Integer(i64::from(had_one)))
});

fn run(call: &mut Call<'_>, name: &str, unit_ms: i64, base_ms: i64) -> Reply {
    let condition = Condition::parse(call.after(3))?;
    let time = parse_integer(call.word(2)).ok_or(Refusal::NOT_AN_INTEGER)?;
    let deadline_ms = time.checked_mul(unit_ms).and_then(|time_ms| base_ms.checked_add(time_ms));
    let deadline_ms = deadline_ms.ok_or_else(|| Refusal::invalid_expire(name))?;
    let key = call.word(1);
    let Some(current_ms) = call.deadline_ms(key, Look::Change) else { return Ok(Frame::Integer(0)) };
    if !condition.holds(current_ms, deadline_ms) {
        return Ok(Frame::Integer(0));
    }
    if deadline_ms <= call.now_ms {
        call.remove(key);
    } else {
        call.state.store.set_deadline(call.client.database, key, Some(deadline_ms));
    }
    Ok(Frame::Integer(1))
}

/// The condition of a deadline: set if there is none (NX), if there is one (XX), if it becomes later (GT) or sooner
/// (LT).
#[derive(Default)]
struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    fn parse(options: &[Bytes]) -> Result<Self, Refusal> {
        let mut this = Self::default();
        for option in options {
            match option.to_ascii_lowercase().as_slice() {
                b"nx" => this.nx = true,
                b"xx" => this.xx = true,
                b"gt" => this.gt = true,
                b"lt" => this.lt = true,
                _ => return Err(Refusal::repeating("ERR Unsupported option ", option, "")),
            }
        }
        if this.nx && (this.xx || this.gt || this.lt) {
            return Err(Refusal::says("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if this.gt && this.lt {
            return Err(Refusal::says("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(this)
    }

    /// A key without deadline counts as one that lives for ever.
    fn holds(&self, current_ms: Option<i64>, new_ms: i64) -> bool {
        let is_later = current_ms.is_some_and(|current_ms| new_ms > current_ms);
        let is_sooner = current_ms.is_none_or(|current_ms| new_ms < current_ms);
        let refused = (self.nx && current_ms.is_some())
            || (self.xx && current_ms.is_none())
            || (self.gt && !is_later)
            || (self.lt && !is_sooner);
        !refused
    }
}
