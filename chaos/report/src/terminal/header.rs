//! The head of a report: the run, and the services that are ready.

use super::run_state::RunState;
use crate::{
    Style, calibration,
    style::Ink,
    text::{fit, left, paragraph, right, width},
};
use chaos_model::{event::Begin, quantity::show_duration};
use std::time::Duration;

/// The run: title, file, world, seed, load.
pub(super) fn title(style: Style, begin: &Begin) -> String {
    let columns = style.columns();
    let mut text = String::new();
    text += &painted(style, Ink::Strong, &paragraph("", &begin.title, columns));
    let how = made(begin);
    if width(&begin.file) + width(&how) + 4 <= columns {
        text += &format!("  {}, {how}\n", begin.file);
    } else {
        text += &format!("{}{}", paragraph("  ", &begin.file, columns), paragraph("  ", &how, columns));
    }
    if let Some(calibration) = &begin.calibration {
        let words = calibration::words(calibration, begin.unix_ms);
        text += &painted(style, Ink::Faint, &paragraph("  ", &words, columns));
    }
    if let Some(without) = &begin.without {
        text += &painted(style, Ink::Unsure, &paragraph("  on purpose without: ", without, columns));
    }
    for that in &begin.elsewhere {
        let head = format!("  not judged in the world {}: ", begin.world);
        text += &painted(style, Ink::Faint, &paragraph(&head, that, columns));
    }
    if begin.control {
        text +=
            &painted(style, Ink::Unsure, &paragraph("  ", "control: the same load, and none of the faults", columns));
    }
    text
}

/// World, seed and load of a run: `world local, seed 42, 200/s for 12s after 500ms of warm-up`.
pub(crate) fn made(begin: &Begin) -> String {
    let duration = begin.phases.iter().map(|phase| phase.to).max().unwrap_or_default();
    let load = &begin.plan.load;
    let mut made =
        format!("world {}, seed {}, {} for {}", begin.world, begin.seed, load.rates(), show_duration(duration));
    if !load.warmup.is_zero() {
        made += &format!(" after {} of warm-up", show_duration(load.warmup));
    }
    made
}

/// Each line in its colour, and the ends of lines outside of it.
fn painted(style: Style, ink: Ink, lines: &str) -> String {
    lines.lines().map(|line| format!("{}\n", style.paint(ink, line))).collect()
}

/// Another run goes first.
pub(super) fn waiting(style: Style, holder: Option<u32>) -> String {
    let who = holder.map_or_else(|| "another run".to_owned(), |pid| format!("another run (process {pid})"));
    let text = format!("{who} measures on this machine now; this one starts when it is done");
    paragraph("  ", &text, style.columns())
}

/// All services, and that they are ready.
pub(super) fn ready(style: Style, run: &RunState, took: Duration) -> String {
    let all = format!("all ready in {}", show_duration(took));
    format!("{}  {}\n\n", services(style, run), style.paint(Ink::Faint, all))
}

/// The system is left up: where to poke at it.
pub(super) fn held(style: Style, run: &RunState) -> String {
    let mut text = format!("\n{}\n", style.paint(Ink::Strong, "the system is left up, until Ctrl-C"));
    let names = run.services.iter().map(|service| width(&service.name)).max().unwrap_or(0);
    for service in &run.services {
        let name = format!("  {}  ", left(&service.name, names));
        text += &paragraph(&name, &service.address, style.columns());
    }
    for (link, address) in &run.links {
        text += &paragraph("  ", &format!("{link} goes through {address}"), style.columns());
    }
    text
}

/// The services that are ready, and which program each is.
pub(super) fn services(style: Style, run: &RunState) -> String {
    let longest =
        |text: fn(&super::run_state::Service) -> &str| run.services.iter().map(|service| width(text(service))).max();
    let (names, whats) = (longest(|service| &service.name).unwrap_or(0), longest(|service| &service.what).unwrap_or(0));
    let times: Vec<_> = run.services.iter().map(|service| show_duration(service.took)).collect();
    let took_columns = times.iter().map(|took| width(took)).max().unwrap_or(0);
    let for_texts = style.columns().saturating_sub(2 + 2 + 2 + "ready in ".len() + took_columns);
    let names = names.min(for_texts / 2);
    let whats = whats.min(for_texts - names);
    let mut text = String::from("\n");
    for (service, took) in run.services.iter().zip(&times) {
        let (name, what) = (left(&fit(&service.name, names), names), left(&fit(&service.what, whats), whats));
        text += &format!("  {name}  {what}  ready in {}\n", right(took, took_columns));
        if style.verbose {
            text += &painted(style, Ink::Faint, &paragraph("    at ", &service.address, style.columns()));
        }
    }
    if style.verbose {
        for (link, address) in &run.links {
            let route = paragraph("  ", &format!("{link} goes through {address}"), style.columns());
            text += &painted(style, Ink::Faint, &route);
        }
    }
    text
}
