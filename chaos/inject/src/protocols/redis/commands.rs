//! The way up: where commands end, and what happens to them.

use super::{
    COMMAND_BYTES,
    awaits::Awaits,
    decision::{Decision, decide},
    replies::Replies,
    session::Session,
    spare, spec,
};
use crate::protocol::{Decide, Step, Unreadable};
use crate::protocols::steps;
use bytes::Bytes;
use chaos_model::Direction;
use chaos_redis::codec::{RequestPart, RequestScanner};

/// Bytes that are kept of a command to which nothing happens: enough for the names and words that say which replies
/// come.
const NAME_BYTES: usize = 64;

/// Commands that a server takes from a client of RESP2 that has subscribed to something. It refuses all others.
const OF_SUBSCRIBERS: [&str; 9] =
    ["ping", "psubscribe", "punsubscribe", "quit", "reset", "ssubscribe", "subscribe", "sunsubscribe", "unsubscribe"];

/// The command that the server is sent where it is to forget a transaction.
const DISCARD: &[u8] = b"*1\r\n$7\r\nDISCARD\r\n";

/// The commands of one connection.
#[derive(Debug, Default)]
pub(super) struct Commands {
    scanner: RequestScanner,
    /// Bytes that have been looked at and are held.
    held: usize,
    course: CommandCourse,
    /// The reason for which commands are read no more.
    lost: Option<Unreadable>,
}

/// Progress of the command that is coming.
#[derive(Debug, Default)]
enum CommandCourse {
    #[default]
    None,
    /// Held until it can be decided on.
    Held,
    Decided(Decision),
}

impl Commands {
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// The reason for which commands are read no more.
    pub(super) fn unreadable(&self) -> Unreadable {
        self.lost.unwrap_or(Unreadable::Unclear)
    }

    /// From here on everything passes, and what answers it can't be told.
    pub(super) fn lose(&mut self, why: Unreadable, replies: &mut Replies) {
        self.lost.get_or_insert(why);
        self.held = 0;
        replies.end();
    }

    pub(super) fn on_bytes(
        &mut self,
        bytes: &[u8],
        session: &mut Session,
        replies: &mut Replies,
        decisions: &mut dyn Decide,
        steps: &mut Vec<Step>,
    ) {
        let (mut used, mut seen) = (0, self.held);
        while seen < bytes.len() && !self.is_lost() {
            if matches!(self.course, CommandCourse::None) && !self.begin(bytes[seen], session, replies, decisions) {
                break;
            }
            let Ok((taken, part)) = self.scanner.scan(&bytes[seen..]) else {
                decisions.unread();
                self.lose(Unreadable::Unclear, replies);
                break;
            };
            seen += taken;
            if matches!(self.course, CommandCourse::Held) && self.can_decide(part, seen - used) {
                let spared = self.spared(session, replies);
                let decision = decide(&self.scanner, session, spared, decisions, steps);
                if decisions.traces() {
                    steps::about(steps, Direction::Upstream, decision.attribution().cloned().unwrap_or_default());
                }
                self.course = CommandCourse::Decided(decision);
                self.scanner.keep(0);
            }
            match &self.course {
                CommandCourse::Decided(Decision::Ask(_)) => steps::pass(steps, Direction::Upstream, seen - used),
                CommandCourse::Decided(Decision::Answer(_) | Decision::Discard(_)) => {
                    steps::skip(steps, Direction::Upstream, seen - used);
                }
                CommandCourse::None | CommandCourse::Held => continue,
            }
            used = seen;
            if part == RequestPart::Whole {
                self.finish(session, replies, decisions, steps);
            }
        }
        if self.is_lost() {
            steps::pass(steps, Direction::Upstream, bytes.len() - used);
        } else {
            self.held = seen - used;
        }
    }

