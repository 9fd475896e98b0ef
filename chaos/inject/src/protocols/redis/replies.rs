//! The way down: which command each reply is for, and what becomes of it.

use super::{
    fate::{Fate, Use},
    fire,
    queue::{Entry, LocalReply, Planned, Queue},
    session::{Awaits, Session},
};
use crate::protocol::{Attribution, Injected, Step, Wait};
use crate::protocols::steps::{self, Steps};
use chaos_model::Direction;
use chaos_redis::codec::{Limits, Protocol, Scanner};

/// Bytes that are kept of a push: enough to see what it confirms.
const HEAD_BYTES: usize = 48;

/// Nested deeper than anything that Redis sends.
const DEPTH: usize = 128;

/// The replies of one connection.
#[derive(Debug)]
pub(super) struct Replies {
    queue: Queue,
    scanner: Scanner,
    protocol: Protocol,
    /// Commands on their way that may change the protocol.
    unsure: u64,
    /// Bytes that have been looked at and are held.
    held: usize,
    course: ReplyCourse,
    /// The beginning of a push.
    head: Vec<u8>,
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
    /// A push, which answers nothing.
    Push,
    /// The reply to what awaits this.
    Reply(Awaits, Fate),
}

impl Default for Replies {
    fn default() -> Self {
        let limits = Limits { bytes: usize::MAX, elements: u64::MAX, depth: DEPTH };
        Self {
            queue: Queue::default(),
            scanner: Scanner::new(limits).with_attributes(),
            protocol: Protocol::Resp2,
            unsure: 0,
            held: 0,
            course: ReplyCourse::Between,
            head: vec![],
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

    /// Tells whether anything can be done to the replies to further commands.
    pub(super) fn can_act(&self) -> bool {
        !self.has_ended && self.queue.has_room()
    }

    /// Tells whether subscriptions are confirmed by pushes: the connection surely speaks RESP3.
    pub(super) fn confirm_by_pushes(&self) -> bool {
        self.protocol == Protocol::Resp3 && self.unsure == 0
    }

    /// From here on everything passes.
    pub(super) fn lose(&mut self) {
        self.is_lost = true;
        self.held = 0;
        self.queue.clear();
    }

    /// Notes that what follows the awaited replies can't be told.
    pub(super) fn end(&mut self) {
        self.queue.end();
    }

    /// A command has gone to the server. Says whether its reply can be followed.
    pub(super) fn expect(&mut self, awaits: Awaits, planned: Option<Box<Planned>>) -> bool {
        self.unsure += u64::from(changes_protocol(awaits));
        self.queue.push(match (awaits, planned) {
            (Awaits::Reply, None) => Entry::Plain(1),
            // Nothing happens to subscriptions: their replies come one by one.
            (Awaits::Confirmations(..), _) => Entry::Reply(awaits, None),
            (awaits, planned) => Entry::Reply(awaits, planned),
        })
    }

    /// A command is answered in the server's place, behind the replies that are awaited. Says whether there was room,
    /// which there is where [`Self::can_act`] said so.
    pub(super) fn answer(&mut self, local: Box<LocalReply>, steps: &mut Vec<Step>) -> bool {
        let has_room = self.queue.push(Entry::Local(local));
        if matches!(self.course, ReplyCourse::Between) {
            self.answer_those_whose_turn_it_is(steps);
        }
        has_room
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8], session: &mut Session, steps: &mut Vec<Step>) {
        let (mut used, mut seen) = (0, self.held);
        loop {
            if matches!(self.course, ReplyCourse::Between) {
                self.answer_those_whose_turn_it_is(steps);
            }
            if self.is_lost || self.has_ended || seen == bytes.len() || !self.begin(bytes[seen], steps) {
                break;
            }
            let Ok(scanned) = self.scanner.scan(&bytes[seen..]) else {
                self.lose();
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
            let Some(Entry::Local(local)) = self.queue.pop() else { return self.lose() };
            let LocalReply { attribution, delay: wait, content, mut injected } = *local;
            self.tell(&attribution, steps);
            delay(wait, &mut injected, self.queue.waiting(), steps);
            fire(steps, injected);
            steps::insert(steps, Direction::Downstream, content.bytes(self.protocol));
        }
    }

    /// Something begins with this byte, unless it has begun. Says whether it is something that is understood.
    fn begin(&mut self, first: u8, steps: &mut Vec<Step>) -> bool {
        if !matches!(self.course, ReplyCourse::Between) {
            return true;
        }
        if first == b'>' {
            self.head.clear();
            self.course = ReplyCourse::Push;
            return true;
        }
        let is_error = matches!(first, b'-' | b'!');
        if !is_error {
            // A server that confirms by a reply after all.
            while let Some(Entry::Reply(Awaits::Confirmations(..), _)) = self.queue.front() {
                let _ = self.queue.pop();
            }
            self.answer_those_whose_turn_it_is(steps);
        }
        let (awaits, planned) = match self.queue.pop() {
            Some(Entry::Plain(_)) => (Awaits::Reply, None),
            Some(Entry::Reply(awaits, planned)) if awaits != Awaits::Anything => (awaits, planned),
            _ => {
                // A reply to nothing: which command it is for can't be told, and a guess would put an error in a
                // stranger's place.
                self.lose();
                return false;
            }
        };
        let attribution = planned.as_ref().map(|planned| planned.attribution.clone());
        self.tell(&attribution.unwrap_or_default(), steps);
        let fate = planned.map_or(Fate::Pass, |planned| {
            let Planned { delay: wait, edit, mut injected, .. } = *planned;
            delay(wait, &mut injected, self.queue.waiting(), steps);
            edit.map_or(Fate::Pass, |edit| Fate::Undecided(edit, injected))
        });
        self.course = ReplyCourse::Reply(awaits, fate);
        true
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
            let room = HEAD_BYTES.saturating_sub(self.head.len()).min(new.len());
            self.head.extend_from_slice(&new[..room]);
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
                self.unsure = self.unsure.saturating_sub(u64::from(changes_protocol(awaits)));
                match (awaits, kind) {
                    (Awaits::Hello, Some(b'%')) => self.protocol = Protocol::Resp3,
                    (Awaits::Hello, Some(b'*')) | (Awaits::Reset, Some(b'+')) => self.protocol = Protocol::Resp2,
                    (Awaits::Multi(number), Some(b'-')) => session.refused(number),
                    _ => {}
                }
            }
        }
    }

