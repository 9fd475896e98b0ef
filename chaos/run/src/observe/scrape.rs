use super::{
    page::{Page, Series},
    untold::Untold,
};
use crate::Address;
use bytes::Bytes;
use chaos_model::{
    Selector,
    check::{
        CheckId,
        reading::{Reading, ScrapeSide, Values},
    },
    event::Scraped,
};
use host::{Host, http::Client};
use http_body_util::{BodyExt as _, Empty, Limited};
use std::{collections::BTreeMap, time::Duration};

/// A scrape that takes longer says nothing about the moment it was asked for, and would hold up what is due then.
const TIMEOUT: Duration = Duration::from_millis(500);
/// A scrape's text is kept in memory: 16 MiB are some 100,000 series.
const LIMIT: usize = 16 * 1024 * 1024;

/// A GET of one address, past any proxy.
pub(crate) struct Fetch {
    pub(crate) address: Address,
    pub(crate) path: String,
}

/// Gets a page over `client`.
///
/// # Errors
/// In words: what went wrong, or a status other than 200.
async fn fetch(client: &Client<Empty<Bytes>>, what: &Fetch) -> Result<Bytes, String> {
    let uri = format!("http://{}{}", what.address, what.path);
    let request = hyper::Request::get(&uri).body(Empty::new()).map_err(|error| format!("{uri}: {error}"))?;
    let response = async {
        let response = client.request(request).await.map_err(|error| format!("{uri}: {error}"))?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("{uri} answered {}", response.status()));
        }
        let body = Limited::new(response.into_body(), LIMIT).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| format!("{uri}: {error}"))
    };
    tokio::time::timeout(TIMEOUT, response).await.unwrap_or_else(|_| Err(format!("{uri} did not answer in 500 ms")))
}

/// Readings of each selector, in the order of time.
#[derive(Debug, Default)]
pub(crate) struct Scrapes {
    /// By check, for each of its selectors.
    pub(crate) readings: BTreeMap<CheckId, Vec<Vec<Reading>>>,
    /// Every series that was ever seen, by service: for "did you mean".
    pub(crate) seen: BTreeMap<String, BTreeMap<String, ()>>,
}

/// Takes scrapes of the services that a scenario asks about.
pub(crate) struct Scraper {
    client: Client<Empty<Bytes>>,
    services: BTreeMap<String, Fetch>,
    selectors: Vec<(CheckId, String, Vec<Selector>)>,
    /// Numbers of the series that a check's selectors mean, in the order of [`Scraper::selectors`].
    numbers: Vec<Vec<Numbers>>,
    scrapes: Scrapes,
    untold: Untold,
}

/// The number that each series keeps through all scrapes, by its labels.
type Numbers = BTreeMap<BTreeMap<String, String>, usize>;

impl Scraper {
    pub(crate) fn new(
        host: &Host,
        services: BTreeMap<String, Fetch>,
        selectors: Vec<(CheckId, String, Vec<Selector>)>,
    ) -> Self {
        let empty = selectors.iter().map(|(check, _, selectors)| (*check, vec![Vec::new(); selectors.len()]));
        let scrapes = Scrapes { readings: empty.collect(), seen: BTreeMap::new() };
        let asked = selectors.iter().map(|(_, service, selectors)| (service.as_str(), selectors.as_slice()));
        let untold = Untold::new(asked);
        // As many header fields as the load reads: a page is not to be missing for what stands above it.
        let config = host::http::ClientConfig { max_fields: Some(1000), ..host::http::ClientConfig::default() };
        let client = host::http::client(host, config);
        let numbers = selectors.iter().map(|(_, _, selectors)| vec![Numbers::new(); selectors.len()]).collect();
        Self { client, services, selectors, numbers, scrapes, untold }
    }

    /// Takes one scrape of each service: due `at`, and asked for now, which is `taken`. Gives those of the second before
    /// that are to be told.
    pub(crate) async fn scrape(&mut self, at: Duration, taken: Duration, side: ScrapeSide) -> Vec<Scraped> {
        let told = self.untold.take(Some(at));
        let pages = self.services.iter().map(|(service, what)| async {
            let page = fetch(&self.client, what).await;
            (service.clone(), page.and_then(|text| Page::parse(&text)))
        });
        let mut pages: BTreeMap<String, Result<Page, String>> =
            futures_util::future::join_all(pages).await.into_iter().collect();
        for service in self.untold.services() {
            pages.entry(service.clone()).or_insert_with(|| Err(format!("{service} has no metrics")));
        }
        for (service, page) in &pages {
            let seen = self.scrapes.seen.entry(service.clone()).or_default();
            seen.extend(page.iter().flat_map(|page| &page.series).map(|series| (show(series), ())));
        }
        for ((check, service, selectors), numbers) in self.selectors.iter().zip(&mut self.numbers) {
            let of_check = self.scrapes.readings.entry(*check).or_default();
            for ((selector, readings), numbers) in selectors.iter().zip(of_check).zip(numbers) {
                let value = match pages.get(service) {
                    Some(Ok(page)) => values(page, selector, numbers),
                    Some(Err(why)) => Err(why.clone()),
                    None => Err(format!("{service} has no metrics")),
                };
                readings.push(Reading { at, taken, side, value });
            }
        }
        for (service, page) in &pages {
            self.untold.add(service, (at, taken, side), page);
        }
        told
    }

    /// All readings, and the scrapes that were not told yet.
    pub(crate) fn finish(mut self) -> (Scrapes, Vec<Scraped>) {
        (self.scrapes, self.untold.take(None))
    }
}

/// The values of a selector's series, by the numbers that they have; new ones get the next.
fn values(page: &Page, selector: &Selector, numbers: &mut Numbers) -> Result<Values, String> {
    let found = page.find(selector)?;
    let number = |series: &&Series| {
        let next = numbers.len();
        (*numbers.entry(series.labels.clone()).or_insert(next), series.value)
    };
    Ok(Values { kind: found.kind, of: found.series.iter().map(number).collect() })
}

fn show(series: &Series) -> String {
    let labels = series.labels.iter().map(|(label, value)| format!("{label}={value:?}"));
    let labels = labels.collect::<Vec<_>>().join(",");
    if labels.is_empty() { series.name.clone() } else { format!("{}{{{labels}}}", series.name) }
}
