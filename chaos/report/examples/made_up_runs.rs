//! Prints runs that never happened, to look at: `cargo run -p chaos-report --example made_up_runs -- [colour]
//! [verbose]`.

use chaos_model::{Guard, Span};
use chaos_report::{GuardResult, RunResult, Style, Terminal, summary};
use std::io::{self, Write};

#[path = "../tests/report/made_up.rs"]
mod made_up;

fn main() -> io::Result<()> {
    let said: Vec<_> = std::env::args().skip(1).collect();
    let says = |word: &str| said.iter().any(|said| said == word);
    let style = Style { colour: says("colour"), verbose: says("verbose"), ..Style::default() };
    let mut runs = [
        made_up::passing(),
        made_up::failing(),
        made_up::inconclusive(),
        made_up::world_failed(),
        made_up::interrupted(),
        made_up::slow(),
        made_up::control(),
    ];
    runs.iter_mut().for_each(|run| made_up::give_sources(run));
    let mut terminal = Terminal::new(io::stdout(), style);
    for record in runs.iter().flatten() {
        terminal.on(record)?;
    }
    let mut out = terminal.into_inner();
    writeln!(out)?;
    let results: Vec<_> = runs.iter().map(|run| RunResult::of(run)).collect();
    summary::runs(&mut out, style, &results)?;
    writeln!(out)?;
    let guard = Guard {
        without: "the memory tier".to_owned(),
        set: Vec::new(),
        breaks: vec!["clients never notice".to_owned()],
        may_break: Vec::new(),
        span: Span::default(),
    };
    let unharmed = RunResult::of(&made_up::passing());
    let results: Vec<_> = runs.iter().map(|run| GuardResult::of(&guard, &unharmed, run)).collect();
    summary::guards(&mut out, style, &results)
}
