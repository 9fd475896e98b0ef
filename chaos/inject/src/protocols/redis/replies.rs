//! The way down: which command each reply is for, and what becomes of it.

use super::{
    awaits::Awaits,
    fate::{Fate, Use},
    fire,
    planned::Planned,
    queue::{Entry, LocalReply, Queue},
    reply_scanner,
    session::Session,
    spare,
    subscriptions::{Heading, Subscriptions},
};
use crate::protocol::{Attribution, Injected, Step, Unreadable, Wait};
use crate::protocols::steps::{self, Steps};
use chaos_model::Direction;
use chaos_redis::codec::{Protocol, Scanner, parse_integer};

/// Bytes that are kept of the beginning of a push, and of its end: enough to see what it confirms, and what is left.
const END_BYTES: usize = 32;

/// The replies of one connection.
#[derive(Debug)]
pub(super) struct Replies {
    queue: Queue,
    scanner: Scanner,
    protocol: Protocol,
    subscriptions: Subscriptions,
    /// Commands of others are shown.
    monitors: bool,
    /// Bytes that have been looked at and are held.
    held: usize,
    course: ReplyCourse,
    /// The beginning of a push,
    head: Vec<u8>,
    /// and its end.
    tail: Vec<u8>,
    is_lost: bool,
    has_ended: bool,
    /// True once the reply has been attributed.
    told: bool,
}

/// Progress of the reply that is coming.
#[derive(Debug)]
enum ReplyCourse {
    /// Nothing is.
    Between,
    /// A push, or what stands for one: it is no command's one reply.
    Push,
    /// The reply to what awaits this.
    Reply(Awaits, Fate),
}

/// The beginning of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    Yes,
    /// More must be seen.
    More,
    /// It is nothing that is understood.
    Lost,
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            queue: Queue::default(),
            scanner: reply_scanner(),
            protocol: Protocol::Resp2,
            subscriptions: Subscriptions::default(),
            monitors: false,
            held: 0,
            course: ReplyCourse::Between,
            head: vec![],
            tail: vec![],
            is_lost: false,
            has_ended: false,
            told: false,
        }
    }
}

impl Replies {
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Tells whether another reply can be kept track of.
    pub(super) fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    /// Tells whether a fault has ended the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Tells whether the server refuses all commands but those about subscriptions. Where a command is on its way that may
    /// end them, that is not known.
    pub(super) fn refuse_most(&self) -> bool {
        self.is_subscribed() && self.queue.waiting() == 0
    }

    /// Tells whether messages come as arrays, by what the server has confirmed so far.
    fn is_subscribed(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriptions.any()
    }

    /// From here on everything passes. The injections that will not be.
    pub(super) fn lose(&mut self) -> Vec<Injected> {
        self.is_lost = true;
        self.held = 0;
        let mut injected = self.queue.clear();
        match &mut self.course {
            ReplyCourse::Reply(_, Fate::Undecided(_, of_this)) => injected.append(of_this),
            ReplyCourse::Reply(_, Fate::Results(results)) => injected.extend(std::mem::take(results).injections()),
            _ => {}
        }
        injected
    }

    /// Which command a reply is for can't be told any more, and so faults can't do what they were to do.
    fn lose_track(&mut self, session: &mut Session, steps: &mut Vec<Step>) {
        spare(self.lose(), Unreadable::Unclear, steps);
        session.give_up();
        spare(session.spared(), Unreadable::Unclear, steps);
    }

