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
    quantity::show_duration,
};
use host::{Host, Task, http::Client};
use http_body_util::{BodyExt as _, Empty, Limited};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// A scrape's text is kept in memory: 16 MiB are some 100,000 series.
const LIMIT: usize = 16 * 1024 * 1024;

/// A GET of one address, past any proxy.
#[derive(Clone)]
pub(crate) struct Fetch {
    pub(crate) address: Address,
    pub(crate) path: String,
    /// The machine that gets it over TLS; none where it is plain.
    pub(crate) secured: Option<Host>,
}

/// Gets a page over `client`.
///
/// # Errors
/// In words: what went wrong, or a status other than 200.
async fn fetch(client: &Client<Empty<Bytes>>, what: &Fetch, patience: Duration) -> Result<Bytes, String> {
    // The client knows of no TLS: the machine that it dials from does.
    let uri = format!("http://{}{}", what.address, what.path);
    let request = || hyper::Request::get(&uri).body(Empty::new()).map_err(|error| format!("{uri}: {error}"));
    let response = async {
        // The connection of the last scrape idles for about as long as many servers let one: it may be closed as the request
        // goes out (RFC 9110, 9.2.2: what is safe may be tried again). Who refuses connections is asked once.
        let response = match client.request(request()?).await {
            Err(error) if !error.is_connect() => client.request(request()?).await,
            first => first,
        };
        let response = response.map_err(|error| format!("{uri}: {error}{}", cause(&error, error.is_connect())))?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("{uri} answered {}", response.status()));
        }
        let body = Limited::new(response.into_body(), LIMIT).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| format!("{uri}: {error}"))
    };
    let late = |_| Err(format!("{uri} did not respond in {}", show_duration(patience)));
    tokio::time::timeout(patience, response).await.unwrap_or_else(late)
}

/// The words behind an error for what kept a client from connecting, where it says that.
fn cause(error: &dyn std::error::Error, is_of_connecting: bool) -> String {
    let cause = error.source().filter(|_| is_of_connecting);
    cause.map(|cause| format!(": {cause}")).unwrap_or_default()
}

/// Readings of each selector, in the order of time.
#[derive(Debug, Default)]
pub(crate) struct Scrapes {
    /// By check, for each of its selectors.
    pub(crate) readings: BTreeMap<CheckId, Vec<Vec<Reading>>>,
    /// Every series that was ever seen, by service: for "did you mean".
    pub(crate) seen: BTreeMap<String, BTreeMap<String, ()>>,
}

/// Pages of services, or why there is none, with the time that they took.
type Pages = BTreeMap<String, (Duration, Result<Page, String>)>;

/// A scrape that was asked for, and whose pages were not read yet.
struct Asked {
    at: Duration,
    taken: Duration,
    side: ScrapeSide,
    /// None where there was nobody to ask.
    pages: Option<Task<Pages>>,
    /// The pages, where somebody has waited for them before it was their turn.
    arrived: Option<Result<Pages, String>>,
}

