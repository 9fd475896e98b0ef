//! Scrapes of the services' metrics: what is seen besides the responses.

mod page;
mod scrape;
mod untold;

pub use page::series_on;
pub(crate) use scrape::{Fetch, Scraper, Scrapes};
