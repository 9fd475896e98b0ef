//! Scrapes that were taken and not told yet: those of about a second make one event.

use super::page::Page;
use chaos_model::{
    Selector,
    check::reading::{ScrapeSide, SeriesKind},
    event::{Sample, Scrape, Scraped, ScrapedSeries},
};
use std::{collections::BTreeMap, time::Duration};

/// The time of the timeline that one event tells of.
const BATCH: Duration = Duration::from_secs(1);

/// Faults of a page that are told.
const FAULTS: usize = 3;

/// Scrapes that were not told yet.
#[derive(Default)]
pub(super) struct Untold {
    /// By service.
    services: BTreeMap<String, OfService>,
}

#[derive(Default)]
struct OfService {
    /// The selectors that are asked for, each once.
    selectors: Vec<Selector>,
    kinds: Vec<Option<SeriesKind>>,
    scrapes: Vec<Scrape>,
    /// Values of the last scrape that did not fail, of those that are to be told together.
    last: Vec<Option<Sample>>,
    /// Faults of the last page.
    faults: Vec<String>,
}

impl Untold {
    /// Nothing yet, of the services that are asked for these.
    pub(super) fn new<'s>(asked: impl IntoIterator<Item = (&'s str, &'s [Selector])>) -> Self {
        let mut untold = Self::default();
        for (service, selectors) in asked {
            let of_service = untold.services.entry(service.to_owned()).or_default();
            for selector in selectors {
                if !of_service.selectors.contains(selector) {
                    of_service.selectors.push(selector.clone());
                    of_service.kinds.push(None);
                }
            }
        }
        untold
    }

    /// The services that are asked.
    pub(super) fn services(&self) -> impl Iterator<Item = &String> {
        self.services.keys()
    }

    /// Adds one scrape of a service.
    pub(super) fn add(
        &mut self,
        service: &str,
        (at, taken, side): (Duration, Duration, ScrapeSide),
        page: &Result<Page, String>,
    ) {
        let Some(OfService { selectors, kinds, scrapes, last, faults }) = self.services.get_mut(service) else {
            return;
        };
        let (mut values, mut failed, mut new_faults) = (Vec::new(), None, Vec::new());
        match page {
            Ok(page) => {
                for (selector, kind) in selectors.iter().zip(kinds) {
                    // What can't be read has no value, and is among the faults.
                    let found = page.find(selector).ok();
                    *kind = found.as_ref().and_then(|found| found.kind).or(*kind);
                    let series = found.map(|found| found.series).filter(|series| !series.is_empty());
                    values.push(series.map(|series| Sample(series.iter().map(|series| series.value).sum())));
                }
                new_faults = page.faults().take(FAULTS).map(str::to_owned).collect();
                if *faults == new_faults {
                    new_faults.clear();
                } else {
                    faults.clone_from(&new_faults);
                }
            }
            Err(why) => failed = Some(why.clone()),
        }
        // Before and after what changes at an edge they mostly are.
        if failed.is_none() && *last == values {
            values.clear();
        } else if failed.is_none() {
            last.clone_from(&values);
        }
        scrapes.push(Scrape {
            at,
            taken: Some(taken).filter(|taken| *taken > at),
            side,
            values,
            failed,
            faults: new_faults,
        });
    }

    /// Takes what is to be told before a scrape that is due at this moment; all, at none.
    pub(super) fn take(&mut self, before: Option<Duration>) -> Vec<Scraped> {
        let is_due = |scrapes: &[Scrape]| {
            let first = scrapes.first();
            first.is_some_and(|first| before.is_none_or(|moment| first.at + BATCH <= moment))
        };
        let due = self.services.iter_mut().filter(|(_, of_service)| is_due(&of_service.scrapes));
        let scraped = due.map(|(service, of_service)| {
            let OfService { selectors, kinds, scrapes, last, .. } = of_service;
            last.clear();
            let series = selectors.iter().zip(kinds);
            let series = series.map(|(selector, kind)| ScrapedSeries { selector: selector.to_string(), kind: *kind });
            Scraped { service: service.clone(), series: series.collect(), scrapes: std::mem::take(scrapes) }
        });
        scraped.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(u64) -> Duration = Duration::from_millis;

    fn selector(name: &str) -> Selector {
        Selector { name: name.to_owned(), labels: Vec::new() }
    }

    #[test]
    fn scrapes_of_a_second_are_told_together_with_what_was_asked_for_and_what_failed() {
        let (up, down) = (selector("up"), selector("down"));
        let asked = [("web", &[up.clone()][..]), ("web", &[down, up.clone()][..]), ("cache", &[up][..])];
        let mut untold = Untold::new(asked);
        let page = Page::parse(b"up 1\nother 7\n");
        let mut scrape = |at, taken, page: &_| {
            let told = untold.take(Some(AT(at)));
            untold.add("web", (AT(at), AT(taken), ScrapeSide::Both), page);
            told
        };
        assert_eq!(scrape(0, 0, &page), []);
        assert_eq!(scrape(900, 905, &Err("refused".to_owned())), []);
        assert_eq!(scrape(950, 950, &page), []);
        let told = scrape(1000, 1000, &page);
        let [Scraped { service, series, scrapes }] = told.as_slice() else { panic!("{told:?}") };
        let selectors: Vec<&str> = series.iter().map(|series| series.selector.as_str()).collect();
        assert_eq!((service.as_str(), selectors), ("web", vec!["up", "down"]), "each once");
        assert!(series[0].kind.is_some() && series[1].kind.is_none());
        assert_eq!(scrapes[0].values, [Some(Sample(1.0)), None]);
        assert_eq!((scrapes[0].taken, scrapes[1].taken), (None, Some(AT(905))));
        assert_eq!((scrapes[1].values.as_slice(), scrapes[1].failed.as_deref()), (&[][..], Some("refused")));
        assert_eq!((scrapes[2].values.as_slice(), &scrapes[2].failed), (&[][..], &None), "as before");
        let rest = untold.take(None);
        assert_eq!((rest.len(), rest[0].scrapes.len()), (1, 1), "and nothing of what was never scraped");
        assert_eq!(rest[0].scrapes[0].values.len(), 2, "what stood in another event is told again");
        assert_eq!(untold.take(None), []);
    }
}
