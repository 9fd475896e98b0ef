//! Scrapes that are put together: of those of several seconds the last is kept, and what was wrong with any.

use chaos_model::event::{Scrape, Scraped};

/// Scrapes with faults of their page that are kept: the first of them are told to people.
const FAULTY: usize = 3;

/// Puts later scrapes of the same service to these.
pub(super) fn put_together(scraped: &mut Scraped, later: &Scraped) {
    // The kind of a series is known once anything matched.
    scraped.series.clone_from(&later.series);
    let later = with_values(&later.scrapes);
    let all = with_values(&scraped.scrapes).into_iter().chain(later);
    scraped.scrapes = kept(all.collect());
}

/// The same scrapes, the values in each: those that are as before are left out in an event.
fn with_values(scrapes: &[Scrape]) -> Vec<Scrape> {
    let mut last = Vec::new();
    let whole = scrapes.iter().map(|scrape| {
        let mut scrape = scrape.clone();
        if scrape.values.is_empty() && scrape.failed.is_none() {
            scrape.values.clone_from(&last);
        } else if scrape.failed.is_none() {
            last.clone_from(&scrape.values);
        }
        scrape
    });
    whole.collect()
}

fn kept(scrapes: Vec<Scrape>) -> Vec<Scrape> {
    let last = scrapes.iter().rposition(|scrape| scrape.failed.is_none());
    let failed = scrapes.iter().position(|scrape| scrape.failed.is_some());
    let mut faulty = 0;
    let mut is_kept = |at: usize, scrape: &Scrape| {
        let tells = !scrape.faults.is_empty() && faulty < FAULTY;
        faulty += usize::from(tells);
        tells || [last, failed].contains(&Some(at))
    };
    scrapes.into_iter().enumerate().filter(|(at, scrape)| is_kept(*at, scrape)).map(|(_, scrape)| scrape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{check::reading::ScrapeSide, event::Sample};
    use std::time::Duration;

    fn scrape(at: u64, value: Option<f64>) -> Scrape {
        Scrape {
            at: Duration::from_secs(at),
            taken: None,
            side: ScrapeSide::Both,
            values: value.map(|value| Some(Sample(value))).into_iter().collect(),
            failed: None,
            faults: Vec::new(),
        }
    }

    #[test]
    fn the_last_values_are_kept_and_what_was_wrong() {
        let of = |scrapes| Scraped { service: "web".to_owned(), series: Vec::new(), scrapes };
        let failed = Scrape { failed: Some("refused".to_owned()), ..scrape(3, None) };
        let faulty = |at| Scrape { faults: vec!["line 1".to_owned()], ..scrape(at, Some(2.0)) };
        let mut scraped = of(vec![scrape(0, Some(1.0)), faulty(1)]);
        put_together(&mut scraped, &of(vec![scrape(2, Some(7.0)), failed.clone(), scrape(4, None), failed.clone()]));
        assert_eq!(scraped.scrapes, [faulty(1), failed.clone(), scrape(4, Some(7.0))], "as before is 7");
        (5..9).for_each(|at| put_together(&mut scraped, &of(vec![faulty(at), scrape(at, Some(3.0))])));
        let kept = [faulty(1), failed, faulty(5), faulty(6), scrape(8, Some(3.0))];
        assert_eq!(scraped.scrapes, kept, "as many, however many there were");
    }
}
