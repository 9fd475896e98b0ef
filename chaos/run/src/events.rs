use chaos_model::{
    Event, Record,
    ledger::Recovery,
    secret::{masked_command, masked_setting, masked_text},
};
use std::time::Duration;
use tokio::{sync::mpsc, time::Instant};

/// The stream of a run's events: stamped with the time since the run began, in one line.
#[derive(Clone, Debug)]
pub struct Events {
    began: Instant,
    records: mpsc::UnboundedSender<Record>,
}

impl Events {
    /// A new stream, beginning now, and its reading end.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Record>) {
        let (records, reader) = mpsc::unbounded_channel();
        (Self { began: Instant::now(), records }, reader)
    }

    /// Adds an event, without the secrets that may be in what is quoted in it.
    pub fn emit(&self, event: Event) {
        let at_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Nobody listens any more: the report went away, the run goes on to its tear-down.
        let _ = self.records.send(Record { at_us, event: in_micros(without_secrets(event)) });
    }
}

/// The event in whole microseconds, where people read it at the end of a run: a recording has no others, and what is rounded for
/// people must not come out otherwise there.
fn in_micros(mut event: Event) -> Event {
    let whole = |duration: &mut Duration| *duration -= Duration::from_nanos(u64::from(duration.subsec_nanos() % 1000));
    match &mut event {
        Event::Phase(figures) => {
            let instances = figures.instances.values_mut().flat_map(|instance| &mut instance.latency);
            let latency = figures.latency.iter_mut().chain(instances);
            let latency = latency.flat_map(|of| [&mut of.p50, &mut of.p90, &mut of.p99, &mut of.p999, &mut of.max]);
            latency.chain(&mut figures.oldest).for_each(whole);
        }
        Event::FaultFigures(figures) => {
            let delays = figures.delays.iter_mut();
            let delays = delays
                .flat_map(|of| [&mut of.asked_p50, &mut of.asked_p99, &mut of.achieved_p50, &mut of.achieved_p99]);
            delays.chain(&mut figures.detected).for_each(whole);
            match &mut figures.recovery {
                Recovery::After { took: time } | Recovery::NotWithin { left: time } => whole(time),
                Recovery::Unnoticed | Recovery::NoRequests => {}
            }
        }
        Event::Judged(judged) => {
            let shown = judged.checks.iter_mut().flat_map(|check| &mut check.against.responses);
            shown.flat_map(|one| [&mut one.at, &mut one.latency]).for_each(whole);
        }
        Event::TornDown { took, .. } => whole(took),
        _ => {}
    }
    event
}

/// The event without secrets: they may be in what users set and in what programs and the machine say.
fn without_secrets(mut event: Event) -> Event {
    match &mut event {
        Event::Begin(begin) => {
            begin.sets.iter_mut().for_each(|set| *set = masked_setting(set));
            begin.command = masked_command(&begin.command);
        }
        Event::ServiceDied { last_lines, .. } => last_lines.iter_mut().for_each(|line| *line = masked_text(line)),
        // Of a teardown that failed, what it said.
        Event::TornDown { left, .. } => left.iter_mut().for_each(|what| *what = masked_text(what)),
        Event::WorldFailed { why } | Event::Inconclusive { why, .. } => *why = masked_text(why),
        // A query may have a token in it.
        Event::Injected(injected) => {
            let subjects = injected.injections.iter_mut().map(|joined| &mut joined.injection.subject);
            subjects.for_each(|subject| *subject = masked_text(subject));
        }
        Event::Scraped(scraped) => {
            let failed = scraped.scrapes.iter_mut().filter_map(|scrape| scrape.failed.as_mut());
            failed.for_each(|why| *why = masked_text(why));
        }
        _ => {}
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{
        Impact, KeyKind,
        event::{Begin, Cause, InstanceFigures, LatencyFigures, PhaseFigures},
        ledger::{Delays, FaultFigures, Injected, Injection, Joined},
    };
    use std::collections::BTreeMap;

    fn told(event: Event) -> Event {
        let (events, mut reader) = Events::channel();
        events.emit(event);
        reader.try_recv().expect("it was told").event
    }

    #[test]
    fn what_is_quoted_is_told_without_secrets() {
        let set = |of: &str| format!("service.gateway.env.REDIS_PASSWORD={of}");
        let command = |of: &str| vec!["--set".to_owned(), set(of)];
        let begin = Begin { command: command("open sesame"), sets: vec![set("open sesame")], ..Begin::default() };
        let shown = Begin { command: command("***********"), sets: vec![set("***********")], ..begin.clone() };
        assert_eq!(told(Event::Begin(begin)), Event::Begin(shown));
        let died = |line: &str| Event::ServiceDied {
            service: "gateway".to_owned(),
            how: "exit 1".to_owned(),
            last_lines: vec!["hello".to_owned(), line.to_owned()],
        };
        assert_eq!(told(died("can't reach redis://:pw@cache:6379/")), died("can't reach redis://***@cache:6379/"));
        assert_eq!(told(died("cookie: sid=7; token=abc")), died("cookie: ****************"));
        let failed = |why: &str| Event::WorldFailed { why: why.to_owned() };
        assert_eq!(told(failed("http://a:b@c is down")), failed("http://***@c is down"));
        let unsure = |why: &str| Event::Inconclusive { why: why.to_owned(), cause: Cause::Other };
        assert_eq!(told(unsure("it says `token: abc`")), unsure("it says `token: ****"));
        let injected = |subject: &str| {
            let injection = Injection {
                fault: "slow".to_owned(),
                link: "a -> b".to_owned(),
                at: Duration::ZERO,
                key: KeyKind::Request,
                subject: subject.to_owned(),
                arrival: None,
                idle: false,
                attempt: 0,
                asked: None,
                achieved: None,
                bystanders: 0,
            };
            let joined = Joined { injection, met: None, impact: Impact::Unknown };
            Event::Injected(Injected { injections: vec![joined], ..Injected::default() })
        };
        assert_eq!(told(injected("GET /u/7?token=abc&n=1")), injected("GET /u/7?token=***&n=1"));
    }

    #[test]
    fn what_is_told_at_the_end_is_what_a_recording_has() {
        let time = Duration::from_nanos(2_965_999);
        let latency = LatencyFigures { p50: time, p90: time, p99: time, p999: time, max: time };
        let instance = InstanceFigures { responses: 1, good: 1, latency: Some(latency) };
        let phase = PhaseFigures {
            latency: Some(latency),
            oldest: Some(time),
            instances: BTreeMap::from([("web-1".to_owned(), instance)]),
            ..PhaseFigures::default()
        };
        let delays = Delays { samples: 3, asked_p50: time, asked_p99: time, achieved_p50: time, achieved_p99: time };
        let figures =
            |recovery| FaultFigures { delays: Some(delays), detected: Some(time), recovery, ..FaultFigures::default() };
        for event in [
            Event::Phase(phase),
            Event::FaultFigures(figures(Recovery::After { took: time })),
            Event::FaultFigures(figures(Recovery::NotWithin { left: time })),
            Event::TornDown { took: time, left: Vec::new(), unseen: None, logs: BTreeMap::new() },
        ] {
            let told = Record { at_us: 0, event: told(event) };
            let recorded = serde_json::to_string(&told).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&recorded).unwrap(), told, "{recorded}");
        }
    }
}
