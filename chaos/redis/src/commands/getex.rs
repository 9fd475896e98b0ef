use super::{
    Call, Command, Refusal, Reply,
    deadline::{Deadline, Unit},
};
use crate::codec::Frame;
use bytes::Bytes;

/// `GETEX key [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | PERSIST]`: the value; and its deadline is
/// set or taken away.
pub(super) const GETEX: Command = Command::new("getex", run);

fn run(call: &mut Call<'_>) -> Reply {
    let change = Change::parse(call.after(2))?;
    let key = call.word(1);
    let Some(value) = call.read(key) else { return Ok(Frame::Null) };
    let database = call.client.database;
    match change {
        Change::None => {}
        Change::Persist => {
            let current = call.state.store.deadline_of(database, key);
            if current.is_some() {
                call.state.store.set_deadline(database, key, None);
            }
        }
        Change::To(deadline) => {
            let deadline_ms = deadline.resolve(call.now_ms, "getex")?;
            if deadline_ms <= call.now_ms {
                call.remove(key);
            } else {
                call.state.store.set_deadline(database, key, Some(deadline_ms));
            }
        }
    }
    Ok(Frame::Bulk(value))
}

enum Change<'a> {
    None,
    Persist,
    To(Deadline<'a>),
}

impl<'a> Change<'a> {
    fn parse(mut words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut this = Self::None;
        while let [word, rest @ ..] = words {
            let option = word.to_ascii_lowercase();
            this = match (this, option.as_slice(), rest) {
                (Self::None | Self::Persist, b"persist", rest) => {
                    words = rest;
                    Self::Persist
                }
                (before @ (Self::None | Self::To(_)), option, [value, rest @ ..]) => {
                    let unit = Unit::of(option).ok_or(Refusal::SYNTAX)?;
                    if matches!(before, Self::To(deadline) if deadline.unit != unit) {
                        return Err(Refusal::SYNTAX);
                    }
                    words = rest;
                    Self::To(Deadline { value, unit })
                }
                _ => return Err(Refusal::SYNTAX),
            };
        }
        Ok(this)
    }
}
