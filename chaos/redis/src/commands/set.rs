use super::{Access, Call, Command, Refusal, Reply};
use crate::codec::{Frame, parse_integer};
use bytes::Bytes;

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | KEEPTTL]`
pub(super) const SET: Command = Command { access: Access::Grows, ..Command::new("set", -3, run) };

fn run(call: &mut Call<'_>) -> Reply {
    let options = Options::parse(call.after(3))?;
    let deadline_ms = options.deadline.map(|deadline| deadline.resolve(call.now_ms)).transpose()?;
    let (key, value, database) = (call.word(1), call.word(2), call.client.database);
    let store = &mut call.state.store;
    let old = if options.get { Some(store.get(database, key, call.now_ms)) } else { None };
    let current = store.deadline_ms(database, key, call.now_ms);
    let done = match options.only {
        Some(Only::Absent) => current.is_none(),
        Some(Only::Present) => current.is_some(),
        None => true,
    };
    if done {
        let kept = if options.keep { current.flatten() } else { None };
        store.set(database, key, value, deadline_ms.or(kept));
    }
    Ok(match old {
        Some(old) => old.map_or(Frame::Null, Frame::Bulk),
        None if done => Frame::OK,
        None => Frame::Null,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Absent,
    Present,
}

#[derive(Default)]
struct Options<'a> {
    only: Option<Only>,
    get: bool,
    keep: bool,
    deadline: Option<Deadline<'a>>,
}

#[derive(Clone, Copy)]
struct Deadline<'a> {
    value: &'a [u8],
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Ex,
    Px,
    ExAt,
    PxAt,
}

impl<'a> Options<'a> {
    /// As lax as Redis: an option may be repeated, and the last one counts.
    fn parse(mut words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut this = Self::default();
        while let [word, rest @ ..] = words {
            words = rest;
            let unit = match word.to_ascii_lowercase().as_slice() {
                b"nx" if this.only != Some(Only::Present) => {
                    this.only = Some(Only::Absent);
                    continue;
                }
                b"xx" if this.only != Some(Only::Absent) => {
                    this.only = Some(Only::Present);
                    continue;
                }
                b"get" => {
                    this.get = true;
                    continue;
                }
                b"keepttl" if this.deadline.is_none() => {
                    this.keep = true;
                    continue;
                }
                b"ex" => Unit::Ex,
                b"px" => Unit::Px,
                b"exat" => Unit::ExAt,
                b"pxat" => Unit::PxAt,
                _ => return Err(Refusal::SYNTAX),
            };
            let [value, rest @ ..] = words else { return Err(Refusal::SYNTAX) };
            if this.keep || this.deadline.is_some_and(|deadline| deadline.unit != unit) {
                return Err(Refusal::SYNTAX);
            }
            this.deadline = Some(Deadline { value, unit });
            words = rest;
        }
        Ok(this)
    }
}

impl Deadline<'_> {
    /// In milliseconds since the Unix epoch.
    fn resolve(self, now_ms: i64) -> Result<i64, Refusal> {
        let value = parse_integer(self.value).ok_or(Refusal::NOT_AN_INTEGER)?;
        let (unit_ms, base_ms) = match self.unit {
            Unit::Ex => (1000, now_ms),
            Unit::Px => (1, now_ms),
            Unit::ExAt => (1000, 0),
            Unit::PxAt => (1, 0),
        };
        let positive = Some(value).filter(|value| *value > 0);
        let deadline_ms = positive.and_then(|value| value.checked_mul(unit_ms)?.checked_add(base_ms));
        deadline_ms.ok_or_else(|| Refusal::invalid_expire("set"))
    }
}
