//! Reports of recordings: what was printed, and how far a recording that was cut off goes.

use crate::made_up;
use chaos_model::{
    Event, Record,
    event::{Counted, Fired, ProxyCounts},
};
use chaos_report::{
    Style, Terminal,
    json::{Reader, Writer},
    reports::REPORTS,
};
use std::collections::BTreeMap;

fn report(name: &str, records: &[Record], many: bool) -> String {
    let row = REPORTS.iter().find(|row| row.name == name).unwrap();
    let mut report = (row.new)(Style::default(), many);
    let mut out = Vec::new();
    records.iter().for_each(|record| report.on(record, &mut out).unwrap());
    report.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn printed(records: &[Record]) -> String {
    let mut terminal = Terminal::new(Vec::new(), Style::default());
    records.iter().for_each(|record| terminal.on(record).unwrap());
    String::from_utf8(terminal.into_inner()).unwrap()
}

fn all() -> Vec<Vec<Record>> {
    let mut runs =
        vec![made_up::passing(), made_up::failing(), made_up::inconclusive(), made_up::slow(), made_up::control()];
    runs.iter_mut().for_each(|run| made_up::give_sources(run));
    runs
}

#[test]
fn a_report_is_what_the_run_printed_from_its_table_of_phases_on() {
    for run in all() {
        let (whole, report) = (printed(&run), report("text", &run, false));
        assert!(report.starts_with("  phase "), "{report}");
        assert_eq!(whole.split_once("\n\n  phase ").unwrap().1, report.strip_prefix("  phase ").unwrap());
    }
}

#[test]
fn a_run_without_figures_is_reported_by_what_ended_it() {
    insta::assert_snapshot!(report("text", &made_up::world_failed(), false));
    insta::assert_snapshot!(report("text", &made_up::interrupted(), false));
}

#[test]
fn several_runs_are_named() {
    let text = report("text", &all().concat(), true);
    assert_eq!(text.matches("scenarios/redis_down.toml, world local, seed 42\n").count(), 5, "{text}");
    let first = report("text", &all()[0], false);
    assert!(text.starts_with(&format!("scenarios/redis_down.toml, world local, seed 42\n{first}\n\n")), "{text}");
}

#[test]
fn a_summary_has_a_line_for_each_run() {
    insta::assert_snapshot!(report("summary", &all().concat(), true));
}

#[test]
fn metrics_are_those_that_the_run_left() {
    let text = report("metrics", &made_up::passing(), false);
    assert!(text.contains("chaos_run_verdict{verdict=\"pass\"} 1\n"), "{text}");
}

/// The run until that event, which is left out.
fn until(records: &[Record], name: &str) -> Vec<Record> {
    records.iter().take_while(|record| record.event.name() != name).cloned().collect()
}

#[test]
fn a_recording_that_is_cut_off_before_its_figures_has_those_of_its_slices() {
    let mut cut = until(&made_up::failing(), "fault_removed");
    let fired = Fired { refused: 7, ..Fired::default() };
    let counts = ProxyCounts { faults: BTreeMap::from([("outage".to_owned(), fired)]), ..ProxyCounts::default() };
    cut.push(Record { at_us: 6_300_000, event: Event::Counted(Counted { at: made_up::ms(6000), counts }) });
    insta::assert_snapshot!(report("text", &cut, false));
    let nothing = report("text", &until(&made_up::failing(), "slice"), false);
    assert!(nothing.starts_with("CUT OFF after 300ms"), "{nothing}");
}

#[test]
fn a_recording_that_is_cut_off_anywhere_is_reported_as_far_as_it_goes() {
    let mut records = made_up::failing();
    made_up::give_sources(&mut records);
    let mut writer = Writer::new(Vec::new());
    records.iter().for_each(|record| writer.on(record).unwrap());
    let recording = writer.into_inner();
    let whole = report("text", &records, false);
    for cut in 0..recording.len() {
        let read: Vec<Record> = Reader::new(&recording[..cut]).map_while(Result::ok).collect();
        assert!(records.starts_with(&read), "{cut}");
        for row in REPORTS {
            let text = report(row.name, &read, false);
            let begun = read.iter().any(|record| matches!(record.event, Event::Begin(_)));
            if row.name == "text" && read != records {
                assert_eq!(begun, text.contains("CUT OFF after"), "{cut}: {text}");
                let known = text.split("\nCUT OFF").next().unwrap().trim_end();
                let slices = read.iter().filter(|record| matches!(record.event, Event::Slice(_))).count();
                assert_eq!(slices > 0, text.contains("  phase "), "{cut}: {text}");
                let table = read.iter().any(|record| matches!(record.event, Event::Judged(_)));
                assert!(
                    !table || whole.starts_with(known.split("\nerror:").next().unwrap().trim_end()),
                    "{cut}: {text}"
                );
            }
        }
    }
}
