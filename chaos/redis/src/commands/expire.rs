use super::{Call, Command, Refusal, Reply};
use crate::codec::{Frame, parse_integer};
use bytes::Bytes;

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`: 1 where the deadline was set.
pub(super) const PEXPIRE: Command = Command::new("pexpire", -3, |call| run(call, "pexpire", 1));

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) const EXPIRE: Command = Command::new("expire", -3, |call| run(call, "expire", 1000));

fn run(call: &mut Call<'_>, name: &str, unit_ms: i64) -> Reply {
    let condition = Condition::parse(call.after(3))?;
    let after = parse_integer(call.word(2)).ok_or(Refusal::NOT_AN_INTEGER)?;
    let deadline_ms = after.checked_mul(unit_ms).and_then(|after_ms| call.now_ms.checked_add(after_ms));
    let deadline_ms = deadline_ms.ok_or_else(|| Refusal::invalid_expire(name))?;
    let (key, database, store) = (call.word(1), call.client.database, &mut call.state.store);
    let Some(current_ms) = store.deadline_ms(database, key, call.now_ms) else { return Ok(Frame::Integer(0)) };
    if !condition.holds(current_ms, deadline_ms) {
        return Ok(Frame::Integer(0));
    }
    if deadline_ms <= call.now_ms {
        store.remove(database, key, call.now_ms);
    } else {
        store.set_deadline(database, key, deadline_ms);
    }
    Ok(Frame::Integer(1))
}

/// When the deadline is set: if there is none (NX), if there is one (XX), if it becomes later (GT) or sooner (LT).
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
