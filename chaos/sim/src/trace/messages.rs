//! The messages on links, each followed from one side of its proxy to the other, and from a question to its answer.

use super::{Fields, number, of};
use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

/// A message as it was seen on one side of a proxy.
pub(super) struct Sight<'s> {
    pub(super) link: &'s str,
    pub(super) subject: &'s str,
    /// Where it is one.
    pub(super) answer: Option<&'s str>,
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
            answer: of(fields, "answer"),
            arrival: number(fields, "arrival"),
            is_up: of(fields, "up") == Some("true"),
            connection: of(fields, "connection")?,
            at_client: of(fields, "side") == Some("client"),
        })
    }

    /// Whether this is the side that it comes from.
    pub(super) fn comes(&self) -> bool {
        self.is_up == self.at_client
    }
}

/// Whose a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The request's that is followed.
    Ours,
    /// That is likely.
    MaybeOurs,
    Others,
}

/// How a message was seen on the side that it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'s> {
    /// The step that tells of it, where one does.
    pub(super) step: Option<usize>,
    /// Where it is an answer.
    pub(super) answer: Option<&'s str>,
}

struct Question {
    /// Its place among all questions of the run.
    place: u64,
    whose: Whose,
}

struct Going<'s> {
    /// The place of the question that it is.
    question: Option<u64>,
    shown: Shown<'s>,
}

/// A link, a connection of it, and a subject: the same may be asked several times, and is answered in that order.
type Place<'s> = (&'s str, &'s str, &'s str);

#[derive(Default)]
pub(super) struct Messages<'s> {
    questions: u64,
    /// Those that have no answer yet.
    unanswered: BTreeMap<Place<'s>, VecDeque<Question>>,
    /// Those going up, or down: seen on the side that they come from, and not on the other.
    going: BTreeMap<(Place<'s>, bool), VecDeque<Going<'s>>>,
    /// Whose the last was, by link and subject.
    last: BTreeMap<(&'s str, &'s str), Whose>,
}

impl<'s> Messages<'s> {
    /// A message is seen on the far side: how it was shown on the near one, unless it was made by the proxy.
    pub(super) fn arrived(&mut self, sight: &Sight<'s>) -> Option<Shown<'s>> {
        take(&mut self.going, (place(sight), sight.is_up), VecDeque::pop_front).map(|going| going.shown)
    }

    /// A question comes that is of this one.
    pub(super) fn asked(&mut self, sight: &Sight<'s>, whose: Whose, shown: Shown<'s>) {
        self.last.insert((sight.link, sight.subject), whose);
        let question = Question { place: self.questions, whose };
        self.going.entry((place(sight), true)).or_default().push_back(Going { question: Some(question.place), shown });
        self.unanswered.entry(place(sight)).or_default().push_back(question);
        self.questions += 1;
    }

    /// Whose question this answers, and how that was shown where it has not reached the node: it will not any more.
    pub(super) fn answers(&mut self, sight: &Sight<'s>) -> Option<(Whose, Option<Shown<'s>>)> {
        let Question { place: question, whose } = take(&mut self.unanswered, place(sight), VecDeque::pop_front)?;
        self.last.insert((sight.link, sight.subject), whose);
        let kept = take(&mut self.going, (place(sight), true), |going| {
            let at = going.iter().position(|going| going.question == Some(question))?;
            going.remove(at)
        });
        Some((whose, kept.map(|going| going.shown)))
    }

    /// An answer comes from the node.
    pub(super) fn answered(&mut self, sight: &Sight<'s>, shown: Shown<'s>) {
        self.going.entry((place(sight), false)).or_default().push_back(Going { question: None, shown });
    }

    /// Whether all messages with this subject that may be meant now are the request's own.
    pub(super) fn are_ours(&self, link: &str, subject: &str) -> bool {
        let alike = self.unanswered.iter().filter(|((on, _, about), _)| (*on, *about) == (link, subject));
        let mut questions = alike.flat_map(|(_, questions)| questions);
        self.last.get(&(link, subject)) == Some(&Whose::Ours) && questions.all(|one| one.whose == Whose::Ours)
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

fn place<'s>(sight: &Sight<'s>) -> Place<'s> {
    (sight.link, sight.connection, sight.subject)
}
