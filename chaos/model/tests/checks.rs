//! Each kind of check: what it says of itself, goes through the schema, the reader and the judge.

use chaos_model::{
    CallReading, Check, Fault, Histogram, Scenario, Target, Verdict,
    check::{
        Arrival, CHECKS, Evidence, Example, FaultSeen, Marked, Row, Unknowns, markdown,
        reading::{Reading, Readings, ScrapeSide, SeriesKind, Values},
    },
    effect,
    event::Probed,
    language::{Known, load, schema},
    ledger::Recovery,
    slice::Counts,
};
use std::{fs, io, path::Path, time::Duration};

const SYSTEM: &str = include_str!("../../../scenarios/system.toml");

fn text(expectation: &str) -> String {
    format!(
        "title = \"it\"\n[load]\nrequest = \"GET /api/profile/1\"\nrate = \"200/s\"\nduration = \
         \"12s\"\n[[fault]]\nname = \"outage\"\non = \"gateway -> redis\"\neffect = \"refuse\"\nat = \"4s\"\nfor = \
         \"4s\"\n[[expect]]\nthat = \"it\"\n{expectation}\n"
    )
}

/// Reads a scenario with this expectation; the language's message where it is wrong.
fn scenario(expectation: &str) -> Result<Scenario, String> {
    let text = text(expectation);
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        Some("system.toml") => Ok(SYSTEM.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    load(Path::new("it.toml"), &[], &read).map_err(|wrong| wrong.render(false, 200))
}

fn example(row: &Row) -> Check {
    let read = scenario(row.example).unwrap_or_else(|wrong| panic!("{}: {wrong}", row.key));
    let [check] = read.expectations[0].checks.as_slice() else { panic!("{} compares one thing", row.key) };
    check.clone()
}

#[test]
fn every_example_is_right_for_the_schema_and_the_reader() {
    let schema = schema::scenario(&Known::BUILT_IN);
    let validator = jsonschema::draft7::new(&schema).unwrap();
    for row in CHECKS {
        let check = example(row);
        assert!(check.subject.words().starts_with(row.key), "{}: {}", row.key, check.subject);
        let file = serde_json::to_value(toml::from_str::<toml::Table>(&text(row.example)).unwrap()).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{}", row.key);
        let described = &schema["properties"]["expect"]["items"]["properties"][row.key]["description"];
        assert_eq!(described, row.about, "{}", row.key);
    }
}

#[test]
fn every_check_asks_for_what_its_row_says() {
    for row in CHECKS {
        let check = example(row);
        assert_eq!(
            row.needs.contains(&chaos_model::check::Need::Calls),
            check.subject.calls().is_some(),
            "{}",
            row.key
        );
        let scrapes = check.subject.scrapes().is_some();
        let name = row.comparison().strip_prefix(row.key).unwrap().trim_start_matches('.');
        let name = name.split(" = ").next().unwrap().trim_matches(['\'', '"']);
        assert_eq!(row.scrapes(name), scrapes, "{}", row.key);
        let tests = row.needs.contains(&chaos_model::check::Need::Responses);
        assert!(tests || check.subject.test().is_none(), "{}", row.key);
    }
}

#[test]
fn infinite_values_of_gauges_are_understood() {
    let with = |bound: &str| scenario(&format!("during = \"outage\"\nmetric.limit = \"{bound}\""));
    for bound in ["== +Inf", "< +Inf", "!= -Inf", "5..+Inf"] {
        let read = with(bound).unwrap_or_else(|wrong| panic!("{bound}: {wrong}"));
        assert_eq!(read.expectations[0].checks[0].subject.words(), format!("metric.limit {bound}"));
    }
    for (bound, told) in [
        ("== inf", "did you mean `+Inf`?"),
        ("== Infinity", "did you mean `+Inf`?"),
        ("== -infinity", "did you mean `-Inf`?"),
        ("== NaN", "nothing compares with it"),
        ("> +Inf", "`> +Inf` can never hold"),
        ("== 5ms", "a metric has no unit"),
    ] {
        let wrong = with(bound).expect_err(bound);
        assert!(wrong.contains(told), "{bound}: {wrong}");
    }
    let idle = with("<= +Inf").unwrap();
    assert!(idle.expectations[0].checks[0].idle && idle.warnings().unwrap().render(false, 80).contains("can't fail"));
}

#[test]
fn the_page_of_checks_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    assert!(page == markdown(CHECKS), "run: cargo run -p chaos-model --example checks > docs/checks.md");
}

/// Evidence from a window of four seconds, of `bad` and `good` arrivals, `saw` being what responses told of their
/// age, and the series at each second.
struct Seen {
    arrivals: Vec<Arrival>,
    series: Vec<[f64; 2]>,
    detected: Option<Duration>,
    recovery: Recovery,
    probes: Vec<Probed>,
    /// Calls at each second, where they were counted.
    calls: Vec<u64>,
}

