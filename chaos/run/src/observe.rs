//! Scrapes of the services' metrics: what is seen besides the responses.

mod exposition;
mod scrape;
mod untold;

pub(crate) use exposition::{Series, parse};
pub(crate) use scrape::{Fetch, Scraper, Scrapes};