    /// The faults have changed: what those that `is_there` says no more of were to do is left out.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        self.queue.forget(is_there);
        if let ReplyCourse::Reply(_, fate) = &mut self.course {
            fate.forget(is_there);
        }
    }

    /// Notes that what follows the awaited replies can't be told.
    pub(super) fn end(&mut self) {
        self.queue.end();
    }

    /// A command has gone to the server. Says whether its reply can be followed.
    pub(super) fn expect(&mut self, awaits: Awaits, planned: Option<Box<Planned>>, steps: &mut Vec<Step>) -> bool {
        self.queue.push(match (awaits, planned) {
            (Awaits::Reply, None) => Entry::Plain(1),
            // Nothing happens to subscriptions: their replies come one by one.
            (Awaits::Confirmations(..), planned) => {
                let injected = planned.map(|planned| planned.injections().collect()).unwrap_or_default();
                spare(injected, Unreadable::Subscription, steps);
                Entry::Reply(awaits, None)
            }
            (awaits, planned) => Entry::Reply(awaits, planned),
        })
    }

    /// A command is answered in the server's place, behind the replies that are awaited. Says whether there was room,
    /// which there is where [`Self::has_room`] said so.
    pub(super) fn answer(&mut self, local: Box<LocalReply>, steps: &mut Vec<Step>) -> bool {
        let has_room = self.queue.push(Entry::Local(local));
        if matches!(self.course, ReplyCourse::Between) {
            self.answer_those_whose_turn_it_is(steps);
        }
        has_room
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8], session: &mut Session, steps: &mut Vec<Step>) {
        let (mut used, mut seen) = (0, self.held);
        // It was held for a fault that is gone.
        if matches!(self.course, ReplyCourse::Reply(_, Fate::Pass)) {
            steps::pass(steps, Direction::Downstream, seen);
            used = seen;
        }
        loop {
            if matches!(self.course, ReplyCourse::Between) {
                self.answer_those_whose_turn_it_is(steps);
            }
            if self.is_lost || self.has_ended || seen == bytes.len() {
                break;
            }
            let scanned = match self.begin(&bytes[seen..], steps) {
                Begun::More => break,
                Begun::Yes => self.scanner.scan(&bytes[seen..]).ok(),
                Begun::Lost => None,
            };
            let Some(scanned) = scanned else {
                self.lose_track(session, steps);
                break;
            };
            self.look(&bytes[seen..seen + scanned.bytes]);
            seen += scanned.bytes;
            if self.go_on(&bytes[used..seen], scanned.whole, steps) {
                used = seen;
            }
            if scanned.whole {
                self.finish(session, steps);
            }
        }
        let left = bytes.len() - used;
        match (self.has_ended, self.is_lost) {
            (true, _) => steps::skip(steps, Direction::Downstream, left),
            (false, true) => steps::pass(steps, Direction::Downstream, left),
            (false, false) => self.held = seen - used,
        }
    }

    fn answer_those_whose_turn_it_is(&mut self, steps: &mut Vec<Step>) {
        while !self.has_ended
            && let Some(Entry::Local(_) | Entry::Reply(Awaits::Anything, _)) = self.queue.front()
        {
            // Behind this nothing is awaited.
            let Some(Entry::Local(local)) = self.queue.pop() else { return drop(self.lose()) };
            let LocalReply { attribution, delay: wait, delayed, content, injected } = *local;
            self.tell(&attribution, steps);
            delay(wait, delayed, self.queue.waiting(), steps);
            fire(steps, injected);
            steps::insert(steps, Direction::Downstream, content.bytes(self.protocol));
        }
    }

    /// Something begins with these bytes, unless it has begun.
    fn begin(&mut self, bytes: &[u8], steps: &mut Vec<Step>) -> Begun {
        if !matches!(self.course, ReplyCourse::Between) {
            return Begun::Yes;
        }
        match self.is_push(bytes) {
            None => return Begun::More,
            Some(true) => {
                self.head.clear();
                self.tail.clear();
                self.course = ReplyCourse::Push;
                return Begun::Yes;
            }
            Some(false) => {}
        }
        let (awaits, planned) = match self.queue.pop() {
            Some(Entry::Plain(_)) => (Awaits::Reply, None),
            // A subscription that is refused has one reply.
            Some(Entry::Reply(Awaits::Confirmations(..), _)) if matches!(bytes[0], b'-' | b'!') => {
                (Awaits::Reply, None)
            }
            Some(Entry::Reply(awaits, planned)) if !matches!(awaits, Awaits::Anything | Awaits::Confirmations(..)) => {
                (awaits, planned)
            }
            _ => {
                // A reply to nothing: which command it is for can't be told, and a guess would put an error in a
                // stranger's place.
                return Begun::Lost;
            }
        };
        let attribution = planned.as_ref().map(|planned| planned.attribution.clone());
        self.tell(&attribution.unwrap_or_default(), steps);
        let fate = planned.map_or(Fate::Pass, |planned| {
            let Planned { delay: wait, delayed, edit, edited, results, .. } = *planned;
            delay(wait, delayed, self.queue.waiting(), steps);
            match edit {
                // Nobody sees the results.
                Some(edit) => {
                    results.spare(steps);
                    Fate::Undecided(edit, edited)
                }
                None if results.is_clear() => Fate::Pass,
                None => Fate::Results(results),
            }
        });
        self.course = ReplyCourse::Reply(awaits, fate);
        Begun::Yes
    }

    /// Tells whether what begins with these bytes is no command's one reply, as soon as that can be seen.
    fn is_push(&mut self, bytes: &[u8]) -> Option<bool> {
        match bytes[0] {
            b'>' => return Some(true),
            // A time stands before each command that is shown, and no reply begins like that.
            b'+' if self.monitors => return bytes.get(1).map(u8::is_ascii_digit),
            b'*' => {}
            _ => return Some(false),
        }
        let awaited = matches!(self.queue.front(), Some(Entry::Reply(Awaits::Confirmations(..), _)));
        if !awaited && !self.is_subscribed() {
            return Some(false);
        }
        match Heading::of(bytes) {
            Heading::More => None,
            Heading::Other => Some(false),
            Heading::Message | Heading::Confirmation(_) => Some(true),
        }
    }

    /// Says whose reply follows, where it is known; and once, that it is not.
    fn tell(&mut self, attribution: &Attribution, steps: &mut Vec<Step>) {
        let known = *attribution != Attribution::default();
        if known || std::mem::replace(&mut self.told, known) {
            steps::about(steps, Direction::Downstream, attribution.clone());
        }
        self.told = known;
    }

    /// The commands that await a reply.
    pub(super) fn under_way(&self) -> Vec<Attribution> {
        let coming = matches!(self.course, ReplyCourse::Reply(..)).then(Attribution::default);
        coming.into_iter().chain(self.queue.under_way()).collect()
    }

    fn look(&mut self, new: &[u8]) {
        if matches!(self.course, ReplyCourse::Push) {
            let room = END_BYTES.saturating_sub(self.head.len()).min(new.len());
            self.head.extend_from_slice(&new[..room]);
            self.tail.extend_from_slice(&new[new.len().saturating_sub(END_BYTES)..]);
            self.tail.drain(..self.tail.len().saturating_sub(END_BYTES));
        }
    }

    /// Does what is to be done with these bytes, which are all that are held; says whether they are used up.
    fn go_on(&mut self, held: &[u8], whole: bool, steps: &mut Vec<Step>) -> bool {
        let ReplyCourse::Reply(_, fate) = &mut self.course else {
            steps::pass(steps, Direction::Downstream, held.len());
            return true;
        };
        let done = fate.go_on(held, whole, &self.scanner, self.protocol, steps);
        self.has_ended |= done == Use::Ended;
        done != Use::Held
    }

    /// Ends what was coming: it has come whole.
    fn finish(&mut self, session: &mut Session, steps: &mut Vec<Step>) {
        let kind = self.scanner.kind();
        match std::mem::replace(&mut self.course, ReplyCourse::Between) {
            ReplyCourse::Between => {}
            ReplyCourse::Push => self.confirm(),
            ReplyCourse::Reply(awaits, fate) => {
                fate.finish(steps);
                match (awaits, kind) {
                    (Awaits::Hello, Some(b'%')) => self.protocol = Protocol::Resp3,
                    (Awaits::Hello, Some(b'*')) => self.protocol = Protocol::Resp2,
                    (Awaits::Reset, Some(b'+')) => {
                        (self.protocol, self.monitors) = (Protocol::Resp2, false);
                        self.subscriptions = Subscriptions::default();
                    }
                    (Awaits::Monitor, Some(b'+')) => self.monitors = true,
                    (Awaits::Multi(number), Some(b'-')) => {
                        session.not_begun(number);
                        spare(session.spared(), Unreadable::Transaction, steps);
                    }
                    _ => {}
                }
            }
        }
    }

    /// A push has come; perhaps it confirms something, and perhaps that is awaited.
    fn confirm(&mut self) {
        let Heading::Confirmation(command) = Heading::of(&self.head) else { return };
        if let Some(Entry::Reply(Awaits::Confirmations(awaited, count), _)) = self.queue.front()
            && command == awaited.as_bytes()
        {
            let count = count.get_or_insert_with(|| self.subscriptions.of_all(awaited));
            *count -= 1;
            if *count == 0 {
                let _ = self.queue.pop();
            }
        }
        let number = self.tail.strip_suffix(b"\r\n").and_then(|tail| tail.rsplit(|byte| *byte == b':').next());
        let left = number.and_then(parse_integer).and_then(|left| u64::try_from(left).ok());
        if let Some(left) = left {
            self.subscriptions.confirm(command, left);
        }
    }
}

/// Replies wait from here on, by these injections; `waiting` commands wait behind the one whose reply it is.
fn delay(wait: Option<Wait>, delayed: Vec<Injected>, waiting: u64, steps: Steps<'_>) {
    let Some(wait) = wait else { return };
    steps::wait(steps, wait);
    fire(steps, delayed.into_iter().map(|one| one.with_bystanders(waiting)).collect());
}
