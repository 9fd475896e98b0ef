//! `[load]`: what clients do.

use super::{
    column,
    document::{Entry, Kind, Table},
    findings::{Findings, Wrong},
    journey, names,
    nearest::{advise, list, nearest},
    outside::{DataFiles, Outside},
    quantity,
    reader::{Reader, Word, parse_word, text_of, wrong_type},
    request::{self, Defaults, Fields, Said},
    stages,
};
use crate::{
    Arrivals, Diagnostic, Load, Request, Stages, Variable,
    load::{Secrets, Step, TimeFormat},
};
use std::{collections::BTreeMap, time::Duration};

/// The load as far as it could be read, even where it is wrong.
#[derive(Debug, Default)]
pub(crate) struct LoadRead {
    /// All of it, if nothing is missing.
    pub(crate) load: Option<Load>,
    pub(crate) stages: Option<Stages>,
    pub(crate) timeout: Option<Duration>,
    /// The names of the variables.
    pub(crate) vars: Vec<String>,
}

/// The variable that need not be declared: the arrival's number.
pub(crate) const N: &str = "n";

const REQUEST: &str = "request = \"GET /api/profile/{user}\"";

/// Reads `[load]`.
pub(crate) fn read(scenario: &mut Reader<'_>, outside: &Outside<'_>, findings: &Findings) -> LoadRead {
    let Some(table) = scenario.table("load") else {
        if scenario.entry("load").is_none() {
            scenario.lacks("[load]", &format!("[load]` with `{REQUEST}`, `rate = \"200/s\"` and `duration = \"12s\""));
        }
        return LoadRead::default();
    };
    let mut reader = Reader::new(table, "`[load]`", findings);
    let stages = stages::read(&mut reader, table, findings);
    let arrivals = reader.parse("arrivals", arrivals).unwrap_or_default();
    let warmup = reader.parse("warmup", quantity::duration).unwrap_or_default();
    let has_timeout = table.get("timeout").is_some();
    let given_timeout = reader.parse("timeout", not_zero);
    let timeout = if has_timeout { given_timeout } else { Some(Duration::from_secs(5)) };
    let vars_table = reader.table("vars");
    let vars = vars_table.map(|table| variables(table, outside.files, findings)).unwrap_or_default();
    let vars_named: Vec<String> = vars_table.iter().flat_map(|table| table.keys()).map(str::to_owned).collect();
    let before = findings.len();
    let (requests, secrets) = requests(&mut reader, &vars_named, outside, findings);
    let complete = findings.len() == before && !requests.is_empty();
    reader.finish();
    if let Some(table) = vars_table.filter(|_| complete) {
        unused(table, &requests, findings);
    }
    let load = || {
        let (stages, timeout, span) = (stages.clone()?, timeout?, table.span.clone());
        Some(Load { requests, stages, arrivals, warmup, timeout, vars, secrets, span })
    };
    LoadRead {
        load: load(),
        stages: stages.clone(),
        timeout,
        vars: vars_named.iter().cloned().chain([N.to_owned()]).collect(),
    }
}

/// A duration that is longer than nothing.
pub(crate) fn not_zero(text: &str) -> Result<Duration, Wrong> {
    match quantity::duration(text)? {
        Duration::ZERO => Err(Wrong::new("this must be longer than nothing").advice("write it as `4s`")),
        duration => Ok(duration),
    }
}

fn arrivals(text: &str) -> Result<Arrivals, Wrong> {
    match text {
        "poisson" => Ok(Arrivals::Poisson),
        "constant" => Ok(Arrivals::Constant),
        _ => {
            let wrong = Wrong::new(format!("arrivals can't be `{text}`"));
            Err(wrong.advice(advise(text, ["poisson", "constant"], "they are")))
        }
    }
}

fn requests(
    reader: &mut Reader<'_>,
    vars: &[String],
    outside: &Outside<'_>,
    findings: &Findings,
) -> (Vec<Request>, Secrets) {
    // The arrival's number is always there.
    let vars: Vec<&str> = vars.iter().map(String::as_str).chain([N]).collect();
    let defaults = Defaults::read(reader, &vars, outside, findings);
    let journeys = reader.entry("journey").is_some();
    let mut requests = match reader.entry("request") {
        Some(entry) => single(entry, &defaults, &vars, findings),
        None => Vec::new(),
    };
    if journeys {
        let tables = reader.tables("journey");
        requests.extend(tables.into_iter().flat_map(|table| journey::read(table, &defaults, &vars, findings)));
    } else if reader.entry("request").is_none() && reader.peek("step").next().is_none() {
        reader.lacks("request", REQUEST);
    }
    (requests, defaults.auth.secrets())
}

/// Requests by themselves: one as a line, or several as tables.
fn single(entry: &Entry, defaults: &Defaults<'_>, vars: &[&str], findings: &Findings) -> Vec<Request> {
    match &entry.value.kind {
        Kind::Text(_) => {
            let word = text_of(entry, findings);
            let said = |word: Word<'_>| {
                let (name, line) = (word.text.to_owned(), request::line(word, vars, findings)?);
                Some(Said { name, line, fields: Fields::default(), body: None })
            };
            word.and_then(said).map(|said| defaults.request(said, 1, Step::default())).into_iter().collect()
        }
        Kind::List(items) if items.iter().all(|item| item.table().is_some()) && !items.is_empty() => {
            let tables = items.iter().filter_map(|item| item.table());
            tables.filter_map(|table| request::read(table, defaults, vars, findings)).collect()
        }
        _ => {
            let advice = format!("write `{REQUEST}`, or `[[load.request]]` above each of several");
            findings.add(wrong_type(entry, "a string", advice));
            Vec::new()
        }
    }
}

