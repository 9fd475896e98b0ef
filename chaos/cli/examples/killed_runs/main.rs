//! Starts runs, kills each at a random moment by SIGKILL, and looks at what is left a second later: it must be nothing.
//!
//! `killed_runs COMMAND RUNS [SEED]`, where the command is `chaos`, built for release (`.ci/killed-runs` builds both).
//! Of each three runs one loses its runner, one its supervisor, one both at once; where both are gone, `chaos cleanup`
//! comes before the look. What is left is found by other means than the command's own: by where processes stand, where
//! their output goes, and by the kernel's tables of sockets.

mod case;
mod machine;
mod scenario;

use case::{Case, Ended, Victim};
use std::{path::Path, process::ExitCode, time::Duration};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).map(|argument| argument.parse::<u64>());
    let chaos = arguments.first().map(std::fs::canonicalize);
    let (Some(Ok(chaos)), Some(Ok(runs)), Ok(seed)) = (chaos, number(1), number(2).unwrap_or(Ok(1))) else {
        eprintln!("killed_runs COMMAND RUNS [SEED]");
        return ExitCode::from(2);
    };
    match all(&chaos, runs, seed).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn all(chaos: &Path, runs: u64, seed: u64) -> Result<(), String> {
    let whole = case::whole(chaos).await?;
    println!("a run that is not killed takes {whole:?}; killing {runs}, seed {seed}");
    let mut ended = Vec::new();
    for n in 0..runs {
        let draw = host::hash(seed, &[b"moment", &n.to_le_bytes()]) % 1_000_000;
        let after = whole.mul_f64(draw as f64 / 1e6);
        let victim = Victim::ALL[usize::try_from(n % 3).unwrap_or(0)];
        let case = Case { chaos: chaos.to_owned(), victim, after, is_stubborn: n % 4 == 3 };
        let one =
            case.run().await.map_err(|why| format!("run {n}, {victim:?} killed {after:?} after its begin: {why}"))?;
        ended.push(one);
        if ended.len() % 20 == 0 {
            println!("{} of {runs}: nothing left", ended.len());
        }
    }
    report(&ended);
    Ok(())
}

fn report(ended: &[Ended]) {
    for victim in Victim::ALL {
        let of: Vec<&Ended> = ended.iter().filter(|one| one.killed == Some(victim)).collect();
        let slowest = of.iter().map(|one| one.gone_after).max().unwrap_or_default();
        let processes: usize = of.iter().map(|one| one.processes).sum();
        let healed: usize = of.iter().filter(|one| one.healed).count();
        println!(
            "{:>3} with their {victim:?} killed: {processes} processes, all gone after {slowest:?} at most{}",
            of.len(),
            if victim == Victim::Both { format!("; {healed} left something to heal") } else { String::new() },
        );
    }
    let over = ended.iter().filter(|one| one.killed.is_none()).count();
    println!("{over:>3} had ended before");
    println!("of {} runs no process, no socket that listens and no folder is left", ended.len());
}

/// The time for which what was killed may be there.
const LIMIT: Duration = Duration::from_secs(1);