/// Takes scrapes of the services that a scenario asks about. Nobody has to wait for one: they are read in the order in which
/// they were asked for.
pub(crate) struct Scraper {
    host: Host,
    client: Client<Empty<Bytes>>,
    /// Clients of services that are asked over TLS.
    secured: BTreeMap<String, Client<Empty<Bytes>>>,
    services: BTreeMap<String, Fetch>,
    selectors: Vec<(CheckId, String, Vec<Selector>)>,
    /// Numbers of the series that a check's selectors mean, in the order of [`Scraper::selectors`].
    numbers: Vec<Vec<Numbers>>,
    asked: VecDeque<Asked>,
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
        let secured =
            |(name, what): (&String, &Fetch)| Some((name.clone(), host::http::client(what.secured.as_ref()?, config)));
        let secured = services.iter().filter_map(secured).collect();
        let numbers = selectors.iter().map(|(_, _, selectors)| vec![Numbers::new(); selectors.len()]).collect();
        let asked = VecDeque::new();
        Self { host: host.clone(), client, secured, services, selectors, numbers, asked, scrapes, untold }
    }

    /// Asks each service for its metrics, at the moment `taken`, for the scrape that is due `at`. What does not come within
    /// `patience` is missing. `deaf` has those that are not asked, with why.
    pub(crate) fn ask(
        &mut self,
        (at, taken, side): (Duration, Duration, ScrapeSide),
        patience: Duration,
        deaf: &BTreeMap<String, String>,
    ) {
        let fetches = self.services.iter().map(|(service, what)| {
            let client = self.secured.get(service).unwrap_or(&self.client).clone();
            let (service, what) = (service.clone(), what.clone());
            let why = deaf.get(&service).cloned();
            async move {
                let asked = Instant::now();
                let page = match why {
                    Some(why) => Err(why),
                    None => fetch(&client, &what, patience).await,
                };
                (service, (asked.elapsed(), page.and_then(|text| Page::parse(&text))))
            }
        });
        let fetches = futures_util::future::join_all(fetches);
        // A task takes its turn among others, and where nobody is asked nobody has to wait for it.
        let pages =
            (!self.services.is_empty()).then(|| self.host.spawn(async move { fetches.await.into_iter().collect() }));
        self.asked.push_back(Asked { at, taken, side, pages, arrived: None });
    }

    /// Waits until the pages of the last scrape that was asked for are there. Safe to drop.
    pub(crate) async fn last_arrived(&mut self) {
        if let Some(asked) = self.asked.back_mut() {
            asked.wait().await;
        }
    }

    /// Waits for the next scrape that was asked for, and reads it; for ever where there is none. Gives those of the second
    /// before that are to be told. Safe to drop.
    pub(crate) async fn next(&mut self) -> Vec<Scraped> {
        match self.asked.front_mut() {
            Some(asked) => asked.wait().await,
            None => std::future::pending().await,
        }
        match self.asked.pop_front() {
            Some(Asked { at, taken, side, arrived: Some(Ok(pages)), .. }) => self.read((at, taken, side), pages),
            Some(Asked { at, taken, side, arrived, .. }) => {
                let why = arrived.and_then(Result::err).unwrap_or_default();
                let pages = self.services.keys().map(|service| (service.clone(), (Duration::ZERO, Err(why.clone()))));
                let pages = pages.collect();
                self.read((at, taken, side), pages)
            }
            None => Vec::new(),
        }
    }

    /// Reads all scrapes that were asked for. Gives those that are to be told.
    pub(crate) async fn rest(&mut self) -> Vec<Scraped> {
        let mut told = Vec::new();
        while !self.asked.is_empty() {
            told.append(&mut self.next().await);
        }
        told
    }

    fn read(&mut self, (at, taken, side): (Duration, Duration, ScrapeSide), mut pages: Pages) -> Vec<Scraped> {
        let told = self.untold.take(Some(at));
        for service in self.untold.services() {
            let none = || (Duration::ZERO, Err(format!("{service} has no metrics")));
            pages.entry(service.clone()).or_insert_with(none);
        }
        for (service, (_, page)) in &pages {
            let seen = self.scrapes.seen.entry(service.clone()).or_default();
            seen.extend(page.iter().flat_map(|page| &page.series).map(|series| (show(series), ())));
        }
        for ((check, service, selectors), numbers) in self.selectors.iter().zip(&mut self.numbers) {
            let of_check = self.scrapes.readings.entry(*check).or_default();
            for ((selector, readings), numbers) in selectors.iter().zip(of_check).zip(numbers) {
                let (took, value) = match pages.get(service) {
                    Some((took, Ok(page))) => (*took, values(page, selector, numbers)),
                    Some((took, Err(why))) => (*took, Err(why.clone())),
                    None => (Duration::ZERO, Err(format!("{service} has no metrics"))),
                };
                readings.push(Reading { at, taken, answered: taken + took, side, value });
            }
        }
        for (service, (_, page)) in &pages {
            self.untold.add(service, (at, taken, side), page);
        }
        told
    }

    /// All readings so far.
    pub(crate) fn so_far(&self) -> &Scrapes {
        &self.scrapes
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

impl Asked {
    /// Waits until its pages are there. Safe to drop.
    async fn wait(&mut self) {
        if self.arrived.is_none() {
            let pages = match &mut self.pages {
                Some(pages) => pages.await.map_err(|_| "the scrape was given up".to_owned()),
                None => Ok(Pages::new()),
            };
            self.arrived = Some(pages);
        }
    }
}

fn show(series: &Series) -> String {
    let labels = series.labels.iter().map(|(label, value)| format!("{label}={value:?}"));
    let labels = labels.collect::<Vec<_>>().join(",");
    if labels.is_empty() { series.name.clone() } else { format!("{}{{{labels}}}", series.name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::memory::MemoryNetwork;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Serves one page on each connection, and closes it when the next request comes.
    async fn closes_what_idled(mut listener: host::Listener) {
        loop {
            let mut connection = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(connection.read(&mut request).await.unwrap() > 0);
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nup 1").await.unwrap();
            assert!(connection.read(&mut request).await.unwrap() > 0, "the connection is used again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_closes_as_the_request_goes_out_costs_no_reading() {
        let network = MemoryNetwork::new(1);
        let web = network.host("web");
        let _server = web.spawn(closes_what_idled(web.listen(80).unwrap()));
        let client = host::http::client(&network.host("client"), host::http::ClientConfig::default());
        let what =
            Fetch { address: Address { host: "web".to_owned(), port: 80 }, path: "/metrics".to_owned(), secured: None };
        for _ in 0..3 {
            assert_eq!(fetch(&client, &what, Duration::from_secs(1)).await.unwrap(), "up 1");
        }
    }
}
