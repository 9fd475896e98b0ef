//! What is decided on a command: whether the server is asked, and what is to become of the reply.

use super::{
    edit::{Asked, Edit},
    queue::{Answer, Local, Planned},
    session::Session,
    spec::Spec,
};
use crate::filter::{Command, Decide, RedisPlan, Whose};
use bytes::Bytes;
use chaos_model::effect::action::{Part, ReplyEdit};
use chaos_redis::codec::RequestScanner;
use std::sync::Arc;

/// A longer command is not told apart from others by what it asks for.
const ASKED_BYTES: usize = 1024;

/// What happens to a command.
#[derive(Debug)]
pub(super) enum Decision {
    /// It goes to the server.
    Ask(Option<Box<Planned>>),
    /// It does not.
    Answer(Box<Local>),
}

impl Decision {
    /// Whose command it is, where that is known.
    pub(super) fn whose(&self) -> Option<&Whose> {
        let whose = match self {
            Self::Ask(planned) => &planned.as_ref()?.whose,
            Self::Answer(local) => &local.whose,
        };
        whose.subject.is_some().then_some(whose)
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
    let plan = decide.on_command(&Command { name: &name, keys: &keys });
    let RedisPlan { delay, reply, injected, whose, values } = plan;
    let asked = |values: Option<Arc<_>>| {
        let fits = spec.reads() && keys.len() == 1;
        Some(Asked { what: what(command, session).filter(|_| fits)?, values: values? })
    };
    let edit = match reply {
        Some(ReplyEdit::Error(text)) => {
            return Decision::Answer(Box::new(Local { whose, delay, answer: Answer::Error(text), injected }));
        }
        Some(ReplyEdit::Miss) => match spec.miss.answer(command.announced()) {
            Some(nothing) => {
                return Decision::Answer(Box::new(Local { whose, delay, answer: Answer::Nothing(nothing), injected }));
            }
            None => None,
        },
        Some(ReplyEdit::Stale) => asked(values).map(Edit::Stale),
        Some(ReplyEdit::Wrong { value }) if spec.is_value => {
            let given = value.map(Bytes::from);
            asked(values.or_else(|| given.is_some().then(Arc::default))).map(|asked| Edit::Wrong { given, asked })
        }
        Some(ReplyEdit::Wrong { .. }) | None => None,
        Some(ReplyEdit::Truncate(part)) => Some(Edit::Cut(part)),
        Some(ReplyEdit::Close) => Some(Edit::Cut(Part::Bytes(0))),
        Some(ReplyEdit::Lose) => Some(Edit::Lose),
    };
    let happens = delay.is_some() || edit.is_some() || whose.subject.is_some();
    Decision::Ask(happens.then(|| Box::new(Planned { whose, delay, edit, injected })))
}

/// What a read asks for: the database and all arguments, told apart by their lengths.
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
