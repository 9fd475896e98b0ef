//! Recordings: what is one can be reported in every way, and what is none is told.

use super::{Target, file};
use chaos_report::{
    Outcome, Style,
    json::{Reader, Writer},
    reports::REPORTS,
};

pub(super) const TARGET: Target = Target {
    name: "recording",
    about: "recordings of runs, and reports of them",
    seeds: || {
        let whole = std::fs::read(file("fuzz/seeds/recording.jsonl")).expect("it is there");
        // Each line by itself, behind the beginning, as well: what is changed is then more often reached.
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let one = lines.iter().skip(1).map(|line| [lines[0], line].concat()).collect::<Vec<_>>();
        std::iter::once(whole.clone()).chain(one).collect()
    },
    words: &[
        "\n",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "null",
        "true",
        "-1",
        "1e999",
        "\"\"",
        "\"event\":\"end\"",
        "\"event\":\"phase\"",
        "\"at_us\":",
        "\"format\":",
        "\\u0000",
        "\\ud800",
        "\\u202e",
        "\u{1b}[2J",
        "\u{e9}",
        "{\"event\":\"note\"}\n",
    ],
    start: || Box::new(report),
};

fn report(input: &[u8]) {
    // Those before a mistake are reported, as `chaos report` does.
    let records: Vec<_> = Reader::new(input).map_while(Result::ok).collect();
    let _ = Outcome::of(&records);
    for row in REPORTS {
        for many in [false, true] {
            let style = Style { colour: many, width: if many { 40 } else { 100 }, live: false, verbose: true };
            let (mut report, mut out) = ((row.new)(style, many), Vec::new());
            records.iter().for_each(|record| report.on(record, &mut out).expect("memory takes all"));
            report.finish(&mut out).expect("memory takes all");
        }
    }
    let mut writer = Writer::new(Vec::new());
    records.iter().for_each(|record| writer.on(record).expect("memory takes all"));
}
