//! The decision on a command: whether the server is asked, and what is to become of the reply.

use super::{
    edit::{Edit, ReadCommand},
    matching::Command,
    miss::nothing,
    plan::{Change, RedisPlan},
    planned::Planned,
    queue::{LocalReply, ReplyContent},
    refusal::{of_exec, refusal},
    session::Session,
    spare, spec,
    values::Values,
};
use crate::protocol::{Attribution, Decide, Injected, Message as _, Unreadable};
use crate::protocols::steps::Steps;
use bytes::Bytes;
use chaos_model::effect::action::ReplyEdit;
use chaos_redis::{codec::RequestScanner, table::Spec};
use std::sync::Arc;

/// A longer command is not told apart from others by what it asks for.
const ASKED_BYTES: usize = 1024;

/// The error for `EXEC` where a command was refused that was to be queued.
const ABORTED: &str = "EXECABORT Transaction discarded because of previous errors.";

/// The decision on a command.
#[derive(Debug)]
pub(super) enum Decision {
    /// The command goes to the server.
    Ask(Option<Box<Planned>>),
    /// The command is answered in the server's place.
    Answer(Box<LocalReply>),
    /// The command is `EXEC`, and `DISCARD` goes to the server in its place.
    Discard(Box<Planned>),
}

impl Decision {
    /// The command's attribution, where it is known.
    pub(super) fn attribution(&self) -> Option<&Attribution> {
        let attribution = match self {
            Self::Ask(planned) => &planned.as_ref()?.attribution,
            Self::Discard(planned) => &planned.attribution,
            Self::Answer(local) => &local.attribution,
        };
        attribution.subject.is_some().then_some(attribution)
    }
}

/// A command that is decided on.
struct Deciding<'a> {
    command: &'a RequestScanner,
    session: &'a Session,
    /// The command that a server would run.
    spec: Option<&'static Spec>,
    has_one_key: bool,
}

/// A change that fits the command.
enum Fitting {
    Error(String),
    Content(ReplyContent),
    Edit(Edit),
}

/// The fit of a change and a command.
enum Fit {
    Fits(Fitting),
    /// It is none for such a command.
    Unfit,
    /// The command is too long to be told apart from others, as the change would have to.
    TooLong,
}

/// Decides on a command of which enough has come. `spared` is the reason for which nothing can be done to it.
pub(super) fn decide(
    command: &RequestScanner,
    session: &Session,
    spared: Option<Unreadable>,
    decide: &mut dyn Decide,
    steps: Steps<'_>,
) -> Decision {
    let Some(name) = command.argument(0) else { return Decision::Ask(None) };
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let keys = spec::keys(command);
    let message = Command { name: &name, keys: &keys };
    let plan = match spared {
        None => RedisPlan::of(&decide.on_message(&message)),
        Some(why) => {
            decide.spare_message(why, &message);
            RedisPlan::default()
        }
    };
    let subject = (spared.is_none() && decide.traces()).then(|| message.subject().into());
    let attribution = Attribution { subject, arrival: None };
    let RedisPlan { delay, delayed, changes } = plan;
    let deciding = Deciding { command, session, spec: spec::runnable(command), has_one_key: keys.len() == 1 };
    let (mut change, mut injected) = (None, vec![]);
    for (asked, by) in changes {
        match deciding.fit(asked) {
            Fit::Fits(fitting) => {
                (change, injected) = (Some(fitting), vec![by]);
                break;
            }
            Fit::Unfit => {}
            Fit::TooLong => spare(vec![by], Unreadable::LongHead, steps),
        }
    }
    let is_exec = deciding.spec.is_some_and(|spec| spec.name == "exec");
    let ends = is_exec && session.in_transaction();
    let (edit, edited): (Option<Edit>, Vec<Injected>) = match change {
        Some(Fitting::Error(text)) if ends => (Some(Edit::Abort(of_exec(&text))), injected),
        Some(Fitting::Error(text)) => {
            let content = ReplyContent::Error(if is_exec { of_exec(&text) } else { text });
            return Decision::Answer(Box::new(LocalReply { attribution, delay, delayed, content, injected }));
        }
        Some(Fitting::Content(content)) => {
            return Decision::Answer(Box::new(LocalReply { attribution, delay, delayed, content, injected }));
        }
        Some(Fitting::Edit(edit)) => (Some(edit), injected),
        None if ends && session.is_aborted() => (Some(Edit::Abort(ABORTED.to_owned())), vec![]),
        None => (None, vec![]),
    };
    let discards = ends && (session.is_aborted() || matches!(edit, Some(Edit::Abort(_))));
    let planned = Planned { attribution, delay, delayed, edit, edited, ..Planned::default() };
    match planned {
        planned if discards => Decision::Discard(Box::new(planned)),
        planned if planned.is_clear() => Decision::Ask(None),
        planned => Decision::Ask(Some(Box::new(planned))),
    }
}

impl Deciding<'_> {
    /// The change as it fits the command.
    fn fit(&self, change: Change) -> Fit {
        let (edit, values) = match change {
            Change::Truncate(part) => return Fit::Fits(Fitting::Edit(Edit::Cut(part))),
            Change::Edit(edit, values) => (edit, values),
        };
        let fitting = match edit {
            ReplyEdit::Error(text) => Some(Fitting::Error(text)),
            ReplyEdit::State(state) => {
                refusal(state, self.command, self.session).map(|text| Fitting::Error(text.to_owned()))
            }
            ReplyEdit::Miss => self.miss(),
            ReplyEdit::Stale => return self.of_read(values, Edit::Stale),
            ReplyEdit::Wrong { .. } if !self.spec.is_some_and(spec::is_value) => None,
            ReplyEdit::Wrong { value } => {
                return self.of_read(values, |read| Edit::Wrong { given: value.map(Bytes::from), read });
            }
            ReplyEdit::Lose => Some(Fitting::Edit(Edit::Lose)),
        };
        fitting.map_or(Fit::Unfit, Fit::Fits)
    }

    /// Nothing in place of what would be read.
    fn miss(&self) -> Option<Fitting> {
        let nothing = self.spec.and_then(|spec| nothing(self.command, spec))?;
        // The server queues it like any other, and its result comes with the reply to `EXEC`.
        Some(if self.session.queues(self.spec) {
            Fitting::Edit(Edit::Nothing(nothing))
        } else {
            Fitting::Content(ReplyContent::Nothing(nothing))
        })
    }

    /// The edit of the read of one key, where this is one.
    fn of_read(&self, values: Arc<Values>, edit: impl FnOnce(ReadCommand) -> Edit) -> Fit {
        if !(self.spec.is_some_and(spec::reads) && self.has_one_key) {
            return Fit::Unfit;
        }
        match what(self.command, self.session) {
            Some(what) => Fit::Fits(Fitting::Edit(edit(ReadCommand { what, values }))),
            None => Fit::TooLong,
        }
    }
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
