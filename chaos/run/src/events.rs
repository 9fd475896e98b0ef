use chaos_model::{
    Event, Record,
    secret::{masked, masked_command, masked_setting},
};
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
        let _ = self.records.send(Record { at_us, event: without_secrets(event) });
    }
}

/// The event without secrets: they may be in what users set and in what programs and the machine say.
fn without_secrets(mut event: Event) -> Event {
    match &mut event {
        Event::Begin(begin) => {
            begin.sets.iter_mut().for_each(|set| *set = masked_setting(set));
            begin.command = masked_command(&begin.command);
        }
        Event::ServiceDied { last_lines, .. } => last_lines.iter_mut().for_each(|line| *line = masked(line)),
        Event::WorldFailed { why } => *why = masked(why),
        Event::Scraped(scraped) => {
            let failed = scraped.scrapes.iter_mut().filter_map(|scrape| scrape.failed.as_mut());
            failed.for_each(|why| *why = masked(why));
        }
        _ => {}
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::event::Begin;

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
        let failed = |why: &str| Event::WorldFailed { why: why.to_owned() };
        assert_eq!(told(failed("http://a:b@c is down")), failed("http://***@c is down"));
    }
}
