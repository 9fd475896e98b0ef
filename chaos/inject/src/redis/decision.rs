//! The decision on a command: whether the server is asked, and what is to become of the reply.

use super::{
    edit::{Edit, ReadCommand},
    queue::{LocalReply, Planned, ReplyContent},
    session::Session,
    spec::Spec,
};
use crate::filter::{Attribution, Command, Decide, RedisPlan};
use bytes::Bytes;
use chaos_model::effect::action::{Part, ReplyEdit};
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
    let plan = decide.on_command(&Command { name: &name, keys: &keys });
    let RedisPlan { delay, reply, injected, attribution, values } = plan;
    let read = |values: Option<Arc<_>>| {
        let fits = spec.reads() && keys.len() == 1;
        Some(ReadCommand { what: what(command, session).filter(|_| fits)?, values: values? })
    };
    let edit = match reply {
        Some(ReplyEdit::Error(text)) => {
            return Decision::Answer(Box::new(LocalReply {
                attribution,
                delay,
                content: ReplyContent::Error(text),
                injected,
            }));
        }
        Some(ReplyEdit::Miss) => match spec.miss.answer(command.announced()) {
            Some(nothing) => {
                return Decision::Answer(Box::new(LocalReply {
                    attribution,
                    delay,
                    content: ReplyContent::Nothing(nothing),
                    injected,
                }));
            }
            None => None,
        },
        Some(ReplyEdit::Stale) => read(values).map(Edit::Stale),
        Some(ReplyEdit::Wrong { value }) if spec.is_value => {
            let given = value.map(Bytes::from);
            read(values.or_else(|| given.is_some().then(Arc::default))).map(|read| Edit::Wrong { given, read })
        }
        Some(ReplyEdit::Wrong { .. }) | None => None,
        Some(ReplyEdit::Truncate(part)) => Some(Edit::Cut(part)),
        Some(ReplyEdit::Close) => Some(Edit::Cut(Part::Bytes(0))),
        Some(ReplyEdit::Lose) => Some(Edit::Lose),
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