    /// A push has come; perhaps it is one that is awaited.
    fn confirm(&mut self) {
        let mut lines = self.head.split(|byte| *byte == b'\n').skip(1).map(|line| line.strip_suffix(b"\r"));
        let word = match lines.next().flatten() {
            Some([b'+', word @ ..]) => word,
            _ => lines.next().flatten().unwrap_or_default(),
        };
        if let Some(Entry::Reply(Awaits::Confirmations(awaited, left), _)) = self.queue.front()
            && word.eq_ignore_ascii_case(awaited.as_bytes())
        {
            *left -= 1;
            if *left == 0 {
                let _ = self.queue.pop();
            }
        }
    }
}

/// Replies wait from here on. Takes the injections of those who made them wait from `injected`; `waiting` commands wait
/// behind the one whose reply it is.
fn delay(wait: Option<Wait>, injected: &mut Vec<Injected>, waiting: u64, steps: Steps<'_>) {
    let Some(wait) = wait else { return };
    let (delayed, others): (Vec<_>, _) = std::mem::take(injected).into_iter().partition(|one| wait.is_of(one));
    *injected = others;
    steps::wait(steps, wait);
    fire(steps, delayed.into_iter().map(|one| one.with_bystanders(waiting)).collect());
}

fn changes_protocol(awaits: Awaits) -> bool {
    matches!(awaits, Awaits::Hello | Awaits::Reset)
}
