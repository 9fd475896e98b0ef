//! Runs against earlier ones.

use crate::made_up;
use chaos_model::{Event, Record, Verdict};
use chaos_report::{
    Style,
    against::{self, Against, Direction, Earlier, Unpaired},
};

/// A run with this many bad responses in the fault's phase, which began at this time.
fn run(bad: u64, unix_ms: u64) -> Vec<Record> {
    let mut records = made_up::passing();
    for record in &mut records {
        match &mut record.event {
            Event::Begin(begin) => begin.unix_ms = unix_ms,
            Event::Slice(slice) if slice.from == made_up::ms(5000) => {
                slice.counts.due = 2000;
                slice.counts.good = 2000 - bad;
            }
            _ => {}
        }
    }
    records
}

fn compare(earlier: &[Vec<Record>], now: &[Record]) -> Against {
    let mut fold = Earlier::default();
    for (nth, run) in earlier.iter().enumerate() {
        fold.recording(&format!("earlier/{nth}.jsonl"));
        run.iter().for_each(|record| fold.on(record));
    }
    fold.compare(now)
}

/// When the run began that the first one is compared with.
fn partner(against: &Against) -> Option<u64> {
    against.runs[0].partner.as_ref().ok().map(|partner| partner.run.unix_ms)
}

/// The same run of another scenario, or in another world.
fn of(file: &str, world: &str, mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        if let Event::Begin(begin) = &mut record.event {
            file.clone_into(&mut begin.file);
            world.clone_into(&mut begin.world);
        }
    }
    records
}

/// The text on one line.
fn line(compared: &Against) -> String {
    text(compared).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(compared: &Against) -> String {
    let mut out = Vec::new();
    against::write(&mut out, Style::default(), compared).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_latest_run_of_the_same_scenario_is_what_counts() {
    let earlier = [run(0, 2000), run(400, 1000)];
    let worse = compare(&earlier, &run(100, 3000));
    assert_eq!((worse.runs.len(), partner(&worse)), (1, Some(2000)));
    assert!(worse.is_worse());
    let changes = &worse.runs[0].changes;
    let what: Vec<_> = changes.iter().map(|change| (change.direction, change.what.as_str())).collect();
    assert_eq!(what, [(Direction::Worse, "all but recoveries: available"), (Direction::Worse, "outage: available")]);
    insta::assert_snapshot!(text(&worse));
    let better = compare(&[run(400, 1000)], &run(0, 3000));
    assert!(!better.is_worse() && !better.runs[0].changes.is_empty());
    let same = compare(&[run(3, 1000)], &run(5, 3000));
    assert_eq!(same.runs[0].changes, []);
}

#[test]
fn a_verdict_that_was_a_pass_is_worse_and_one_that_cannot_be_said_is_neither() {
    let failing = compare(&[made_up::passing()], &made_up::failing());
    let verdicts: Vec<_> = failing.runs[0].changes.iter().filter(|change| change.what.contains("(outage)")).collect();
    let seen: Vec<_> = verdicts.iter().map(|change| (change.direction, change.seen[1].as_str())).collect();
    assert_eq!(seen, [(Direction::Worse, "fail"), (Direction::Changed, "inconclusive")]);
}

#[test]
fn runs_that_are_no_whole_ones_are_not_compared() {
    let cut: Vec<_> = run(0, 2000).into_iter().take(14).collect();
    let against = compare(&[run(0, 1000)], &cut);
    assert_eq!(against.runs[0].partner, Err(Unpaired::NotWhole));
    assert!(line(&against).contains("it came to no verdict, so that it is not compared"), "{}", line(&against));
    let against = compare(&[cut], &run(0, 3000));
    assert_eq!(partner(&against), None, "nor is one of them an earlier run");
    assert_eq!(against.passed_over.len(), 1);
    assert_eq!(partner(&compare(&[made_up::control()], &run(0, 3000))), None);
    let mut failed = run(0, 2000);
    failed.last_mut().unwrap().event = Event::End { verdict: None };
    assert_eq!(partner(&compare(&[failed], &run(0, 3000))), None);
    let unsure = Event::End { verdict: Some(Verdict::Inconclusive) };
    let mut inconclusive = run(0, 2000);
    inconclusive.last_mut().unwrap().event = unsure;
    assert!(partner(&compare(&[inconclusive], &run(0, 3000))).is_some(), "its figures are whole");
}

#[test]
fn what_has_no_partner_is_told() {
    let cut: Vec<_> = of("scenarios/cut.toml", "local", run(0, 5)).into_iter().take(14).collect();
    let earlier = [
        run(0, 1000),
        of("scenarios/gone.toml", "local", run(0, 2000)),
        of("scenarios/redis_slow.toml", "sim", run(0, 3000)),
        cut,
    ];
    let now = [
        run(0, 4000),
        of("scenarios/redis_slow.toml", "local", run(0, 4000)),
        of("scenarios/new.toml", "local", run(0, 4000)),
    ];
    insta::assert_snapshot!(text(&compare(&earlier, &now.concat())));
}

/// Paths count from where a run was started, which may be elsewhere now; and two files of one name are two scenarios.
#[test]
fn a_scenario_is_the_same_wherever_it_lies_if_only_one_has_its_name_and_title() {
    let now = of("./redis_down.toml", "local", run(0, 4000));
    let one = compare(&[of("/ci/redis_down.toml", "local", run(0, 1000))], &now);
    assert_eq!((partner(&one), one.gone.len()), (Some(1000), 0));
    let two = compare(&["/a/redis_down.toml", "/b/redis_down.toml"].map(|file| of(file, "local", run(0, 1000))), &now);
    assert_eq!((partner(&two), two.gone.len()), (None, 2));
    let exact = compare(&["/a/redis_down.toml", "redis_down.toml"].map(|file| of(file, "local", run(0, 1000))), &now);
    assert_eq!((partner(&exact), exact.gone.len()), (Some(1000), 1));
}

#[test]
fn a_scenario_that_reads_otherwise_now_is_told_to() {
    let mut now = run(0, 3000);
    made_up::give_sources(&mut now);
    assert!(!line(&compare(&[run(0, 1000)], &now)).contains("have changed since"), "nobody knows");
    assert!(!line(&compare(&[now.clone()], &now)).contains("have changed since"));
    let mut set = now.clone();
    if let Event::Begin(begin) = &mut set[0].event {
        begin.sets = vec!["load.rate=500/s".to_owned()];
    }
    assert!(line(&compare(&[now], &set)).contains("have changed since"));
}

/// A run in which so much of a bound's room was used.
fn using(used_permille: u32, unix_ms: u64) -> Vec<Record> {
    let mut records = run(0, unix_ms);
    for record in &mut records {
        if let Event::Judged(judged) = &mut record.event {
            let margins = judged.checks.iter_mut().filter_map(|check| check.margin.as_mut());
            margins.for_each(|margin| margin.used_permille = used_permille);
        }
    }
    records
}

#[test]
fn margins_stand_with_those_of_earlier_runs_in_the_order_of_time() {
    let earlier = [using(230, 3000), using(900, 1000), using(210, 2000)];
    let against = compare(&earlier, &using(248, 4000));
    let margins = &against.runs[0].margins;
    assert_eq!(margins.len(), 1, "what leaves no room has none");
    assert_eq!(margins[0].earlier.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1000, 2000, 3000]);
    let words = "latency.p99 < 50ms: at 24.8% of its bound, of 3 earlier runs 21% to 90%, in the middle 23%, last 23%";
    let text = line(&against);
    assert!(text.contains(words), "{text}");
    assert!(text.contains("the last of 3"), "{text}");
}
