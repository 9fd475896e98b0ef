//! The sums of a fault's ledger.

use chaos_model::{
    KeyKind,
    ledger::{Delays, FaultFigures, Joined},
};
use std::time::Duration;

/// The sums of a fault's ledger.
pub(crate) fn sums(fault: &str, joined: &[Joined], left_out: u64) -> FaultFigures {
    let mut figures = FaultFigures {
        fault: fault.to_owned(),
        injections: joined.len() as u64,
        left_out,
        delays: delays(joined),
        ..FaultFigures::default()
    };
    for one in joined {
        *figures.impacts.entry(one.impact).or_default() += 1;
        // Only by its number is one known as the same request once more. The same path or command may be anybody's.
        if one.injection.key == KeyKind::NumberedRequest {
            *figures.retries.get_or_insert(0) += u64::from(one.injection.attempt > 0);
        }
    }
    figures
}

/// The percentile by nearest rank, in thousandths of a percent; none of nothing.
fn percentile(sorted: &[Duration], thousandths: u32) -> Option<Duration> {
    let rank = (sorted.len() as u64 * u64::from(thousandths)).div_ceil(100_000).max(1);
    sorted.get(usize::try_from(rank - 1).ok()?).copied()
}

fn delays(joined: &[Joined]) -> Option<Delays> {
    let both = joined.iter().filter_map(|one| Some((one.injection.asked?, one.injection.achieved?)));
    let (mut asked, mut achieved): (Vec<_>, Vec<_>) = both.unzip();
    asked.sort_unstable();
    achieved.sort_unstable();
    Some(Delays {
        samples: asked.len() as u64,
        asked_p50: percentile(&asked, 50_000)?,
        asked_p99: percentile(&asked, 99_000)?,
        achieved_p50: percentile(&achieved, 50_000)?,
        achieved_p99: percentile(&achieved, 99_000)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Impact, Injection};

    #[test]
    fn sums_count_each_injection_once() {
        let ms = Duration::from_millis;
        let joined = |impact, key, attempt, achieved: Option<Duration>| Joined {
            injection: Injection {
                fault: "slow".to_owned(),
                link: "a -> b".to_owned(),
                at: ms(0),
                key,
                subject: "GET x".to_owned(),
                arrival: None,
                idle: false,
                attempt,
                asked: achieved.map(|_| ms(200)),
                achieved,
                bystanders: 0,
            },
            met: None,
            impact,
        };
        let all = [
            joined(Impact::Slower, KeyKind::NumberedRequest, 0, Some(ms(200))),
            joined(Impact::Slower, KeyKind::NumberedRequest, 1, Some(ms(203))),
            joined(Impact::Background, KeyKind::Command, 2, None),
        ];
        let figures = sums("slow", &all, 7);
        assert_eq!(
            (figures.injections, figures.left_out, figures.retries),
            (3, 7, Some(1)),
            "a command says no number"
        );
        assert_eq!(figures.impacts.into_iter().collect::<Vec<_>>(), [(Impact::Slower, 2), (Impact::Background, 1)]);
        let delays = figures.delays.unwrap();
        assert_eq!((delays.samples, delays.asked_p50, delays.asked_p99), (2, ms(200), ms(200)));
        assert_eq!((delays.achieved_p50, delays.achieved_p99), (ms(200), ms(203)));
        let command = sums("slow", &all[2..], 0);
        assert_eq!((command.delays, command.retries), (None, None));
    }
}
