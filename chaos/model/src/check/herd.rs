//! `herd.http_requests_total = "<= 1.25"`: the peak rate of a counter in a window, over its peak in the baseline.
//! Both are peaks of windows of a second, so that like is compared with like: a mean has no peaks of chance in it.

use super::{
    Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject,
    evidence::at,
    reading::{Asked, Reading, rise},
    term,
};
use crate::{Comparison, Scope, Selector, language::selector, phase::BASELINE, phase::RECOVERY};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "herd",
    about: "The peak after a fault, over the rate before it: `herd.http_requests_total = \"<= 1.25\"`.",
    shape: Shape::Named(&[]),
    example: "after = \"outage\"\nherd.http_requests_total = \"<= 1.25\"",
    needs: &[Need::Scrapes],
    judged: "The highest rate of a service's counter in any second of the scope, over the highest in any second of \
             the baseline. Where the baseline counted nothing, it can't be said.",
    others: &[term("SRE", "thundering herd"), term("caches", "cache stampede"), term("queues", "reconnect storm")],
    from_the_end_on: true,
    condition: None,
    read,
};

/// Windows are from scrape to scrape, which are due each second and asked for a little early or late.
const WINDOW: Duration = Duration::from_millis(950);

/// A counter of a service, and the bound of its peak over that in the baseline.
#[derive(Clone, Debug, PartialEq)]
struct Herd {
    asked: Asked,
    selector: Selector,
    bound: Comparison<f64>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let selector = leaf.name_as(selector::read)?;
    let bound = leaf.metric("peaks_total")?;
    Some(Arc::new(Herd { asked: leaf.asked(), selector, bound }))
}

impl Subject for Herd {
    fn words(&self) -> String {
        format!("herd.{} {}", self.selector, self.bound)
    }

    fn scrapes(&self) -> Option<(&str, Vec<&Selector>)> {
        Some((&self.asked.service, vec![&self.selector]))
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        match place.scope {
            Scope::During(name) if name == BASELINE => {
                let advice = format!("say `after = \"{}\"`, or `during = \"{RECOVERY}\"`", place.some_fault());
                Some(Misplaced::new("the baseline is what a herd is compared with", advice))
            }
            _ => place.counted_across().or_else(|| place.shorter_than_a_second("a herd")),
        }
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        if let Err(unknown) = evidence.readings.counter(0, &self.selector, &self.asked) {
            return unknown;
        }
        let readings = evidence.readings.of(0);
        let peaks =
            [evidence.baseline, (evidence.from, evidence.to)].map(|(from, to)| peak(readings, from, to, &self.asked));
        let [Some((usual, _)), Some((herd, when))] = peaks else {
            return Finding::inconclusive("unknown", "there are no two scrapes a second apart");
        };
        if usual <= 0.0 {
            return Finding::inconclusive(format!("{herd:.0}/s"), "nothing was counted in the baseline");
        }
        let ratio = herd / usual;
        let seen = format!("{ratio:.2} ({herd:.0}/s, and {usual:.0}/s in the baseline)");
        Finding::by(&self.bound, &ratio, seen).explained(|| Some(format!("the peak was {}", at(when))))
    }
}

/// The highest rate of any second within a window, and when that second began.
fn peak(readings: &[Reading], from: Duration, to: Duration, asked: &Asked) -> Option<(f64, Duration)> {
    // From scrapes: proxies on links of bytes count no requests.
    let within = readings.iter().filter(|reading| reading.lies_within(from, to) && reading.value.is_ok());
    let scope: Vec<Reading> = within.cloned().collect();
    let window = |start: usize| {
        let length = |end: &usize| scope[*end].taken.saturating_sub(scope[start].taken);
        let end = (start + 1..scope.len()).find(|end| length(end) >= WINDOW)?;
        // What is missing for a while is not taken for a peak.
        let rise = rise(&scope[start..=end], asked, |_| true);
        Some((rise.least / length(&end).as_secs_f64(), scope[start].taken))
    };
    (0..scope.len()).filter_map(window).max_by(|a, b| a.0.total_cmp(&b.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::reading::{ScrapeSide, SeriesKind, Values};

    fn readings(all: &[(u64, f64)]) -> Vec<Reading> {
        let reading = |(at_ms, value): &(u64, f64)| {
            let at = Duration::from_millis(*at_ms);
            Reading {
                at,
                taken: at,
                answered: at,
                side: ScrapeSide::Both,
                value: Ok(Values::one(SeriesKind::Counter, *value)),
            }
        };
        all.iter().map(reading).collect()
    }

    fn peak_of(all: &[(u64, f64)], from: u64, to: u64) -> Option<(f64, u128)> {
        let ms = Duration::from_millis;
        peak(&readings(all), ms(from), ms(to), &Asked::default()).map(|(rate, when)| (rate, when.as_millis()))
    }

    #[test]
    fn the_peak_is_that_of_a_window_of_a_second() {
        let all = [(0, 0.0), (1000, 50.0), (1200, 90.0), (2000, 110.0), (3000, 120.0)];
        // 40 within 200 ms are no rate of 200 a second.
        assert_eq!(peak_of(&all, 0, 3000), Some((60.0, 1000)));
        assert_eq!(peak_of(&all, 2000, 3000), Some((10.0, 2000)));
        assert_eq!(peak_of(&all, 1200, 2000), None, "less than a second");
    }

    #[test]
    fn a_restart_of_the_service_is_no_herd() {
        let all = [(0, 5000.0), (1000, 5010.0), (2000, 3.0), (3000, 23.0)];
        assert_eq!(peak_of(&all, 0, 3000), Some((20.0, 2000)));
    }

    #[test]
    fn a_scrape_that_came_late_makes_its_window_longer() {
        let mut late = readings(&[(0, 0.0), (1000, 60.0), (2000, 80.0)]);
        late[1].taken = Duration::from_millis(1200);
        assert_eq!(
            peak(&late, Duration::ZERO, Duration::from_secs(2), &Asked::default()).map(|(rate, _)| rate),
            Some(50.0)
        );
    }
}
