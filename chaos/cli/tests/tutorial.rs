//! `docs/tutorial.md`, `docs/own-system.md`, `docs/init.md` and `docs/tls.md`, step by step: files and commands are taken from the pages, and what they show is compared with
//! what is printed. Shown as ignored where there is no python3.

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "command/support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{path::Path, process::Command};
use support::Sandbox;

fn main() {
    let pages = [("tutorial", 4), ("own-system", 2), ("init", 3), ("tls", 1)];
    let pages = pages.into_iter().filter(|(page, _)| *page != "tls" || cfg!(feature = "tls"));
    let pages = pages.map(|(page, commands)| {
        Trial::ignorable_test(format!("{page} goes as the page says"), move || {
            if Command::new("python3").arg("--version").output().is_err() {
                return Ok::<_, Failed>(Completion::ignored_with("no python3 is on the path"));
            }
            tokio::runtime::Runtime::new()?.block_on(all_steps(page, commands));
            Ok(Completion::Completed)
        })
    });
    let masks = Trial::test("figures are masked, and words are not", || {
        let masked = masked("  PASS in 6.5s:  100% (121 of 121), 0s..6s");
        if masked == "PASS in # # (# of #), #" { Ok(()) } else { Err(masked.into()) }
    });
    libtest_mimic::run(&Arguments::from_args(), pages.chain([masks]).collect()).exit();
}

/// Writes each file of a page, and runs each command, in the page's order: so many.
async fn all_steps(page: &str, wanted: usize) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/{page}.md"));
    let page = std::fs::read_to_string(page).expect("the page is there");
    let sandbox = Sandbox::new();
    let mut commands = 0;
    for (language, block) in blocks(&page) {
        match language {
            // What is shown, and is no file of the example.
            shown if shown.ends_with(",ignore") => {}
            "json" => drop(sandbox.write("stock.json", block)),
            "console" => {
                run(&sandbox, block).await;
                commands += 1;
            }
            _ => write(&sandbox, block),
        }
    }
    assert_eq!(commands, wanted, "the page's commands");
    // Files are left: the logs of what did not pass.
    assert_eq!(support::processes::within(sandbox.path()), [], "processes are left");
}

/// Languages and texts of the blocks of code.
fn blocks(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a fence has a line of its own"))
}

/// Writes a file whose name is in the block's first line, or adds to it.
fn write(sandbox: &Sandbox, block: &str) {
    let (head, body) = block.split_once('\n').expect("the first line names the file");
    let name = head.strip_prefix("# ").expect("the first line names the file");
    let text = match name.strip_suffix(", at its end") {
        None => block.to_owned(),
        Some(name) => std::fs::read_to_string(sandbox.path().join(name)).expect("it is there") + body,
    };
    sandbox.write(name.trim_end_matches(", at its end"), text);
}

/// Runs a command, and finds each line that the page shows in what is printed, in the page's order.
async fn run(sandbox: &Sandbox, block: &str) {
    let (command, shown) = block.split_once('\n').expect("a command and what it prints");
    let ran = sandbox.chaos(command.strip_prefix("$ chaos ").expect("a command")).run().await;
    let printed: Vec<String> = ran.out.lines().map(masked).collect();
    let mut rest = printed.iter();
    for line in shown.lines().filter(|line| !line.trim().is_empty() && *line != "…") {
        assert!(rest.any(|one| *one == masked(line)), "`{command}` does not print `{line}`, or not there:\n{ran}");
    }
    ran.exited(i32::from(shown.contains("\nFAIL ")));
}

/// The words of a line; words that begin with a digit are figures, and differ from run to run.
fn masked(line: &str) -> String {
    let word = |word: &str| {
        let digits = word.trim_start_matches(['(', '+']);
        let start = &word[..word.len() - digits.len()];
        let end = &word[word.trim_end_matches([')', ',']).len()..];
        if digits.starts_with(|c: char| c.is_ascii_digit()) { format!("{start}#{end}") } else { word.to_owned() }
    };
    line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}
