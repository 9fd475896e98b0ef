//! The texts of scenarios: a first look and a baseline, which are run and not kept, and for each link what happens while it is
//! broken.

use crate::{
    lines::{Lines, quoted, remark},
    load::LoadDraft,
};
use chaos_model::{event::PhaseFigures, quantity::show_duration};
use std::time::Duration;

/// The shape of a scenario, in seconds: how long each part of it is.
mod seconds {
    /// Before the first fault,
    pub(super) const BEFORE: u32 = 2;
    /// of each fault,
    pub(super) const FAULT: u32 = 2;
    /// and after each.
    pub(super) const AFTER: u32 = 2;
}

/// The delay of a link that is slow.
const SLOW: Duration = Duration::from_millis(500);

/// The latency that clients bear while something is broken.
const BEARABLE: Duration = Duration::from_secs(1);

/// The least latency that is a bound: beneath, a busy machine breaks it.
const LEAST_BOUND: Duration = Duration::from_millis(100);

/// Ways in which a link is broken, in the order in which a scenario breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// Connections are refused.
    Down,
    /// Bytes come late.
    Slow,
    /// Connections are accepted, and nothing comes back.
    Hangs,
    /// The service refuses, in the words of its protocol.
    Refuses,
}

impl Breakage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Down, Self::Slow, Self::Hangs, Self::Refuses];

    /// The name of its fault, and of its column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Slow => "slow",
            Self::Hangs => "hangs",
            Self::Refuses => "refuses",
        }
    }

    /// The state of the service meanwhile, as its callers see it.
    fn state(self) -> &'static str {
        match self {
            Self::Down => "is down",
            Self::Slow => "is slow",
            Self::Hangs => "hangs",
            Self::Refuses => "refuses",
        }
    }

    /// The same when it is over.
    fn was(self) -> &'static str {
        match self {
            Self::Down => "was down",
            Self::Slow => "was slow",
            Self::Hangs => "hung",
            Self::Refuses => "refused",
        }
    }

    /// The places of its expectations in the scenario of this link: while it is there, and after it.
    #[must_use]
    pub fn expectations(self, link: &str) -> Vec<usize> {
        let nth = Self::ALL.iter().position(|one| *one == self).unwrap_or_default();
        // Of clients' own trouble, what follows alone counts.
        if is_of_clients(link) { vec![1 + nth] } else { vec![1 + 2 * nth, 2 + 2 * nth] }
    }
}

/// True for the link of the clients.
fn is_of_clients(link: &str) -> bool {
    link.starts_with("client -> ")
}

/// A link that is to be broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDraft {
    /// The link as written: `shop -> stock`.
    pub link: String,
    /// The protocol of its service: `http`, `redis`, `tcp`.
    pub protocol: String,
}

impl LinkDraft {
    /// The user and the used.
    fn ends(&self) -> (&str, &str) {
        self.link.split_once(" -> ").unwrap_or(("client", &self.link))
    }

    /// The name of its scenario's file, without its ending.
    #[must_use]
    pub fn stem(&self) -> String {
        let (from, to) = self.ends();
        format!("{from}_{to}").replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_', "_")
    }

    /// The effect of a breakage, with its keys.
    fn effect(&self, breakage: Breakage) -> Lines {
        let lines = Lines::default();
        match (breakage, self.protocol.as_str()) {
            (Breakage::Down, _) => lines.text("effect", "refuse"),
            (Breakage::Slow, _) => lines.text("effect", "latency").text("delay", &show_duration(SLOW)),
            (Breakage::Hangs, _) => lines.text("effect", "hang"),
            (Breakage::Refuses, "http") => lines.text("effect", "status").text("status", "503"),
            (Breakage::Refuses, "redis") => lines.text("effect", "error").text("reply", "LOADING"),
            (Breakage::Refuses, _) => lines.text("effect", "reset"),
        }
    }

    /// The effect in words.
    fn words(&self, breakage: Breakage) -> String {
        let (_, to) = self.ends();
        match (breakage, self.protocol.as_str()) {
            (Breakage::Down, _) => format!("{to} is down: connections to it are refused"),
            (Breakage::Slow, _) => format!("{to} is slow: what it says comes {} later", show_duration(SLOW)),
            (Breakage::Hangs, _) => format!("{to} hangs: connections are accepted, and nothing comes back"),
            (Breakage::Refuses, "http") => format!("{to} refuses: the response to each request is 503"),
            (Breakage::Refuses, "redis") => format!("{to} refuses: each command is told that data is being loaded"),
            (Breakage::Refuses, _) => format!("{to} refuses: connections are accepted, and then reset"),
        }
    }
}

/// Normal figures, as a baseline showed them, and the bounds that are made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normal {
    good: u64,
    arrivals: u64,
    p99: Duration,
}

impl Normal {
    /// By the figures of a run without faults; none where nothing was asked.
    #[must_use]
    pub fn of(figures: &PhaseFigures) -> Option<Self> {
        let latency = figures.latency?;
        (figures.arrivals > 0).then_some(Self { good: figures.good, arrivals: figures.arrivals, p99: latency.p99 })
    }

