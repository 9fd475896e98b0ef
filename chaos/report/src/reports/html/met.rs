//! Requests that met faults: of each fault those that it hurt most.

use crate::text::html;
use chaos_model::{
    Impact,
    ledger::{Injected, Joined},
    quantity::show_duration,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Requests that are shown of a fault,
const OF_A_FAULT: usize = 12;
/// and of all faults of a run, so that a page stays small where there are many.
const OF_A_RUN: usize = 360;

/// The fold.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// By fault.
    faults: BTreeMap<String, OfFault>,
}

#[derive(Debug, Default)]
struct OfFault {
    /// Those that are shown, the worst first.
    worst: Vec<Joined>,
    /// Injections that are recorded with the request that met them.
    all: usize,
}

impl Met {
    pub(super) fn on(&mut self, injected: &Injected) {
        let met: Vec<&Joined> = injected.injections.iter().filter(|joined| joined.met.is_some()).collect();
        if met.is_empty() {
            return;
        }
        let of = self.faults.entry(injected.fault.clone()).or_default();
        of.all += met.len();
        of.worst.extend(met.into_iter().cloned());
        of.worst.sort_by_key(|joined| (Reverse(harm(joined.impact)), joined.injection.at));
        of.worst.truncate(OF_A_FAULT);
    }

    /// The requests that met this fault, as a table that can be opened; empty where none is known.
    pub(super) fn of(&self, fault: &str) -> String {
        let Some(of) = self.faults.get(fault) else { return String::new() };
        let room = (OF_A_RUN / self.faults.len().max(1)).clamp(1, OF_A_FAULT);
        let shown = &of.worst[..of.worst.len().min(room)];
        let which = match of.all {
            all if all == shown.len() => "Requests that met it".to_owned(),
            all => format!("Requests that met it: {} of {all} that are recorded", shown.len()),
        };
        let rows: String = shown.iter().map(row).collect();
        format!(
            "<details><summary>{which}</summary><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"requests that met {}\">\
             <table><thead><tr><th scope=\"col\" class=\"number\">request</th><th scope=\"col\" class=\"number\">at</th><th scope=\"col\">what met it</th>\
             <th scope=\"col\">on</th><th scope=\"col\">delay asked, achieved</th><th scope=\"col\">its client saw</th></tr></thead><tbody>\n{rows}</tbody></table></div></details>",
            html(fault)
        )
    }
}

/// The weight of an impact: what clients saw of it comes first.
fn harm(impact: Impact) -> u8 {
    match impact {
        Impact::Failed => 5,
        Impact::Partial => 4,
        Impact::Stale => 3,
        Impact::Slower => 2,
        Impact::SharedFlight | Impact::Unknown => 1,
        Impact::Unnoticed | Impact::Background => 0,
    }
}

fn row(joined: &Joined) -> String {
    let injection = &joined.injection;
    let delay = |delay: Option<_>| delay.map_or_else(|| "-".to_owned(), show_duration);
    let delays = match (injection.asked, injection.achieved) {
        (None, None) => "-".to_owned(),
        (asked, achieved) => format!("{}, {}", delay(asked), delay(achieved)),
    };
    format!(
        "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td><td>{delays}</td><td>{}</td></tr>\n",
        joined.met.unwrap_or_default(),
        show_duration(injection.at),
        html(&injection.subject),
        html(&injection.link),
        joined.impact
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{KeyKind, ledger::Injection};
    use std::time::Duration;

    fn joined(n: u64, impact: Impact) -> Joined {
        let injection = Injection {
            fault: "slow".to_owned(),
            link: "a -> b".to_owned(),
            at: Duration::from_millis(n),
            key: KeyKind::Request,
            subject: "GET /<b>".to_owned(),
            arrival: None,
            idle: false,
            attempt: 0,
            asked: None,
            achieved: None,
            bystanders: 0,
        };
        Joined { injection, met: Some(n.into()), impact }
    }

    #[test]
    fn the_worst_come_first_and_the_rest_is_counted() {
        let mut met = Met::default();
        let many = (0..400).map(|n| joined(n, if n == 399 { Impact::Failed } else { Impact::Unnoticed }));
        let unmet = Joined { met: None, ..joined(7, Impact::Failed) };
        met.on(&Injected { fault: "slow".to_owned(), injections: many.chain([unmet]).collect(), ..Injected::default() });
        let table = met.of("slow");
        assert!(table.contains("12 of 400 that are recorded"), "{table}");
        assert_eq!(table.matches("<tr><td").count(), OF_A_FAULT);
        let (first, _) = table.split_once("</tr>\n").unwrap();
        assert!(first.contains(">399<") && first.contains("GET /&lt;b&gt;") && first.contains(">failed<"), "{first}");
        assert_eq!(met.of("other"), "");
    }

    #[test]
    fn many_faults_have_a_request_each() {
        let mut met = Met::default();
        for n in 0..500 {
            let injections = (0..20).map(|n| joined(n, Impact::Slower)).collect();
            met.on(&Injected { fault: format!("f{n}"), injections, ..Injected::default() });
        }
        assert_eq!(met.of("f7").matches("<tr><td").count(), 1);
    }
}
