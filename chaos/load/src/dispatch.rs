//! The dispatcher: hands each arrival, when it is due, to a worker that waits, or to a new one.
//!
//! It alone knows the workers, and hears from them by a channel: nothing is shared under a lock.

use crate::{
    CheckResponse, Error, Outcome, Plan, Summary,
    arrivals::Schedule,
    draw::Draw,
    job::Job,
    shared::{Client, Done, Next, Shared},
    template::Template,
    worker::work,
};
use chaos_model::{Histogram, RequestId, RunKey};
use host::{Host, Task};
use std::{
    collections::{BTreeMap, VecDeque},
    iter::Peekable,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, channel, error::TrySendError, unbounded_channel},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A kept connection that nobody used for so long is closed. Servers do the same, the quickest of the common ones after
/// two seconds: to be quicker than they are avoids requests that meet their close.
const IDLE: Duration = Duration::from_secs(1);

/// Arrivals closer together than this are handed out together: a sleep costs as much as half a request.
const SLICE: Duration = Duration::from_micros(20);

/// Arrivals handed out in one go by a dispatcher that is behind, before workers get their turn.
const BURST: usize = 64;

/// Puts the plan's load on its target, the first arrivals counting from `start`, and sends an [`Outcome`] for each
/// request that was due, in the order in which they end. Returns when all have ended: at the latest a client's timeout
/// after the last was due. Where `stop` is cancelled, those under way are given up and reported as [`Error::Stopped`];
/// those that were not yet due are no arrivals.
///
/// The client's timeout counts from the actual start of a request (a client doesn't know that it is late), connecting
/// included. Workers are tasks of `host`. The arrivals are timed by the task that awaits this, so it had better be one
/// of the runtime's own (`host.spawn`).
pub async fn run(
    host: &Host,
    plan: Plan,
    start: Instant,
    checker: Arc<dyn CheckResponse>,
    outcomes: UnboundedSender<Outcome>,
    stop: CancellationToken,
) -> Summary {
    let (done, hear) = unbounded_channel();
    let Plan { load, host: target, port, seed, nonce, max_in_flight, disruptions } = plan;
    let target = target.trim_start_matches('[').trim_end_matches(']').to_owned();
    let has_journeys = load.has_journeys();
    let shared = Shared {
        host: host.clone(),
        key: RunKey { seed, nonce },
        timeout: load.timeout,
        start,
        end: load.warmup + load.duration(),
        draw: Draw::new(&load, seed),
        templates: load.requests.iter().map(|request| Template::new(request, &load.secrets, &target, port)).collect(),
        target: (target, port),
        disruptions,
        checker,
        outcomes,
        done,
    };
    let mut dispatcher = Dispatcher {
        shared: Arc::new(shared),
        hear,
        workers: Vec::new(),
        vacant: Vec::new(),
        idle: VecDeque::new(),
        coming: has_journeys.then(BTreeMap::new),
        in_flight: 0,
        max_in_flight,
        summary: Summary::default(),
        late: Histogram::default(),
    };
    let stopped = dispatcher.dispatch(Schedule::new(&load, seed), &stop).await;
    dispatcher.finish(stopped, &stop).await
}

struct Dispatcher {
    shared: Arc<Shared>,
    hear: UnboundedReceiver<Done>,
    /// By their number; none where the place is vacant.
    workers: Vec<Option<Worker>>,
    vacant: Vec<usize>,
    /// Workers that wait for a job, and since when. The last to become idle works first, so that no more connections
    /// are kept than the load needs.
    idle: VecDeque<(usize, Instant)>,
    /// Steps of journeys that are going to be due, by when that is; none where every journey has but one step, so that nothing
    /// follows from anything.
    coming: Option<BTreeMap<(Duration, RequestId), Client>>,
    in_flight: usize,
    max_in_flight: usize,
    summary: Summary,
    late: Histogram,
}

