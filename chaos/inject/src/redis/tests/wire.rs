//! A connection without a pump: what the filter says is done at once.

use crate::{
    filter::{Attribution, Command, Decide, Ending, Filter as _, HttpPlan, Injected, RedisPlan, Request, Step, Wait},
    interpreter::{Active, Way},
    redis::{RedisFilter, Values},
};
use bytes::BytesMut;
use chaos_model::{
    Endpoint, Fault, Link, Target,
    effect::{Lose, action::ReplyEdit},
};
use chaos_redis::codec::{Decoder, Frame};
use std::{sync::Arc, time::Duration};

pub(crate) const WAIT: Duration = Duration::from_millis(7);

type Rule = Box<dyn Fn(&str, &[&[u8]]) -> Option<RedisPlan> + Send>;

/// Decides by a rule, and keeps what it was asked.
pub(crate) struct Rules {
    rule: Option<Rule>,
    pub(crate) traces: bool,
    pub(crate) asked: Vec<String>,
}

impl Decide for Rules {
    fn is_armed(&self) -> bool {
        self.rule.is_some()
    }

    fn traces(&self) -> bool {
        self.traces
    }

    fn wants_body(&self) -> bool {
        false
    }

    fn on_request(&mut self, _: &Request<'_>) -> HttpPlan {
        unreachable!("Redis has commands")
    }

    fn on_command(&mut self, command: &Command<'_>) -> RedisPlan {
        let keys = command.keys.iter().map(|key| String::from_utf8_lossy(key));
        self.asked.push(std::iter::once(command.name.into()).chain(keys).collect::<Vec<_>>().join(" "));
        let plan = self.rule.as_ref().and_then(|rule| rule(command.name, command.keys));
        let subject = self.traces.then(|| format!("number {}", self.asked.len()).into());
        RedisPlan { attribution: Attribution { subject, arrival: None }, ..plan.unwrap_or_default() }
    }
}

pub(crate) fn active(name: &str) -> Arc<Active> {
    let link = Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None };
    let fault = Fault::new(name, Target::Link(link.clone()), Lose {});
    Arc::new(Active::new(fault, 1, &link, Duration::ZERO, 0))
}

fn injected(fault: &Arc<Active>) -> Injected {
    Injected {
        fault: Arc::clone(fault),
        subject: String::new(),
        arrival: None,
        attempt: 0,
        key: chaos_model::KeyKind::Command,
        bystanders: 0,
    }
}

/// A plan with this edit.
pub(crate) fn edit(reply: ReplyEdit) -> RedisPlan {
    RedisPlan { reply: Some(reply), injected: vec![injected(&active("edit"))], ..RedisPlan::default() }
}

/// The same, with a delay by another fault.
pub(crate) fn delayed(mut plan: RedisPlan) -> RedisPlan {
    let fault = active("delay");
    plan.injected.push(injected(&fault));
    plan.delay = Some(Wait { parts: vec![(fault, WAIT)] });
    plan
}

pub(crate) fn with(values: &Arc<Values>, plan: RedisPlan) -> RedisPlan {
    RedisPlan { values: Some(Arc::clone(values)), ..plan }
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
    pub(crate) about: Vec<(Way, usize, Attribution)>,
    pub(crate) has_ended: bool,
}

impl Wire {
    /// Without any fault.
    pub(crate) fn clear() -> Self {
        Self {
            filter: RedisFilter::default(),
            rules: Rules { rule: None, traces: false, asked: vec![] },
            up: Side::default(),
            down: Side::default(),
            waits: vec![],
            fired: vec![],
            about: vec![],
            has_ended: false,
        }
    }

    /// Under a fault that does this.
    pub(crate) fn under(rule: impl Fn(&str, &[&[u8]]) -> Option<RedisPlan> + Send + 'static) -> Self {
        let mut wire = Self::clear();
        wire.rules.rule = Some(Box::new(rule));
        wire
    }

    /// Under a fault that does this to one command.
    pub(crate) fn editing(name: &'static str, reply: ReplyEdit) -> Self {
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
        self.send(Way::Up, bytes.as_ref())
    }

    pub(crate) fn server(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(Way::Down, bytes.as_ref())
    }

    /// Lines of words, each a command.
    pub(crate) fn commands(&mut self, lines: &[&str]) -> &mut Self {
        lines.iter().fold(self, |wire, line| wire.client(command(line)))
    }

    pub(crate) fn send(&mut self, way: Way, bytes: &[u8]) -> &mut Self {
        self.side(way).left.extend_from_slice(bytes);
        let (mut steps, left) = (vec![], self.side(way).left.clone());
        self.filter.on_bytes(way, &left, &mut self.rules, &mut steps);
        self.apply(way, steps);
        self
    }

    pub(crate) fn end(&mut self, way: Way) -> &mut Self {
        let (mut steps, left) = (vec![], self.side(way).left.clone());
        self.filter.on_end(way, &left, &mut self.rules, &mut steps);
        self.apply(way, steps);
        let left = std::mem::take(&mut self.side(way).left);
        self.side(way).arrived.extend(left);
        self
    }

    pub(crate) fn to_server(&self) -> String {
        self.up.arrived.escape_ascii().to_string()
    }

    pub(crate) fn to_client(&self) -> &[u8] {
        &self.down.arrived
    }

    /// The bytes that wait to be used.
    pub(crate) fn held(&self, way: Way) -> usize {
        match way {
            Way::Up => self.up.left.len(),
            Way::Down => self.down.left.len(),
        }
    }

    pub(crate) fn arrived(&self, way: Way) -> &[u8] {
        match way {
            Way::Up => &self.up.arrived,
            Way::Down => &self.down.arrived,
        }
    }

    /// Takes the bytes that have arrived since the last time.
    pub(crate) fn take(&mut self, way: Way) -> Vec<u8> {
        std::mem::take(&mut self.side(way).arrived)
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

    fn side(&mut self, way: Way) -> &mut Side {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    fn apply(&mut self, came: Way, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Pass(way, count) | Step::Skip(way, count) => {
                    assert_eq!(way, came, "bytes that did not come");
                    assert!(count > 0 && count <= self.side(way).left.len(), "{count} bytes that did not come");
                    let used = self.side(way).left.drain(..count).collect::<Vec<_>>();
                    if matches!(step, Step::Pass(..)) {
                        assert!(!(self.has_ended && way == Way::Down), "bytes after the end");
                        self.side(way).arrived.extend(used);
                    }
                }
                Step::Insert(way, bytes) => self.side(way).arrived.extend(bytes),
                Step::Wait(way, wait) => {
                    assert_eq!((way, wait.whole()), (Way::Down, WAIT));
                    self.waits.push(self.down.arrived.len());
                }
                Step::End(way, ending) => {
                    assert_eq!((way, ending), (Way::Down, Ending::Close));
                    self.has_ended = true;
                }
                Step::About(way, attribution) => {
                    let before = self.side(way).arrived.len();
                    self.about.push((way, before, attribution));
                }
                Step::Generated(..) | Step::Rate(..) => panic!("Redis asks for no such thing: {step:?}"),
                Step::Fired(injected) => self.fired.push((injected.fault.fault.name.clone(), injected.bystanders)),
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
