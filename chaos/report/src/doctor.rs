//! Readiness of a machine for runs, world by world, as `chaos doctor` prints it.

use crate::{Style, style::Ink, text::hanging};
use std::io::{self, Write};

/// A thing that a world needs, or is better with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// Its state.
    pub found: Found,
}

/// The state of a thing, in words; where it is not there, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Yes(String),
    /// Runs go on without it, and this is what they lack.
    Without(String),
    /// No run goes without it.
    Missing(String),
}

/// A world, and the things that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Its name, as in `--world`.
    pub name: &'static str,
    /// The things.
    pub items: Vec<Item>,
}

impl World {
    /// True where nothing is missing that a run needs.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.items.iter().any(|item| matches!(item.found, Found::Missing(_)))
    }
}

/// Prints the worlds, and `others`: what concerns no world alone.
///
/// # Errors
/// Those of the writer.
pub fn table(out: &mut dyn Write, style: Style, worlds: &[World], others: &[Item]) -> io::Result<()> {
    for world in worlds {
        let (ink, state) = if world.is_ready() { (Ink::Good, "ready") } else { (Ink::Bad, "NOT READY") };
        writeln!(out, "{} {}", style.paint(Ink::Strong, format!("{:<8}", world.name)), style.paint(ink, state))?;
        world.items.iter().try_for_each(|item| line(out, style, item))?;
    }
    if !others.is_empty() {
        writeln!(out, "{}", style.paint(Ink::Strong, "this machine"))?;
    }
    others.iter().try_for_each(|item| line(out, style, item))
}

fn line(out: &mut dyn Write, style: Style, item: &Item) -> io::Result<()> {
    let (ink, mark, words) = match &item.found {
        Found::Yes(words) => (Ink::Good, "ok", words),
        Found::Without(words) => (Ink::Unsure, "--", words),
        Found::Missing(words) => (Ink::Bad, "NO", words),
    };
    let head = format!("  {:<15} {} ", item.name, style.paint(ink, mark));
    write!(out, "{}", hanging(&head, 21, words, style.columns()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_stands_out_and_says_what_to_do() {
        let item = |name, found| Item { name, found };
        let missing = Found::Missing(
            "no engine answers at unix:///var/run/docker.sock: start it, or set DOCKER_HOST to another".to_owned(),
        );
        let worlds = [
            World { name: "sim", items: Vec::new() },
            World {
                name: "local",
                items: vec![
                    item("redis-server", Found::Yes("7.0.15".to_owned())),
                    item("control groups", Found::Without("none can be made".to_owned())),
                ],
            },
            World { name: "docker", items: vec![item("engine", missing)] },
        ];
        let mut text = Vec::new();
        let style = Style { width: 60, ..Style::default() };
        table(&mut text, style, &worlds, &[item("earlier runs", Found::Yes("left nothing".to_owned()))]).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r"
        sim      ready
        local    ready
          redis-server    ok 7.0.15
          control groups  -- none can be made
        docker   NOT READY
          engine          NO no engine answers at
                             unix:///var/run/docker.sock: start it,
                             or set DOCKER_HOST to another
        this machine
          earlier runs    ok left nothing
        ");
    }
}
