//! Commands and the requests that they are of. Links don't say: commands carry no number, and go through connections
//! that requests share. What a program tells by its spans does.
//!
//! A program asks a service while a span is open that names this service in one of its fields, or soon after an event
//! that does. Where several ask for the same at once, commands pass in the order in which they were asked.

use super::{Fields, TRACE_ID, of};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// By what a span says which commands it sends, as OpenTelemetry's semantic conventions call it.
const OPERATION: &str = "db.operation.name";

/// Time within which comes what an event has announced, or not at all.
const SOON: Duration = Duration::from_millis(100);

/// The parts of a key or a path.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty())
}

/// The services of a link.
fn ends(link: &str) -> Option<(&str, &str)> {
    let (from, to) = link.split_once(" -> ")?;
    Some((from, to.split_once('#').map_or(to, |(to, _)| to)))
}

/// State of all requests of a run up to some moment.
#[derive(Default)]
pub(super) struct Asks<'s> {
    links: BTreeSet<(&'s str, &'s str)>,
    /// Numbers of requests, by trace id.
    numbers: BTreeMap<&'s str, u64>,
    /// The values of requests' variables.
    values: BTreeMap<u64, BTreeSet<&'s str>>,
    /// Names that requests ask for: keys name what they need.
    names: BTreeMap<u64, BTreeSet<&'s str>>,
    /// Open spans, and the requests that they belong to.
    owners: BTreeMap<u64, u64>,
    /// Links whose commands are told of by those who send them.
    told: BTreeSet<(&'s str, &'s str)>,
    /// In the order in which they came.
    open: Vec<Ask<'s>>,
}

struct Ask<'s> {
    n: u64,
    by: By,
    link: (&'s str, &'s str),
    operation: Option<&'s str>,
    /// A command was taken to be its.
    is_met: bool,
}

/// By what somebody is known to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// An open span.
    Span(u64),
    /// An event at this time.
    Event(Instant),
}

impl<'s> Asks<'s> {
    /// Starts with the links of a system.
    pub(super) fn new(links: impl Iterator<Item = &'s str>) -> Self {
        Self { links: links.filter_map(ends).collect(), ..Self::default() }
    }

    /// A request was begun.
    pub(super) fn begun(&mut self, n: u64, fields: &'s Fields) {
        self.numbers.extend(of(fields, TRACE_ID).map(|id| (id, n)));
        self.values.insert(n, of(fields, "vars").into_iter().flat_map(parts).collect());
    }

    /// Notes what a request asks for, in the words of its client: the values of its variables, and where there are none
    /// of them what may be the number of something.
    pub(super) fn named(&mut self, n: u64, subject: &'s str) {
        let (values, asked) = (self.values.get(&n), parts(subject).collect::<BTreeSet<_>>());
        let drawn: BTreeSet<_> = values.map(|values| &asked & values).unwrap_or_default();
        let is_numbered = |part: &&str| part.bytes().any(|byte| byte.is_ascii_digit());
        let names = if drawn.is_empty() { asked.into_iter().filter(is_numbered).collect() } else { drawn };
        self.names.insert(n, names);
    }

    /// True where what is asked names what the request asks for.
    pub(super) fn names(&self, n: u64, subject: &str) -> bool {
        self.names.get(&n).is_some_and(|names| parts(subject).any(|part| names.contains(part)))
    }

    /// The request that an open span belongs to.
    pub(super) fn owner(&self, span: u64) -> Option<u64> {
        self.owners.get(&span).copied()
    }

    /// A span says which request it is.
    pub(super) fn recorded(&mut self, span: u64, fields: &Fields) {
        let n = of(fields, TRACE_ID).and_then(|id| self.numbers.get(id));
        self.owners.extend(n.map(|n| (span, *n)));
    }

    /// A span was opened within another one.
    pub(super) fn opened(&mut self, service: &'s str, span: u64, parent: u64, fields: &'s Fields) {
        if let Some(n) = self.owner(parent) {
            self.owners.insert(span, n);
            self.ask(n, service, By::Span(span), fields);
        }
    }

    pub(super) fn closed(&mut self, span: u64) {
        self.owners.remove(&span);
        self.open.retain(|ask| ask.by != By::Span(span));
    }

    /// Somebody may ask with this; says whether that is so.
    pub(super) fn ask(&mut self, n: u64, service: &'s str, by: By, fields: &'s Fields) -> bool {
        let mut links = fields.iter().map(|(_, value)| (service, value.as_str()));
        let Some(link) = links.find(|link| self.links.contains(link)) else { return false };
        self.told.insert(link);
        self.open.push(Ask { n, by, link, operation: of(fields, OPERATION), is_met: false });
        true
    }

