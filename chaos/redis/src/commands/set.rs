use super::{
    Call, Command, Refusal, Reply,
    deadline::{Deadline, Unit},
};
use crate::{codec::Frame, server::Look};
use bytes::Bytes;

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | KEEPTTL]`
pub(super) const SET: Command = Command::new("set", run);

fn run(call: &mut Call<'_>) -> Reply {
    let options = Options::parse(call.after(3))?;
    let deadline_ms = options.deadline.map(|deadline| deadline.resolve(call.now_ms, "set")).transpose()?;
    let (key, value) = (call.word(1), call.word(2));
    let old = if options.get { Some(call.read(key)) } else { None };
    let current = call.deadline_ms(key, Look::Change);
    let done = match options.only {
        Some(Only::Absent) => current.is_none(),
        Some(Only::Present) => current.is_some(),
        None => true,
    };
    if done {
        let kept = if options.keep { current.flatten() } else { None };
        call.state.store.set(call.client.database, key, value, deadline_ms.or(kept));
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

impl<'a> Options<'a> {
    /// Reads the options, as lax as Redis: one may be repeated, and the last one counts.
    fn parse(mut words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut this = Self::default();
        while let [word, rest @ ..] = words {
            words = rest;
            let is = |option: &str| word.eq_ignore_ascii_case(option.as_bytes());
            if is("nx") && this.only != Some(Only::Present) {
                this.only = Some(Only::Absent);
            } else if is("xx") && this.only != Some(Only::Absent) {
                this.only = Some(Only::Present);
            } else if is("get") {
                this.get = true;
            } else if is("keepttl") && this.deadline.is_none() {
                this.keep = true;
            } else {
                let unit = Unit::of(word).ok_or(Refusal::SYNTAX)?;
                let [value, rest @ ..] = words else { return Err(Refusal::SYNTAX) };
                if this.keep || this.deadline.is_some_and(|deadline| deadline.unit != unit) {
                    return Err(Refusal::SYNTAX);
                }
                this.deadline = Some(Deadline { value, unit });
                words = rest;
            }
        }
        Ok(this)
    }
}
