//! The table of what the runs of first scenarios came to, and what they found.

use crate::{scenario::Breakage, seen::Seen};
use chaos_model::Verdict;
use std::fmt;

/// Rows of links, each with the run of its scenario.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<Row>);

#[derive(Clone, Debug)]
struct Row {
    link: String,
    file: String,
    seen: Seen,
}

impl Table {
    /// Adds the run of a link's scenario.
    pub fn add(&mut self, link: &str, file: &str, seen: Seen) {
        self.0.push(Row { link: link.to_owned(), file: file.to_owned(), seen });
    }

    /// The number of findings: expectations that failed.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.0.iter().flat_map(|row| &row.seen.judged).filter(|judged| judged.verdict == Verdict::Fail).count()
    }

    /// True where each run could be made, and each expectation be judged.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        let is_judged = |seen: &Seen| seen.judged.iter().all(|judged| judged.verdict != Verdict::Inconclusive);
        let is_sure = |seen: &Seen| seen.failed.is_none() && seen.inconclusive.is_empty() && is_judged(seen);
        self.0.iter().all(|row| is_sure(&row.seen))
    }
}

impl Row {
    /// The result of a breakage, in a word.
    fn cell(&self, breakage: Breakage) -> &'static str {
        if self.seen.failed.is_some() {
            return "-";
        }
        let verdicts: Option<Vec<Verdict>> =
            breakage.expectations(&self.link).into_iter().map(|place| self.seen.verdict(place)).collect();
        match verdicts {
            None => "-",
            Some(verdicts) if verdicts.contains(&Verdict::Fail) => "FAIL",
            // Of a run that says nothing for sure, no part does.
            Some(verdicts) if verdicts.contains(&Verdict::Inconclusive) || !self.seen.inconclusive.is_empty() => {
                "unsure"
            }
            Some(_) => "ok",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.0.iter().map(|row| row.link.chars().count()).max().unwrap_or(0).max(4);
        write!(f, "  {:longest$}", "link")?;
        Breakage::ALL.iter().try_for_each(|breakage| write!(f, "  {:7}", breakage.name()))?;
        writeln!(f)?;
        for row in &self.0 {
            let cells: String = Breakage::ALL.iter().map(|breakage| format!("  {:7}", row.cell(*breakage))).collect();
            writeln!(f, "  {:longest$}{}", row.link, cells.trim_end())?;
        }
        for Row { file, seen, .. } in &self.0 {
            let failed = seen.judged.iter().filter(|judged| judged.verdict == Verdict::Fail);
            for judged in failed {
                writeln!(f, "\n  FAIL  {} ({file})", judged.that)?;
                let mut broken = judged.checks.iter().filter(|check| check.verdict == Verdict::Fail);
                broken.try_for_each(|check| writeln!(f, "        {}: {}", check.expected, check.seen))?;
            }
            let unsure = seen.judged.iter().filter(|judged| judged.verdict == Verdict::Inconclusive);
            for judged in unsure {
                writeln!(f, "\n  unsure  {} ({file})", judged.that)?;
                let mut open = judged.checks.iter().filter(|check| check.verdict == Verdict::Inconclusive);
                open.try_for_each(|check| {
                    let note = check.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
                    writeln!(f, "          {}: {}{note}", check.expected, check.seen)
                })?;
            }
            if let Some(why) = &seen.failed {
                writeln!(f, "\n  {file} could not be run: {why}")?;
            }
            for why in &seen.inconclusive {
                writeln!(f, "\n  {file} says nothing for sure: {why}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{
        Span,
        event::{Judged, JudgedCheck},
    };

    fn judged(index: usize, verdict: Verdict) -> Judged {
        let check = JudgedCheck {
            expected: "availability >= 99%".to_owned(),
            seen: "12% (10 of 80)".to_owned(),
            verdict,
            margin: None,
            note: None,
            file: String::new(),
            line: 1,
            span: Span { source: 0, range: 0..0 },
            against: <_>::default(),
        };
        let that = format!("expectation {index}");
        Judged { index, that, when: String::new(), verdict, checks: vec![check] }
    }

    #[test]
    fn each_breakage_has_a_word_and_each_finding_its_figures() {
        use Verdict::{Fail, Inconclusive, Pass};
        let verdicts = [Pass, Pass, Pass, Pass, Fail, Inconclusive, Pass, Pass, Pass];
        let judged = verdicts.into_iter().enumerate().map(|(index, verdict)| judged(index, verdict)).collect();
        let mut table = Table::default();
        table.add("shop -> stock", "chaos/shop_stock.toml", Seen { judged, ..Seen::default() });
        let broken = Seen { failed: Some("no port".to_owned()), ..Seen::default() };
        table.add("shop -> a-long-name", "chaos/shop_a-long-name.toml", broken);
        assert_eq!((table.findings(), table.is_sure()), (1, false));
        insta::assert_snapshot!(table.to_string());
    }

    #[test]
    fn only_runs_that_could_be_judged_are_sure() {
        let is_sure = |seen: Seen| {
            let mut table = Table::default();
            table.add("a -> b", "a_b.toml", seen);
            (table.is_sure(), table.to_string().contains("ok"))
        };
        let judged = || (0..9).map(|index| judged(index, Verdict::Pass)).collect();
        assert_eq!(is_sure(Seen { judged: judged(), ..Seen::default() }), (true, true));
        let why = || "the machine was busy".to_owned();
        assert_eq!(is_sure(Seen { judged: judged(), inconclusive: vec![why()], ..Seen::default() }), (false, false));
        assert_eq!(is_sure(Seen { judged: judged(), failed: Some(why()), ..Seen::default() }), (false, false));
    }
}