    /// True where those who send commands on this link tell of it.
    pub(super) fn are_told(&self, link: &str) -> bool {
        ends(link).is_some_and(|link| self.told.contains(&link))
    }

    /// The request that asks this now, which is its command. A span may send several.
    pub(super) fn take(&mut self, at: Instant, link: &str, subject: &str) -> Option<u64> {
        self.open.retain(|ask| !matches!(ask.by, By::Event(told) if at > told + SOON));
        let (link, operation) = (ends(link)?, subject.split(' ').next());
        let fits = |ask: &Ask<'_>| {
            ask.link == link && ask.operation.is_none_or(|asked| Some(asked) == operation) && self.names(ask.n, subject)
        };
        let fitting = || self.open.iter().enumerate().filter(|(_, ask)| fits(ask));
        let (place, _) = fitting().find(|(_, ask)| !ask.is_met).or_else(|| fitting().next())?;
        let ask = &mut self.open[place];
        ask.is_met = true;
        let n = ask.n;
        if matches!(ask.by, By::Event(_)) {
            self.open.remove(place);
        }
        Some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "gateway -> redis";

    fn fields(pairs: &[(&'static str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    /// Requests 0 and 1, which both ask for 7, and request 2, which asks for 8: their spans are 10, 11 and 12.
    fn three(begun: &[Fields; 3]) -> Asks<'_> {
        let mut asks = Asks::new([LINK, "client -> gateway"].into_iter());
        let subjects = ["GET /api/v1/profile/7", "GET /api/v1/profile/7", "GET /api/v1/profile/8"];
        for ((n, begun), subject) in (0..).zip(begun).zip(subjects) {
            asks.begun(n, begun);
            asks.named(n, subject);
            asks.recorded(10 + n, begun);
        }
        asks
    }

    fn begun() -> [Fields; 3] {
        [("a", "[7]"), ("b", "[7]"), ("c", "[8]")].map(|(id, vars)| fields(&[(TRACE_ID, id), ("vars", vars)]))
    }

    #[test]
    fn names_are_the_values_of_variables_and_what_has_a_digit_only_where_there_are_none() {
        let (drawn, plain) = (fields(&[("vars", "[3, 7]")]), fields(&[("vars", "[]")]));
        let mut asks = Asks::new(std::iter::empty());
        asks.begun(0, &drawn);
        asks.begun(1, &plain);
        for n in [0, 1] {
            asks.named(n, "GET /api/v1/profile/7");
        }
        assert!(asks.names(0, "GET gateway:profile:7") && !asks.names(0, "GET cache:v1:profile:8"));
        assert!(asks.names(1, "GET gateway:profile:7") && asks.names(1, "GET cache:v1:profile:8"));
    }

    #[test]
    fn a_command_is_of_who_asked_first_while_their_span_is_open() {
        let (begun, of_redis, now) = (begun(), fields(&[("cache.tier", "redis"), (OPERATION, "GET")]), Instant::now());
        let mut asks = three(&begun);
        assert!(!asks.are_told(LINK), "nobody has told of any");
        for n in 0..3 {
            asks.opened("gateway", 20 + n, 10 + n, &of_redis);
        }
        assert!(asks.are_told(LINK) && !asks.are_told("client -> gateway"));
        assert_eq!(asks.take(now, LINK, "SET k:7"), None, "that is another operation");
        assert_eq!(asks.take(now, LINK, "GET k:8"), Some(2));
        assert_eq!((asks.take(now, LINK, "GET k:7"), asks.take(now, LINK, "GET k:7")), (Some(0), Some(1)));
        assert_eq!(asks.take(now, LINK, "GET k:7:more"), Some(0), "a span may send several");
        (20..23).for_each(|span| asks.closed(span));
        assert_eq!(asks.take(now, LINK, "GET k:7"), None);
    }

    #[test]
    fn what_an_event_announces_comes_once_and_soon() {
        let (begun, of_redis, now) = (begun(), fields(&[("cache.tier", "redis"), (OPERATION, "SET")]), Instant::now());
        let of_a_service = fields(&[("peer.service", "order")]);
        let mut asks = three(&begun);
        assert!(!asks.ask(0, "gateway", By::Event(now), &of_a_service), "no link leads there");
        assert!(asks.ask(0, "gateway", By::Event(now), &of_redis));
        assert_eq!(asks.take(now, LINK, "SET k:7"), Some(0));
        assert_eq!(asks.take(now, LINK, "SET k:7"), None);
        asks.ask(1, "gateway", By::Event(now), &of_redis);
        assert_eq!(asks.take(now + 2 * SOON, LINK, "SET k:7"), None);
    }
}
