//! One flight per key: who misses what somebody is fetching already waits for that one.
//!
//! A flight is a task of its own. It outlives the request that started it, so that a client that goes away takes nothing
//! from those who joined, and the cache gets what was paid for. Nobody waits longer than until their own deadline.

use crate::user_id::UserId;
use host::Host;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::watch, time::Instant};

/// Where each flight leaves its outcome.
type UnderWay<T> = Mutex<BTreeMap<UserId, watch::Receiver<Option<T>>>>;

/// The flights that are under way.
pub(crate) struct Flights<T>(Arc<UnderWay<T>>);

/// What a request got of a flight.
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
        let (mut landed, shared) = self.board(host, user, start);
        let wait = async { landed.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone()) };
        let outcome = tokio::time::timeout_at(deadline, wait).await.unwrap_or_default();
        Joined { outcome, shared }
    }

    fn board<F>(&self, host: &Host, user: UserId, start: F) -> (watch::Receiver<Option<T>>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = lock(&self.0);
        if let Some(landed) = flights.get(&user) {
            return (landed.clone(), true);
        }
        let (lands, landed) = watch::channel(None);
        flights.insert(user, landed.clone());
        let end = End { flights: Arc::clone(&self.0), user };
        drop(host.spawn(async move {
            let outcome = start.await;
            // Told before the key is free: who comes in between gets it too.
            lands.send_replace(Some(outcome));
            drop(end);
        }));
        (landed, false)
    }
}

fn lock<T>(flights: &UnderWay<T>) -> std::sync::MutexGuard<'_, BTreeMap<UserId, watch::Receiver<Option<T>>>> {
    flights.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Frees the key, however the flight ended.
struct End<T> {
    flights: Arc<UnderWay<T>>,
    user: UserId,
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        lock(&self.flights).remove(&self.user);
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
