//! One flight per key: who misses what somebody is fetching already waits for that one.
//!
//! A flight is a task of its own. It outlives the request that started it, so that a client that goes away takes nothing
//! from those who joined, and the cache gets what was paid for. Nobody waits longer than until their own deadline.

use crate::{spans, user_id::UserId};
use host::Host;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::oneshot, time::Instant};
use tracing::{Instrument as _, Span};

type UnderWay<T> = Mutex<BTreeMap<UserId, Flight<T>>>;

struct Flight<T> {
    /// Held for as long as somebody may join: a span that has closed can't be followed.
    span: Span,
    /// In the order in which they came: a `watch` channel would wake them in a random one.
    waiting: Vec<oneshot::Sender<T>>,
}

/// The flights that are under way.
pub(crate) struct Flights<T>(Arc<UnderWay<T>>);

/// The result of a flight, as one of its requests gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Joined<T> {
    /// `None` where the flight did not end in time, or broke off.
    pub(crate) outcome: Option<T>,
    /// Another request had started it.
    pub(crate) shared: bool,
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Waits until `deadline` for the flight of `user`: for the one that is under way, else for one that `start` makes.
    pub(crate) async fn join<F>(&self, host: &Host, user: UserId, deadline: Instant, start: F) -> Joined<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (result, shared) = self.join_or_start(host, user, start);
        let outcome = tokio::time::timeout_at(deadline, result).await.ok().and_then(Result::ok);
        Joined { outcome, shared }
    }

    fn join_or_start<F>(&self, host: &Host, user: UserId, start: F) -> (oneshot::Receiver<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, result) = oneshot::channel();
        let mut flights = lock(&self.0);
        if let Some(flight) = flights.get_mut(&user) {
            spans::joins(&flight.span);
            flight.waiting.push(sender);
            return (result, true);
        }
        let span = spans::aggregation();
        let start = start.instrument(span.clone());
        flights.insert(user, Flight { span, waiting: vec![sender] });
        // A runtime that shuts down drops the task there and then, which takes the lock.
        drop(flights);
        let mut end = End { flights: Arc::clone(&self.0), user, completed: false };
        drop(host.spawn(async move {
            let outcome = start.await;
            // Who waits leaves as the key is freed: nobody can come in between.
            for sender in end.complete() {
                // That one may have gone away.
                drop(sender.send(outcome.clone()));
            }
        }));
        (result, false)
    }
}

fn lock<T>(flights: &UnderWay<T>) -> std::sync::MutexGuard<'_, BTreeMap<UserId, Flight<T>>> {
    flights.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Frees the key, however the flight ended.
struct End<T> {
    flights: Arc<UnderWay<T>>,
    user: UserId,
    completed: bool,
}

impl<T> End<T> {
    /// Frees the key for the next flight, and says who waits for this one.
    fn complete(&mut self) -> Vec<oneshot::Sender<T>> {
        self.completed = true;
        // What hears of the span's end does so without the lock.
        let flight = lock(&self.flights).remove(&self.user);
        flight.map(|flight| flight.waiting).unwrap_or_default()
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        // Once it is completed, the key may be another flight's.
        if !self.completed {
            drop(self.complete());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::memory::MemoryNetwork;
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    fn user(number: u64) -> UserId {
        number.to_string().parse().unwrap()
    }

    fn soon(millis: u64) -> Instant {
        Instant::now() + Duration::from_millis(millis)
    }

    async fn after(millis: u64, value: u32) -> u32 {
        sleep(Duration::from_millis(millis)).await;
        value
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_gets_what_the_first_fetches() {
        let (host, flights) = (MemoryNetwork::new(1).host("gateway"), Flights::new());
        let (first, second, other) = tokio::join!(
            flights.join(&host, user(1), soon(100), after(50, 1)),
            flights.join(&host, user(1), soon(100), after(50, 2)),
            flights.join(&host, user(2), soon(100), after(50, 3)),
        );
        assert_eq!(first, Joined { outcome: Some(1), shared: false });
        assert_eq!(second, Joined { outcome: Some(1), shared: true });
        assert_eq!(other, Joined { outcome: Some(3), shared: false });
        let next = flights.join(&host, user(1), soon(100), after(50, 4)).await;
        assert_eq!(next, Joined { outcome: Some(4), shared: false });
    }

    #[tokio::test(start_paused = true)]
    async fn each_waits_until_its_own_deadline() {
        let (host, flights) = (MemoryNetwork::new(1).host("gateway"), Flights::new());
        let started = Instant::now();
        let (first, second) = tokio::join!(
            async { (flights.join(&host, user(1), soon(30), after(50, 1)).await, started.elapsed()) },
            flights.join(&host, user(1), soon(100), after(50, 2)),
        );
        assert_eq!(first, (Joined { outcome: None, shared: false }, Duration::from_millis(30)));
        assert_eq!(second, Joined { outcome: Some(1), shared: true });
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_outlives_who_started_it() {
        let (host, flights) = (MemoryNetwork::new(1).host("gateway"), Flights::new());
        let gone = timeout(Duration::from_millis(10), flights.join(&host, user(1), soon(100), after(50, 1))).await;
        assert!(gone.is_err());
        let joined = flights.join(&host, user(1), soon(100), after(50, 2)).await;
        assert_eq!(joined, Joined { outcome: Some(1), shared: true });
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_that_breaks_off_frees_its_key() {
        let (host, tasks) = MemoryNetwork::new(1).node("gateway", host::Settings::default());
        let flights = Flights::new();
        let (broken, ()) = tokio::join!(flights.join(&host, user(1), soon(100), after(50, 1)), async {
            sleep(Duration::from_millis(10)).await;
            tasks.crash();
        });
        assert_eq!(broken, Joined { outcome: None, shared: false });
        assert!(lock(&flights.0).is_empty());
    }
}
