//! The decision on a command: whether the server is asked, and what is to become of the reply.

use super::{
    edit::{Edit, ReadCommand},
    matching::Command,
    plan::{Change, RedisPlan},
    queue::{LocalReply, Planned, ReplyContent},
    session::Session,
    spec::Spec,
    values::Values,
};
use crate::protocol::{Attribution, Decide, Message as _};
use bytes::Bytes;
use chaos_model::effect::action::ReplyEdit;
use chaos_redis::codec::RequestScanner;
use std::sync::Arc;

/// A longer command is not told apart from others by what it asks for.
const ASKED_BYTES: usize = 1024;

/// The decision on a command.
#[derive(Debug)]
pub(super) enum Decision {
    /// The command goes to the server.
    Ask(Option<Box<Planned>>),
    /// The command is answered in the server's place.
    Answer(Box<LocalReply>),
}

impl Decision {
    /// The command's attribution, where it is known.
    pub(super) fn attribution(&self) -> Option<&Attribution> {
        let attribution = match self {
            Self::Ask(planned) => &planned.as_ref()?.attribution,
            Self::Answer(local) => &local.attribution,
        };
        attribution.subject.is_some().then_some(attribution)
    }
}

/// Decides on a command of which enough has come.
pub(super) fn decide(command: &RequestScanner, session: &Session, decide: &mut dyn Decide) -> Decision {
    let Some(name) = command.argument(0) else { return Decision::Ask(None) };
    if !session.may_act(name) {
        return Decision::Ask(None);
    }
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let spec = Spec::of(&name);
    let keys = spec.keys(command);
    let message = Command { name: &name, keys: &keys };
    let attribution = Attribution { subject: decide.traces().then(|| message.subject().into()), arrival: None };
    let RedisPlan { delay, reply, injected } = RedisPlan::of(&decide.on_message(&message));
    let read = |values: Arc<Values>| {
        let fits = spec.reads() && keys.len() == 1;
        Some(ReadCommand { what: what(command, session).filter(|_| fits)?, values })
    };
    let answer = |content| {
        Decision::Answer(Box::new(LocalReply {
            attribution: attribution.clone(),
            delay: delay.clone(),
            content,
            injected: injected.clone(),
        }))
    };
    let edit = match reply {
        None => None,
        Some(Change::Truncate(part)) => Some(Edit::Cut(part)),
        Some(Change::Edit(edit, values)) => match edit {
            ReplyEdit::Error(text) => return answer(ReplyContent::Error(text)),
            ReplyEdit::Miss => match spec.miss.answer(command.announced()) {
                Some(nothing) => return answer(ReplyContent::Nothing(nothing)),
                None => None,
            },
            ReplyEdit::Stale => read(values).map(Edit::Stale),
            ReplyEdit::Wrong { value } if spec.is_value => {
                read(values).map(|read| Edit::Wrong { given: value.map(Bytes::from), read })
            }
            ReplyEdit::Wrong { .. } => None,
            ReplyEdit::Lose => Some(Edit::Lose),
        },
    };
    let happens = delay.is_some() || edit.is_some() || attribution.subject.is_some();
    Decision::Ask(happens.then(|| Box::new(Planned { attribution, delay, edit, injected })))
}

/// The identity of a read: the database and all arguments, told apart by their lengths.
fn what(command: &RequestScanner, session: &Session) -> Option<Vec<u8>> {
    let mut what = session.database().to_vec();
    let mut count = 0;
    for argument in command.arguments() {
        what.extend_from_slice(&(argument.len() as u64).to_le_bytes());
        what.extend_from_slice(argument);
        count += 1;
    }
    if let Some(name) = command.argument(0) {
        let name_at = session.database().len() + 8;
        what[name_at..name_at + name.len()].make_ascii_uppercase();
    }
    (count == command.announced() && what.len() <= ASKED_BYTES).then_some(what)
}