/// A worker's task; it is stopped with this.
struct Worker {
    jobs: Sender<Job>,
    task: Task<()>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Dispatcher {
    /// Hands out all arrivals, and the steps that follow from them. True if it was stopped before.
    async fn dispatch(&mut self, schedule: Schedule, stop: &CancellationToken) -> bool {
        let mut schedule = schedule.peekable();
        let mut stopped = pin!(stop.cancelled());
        let mut now = Instant::now();
        let mut burst = 0;
        loop {
            // What is under way may lead on to further steps.
            let leads_on = self.coming.is_some() && self.in_flight > 0;
            let Some(intended) = self.due(&mut schedule) else {
                if !leads_on {
                    return false;
                }
                tokio::select! {
                    biased;
                    () = &mut stopped => return true,
                    done = self.hear.recv() => done.into_iter().for_each(|done| self.note(done)),
                }
                continue;
            };
            let due = self.shared.start + intended;
            if due > now {
                now = Instant::now();
            }
            if due > now {
                tokio::select! {
                    biased;
                    () = &mut stopped => return true,
                    Some(done) = self.hear.recv(), if leads_on => {
                        self.note(done);
                        continue;
                    }
                    () = self.shared.host.sleep_until(due.max(now + SLICE)) => {}
                }
                now = Instant::now();
                burst = 0;
            } else if burst == BURST {
                tokio::task::yield_now().await;
                if stop.is_cancelled() {
                    return true;
                }
                burst = 0;
            }
            burst += 1;
            self.hear_all();
            if let Some(next) = self.next(&mut schedule) {
                self.hand_out(Job::new(&self.shared, next), now);
            }
        }
    }

    /// The moment at which the next request is due, as far as that is known.
    fn due(&self, schedule: &mut Peekable<Schedule>) -> Option<Duration> {
        let begins = schedule.peek().map(|(_, due)| *due);
        let follows = self.coming.as_ref().and_then(|coming| coming.first_key_value()).map(|((due, _), _)| *due);
        begins.into_iter().chain(follows).min()
    }

    /// The next request that is due. A journey under way comes before one that begins in the same moment.
    fn next(&mut self, schedule: &mut Peekable<Schedule>) -> Option<Next> {
        let due = self.due(schedule)?;
        let first = self.coming.as_mut().and_then(BTreeMap::first_entry).filter(|first| first.key().0 == due);
        if let Some(first) = first {
            let ((due, id), client) = first.remove_entry();
            return Some(Next { id, due, client });
        }
        let (n, due) = schedule.next()?;
        Some(Next { id: n.into(), due, client: Client::default() })
    }

    fn hand_out(&mut self, mut job: Job, now: Instant) {
        self.summary.due += 1;
        if self.in_flight >= self.max_in_flight {
            job.end(Err(Error::NotMade), (false, false));
            return;
        }
        self.in_flight += 1;
        while self.idle.front().is_some_and(|(_, since)| now.saturating_duration_since(*since) >= IDLE) {
            let oldest = self.idle.pop_front();
            oldest.into_iter().for_each(|(worker, _)| self.leave(worker));
        }
        while let Some((number, _)) = self.idle.pop_back() {
            job.worker = Some(number);
            if let Some(worker) = &self.workers[number] {
                match worker.jobs.try_send(job) {
                    Ok(()) => return,
                    // It has ended, with its connection.
                    Err(TrySendError::Closed(back) | TrySendError::Full(back)) => job = back,
                }
            }
            self.leave(number);
        }
        self.hire(job);
    }

    fn hire(&mut self, mut job: Job) {
        let number = self.vacant.pop().unwrap_or_else(|| {
            self.workers.push(None);
            self.workers.len() - 1
        });
        job.worker = Some(number);
        let (jobs, receiver) = channel(1);
        let task = self.shared.host.spawn(work(Arc::clone(&self.shared), job, receiver));
        self.workers[number] = Some(Worker { jobs, task });
    }

    fn leave(&mut self, worker: usize) {
        self.workers[worker] = None;
        self.vacant.push(worker);
    }

    fn hear_all(&mut self) {
        while let Ok(done) = self.hear.try_recv() {
            self.note(done);
        }
    }

    fn note(&mut self, done: Done) {
        match done.late {
            Some(late) => {
                self.summary.made += 1;
                self.late.record(late);
            }
            None => self.summary.not_made += 1,
        }
        if let (Some(coming), Some(Next { id, due, client })) = (&mut self.coming, done.next) {
            coming.insert((due, id), client);
        }
        let Some(worker) = done.worker else { return };
        self.in_flight -= 1;
        if done.idle {
            self.idle.push_back((worker, done.at));
        } else {
            self.leave(worker);
        }
    }

    /// Waits for those under way, or gives them up.
    async fn finish(mut self, mut stopped: bool, stop: &CancellationToken) -> Summary {
        self.hear_all();
        while !stopped && self.in_flight > 0 {
            tokio::select! {
                biased;
                // Never none: `shared` holds a sender.
                done = self.hear.recv() => done.into_iter().for_each(|done| self.note(done)),
                () = stop.cancelled() => stopped = true,
            }
        }
        // Those still at work report as they are dropped.
        self.workers.iter().flatten().for_each(|worker| worker.task.abort());
        while self.in_flight > 0 {
            let done = self.hear.recv().await;
            done.into_iter().for_each(|done| self.note(done));
        }
        self.hear_all();
        self.summary.late = self.late.figures();
        self.summary
    }
}
