//! A connection without a pump: what the filter says is done at once.

use crate::{
    active::Active,
    protocol::{Attribution, Decide, Decision, Ending, Filter as _, Injected, Message, Step, Unreadable},
    protocols::redis::{RedisFilter, values::Values},
};
use bytes::BytesMut;
use chaos_model::{
    Direction,
    effect::{
        Action, MessageAction, MessageEnding,
        action::{Part, RedisAction, ReplyEdit},
    },
};
use chaos_redis::codec::{Decoder, Frame, RequestScanner};
use std::{sync::Arc, time::Duration};

pub(crate) const WAIT: Duration = Duration::from_millis(7);

type Rule = Box<dyn Fn(&str, &[&[u8]]) -> Option<Does> + Send>;

/// Decides by a rule, and keeps what it was asked.
pub(crate) struct Rules {
    rule: Option<Rule>,
    pub(crate) traces: bool,
    pub(crate) asked: Vec<String>,
    /// Commands that nothing could be done to, and why.
    pub(crate) spared: Vec<(String, Unreadable)>,
    /// All faults are gone.
    pub(crate) are_gone: bool,
}

impl Decide for Rules {
    fn is_armed(&self) -> bool {
        self.rule.is_some()
    }

    fn traces(&self) -> bool {
        self.traces
    }

    fn draws(&self) -> bool {
        false
    }

    fn spare_message(&mut self, why: Unreadable, message: &dyn Message) {
        self.spared.push((message.subject(), why));
    }

    fn has(&self, _: &Injected) -> bool {
        !self.are_gone
    }

    fn on_message(&mut self, message: &dyn Message) -> Decision {
        let subject = message.subject();
        let mut words = subject.split(' ');
        let name = words.next().unwrap_or_default();
        let keys: Vec<&[u8]> = words.map(str::as_bytes).collect();
        let does = self.rule.as_ref().and_then(|rule| rule(name, &keys));
        self.asked.push(subject.clone());
        does.map(Does::decision).unwrap_or_default()
    }
}

/// The fate of a command.
pub(crate) struct Does {
    action: Action,
    /// The action of another fault.
    also: Option<Action>,
    delayed: bool,
    values: Option<Arc<Values>>,
}

impl Does {
    /// The same, and behind it what another fault does.
    pub(crate) fn also(self, other: Self) -> Self {
        Self { also: Some(other.action), ..self }
    }

    fn decision(self) -> Decision {
        let memory = self.values.map(|values| values as Arc<dyn std::any::Any + Send + Sync>);
        let mut edit = Decision::default().and(Active::doing("edit", self.action, memory), None);
        if let Some(also) = self.also {
            edit = edit.and(Active::doing("also", also, None), None);
        }
        if !self.delayed {
            return edit;
        }
        let action = Action { message: Some(MessageAction::default()), ..Action::default() };
        edit.and(Active::doing("delay", action, None), Some(WAIT))
    }
}

/// A change of a reply.
#[derive(Clone, Debug)]
pub(crate) enum Happens {
    Edit(ReplyEdit),
    Truncate(Part),
}

impl From<ReplyEdit> for Happens {
    fn from(edit: ReplyEdit) -> Self {
        Self::Edit(edit)
    }
}

/// The connection is closed in place of the reply.
pub(crate) const CLOSE: Happens = Happens::Truncate(Part::Bytes(0));

/// This change.
pub(crate) fn edit(happens: impl Into<Happens>) -> Does {
    let action = match happens.into() {
        Happens::Edit(reply) => Action { redis: Some(RedisAction { reply: Some(reply) }), ..Action::default() },
        Happens::Truncate(part) => {
            let message = MessageAction { delay: None, ending: Some(MessageEnding::In(part)) };
            Action { message: Some(message), ..Action::default() }
        }
    };
    Does { action, also: None, delayed: false, values: None }
}

/// Nothing but a delay.
pub(crate) fn late() -> Does {
    Does {
        action: Action { message: Some(MessageAction::default()), ..Action::default() },
        also: None,
        delayed: true,
        values: None,
    }
}