fn variables(table: &Table, files: &DataFiles, findings: &Findings) -> BTreeMap<String, Variable> {
    let mut vars = BTreeMap::new();
    for entry in &table.entries {
        if let Err(wrong) = names::check(&entry.key, "a variable's name") {
            findings.add(wrong.diagnostic(entry.key_span.clone()));
        }
        let Some(word) = text_of(entry, findings) else { continue };
        if let Some(variable) = parse_word(word, |text| variable(text, files), findings) {
            vars.insert(entry.key.clone(), variable);
        }
    }
    vars
}

fn variable(text: &str, files: &DataFiles) -> Result<Variable, Wrong> {
    const KINDS: [&str; 8] = ["zipf", "uniform", "sequence", "uuid", "one of", "random", "now", "file"];
    let form = "write it as `uniform 1..500`, `zipf 1..500`, `sequence 1..500`, `uuid`, `one of a, b` or `random 12`";
    let text = text.trim();
    let mut words = text.split_whitespace();
    let (kind, second, third) = (words.next().unwrap_or_default(), words.next(), words.next());
    match (kind, second) {
        ("uuid", None) => return Ok(Variable::Uuid),
        ("now", form) if third.is_none() => return now(form),
        ("file", _) => return column::read(text, files),
        ("one", Some("of")) => return one_of(text),
        ("random", Some(length)) if third.is_none() => {
            let length = length.parse().ok().filter(|length| (1..=LONGEST).contains(length));
            let wrong =
                || Wrong::new(format!("a random text has from 1 to {LONGEST} letters")).advice("as in `random 12`");
            return length.map(|length| Variable::Random { length }).ok_or_else(wrong);
        }
        ("zipf" | "uniform" | "sequence", _) => {}
        ("uuid" | "random", _) => return Err(Wrong::new(format!("`{text}` can't be drawn")).advice(form)),
        _ => {
            let wrong = Wrong::new(format!("a variable can't be drawn as `{kind}`"));
            let near = nearest(kind, KINDS).map(|near| format!("did you mean `{near}`?"));
            return Err(wrong.advice(form).maybe_advice(near));
        }
    }
    let form = "write it as `zipf 1..500`, `uniform 1..500` or `sequence 1..500`";
    let Some(range) = second else { return Err(Wrong::new(format!("`{kind}` needs a range of numbers")).advice(form)) };
    let ends = range.split_once("..").and_then(|(low, high)| Some((low.parse::<u64>().ok()?, high.parse().ok()?)));
    let Some((low, high)) = ends else {
        return Err(Wrong::new(format!("`{range}` is no range of whole numbers")).advice(form));
    };
    if low > high {
        let wrong = Wrong::new(format!("no number lies in `{range}`"));
        return Err(wrong.advice(format!("did you mean `{high}..{low}`?")));
    }
    if words.next().is_some() || (third.is_some() && kind != "zipf") {
        return Err(Wrong::new(format!("there is too much in `{text}`")).advice(form));
    }
    let exponent = match third.map(str::parse::<f64>) {
        None => 1.0,
        Some(Ok(exponent)) if (0.0..=100.0).contains(&exponent) => exponent,
        Some(_) => {
            let wrong = Wrong::new("the exponent of `zipf` is a number from 0 (uniform) to 100 (steep)");
            return Err(wrong.advice(format!("write it as `zipf {range} 1.2`")));
        }
    };
    let number = match kind {
        "zipf" => Variable::Zipf { low, high, exponent },
        "uniform" => Variable::Uniform { low, high },
        _ => Variable::Sequence { low, high },
    };
    // By how the low end is written: `0001..0500` has four digits each.
    let width = range.split_once("..").map_or(0, |(low, _)| low.len());
    let is_padded = range.starts_with('0') && width > 1;
    Ok(if is_padded { Variable::Padded { of: Box::new(number), width } } else { number })
}

fn now(form: Option<&str>) -> Result<Variable, Wrong> {
    let format = match form {
        None => TimeFormat::Rfc3339,
        Some("unix") => TimeFormat::Seconds,
        Some("ms") => TimeFormat::Milliseconds,
        Some(other) => {
            let wrong = Wrong::new(format!("no time is written as `{other}`"));
            return Err(wrong.advice("write `now` (RFC 3339), `now unix` (seconds) or `now ms`"));
        }
    };
    Ok(Variable::Now(format))
}

/// The longest random text.
const LONGEST: usize = 1000;

fn one_of(text: &str) -> Result<Variable, Wrong> {
    let list = text.trim_start_matches("one").trim_start().trim_start_matches("of");
    let texts: Vec<String> = list.split(',').map(|text| text.trim().to_owned()).collect();
    let form = "write it as `one of alice, bob, carol`";
    if texts.iter().any(String::is_empty) {
        return Err(Wrong::new("one of these texts is empty").advice(form));
    }
    if texts.iter().any(|text| text.chars().any(char::is_control)) {
        return Err(Wrong::new("no request can carry a control character in each place").advice(form));
    }
    Ok(Variable::OneOf(texts))
}

fn unused(table: &Table, requests: &[Request], findings: &Findings) {
    let used: Vec<&str> = requests.iter().flat_map(Request::texts).flat_map(|text| text.variables()).collect();
    for entry in table.entries.iter().filter(|entry| !used.contains(&entry.key.as_str())) {
        let message = format!("no request uses the variable `{}`", entry.key);
        let advice = format!("use it as `{{{}}}` in a request, or take it away", entry.key);
        let advice = if used.is_empty() { advice } else { format!("{advice}; used are {}", list(distinct(&used))) };
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
    }
}

fn distinct<'a>(names: &[&'a str]) -> std::collections::BTreeSet<&'a str> {
    names.iter().copied().collect()
}
