//! The messages on links, each followed from one side of its proxy to the other, and from a request to its response.

use super::{Fields, arrival, of};
use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

/// A message as it was seen on one side of a proxy.
pub(super) struct Sight<'s> {
    pub(super) link: &'s str,
    pub(super) subject: &'s str,
    /// The response's own words, where it is a response.
    pub(super) response: Option<&'s str>,
    /// The number of the request that it says it is for.
    pub(super) arrival: Option<u64>,
    pub(super) is_up: bool,
    connection: &'s str,
    at_client: bool,
}

impl<'s> Sight<'s> {
    pub(super) fn of(fields: &'s Fields) -> Option<Self> {
        Some(Self {
            link: of(fields, "link")?,
            subject: of(fields, "subject")?,
            response: of(fields, "response"),
            arrival: arrival(fields),
            is_up: of(fields, "up") == Some("true"),
            connection: of(fields, "connection")?,
            at_client: of(fields, "side") == Some("client"),
        })
    }

    /// True on the side that it comes from.
    pub(super) fn comes(&self) -> bool {
        self.is_up == self.at_client
    }
}

/// Attribution of a message to the request that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribution {
    /// The request's that is followed.
    Ours,
    /// Likely to be the request's.
    MaybeOurs,
    Others,
}

/// The step that showed a message on the side that it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'s> {
    /// The step that tells of it, where one does.
    pub(super) step: Option<usize>,
    /// The response's own words, where it is a response.
    pub(super) response: Option<&'s str>,
}

struct PendingRequest {
    /// Number of it among all requests of the run on links.
    number: u64,
    attribution: Attribution,
}

struct Going<'s> {
    /// The number of the request that it is.
    request: Option<u64>,
    shown: Shown<'s>,
}

/// A link, a connection of it, and a subject: the same may be asked several times, and is answered in that order.
type MessageKey<'s> = (&'s str, &'s str, &'s str);

#[derive(Default)]
pub(super) struct Messages<'s> {
    requests: u64,
    /// Requests that have no response yet.
    unanswered: BTreeMap<MessageKey<'s>, VecDeque<PendingRequest>>,
    /// Messages going up, or down: seen on the side that they come from, and not on the other.
    going: BTreeMap<(MessageKey<'s>, bool), VecDeque<Going<'s>>>,
    /// Attribution of the last, by link and subject.
    last: BTreeMap<(&'s str, &'s str), Attribution>,
}

impl<'s> Messages<'s> {
    /// A message is seen on the far side: how it was shown on the near one, unless it was made by the proxy.
    pub(super) fn arrived(&mut self, sight: &Sight<'s>) -> Option<Shown<'s>> {
        take(&mut self.going, (key(sight), sight.is_up), VecDeque::pop_front).map(|going| going.shown)
    }

    /// A request comes that is of this one.
    pub(super) fn asked(&mut self, sight: &Sight<'s>, attribution: Attribution, shown: Shown<'s>) {
        self.last.insert((sight.link, sight.subject), attribution);
        let request = PendingRequest { number: self.requests, attribution };
        self.going.entry((key(sight), true)).or_default().push_back(Going { request: Some(request.number), shown });
        self.unanswered.entry(key(sight)).or_default().push_back(request);
        self.requests += 1;
    }

    /// Takes the request that this responds to, and how that was shown where it has not reached the service: it will not
    /// any more.
    pub(super) fn answers(&mut self, sight: &Sight<'s>) -> Option<(Attribution, Option<Shown<'s>>)> {
        let PendingRequest { number: request, attribution } =
            take(&mut self.unanswered, key(sight), VecDeque::pop_front)?;
        self.last.insert((sight.link, sight.subject), attribution);
        let kept = take(&mut self.going, (key(sight), true), |going| {
            let at = going.iter().position(|going| going.request == Some(request))?;
            going.remove(at)
        });
        Some((attribution, kept.map(|going| going.shown)))
    }

    /// A response comes from the service.
    pub(super) fn answered(&mut self, sight: &Sight<'s>, shown: Shown<'s>) {
        self.going.entry((key(sight), false)).or_default().push_back(Going { request: None, shown });
    }

    /// True where all messages with this subject that may be meant now are the request's own.
    pub(super) fn are_ours(&self, link: &str, subject: &str) -> bool {
        let alike = self.unanswered.iter().filter(|((on, _, about), _)| (*on, *about) == (link, subject));
        let mut requests = alike.flat_map(|(_, requests)| requests);
        self.last.get(&(link, subject)) == Some(&Attribution::Ours)
            && requests.all(|one| one.attribution == Attribution::Ours)
    }

    /// The steps that tell of messages which did not arrive.
    pub(super) fn lost(&self) -> impl Iterator<Item = usize> {
        self.going.values().flatten().filter_map(|going| going.shown.step)
    }
}

/// Takes one from the queue that stands here. No empty queue is kept: there are as many as subjects.
fn take<K: Ord, T>(
    queues: &mut BTreeMap<K, VecDeque<T>>,
    key: K,
    one: impl FnOnce(&mut VecDeque<T>) -> Option<T>,
) -> Option<T> {
    let Entry::Occupied(mut queue) = queues.entry(key) else { return None };
    let taken = one(queue.get_mut());
    if queue.get().is_empty() {
        queue.remove();
    }
    taken
}

fn key<'s>(sight: &Sight<'s>) -> MessageKey<'s> {
    (sight.link, sight.connection, sight.subject)
}
