//! Expectations that failed, as diagnostics: the renderer that shows mistakes in a file shows these too.

use crate::text::clean;
use chaos_model::{
    Diagnostic, Diagnostics, Source, Sources, Verdict,
    event::{Judged, JudgedCheck},
};

/// One diagnostic for each comparison that failed, in the order of the file. `None` where none did.
#[must_use]
pub fn diagnostics(judged: &[Judged], sources: &Sources) -> Option<Diagnostics> {
    let failed = judged.iter().flat_map(|judged| judged.checks.iter().map(move |check| (judged, check)));
    let failed = failed.filter(|(_, check)| check.verdict == Verdict::Fail);
    let mut list: Vec<_> = failed.map(|(judged, check)| diagnostic(judged, check)).collect();
    // By place, as a compiler does, and not by expectation: whoever mends a file reads it from above.
    list.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.range.start));
    // Of texts, the renderer shows what can't be seen; of their names it doesn't.
    let named = |source: &Source| Source { name: clean(&source.name), text: source.text.clone() };
    (!list.is_empty()).then(|| Diagnostics { list, sources: Sources(sources.0.iter().map(named).collect()) })
}

fn diagnostic(judged: &Judged, check: &JudgedCheck) -> Diagnostic {
    // What was expected stands above the caret anyhow. The label is not wrapped, so a note goes with the message.
    let note = check.note.as_ref().map_or_else(String::new, |note| format!(": {}", clean(note)));
    let message = format!("\"{}\" did not hold ({}){note}", clean(&judged.that), clean(&judged.when));
    Diagnostic::new(check.span.clone(), message).label(format!("seen: {}", clean(&check.seen)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Span, event::Shown};

    fn check(at: usize, verdict: Verdict, note: Option<&str>) -> JudgedCheck {
        JudgedCheck {
            expected: "latency.p99 < 50ms".to_owned(),
            seen: "251ms".to_owned(),
            verdict,
            margin: None,
            note: note.map(str::to_owned),
            file: "a.toml".to_owned(),
            line: 1,
            span: Span { source: 0, range: at..at + 1 },
            against: Shown::default(),
        }
    }

    fn judged(checks: Vec<JudgedCheck>) -> Judged {
        let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
        Judged { index: 0, that: "fast".to_owned(), when: "outage".to_owned(), verdict, checks }
    }

    #[test]
    fn those_that_failed_alone_in_the_order_of_the_file() {
        let all = [
            judged(vec![check(30, Verdict::Fail, Some("request 812")), check(20, Verdict::Pass, None)]),
            judged(vec![check(10, Verdict::Fail, None), check(0, Verdict::Inconclusive, Some("too few"))]),
        ];
        let found = diagnostics(&all, &Sources::default()).unwrap().list;
        assert_eq!(found.iter().map(|d| d.span.range.start).collect::<Vec<_>>(), [10, 30]);
        assert_eq!(found[1].message, "\"fast\" did not hold (outage): request 812");
        assert_eq!(found[1].label.as_deref(), Some("seen: 251ms"));
    }

    #[test]
    fn nothing_where_nothing_failed() {
        assert!(diagnostics(&[judged(vec![check(0, Verdict::Pass, None)])], &Sources::default()).is_none());
    }
}