    /// The share of good responses that is asked for: a percent is left for a bad moment.
    #[must_use]
    pub fn availability(self) -> String {
        let percent = self.good * 100 / self.arrivals.max(1);
        format!(">= {}%", if self.good == self.arrivals { 99 } else { percent.saturating_sub(1) })
    }

    /// True where so few responses were good that nothing can be told by them.
    #[must_use]
    pub fn is_poor(self) -> bool {
        self.good * 2 < self.arrivals
    }

    /// The latency that is asked for: four times that of a hundredth, in round numbers.
    fn bound(self) -> Duration {
        let wanted = (self.p99 * 4).max(LEAST_BOUND).as_millis();
        let round = [1, 2, 5].into_iter().cycle().zip((0..).flat_map(|power: u32| [power; 3]));
        let mut round = round.map(|(digit, power)| digit * 10_u128.pow(power.min(20)));
        let millis = round.find(|millis| *millis >= wanted).unwrap_or(wanted);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// The latency that is asked for while something is broken.
    fn bound_when_broken(self, breakage: Breakage) -> Duration {
        let added = if breakage == Breakage::Slow { SLOW } else { Duration::ZERO };
        BEARABLE.max(self.bound() + added)
    }

    /// The figures in words.
    #[must_use]
    pub fn words(self) -> String {
        let Self { good, arrivals, p99 } = self;
        format!(
            "{good} of {arrivals} responses were good, and 99 of a hundred came within {}",
            show_duration(round_up(p99))
        )
    }
}

/// In whole milliseconds, as people read them.
fn round_up(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX))
}

/// A scenario without faults, which is run once and not kept.
#[must_use]
pub fn healthy(title: &str, load: &LoadDraft, rate: u32, seconds: u32) -> String {
    let expect = "\n[[expect]]\nthat = \"clients are served\"\nduring = \"run\"\navailability = \">= 50%\"\n";
    format!("title = {}\n\n{}{expect}", quoted(title), load.text(rate, seconds))
}

/// The length of a scenario of a link, in seconds.
#[must_use]
pub fn lasts() -> u32 {
    let faults = u32::try_from(Breakage::ALL.len()).unwrap_or_default();
    seconds::BEFORE + faults * (seconds::FAULT + seconds::AFTER)
}

/// The scenario of a link: each breakage in turn, with what clients should see of it.
#[must_use]
pub fn text(link: &LinkDraft, load: &LoadDraft, rate: u32, normal: Normal) -> String {
    let (from, to) = link.ends();
    let is_clients = is_of_clients(&link.link);
    let mut text = if is_clients {
        remark(&format!(
            "What clients themselves do to {to}: the ways to it break, and it has to be well again when they are whole."
        ))
    } else {
        remark(&format!("What clients see while {to}, which {from} uses, is down, slow, hangs or refuses."))
    };
    text += &remark("Written by `chaos init` from what it saw; it is yours to change from now on.");
    let title =
        if is_clients { format!("Clients have trouble with the way to {to}") } else { format!("{from} without {to}") };
    text += &format!("title = {}\n\n{}", quoted(&title), load.text(rate, lasts()));
    text.push('\n');
    text += &remark(&format!("With nothing broken, {}.", normal.words()));
    text += "[[expect]]\n";
    let healthy = Lines::default().text("that", "all is well with nothing broken").text("during", "baseline");
    let healthy = healthy.text("availability", &normal.availability());
    text += &healthy.text("latency.p90", &format!("< {}", show_duration(normal.bound()))).written();
    let mut at = seconds::BEFORE;
    for (number, breakage) in (1..).zip(Breakage::ALL) {
        text.push('\n');
        text += &remark(&format!("{number}. {}.", link.words(breakage)));
        let name = breakage.name();
        let fault = Lines::default().text("name", name).text("on", &link.link);
        let times = Lines::default().text("at", &format!("{at}s")).text("for", &format!("{}s", seconds::FAULT));
        text += &format!("[[fault]]\n{}", fault.and(link.effect(breakage)).and(times).written());
        if !is_clients {
            text += &format!("\n[[expect]]\n{}", while_broken(to, breakage, normal).written());
        }
        let that = format!("all is well again a second after {to} {}", breakage.was());
        let after = Lines::default().text("that", &that).text("after", name).text("within", "1s");
        text += &format!("\n[[expect]]\n{}", after.text("availability", &normal.availability()).written());
        at += seconds::FAULT + seconds::AFTER;
    }
    text
}

/// The expectation about the time in which the link to a service is broken.
fn while_broken(to: &str, breakage: Breakage, normal: Normal) -> Lines {
    let that = format!("clients are served while {to} {}", breakage.state());
    let lines = Lines::default().text("that", &that).text("during", breakage.name());
    let bound = format!("< {}", show_duration(normal.bound_when_broken(breakage)));
    lines.text("availability", &normal.availability()).text("latency.p90", &bound)
}

#[cfg(test)]
mod tests;
