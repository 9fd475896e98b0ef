//! Counts of proxies in the course of a run. They are asked for at each second, and where a phase begins or ends; nobody
//! waits for the response, which may come late where proxies are others'.

use crate::fold::phase_edges;
use chaos_model::{
    CallReading, Calls, Event, Link, Scenario,
    carried::Carried,
    check::CheckId,
    event::{Counted, Fired, ProxyCounts},
};
use futures_util::future::{BoxFuture, FutureExt as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// The least time between two counts, but for those at edges.
const SOON: Duration = Duration::from_millis(500);

/// The counts of proxies, as far as they were told.
#[derive(Default)]
pub(super) struct Counting {
    /// Moments of the timeline at which a phase begins or ends.
    edges: BTreeSet<Duration>,
    /// When they were asked last.
    asked: Option<Duration>,
    pending: Option<Pending>,
    told: ProxyCounts,
    /// Counts of what the links of faults carried while these were there.
    carried: Carried,
    /// Calls that checks ask for.
    calls: Vec<(CheckId, Calls)>,
    /// Readings of them that nobody took yet.
    readings: Vec<(CheckId, CallReading)>,
}

/// A question that was not answered yet.
struct Pending {
    /// The moment at which it was due, on the timeline,
    due: Duration,
    /// and that at which it was asked.
    at: Duration,
    asked: Instant,
    answer: BoxFuture<'static, Option<ProxyCounts>>,
    /// Counts of faults by then, from the times in which they were there before.
    // As of the question: one that is taken back before the counts come would be counted twice.
    ended: BTreeMap<String, Fired>,
}

impl Counting {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
        let calls = checks.filter_map(|check| Some((check.id, check.subject.calls()?.clone()))).collect();
        let links = |fault: &chaos_model::Fault| fault.on.links().iter().map(Link::to_string).collect();
        let carried = Carried::new(&scenario.faults, links);
        Self { edges: phase_edges(scenario).collect(), carried, calls, ..Self::default() }
    }

    /// Counts of what the links of faults carried while these were there, as far as they were told.
    pub(super) fn carried(self) -> Carried {
        self.carried
    }

    /// True where an edge of the timeline wants a count.
    pub(super) fn is_edge(&self, at: Duration) -> bool {
        self.edges.contains(&at)
    }

    /// True where there was none for some time, and none is under way.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.pending.is_none() && self.asked.is_none_or(|asked| now >= asked + SOON)
    }

    /// The readings of calls since they were taken last.
    pub(super) fn readings(&mut self) -> Vec<(CheckId, CallReading)> {
        std::mem::take(&mut self.readings)
    }

    /// The connections for which proxies had no room, by link, where there were some.
    pub(super) fn turned_away(&self) -> BTreeMap<String, u64> {
        let counts = self.told.links.iter().map(|(link, counts)| (link.clone(), counts.turned_away));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Takes a question that was due at the first of these moments and is asked at the second; the event to tell where it is answered at once. `ended` is what
    /// faults did in the times in which they were there before. A question that is still open is given up.
    pub(super) fn ask(
        &mut self,
        (due, at): (Duration, Duration),
        answer: BoxFuture<'static, Option<ProxyCounts>>,
        ended: &BTreeMap<String, Fired>,
    ) -> Option<Event> {
        self.asked = Some(at);
        self.pending = Some(Pending { due, at, asked: Instant::now(), answer, ended: ended.clone() });
        self.late()
    }

    /// Waits until a question is answered, and gives the event to tell, if there is one. Safe to drop.
    pub(super) async fn answered(&mut self) -> Option<Event> {
        let Some(pending) = &mut self.pending else { return std::future::pending().await };
        let counts = (&mut pending.answer).await;
        self.take(counts)
    }

    /// The event of a question that has been answered by now.
    pub(super) fn late(&mut self) -> Option<Event> {
        let counts = (&mut self.pending.as_mut()?.answer).now_or_never()?;
        self.take(counts)
    }

    fn take(&mut self, counts: Option<ProxyCounts>) -> Option<Event> {
        let Pending { due, at, asked, ended, .. } = self.pending.take()?;
        let mut counts = counts?;
        let when = (due, at + asked.elapsed());
        let counted = self.calls.iter().filter_map(|(check, calls)| {
            let link = counts.links.get(&calls.link.to_string())?;
            Some((*check, CallReading::of(calls, link, when)))
        });
        self.readings.extend(counted);
        for (fault, before) in ended {
            *counts.faults.entry(fault).or_default() += before;
        }
        counts.faults.retain(|_, fired| *fired != Fired::default());
        let changes = counts.changes_since(&self.told);
        self.told.update(&changes);
        self.carried.on(at, &self.told);
        (!changes.is_empty()).then_some(Event::Counted(Counted { at, counts: changes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Endpoint, Link, event::LinkCounts};
    use futures_util::future::ready;

    fn counting() -> Counting {
        Counting::default()
    }

    fn moment(at: u64) -> (Duration, Duration) {
        (Duration::from_secs(at), Duration::from_secs(at))
    }

    fn fired(messages: u64) -> BTreeMap<String, Fired> {
        BTreeMap::from([("slow".to_owned(), Fired { messages, ..Fired::default() })])
    }

    fn answer(messages: u64) -> Option<ProxyCounts> {
        Some(ProxyCounts { faults: fired(messages), ..ProxyCounts::default() })
    }

    fn told(at: u64, messages: u64) -> Option<Event> {
        let counts = ProxyCounts { faults: fired(messages), ..ProxyCounts::default() };
        Some(Event::Counted(Counted { at: Duration::from_secs(at), counts }))
    }

    #[test]
    fn counts_are_told_where_they_changed_and_sum_up_over_the_times_of_a_fault() {
        let (mut counting, none) = (counting(), BTreeMap::new());
        let mut ask = |at, messages, ended: &BTreeMap<String, Fired>| {
            counting.ask(moment(at), ready(answer(messages)).boxed(), ended)
        };
        assert_eq!(ask(1, 0, &none), None, "nothing happened");
        assert_eq!(ask(2, 3, &none), told(2, 3));
        assert_eq!(ask(3, 3, &none), None, "nothing new");
        assert_eq!(ask(4, 2, &fired(3)), told(4, 5), "it was there before");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_read_with_when_they_were_due_and_when_they_came() {
        let link = Link { from: Endpoint::Client, to: "web".to_owned(), label: None };
        let calls = |to: &str| Calls { link: Link { to: to.to_owned(), ..link.clone() }, kind: None };
        let calls = vec![(CheckId(3), calls("web")), (CheckId(4), calls("nobody"))];
        let mut counting = Counting { calls, ..Counting::default() };
        let counts = LinkCounts { messages: [("GET /".to_owned(), 7)].into(), ..LinkCounts::default() };
        let counts = ProxyCounts { links: [("client -> web".to_owned(), counts)].into(), ..ProxyCounts::default() };
        let late = async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Some(counts)
        };
        let ms = Duration::from_millis;
        counting.ask((ms(1000), ms(1002)), late.boxed(), &BTreeMap::new());
        assert!(counting.readings().is_empty());
        counting.answered().await;
        let reading = CallReading { at: ms(1000), answered: ms(1032), least: 7, most: Some(7) };
        assert_eq!(counting.readings(), [(CheckId(3), reading)], "a link that nobody counts has no reading");
        assert!(counting.readings().is_empty());
    }

    #[tokio::test]
    async fn late_counts_are_of_the_moment_of_its_question_and_holds_nothing_up() {
        let mut counting = counting();
        let (send, receive) = tokio::sync::oneshot::channel();
        let late = async move { receive.await.ok().flatten() };
        assert_eq!(counting.ask(moment(1), late.boxed(), &BTreeMap::new()), None);
        assert!(!counting.is_due(Duration::from_secs(9)), "the counts may come yet");
        send.send(answer(4)).unwrap();
        assert_eq!(counting.answered().await, told(1, 4));
        assert!(!counting.is_due(Duration::from_millis(1400)) && counting.is_due(Duration::from_millis(1500)));
        assert_eq!(counting.ask(moment(2), ready(None).boxed(), &BTreeMap::new()), None);
        assert!(counting.is_due(Duration::from_secs(3)), "one that can't be answered is over");
    }
}