impl Seen {
    fn nothing() -> Self {
        Self {
            arrivals: Vec::new(),
            series: Vec::new(),
            detected: None,
            recovery: Recovery::NoRequests,
            probes: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// 200 arrivals, answered in a millisecond each, and as `change` makes the last of them.
    fn but_for(change: impl Fn(&mut Arrival)) -> Self {
        let arrival = |n| Arrival {
            step: 0,
            n,
            at: Duration::from_secs(4),
            result: Ok(200),
            latency: Duration::from_millis(1),
            good: true,
            partial: false,
            stale: false,
            age: Some(Duration::from_secs(1)),
            passed: true,
        };
        let mut arrivals: Vec<Arrival> = (0..200).map(arrival).collect();
        arrivals[190..].iter_mut().for_each(change);
        Self { arrivals, ..Self::nothing() }
    }

    fn series(series: &[[f64; 2]]) -> Self {
        Self { series: series.to_vec(), ..Self::nothing() }
    }

    fn verdict(&self, check: &Check) -> Verdict {
        let (mut counts, mut marked) = (Counts::default(), Marked::default());
        let mut latency = Histogram::default();
        for arrival in &self.arrivals {
            counts.due += 1;
            latency.record(arrival.latency);
            if let Ok(status) = arrival.result {
                *counts.statuses.entry(status).or_default() += 1;
            }
            let has = check.subject.has(arrival);
            marked.with += u64::from(has);
            let first = if has { &mut marked.first_with } else { &mut marked.first_without };
            first.get_or_insert(unseen(arrival));
        }
        counts.latency = latency;
        let seconds = |n: usize| Duration::from_secs(n as u64);
        let reading = |nth: usize| {
            let one = |(n, values): (usize, &[f64; 2])| Reading {
                at: seconds(n),
                taken: seconds(n),
                answered: seconds(n),
                side: ScrapeSide::Both,
                value: Ok(Values::one(SeriesKind::Counter, values[nth])),
            };
            self.series.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        let readings = [reading(0), reading(1)];
        let fault = Fault {
            at: Duration::from_secs(4),
            lasts: Duration::from_secs(4),
            ..Fault::new("outage", Target::Service("redis".to_owned()), effect::Kill {})
        };
        let seen = FaultSeen {
            fault: &fault,
            detected: self.detected,
            uncharged: None,
            recovery: self.recovery,
            at_least: None,
            last_bad: None,
        };
        let call = |(n, calls): (usize, &u64)| CallReading {
            at: seconds(n),
            answered: seconds(n),
            least: *calls,
            most: Some(*calls),
        };
        let calls: Vec<CallReading> = self.calls.iter().enumerate().map(call).collect();
        let evidence = Evidence {
            from: Duration::from_secs(4),
            to: Duration::from_secs(8),
            within: None,
            baseline: (Duration::ZERO, Duration::from_secs(4)),
            made: counts.due,
            counts: &counts,
            slowest: self.arrivals.iter().copied().max_by_key(|arrival| arrival.latency),
            oldest: self.arrivals.iter().copied().filter(|one| one.age.is_some()).max_by_key(|arrival| arrival.age),
            unknown: &Unknowns::default(),
            strained: None,
            marked: &marked,
            probes: &self.probes,
            readings: Readings { of: readings.iter().map(Vec::as_slice).collect(), series: None },
            calls: &calls,
            fault: Some(seen),
            markers: &[],
        };
        check.subject.judge(&evidence).verdict
    }
}

/// What holds, what fails and what can't be said, for the example of a kind.
fn cases(key: &str) -> [Seen; 3] {
    let well = || Seen::but_for(|_| ());
    let unanswered = || {
        Seen::but_for(|arrival| {
            (arrival.result, arrival.good) = (Err("timeout"), false);
        })
    };
    let nobody = || {
        let mut seen = Seen::but_for(|arrival| arrival.passed = false);
        seen.arrivals.iter_mut().for_each(|arrival| {
            (arrival.result, arrival.good) = (Err("reset"), false);
        });
        seen
    };
    let each = |grows: f64| (0..9).map(|n| [grows * f64::from(n), f64::from(n)]).collect::<Vec<_>>();
    let took = |ms| Some(Duration::from_millis(ms));
    match key {
        "status" | "unanswered" | "availability" => [well(), unanswered(), Seen::nothing()],
        "latency" => {
            let few = Seen { arrivals: well().arrivals[..20].to_vec(), ..Seen::nothing() };
            [well(), Seen::but_for(|arrival| arrival.latency = Duration::from_secs(1)), few]
        }
        "partial" => [well(), Seen::but_for(|arrival| arrival.partial = true), nobody()],
        "stale" => [well(), Seen::but_for(|arrival| arrival.stale = true), nobody()],
        "body" | "header" | "unmarked" => [well(), Seen::but_for(|arrival| arrival.passed = false), Seen::nothing()],
        "age" => {
            let mut silent = well();
            silent.arrivals.iter_mut().for_each(|arrival| arrival.age = None);
            [well(), Seen::but_for(|arrival| arrival.age = Some(Duration::from_secs(400))), silent]
        }
        "metric" => [Seen::series(&each(1.0)), Seen::series(&each(0.0)), Seen::nothing()],
        "amplification" => [Seen::series(&each(1.0)), Seen::series(&each(2.0)), Seen::nothing()],
        "herd" => {
            let mut herd = each(1.0);
            herd[6..].iter_mut().for_each(|values| values[0] += 5.0);
            [Seen::series(&each(1.0)), Seen::series(&herd), Seen::series(&each(0.0))]
        }
        "ready" => {
            // One that begins before the scope, and one that ends behind it, say nothing of it.
            let probe = |ms: u64, took: u64, why: Option<&str>| Probed {
                service: "gateway".to_owned(),
                at: Duration::from_millis(ms),
                took: Duration::from_millis(took),
                why: why.map(str::to_owned),
            };
            let away = Some("refused");
            let around = [probe(3500, 2, away), probe(3900, 200, away), probe(7500, 1000, away)];
            let of = |within: &[Probed]| Seen { probes: [&around, within].concat(), ..Seen::nothing() };
            [
                of(&[probe(4500, 2, None), probe(5500, 2, None)]),
                of(&[probe(4500, 2, None), probe(5500, 2, away)]),
                of(&[]),
            ]
        }
        "calls" => {
            let calls = |each: u64| Seen { calls: (0..9).map(|n| each * n).collect(), ..well() };
            // Two hundred requests in four seconds.
            [calls(55), calls(56), Seen { calls: vec![0, 55], ..well() }]
        }
        "detect" => [Seen { detected: took(5), ..well() }, Seen { detected: took(1500), ..well() }, Seen::nothing()],
        "recovery" => {
            let after = |ms| Seen { recovery: Recovery::After { took: Duration::from_millis(ms) }, ..well() };
            [after(100), after(3000), Seen { recovery: Recovery::Unnoticed, ..well() }]
        }
        other => panic!("when does `{other}` hold, fail, and when can't it be said?"),
    }
}

#[test]
fn every_check_holds_and_fails_and_says_when_it_can_not_be_judged() {
    for row in CHECKS {
        let check = example(row);
        let mut verdicts = cases(row.key).map(|seen| seen.verdict(&check));
        if row.key == "detect" {
            // A time to the first bad response is known or has not come; of a series nothing may be known.
            let by_a_series = scenario("during = \"outage\"\ndetect.breaker_state = \"< 1s\"").unwrap();
            verdicts[2] = Seen::nothing().verdict(&by_a_series.expectations[0].checks[0]);
        }
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive], "{}", row.key);
    }
}

#[test]
fn each_check_of_responses_says_which_speak_against_it() {
    use chaos_model::check::Need;
    let of_responses = |need: &Need| matches!(need, Need::Samples | Need::Responses | Need::Marker(_));
    for row in CHECKS.iter().filter(|row| row.needs.iter().any(of_responses)) {
        let check = example(row);
        let [holds, fails, _] = cases(row.key);
        let against = |seen: &Seen| seen.arrivals.iter().filter(|one| check.subject.against(one).is_some()).count();
        assert_eq!((against(&holds), against(&fails)), (0, 10), "{}", row.key);
    }
}

#[test]
fn words_of_others_lead_to_what_is_meant_here() {
    for (word, advice) in [
        ("http_req_failed", "`status`"),
        ("success_rate", "`availability`"),
        ("errors", "`availability = "),
        ("errors", "`unanswered.any = "),
        ("timeouts", "`unanswered.timeout"),
        ("throughput", "load.rate"),
        ("mttr", "recovery.time"),
    ] {
        let wrong = scenario(&format!("during = \"outage\"\n{word} = \"<= 1%\"")).unwrap_err();
        assert!(wrong.contains(&format!("unknown key `{word}`")) && wrong.contains(advice), "{wrong}");
    }
    let words: Vec<&str> = CHECKS.iter().flat_map(|row| row.others.iter().map(|term| term.word)).collect();
    assert!(CHECKS.iter().all(|row| !row.others.is_empty()), "each has a word elsewhere");
    assert!(words.len() > CHECKS.len());
}

#[test]
fn a_series_that_moves_by_itself_detects_nothing() {
    let by_a_series = scenario("during = \"outage\"\ndetect.breaker_state = \"< 1500ms\"").unwrap();
    let check = &by_a_series.expectations[0].checks[0];
    let of = |values: [f64; 9]| Seen::series(&values.map(|value| [value, 0.0])).verdict(check);
    assert_eq!(of([0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]), Verdict::Pass);
    assert_eq!(of([7.0, 7.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]), Verdict::Pass, "it was different at the start");
    assert_eq!(of([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), Verdict::Inconclusive);
}

/// An arrival of which nothing was seen.
fn unseen(arrival: &Arrival) -> Example {
    Example { arrival: *arrival, saw: None, instance: None, excerpt: None, uncaptured: None }
}
