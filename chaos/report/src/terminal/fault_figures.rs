//! Figures of a fault in words: what its injections came to, what was achieved of what was asked, and how long it took
//! until a response was bad and until none was.

use crate::words::count;
use chaos_model::{
    Impact,
    ledger::{Delays, FaultFigures, Recovery},
    quantity::show_duration,
    responses::{Marker, ways_to_be_bad},
};

/// A line for each that there is something to say of.
pub(super) fn words(figures: &FaultFigures, markers: &[Marker]) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(injections(figures));
    lines.extend(figures.delays.as_ref().map(delays));
    lines.push(clients(figures, ways_to_be_bad(markers)));
    lines
}

/// `812 injections: 610 unnoticed, 202 slower; 12 met retries; 40 more were not kept`
fn injections(figures: &FaultFigures) -> Option<String> {
    if figures.injections == 0 && figures.left_out == 0 {
        return None;
    }
    let impact = |impact: Impact| {
        let times = figures.impacts.get(&impact).copied().unwrap_or_default();
        (times > 0).then(|| format!("{times} {impact}"))
    };
    let impacts: Vec<_> = Impact::ALL.into_iter().filter_map(impact).collect();
    let mut text = format!("{}: {}", count(figures.injections, "injection"), impacts.join(", "));
    if let Some(retries) = figures.retries.filter(|retries| *retries > 0) {
        text += &format!("; {retries} met retries");
    }
    if figures.left_out > 0 {
        text += &format!("; {} more were not kept", figures.left_out);
    }
    Some(text)
}

/// `delays: asked p50 200ms, p99 200ms; achieved p50 200ms, p99 201ms`
fn delays(delays: &Delays) -> String {
    let Delays { samples: _, asked_p50, asked_p99, achieved_p50, achieved_p99 } = delays;
    let [asked_p50, asked_p99, achieved_p50, achieved_p99] =
        [asked_p50, asked_p99, achieved_p50, achieved_p99].map(|delay| show_duration(*delay));
    format!("delays: asked p50 {asked_p50}, p99 {asked_p99}; achieved p50 {achieved_p50}, p99 {achieved_p99}")
}

/// `the first bad response came after 12ms, and responses were as before 310ms after its end`
fn clients(figures: &FaultFigures, bad: &str) -> String {
    let noticed = match figures.detected {
        Some(detected) => format!("the first bad response came after {}", show_duration(detected)),
        None => "the first bad response came when it was over".to_owned(),
    };
    let none = || figures.uncharged.map_or_else(|| format!("no response {bad}"), |uncharged| uncharged.to_string());
    match figures.recovery {
        Recovery::Unnoticed => none(),
        Recovery::NoRequests if figures.detected.is_none() => format!("{}; no request came after it", none()),
        Recovery::NoRequests => noticed,
        Recovery::After { took } if took.is_zero() => format!("{noticed}, and responses were as before at its end"),
        Recovery::After { took } => {
            format!("{noticed}, and responses were as before {} after its end", show_duration(took))
        }
        Recovery::NotWithin { left } => {
            format!("{noticed}, and responses were NOT AS BEFORE in the {} after its end", show_duration(left))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, time::Duration};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_injections_came_to() {
        let impacts = BTreeMap::from([(Impact::SharedFlight, 1), (Impact::Slower, 2), (Impact::Unknown, 0)]);
        let some = FaultFigures { injections: 3, impacts, ..FaultFigures::default() };
        assert_eq!(injections(&some).unwrap(), "3 injections: 2 slower, 1 shared flight");
        let more = FaultFigures { retries: Some(1), left_out: 9, ..some };
        assert_eq!(
            injections(&more).unwrap(),
            "3 injections: 2 slower, 1 shared flight; 1 met retries; 9 more were not kept"
        );
        assert_eq!(injections(&FaultFigures::default()), None);
    }

    #[test]
    fn what_clients_noticed() {
        let with = |detected, recovery| {
            clients(&FaultFigures { detected, recovery, ..FaultFigures::default() }, "failed or was stale")
        };
        assert_eq!(with(None, Recovery::Unnoticed), "no response failed or was stale");
        let none = "no response failed or was stale; no request came after it";
        assert_eq!(with(None, Recovery::NoRequests), none);
        assert_eq!(with(Some(ms(12)), Recovery::NoRequests), "the first bad response came after 12ms");
        let after = Recovery::After { took: ms(310) };
        let text = "the first bad response came after 12ms, and responses were as before 310ms after its end";
        assert_eq!(with(Some(ms(12)), after), text);
        let text = "the first bad response came when it was over, and responses were as before 310ms after its end";
        assert_eq!(with(None, after), text);
        let text = "the first bad response came after 12ms, and responses were as before at its end";
        assert_eq!(with(Some(ms(12)), Recovery::After { took: ms(0) }), text);
        let never = Recovery::NotWithin { left: ms(4000) };
        let text = "the first bad response came after 12ms, and responses were NOT AS BEFORE in the 4s after its end";
        assert_eq!(with(Some(ms(12)), never), text);
    }
}
