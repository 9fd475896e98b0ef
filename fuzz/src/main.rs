//! `fuzz`: tries inputs on targets. Exit codes: 0 nothing was found, 1 something was, 2 the command line.

use chaos_fuzz::{Budget, Outcome, TARGETS, Target, replay, run};
use clap::Parser;
use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// An input that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Parser)]
#[command(
    name = "fuzz",
    about = "Tries inputs that nobody meant. What brings a target down is kept, and belongs into fuzz/crashes/TARGET"
)]
struct Arguments {
    /// Targets to try; all unless some are named
    targets: Vec<String>,
    /// Seconds for each
    #[arg(long, default_value = "60")]
    seconds: u64,
    /// Inputs for each, at most
    #[arg(long, default_value_t = u64::MAX)]
    inputs: u64,
    /// Seed of the inputs: the same ones for the same seed
    #[arg(long, default_value = "1")]
    seed: u64,
    /// Folder of inputs: the one that is tried, as TARGET.last, and those that were found
    #[arg(long, default_value = "target/fuzz/found")]
    keep: PathBuf,
    /// Try this input alone, on the one target that is named
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut chosen = Vec::new();
    for name in &arguments.targets {
        match TARGETS.iter().find(|target| target.name == name) {
            Some(target) => chosen.push(*target),
            None => {
                return refuse(&format!("there is no target {name}: {}", TARGETS.map(|target| target.name).join(", ")));
            }
        }
    }
    if let Some(file) = &arguments.input {
        let [target] = chosen.as_slice() else { return refuse("--input is for one target") };
        return again(target, file);
    }
    if chosen.is_empty() {
        chosen = TARGETS.to_vec();
    }
    if let Err(error) = std::fs::create_dir_all(&arguments.keep) {
        return refuse(&format!("{}: {error}", arguments.keep.display()));
    }
    let found = chosen.iter().filter(|target| !try_it(target, &arguments)).count();
    ExitCode::from(u8::from(found > 0))
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("fuzz: {why}");
    ExitCode::from(2)
}

/// Tries one input again.
fn again(target: &Target, file: &Path) -> ExitCode {
    let input = match std::fs::read(file) {
        Ok(input) => input,
        Err(error) => return refuse(&format!("{}: {error}", file.display())),
    };
    match replay(target, &input) {
        Ok(()) => println!("{}: nothing happens", target.name),
        Err(why) => {
            println!("{}: {why}", target.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Says whether nothing was found.
fn try_it(target: &Target, arguments: &Arguments) -> bool {
    let last = arguments.keep.join(format!("{}.last", target.name));
    let file = File::create(&last).ok();
    let tried = Arc::new(AtomicU64::new(0));
    let watched = Watched::start(target.name, last, Arc::clone(&tried));
    let budget = Budget { inputs: arguments.inputs, time: Duration::from_secs(arguments.seconds) };
    let Outcome { inputs, finding } = run(target, arguments.seed, budget, |input| {
        tried.fetch_add(1, Ordering::Relaxed);
        // One that ends the process is there afterwards.
        if let Some(file) = &file {
            let _ = file.set_len(input.len() as u64).and_then(|()| file.write_all_at(input, 0));
        }
    });
    drop(watched);
    let Some(finding) = finding else {
        println!("{}: {inputs} inputs, nothing found", target.name);
        return true;
    };
    let kept = arguments.keep.join(format!("{}-{:016x}", target.name, host::hash(0, &[&finding.input])));
    println!("{}: after {inputs} inputs: {}", target.name, finding.why);
    match std::fs::write(&kept, &finding.input) {
        Ok(()) => println!("  the input is {}: \"{}\"", kept.display(), finding.input.escape_ascii()),
        Err(error) => println!("  {}: {error}; the input is \"{}\"", kept.display(), finding.input.escape_ascii()),
    }
    false
}

/// Ends the process where one input takes too long.
struct Watched(Arc<AtomicU64>);

/// The count of inputs when there will be no further one.
const OVER: u64 = u64::MAX;

impl Watched {
    fn start(name: &'static str, last: PathBuf, tried: Arc<AtomicU64>) -> Self {
        let count = Arc::clone(&tried);
        std::thread::spawn(move || {
            let mut before = u64::MAX - 1;
            loop {
                wait(PATIENCE);
                match count.load(Ordering::Relaxed) {
                    OVER => return,
                    now if now == before => {
                        println!("{name}: an input takes more than {PATIENCE:?}: it is {}", last.display());
                        std::process::exit(1);
                    }
                    now => before = now,
                }
            }
        });
        Self(tried)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.store(OVER, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread that watches over time as it is")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