/// The same, with a delay by another fault.
pub(crate) fn delayed(does: Does) -> Does {
    Does { delayed: true, ..does }
}

pub(crate) fn with(values: &Arc<Values>, does: Does) -> Does {
    Does { values: Some(Arc::clone(values)), ..does }
}

/// Bytes that went one way, and those that have not been used up.
#[derive(Debug, Default)]
pub(crate) struct Side {
    left: Vec<u8>,
    pub(crate) arrived: Vec<u8>,
}

pub(crate) struct Wire {
    pub(crate) filter: RedisFilter,
    pub(crate) rules: Rules,
    up: Side,
    pub(crate) down: Side,
    /// After how many bytes to the client there was a wait.
    pub(crate) waits: Vec<usize>,
    /// The names of the faults that fired, with their bystanders.
    pub(crate) fired: Vec<(String, u64)>,
    /// Attributions of the bytes that followed, each with the count of bytes that had arrived before.
    pub(crate) about: Vec<(Direction, usize, Attribution)>,
    pub(crate) has_ended: bool,
}

impl Wire {
    /// Without any fault.
    pub(crate) fn clear() -> Self {
        Self {
            filter: RedisFilter::default(),
            rules: Rules { rule: None, traces: false, asked: vec![], spared: vec![], are_gone: false },
            up: Side::default(),
            down: Side::default(),
            waits: vec![],
            fired: vec![],
            about: vec![],
            has_ended: false,
        }
    }

    /// Under a fault that does this.
    pub(crate) fn under(rule: impl Fn(&str, &[&[u8]]) -> Option<Does> + Send + 'static) -> Self {
        let mut wire = Self::clear();
        wire.rules.rule = Some(Box::new(rule));
        wire
    }

    /// Under a fault that does this to one command.
    pub(crate) fn editing(name: &'static str, happens: impl Into<Happens>) -> Self {
        let reply = happens.into();
        Self::under(move |command, _| (command == name).then(|| edit(reply.clone())))
    }

    /// With RESP3 agreed on.
    pub(crate) fn in_resp3(mut self) -> Self {
        self.client("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
        self.server("%1\r\n+proto\r\n:3\r\n");
        (self.up.arrived, self.down.arrived) = (vec![], vec![]);
        self.rules.asked.clear();
        self
    }

    pub(crate) fn client(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(Direction::Upstream, bytes.as_ref())
    }

    pub(crate) fn server(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(Direction::Downstream, bytes.as_ref())
    }

    /// Lines of words, each a command.
    pub(crate) fn commands(&mut self, lines: &[&str]) -> &mut Self {
        lines.iter().fold(self, |wire, line| wire.client(command(line)))
    }

    pub(crate) fn send(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.side(direction).left.extend_from_slice(bytes);
        let (mut steps, left) = (vec![], self.side(direction).left.clone());
        self.filter.on_bytes(direction, &left, &mut self.rules, &mut steps);
        self.apply(direction, steps);
        self
    }

    /// Tells the filter that the faults have changed.
    pub(crate) fn change(&mut self) -> &mut Self {
        for direction in [Direction::Downstream, Direction::Upstream] {
            let (mut steps, left) = (vec![], self.side(direction).left.clone());
            self.filter.on_change(direction, &left, &mut self.rules, &mut steps);
            self.apply(direction, steps);
        }
        self
    }

    pub(crate) fn end(&mut self, direction: Direction) -> &mut Self {
        let (mut steps, left) = (vec![], self.side(direction).left.clone());
        self.filter.on_end(direction, &left, &mut self.rules, &mut steps);
        self.apply(direction, steps);
        let left = std::mem::take(&mut self.side(direction).left);
        self.side(direction).arrived.extend(left);
        self
    }

    pub(crate) fn to_server(&self) -> String {
        self.up.arrived.escape_ascii().to_string()
    }

    pub(crate) fn to_client(&self) -> &[u8] {
        &self.down.arrived
    }

    /// The bytes that wait to be used.
    pub(crate) fn held(&self, direction: Direction) -> usize {
        match direction {
            Direction::Upstream => self.up.left.len(),
            Direction::Downstream => self.down.left.len(),
        }
    }

    pub(crate) fn arrived(&self, direction: Direction) -> &[u8] {
        match direction {
            Direction::Upstream => &self.up.arrived,
            Direction::Downstream => &self.down.arrived,
        }
    }

    /// Takes the bytes that have arrived since the last time.
    pub(crate) fn take(&mut self, direction: Direction) -> Vec<u8> {
        std::mem::take(&mut self.side(direction).arrived)
    }

    /// The frames that a client reads, and the rest that is no whole one.
    pub(crate) fn read(&self) -> (Vec<Frame>, Vec<u8>) {
        let (mut decoder, mut buffer, mut frames) = (Decoder::default(), BytesMut::from(self.to_client()), vec![]);
        while let Ok(Some(frame)) = decoder.decode(&mut buffer) {
            frames.push(frame);
        }
        (frames, buffer.to_vec())
    }

    /// The frames that a client reads, in short: strings and errors by their text.
    pub(crate) fn replies(&self) -> Vec<String> {
        self.read().0.iter().map(show).collect()
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Upstream => &mut self.up,
            Direction::Downstream => &mut self.down,
        }
    }