    /// A command begins with this byte. Says whether it can be one.
    fn begin(&mut self, first: u8, session: &Session, replies: &mut Replies, decisions: &mut dyn Decide) -> bool {
        // Bytes of another protocol may never come to the end of a line that is waited for.
        let is_text = first.is_ascii_graphic() || first.is_ascii_whitespace();
        if !is_text || replies.is_lost() {
            decisions.unread();
            self.lose(Unreadable::Unclear, replies);
            return false;
        }
        // A link without faults keeps as little as will do: nothing is held back, and only names are looked at.
        let is_armed = (decisions.is_armed() || decisions.traces()) && !replies.has_ended();
        // What was begun with a transaction is ended with it.
        let is_armed = is_armed || session.holds();
        self.scanner.keep(if is_armed { COMMAND_BYTES } else { NAME_BYTES });
        self.course = if is_armed { CommandCourse::Held } else { CommandCourse::Decided(Decision::Ask(None)) };
        true
    }

    /// Tells whether enough has come of a command of which so many bytes are held.
    fn can_decide(&self, part: RequestPart, held: usize) -> bool {
        if part == RequestPart::Whole || held >= COMMAND_BYTES {
            return true;
        }
        let needed = Some(&self.scanner).filter(|_| part == RequestPart::Argument).and_then(spec::needed);
        needed.is_some_and(|needed| self.scanner.argument(needed - 1).is_some())
    }

    /// The reason for which nothing can be done to the command.
    fn spared(&self, session: &Session, replies: &Replies) -> Option<Unreadable> {
        // The server refuses it by itself.
        let is_taken = || spec::runnable(&self.scanner).is_some_and(|spec| OF_SUBSCRIBERS.contains(&spec.name));
        if session.is_muted() {
            Some(Unreadable::Muted)
        } else if replies.refuse_most() && !is_taken() {
            Some(Unreadable::Subscription)
        } else {
            (!replies.has_room()).then_some(Unreadable::Pipeline)
        }
    }

    /// The command has come whole.
    fn finish(
        &mut self,
        session: &mut Session,
        replies: &mut Replies,
        decisions: &mut dyn Decide,
        steps: &mut Vec<Step>,
    ) {
        let course = std::mem::take(&mut self.course);
        let CommandCourse::Decided(decision) = course else { return };
        if self.scanner.announced() == 0 {
            return;
        }
        // A name that was too long to be kept is no command's.
        let name = self.scanner.argument(0).unwrap_or(b"other");
        decisions.count(&String::from_utf8_lossy(name).to_ascii_uppercase());
        let lost = match decision {
            Decision::Answer(local) => {
                session.refused();
                (!replies.answer(local, steps)).then_some(Unreadable::Pipeline)
            }
            Decision::Discard(planned) => {
                steps::insert(steps, Direction::Upstream, Bytes::from_static(DISCARD));
                let planned = session.discarded(planned);
                (!replies.expect(Awaits::Reply, Some(planned), steps)).then_some(Unreadable::Pipeline)
            }
            Decision::Ask(planned) => match session.sent(&self.scanner, planned) {
                (Awaits::Nothing, _) => None,
                (Awaits::Anything, planned) => {
                    let why = self.why_anything(session);
                    spare(planned.map(|planned| planned.injections().collect()).unwrap_or_default(), why, steps);
                    Some(why)
                }
                (awaits, planned) => (!replies.expect(awaits, planned, steps)).then_some(Unreadable::Pipeline),
            },
        };
        spare(session.spared(), Unreadable::Transaction, steps);
        if let Some(why) = lost {
            self.lose(why, replies);
        }
    }

    /// The reason for which what answers the command can't be told.
    fn why_anything(&self, session: &Session) -> Unreadable {
        match spec::runnable(&self.scanner).map(|spec| spec.name) {
            Some("exec") => Unreadable::Transaction,
            Some("monitor" | "psync" | "sync") if !session.is_muted() => Unreadable::Stream,
            _ => Unreadable::Muted,
        }
    }
}
