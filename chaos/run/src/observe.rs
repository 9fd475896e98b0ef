//! What is seen besides the answers: scrapes of the nodes' metrics.

mod exposition;
mod scrape;

pub(crate) use exposition::{Kind, Series, parse};
pub(crate) use scrape::{Fetch, Reading, Scraper, Scrapes, Side};