    fn apply(&mut self, came: Direction, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Pass(direction, _, count) | Step::Skip(direction, count) => {
                    assert_eq!(direction, came, "bytes that did not come");
                    assert!(count > 0 && count <= self.side(direction).left.len(), "{count} bytes that did not come");
                    let used = self.side(direction).left.drain(..count).collect::<Vec<_>>();
                    if matches!(step, Step::Pass(..)) {
                        assert!(!(self.has_ended && direction == Direction::Downstream), "bytes after the end");
                        self.side(direction).arrived.extend(used);
                    }
                }
                Step::Insert(direction, _, bytes) => self.side(direction).arrived.extend(bytes),
                Step::Wait(direction, _, wait) => {
                    assert_eq!((direction, wait.whole()), (Direction::Downstream, WAIT));
                    self.waits.push(self.down.arrived.len());
                }
                Step::End(direction, _, ending) => {
                    assert_eq!((direction, ending), (Direction::Downstream, Ending::Close));
                    self.has_ended = true;
                }
                Step::About(direction, _, attribution) => {
                    let before = self.side(direction).arrived.len();
                    self.about.push((direction, before, attribution));
                }
                Step::Generated(..) | Step::Rate(..) | Step::Discard(..) | Step::Finish(..) => {
                    panic!("Redis asks for no such thing: {step:?}")
                }
                Step::Spared(injected, why) => {
                    assert_eq!(injected.entry.subject, "GET /x", "that of the tests");
                    self.rules.spared.push((injected.fault.fault.name.clone(), why));
                }
                Step::Fired(injected) => {
                    self.fired.push((injected.fault.fault.name.clone(), injected.entry.bystanders))
                }
            }
        }
    }
}

/// Words to a command.
pub(crate) fn command(line: &str) -> Vec<u8> {
    let mut out = BytesMut::new();
    chaos_redis::codec::Request::encode(&line.split(' ').collect::<Vec<_>>(), &mut out);
    out.to_vec()
}

/// A command that has come whole.
pub(crate) fn scanned(line: &str) -> RequestScanner {
    let (bytes, mut scanner, mut at) = (command(line), RequestScanner::default(), 0);
    scanner.keep(bytes.len());
    while at < bytes.len() {
        at += scanner.scan(&bytes[at..]).unwrap().0;
    }
    scanner
}

/// Lines of words, each a command, as they look on the wire.
pub(crate) fn all(lines: &[&str]) -> String {
    lines.iter().map(|line| command(line).escape_ascii().to_string()).collect()
}

fn show(frame: &Frame) -> String {
    match frame {
        Frame::Simple(text) | Frame::Error(text) | Frame::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        Frame::Null => "null".to_owned(),
        Frame::Integer(number) => number.to_string(),
        Frame::Array(items) | Frame::Push(items) | Frame::Set(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        other => format!("{other:?}"),
    }
}
