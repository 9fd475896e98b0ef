//! The arguments of `chaos explore`.

use super::{WorldName, key_value};
use clap::Args as Arguments;
use std::{path::PathBuf, time::Duration};

#[derive(Debug, Arguments)]
pub(crate) struct Explore {
    /// A scenario, whose system and requests are explored without its faults; or a system's file, with --request
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// A request that clients make of the system in a system's file, as 'GET /items/{item}'; can be repeated
    #[arg(long = "request", value_name = "LINE")]
    pub(crate) requests: Vec<String>,
    /// A variable of these requests, as 'item=uniform 1..80'; can be repeated
    #[arg(long = "var", value_name = "NAME=VALUES", value_parser = key_value)]
    pub(crate) vars: Vec<(String, String)>,
    /// Override a setting of the system or a variable, as `service.gateway.env.GATEWAY_CACHE=off`; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) sets: Vec<(String, String)>,
    /// The world that cases are run in: `sim`
    #[arg(long, value_name = "WORLD", default_value = "sim")]
    pub(crate) world: WorldName,
    /// Stop after so many cases (`500`), or so much time (`60s`, `5m`)
    #[arg(long, value_name = "CASES|TIME", default_value = "2000", value_parser = budget)]
    pub(crate) budget: ExploreBudget,
    /// Try faults on this link or service alone, as 'gateway -> redis'; can be repeated
    #[arg(long, value_name = "LINK|SERVICE")]
    pub(crate) on: Vec<String>,
    /// Try faults two by two, once each was tried alone
    #[arg(long)]
    pub(crate) pairs: bool,
    /// The seed of every draw, and of the order of pairs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Requests begun a second
    #[arg(long, value_name = "NUMBER", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rate: u32,
    /// Write a scenario for each finding to this folder: `chaos run FOLDER --world sim` finds them again
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Findings that have a scenario of their name in this folder are known: they are told, and are no reason to exit with 1
    #[arg(long, value_name = "FOLDER")]
    pub(crate) known: Option<PathBuf>,
    /// Write what came of it to this file as one JSON document (`-` is standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the matrix and the findings to this file as a page for a browser, which needs nothing else (`-` is standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// The bound of an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExploreBudget {
    /// So many cases.
    Cases(u64),
    /// So much time.
    Time(Duration),
}

fn budget(text: &str) -> Result<ExploreBudget, String> {
    let wanted = "it must be a number of cases, as `500`, or a time, as `60s` or `5m`";
    let number = |digits: &str| digits.trim().parse::<u32>().ok().filter(|number| *number > 0).ok_or(wanted.to_owned());
    if let Some(minutes) = text.trim().strip_suffix('m') {
        return Ok(ExploreBudget::Time(Duration::from_secs(u64::from(number(minutes)?) * 60)));
    }
    if let Some(seconds) = text.trim().strip_suffix('s') {
        return Ok(ExploreBudget::Time(Duration::from_secs(u64::from(number(seconds)?))));
    }
    Ok(ExploreBudget::Cases(u64::from(number(text)?)))
}
