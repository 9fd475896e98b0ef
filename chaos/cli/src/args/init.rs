//! The arguments of `chaos init`.

use super::key_value;
use clap::{Args as Arguments, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Arguments)]
pub(crate) struct Init {
    /// A Compose file, a Procfile, or the `host:port` of what runs already; and an OpenAPI document, for the load
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    /// The kind of SOURCE, where its name doesn't say it
    #[arg(long, value_name = "KIND")]
    pub(crate) from: Option<SourceKind>,
    /// A service and what starts it, as 'shop=PORT=8000 python3 shop.py'; can be repeated
    #[arg(long = "command", value_name = "NAME=COMMAND")]
    pub(crate) commands: Vec<String>,
    /// The service that clients use; the one that no other uses, unless it is said
    #[arg(long, value_name = "NAME")]
    pub(crate) entry: Option<String>,
    /// A request that clients make, as 'GET /items/{item}'; can be repeated. Else those of the OpenAPI document that is named, or
    /// that the entry has
    #[arg(long = "request", value_name = "LINE")]
    pub(crate) requests: Vec<String>,
    /// A variable of these requests, as 'item=uniform 1..80'; can be repeated
    #[arg(long = "var", value_name = "NAME=VALUES", value_parser = key_value)]
    pub(crate) vars: Vec<(String, String)>,
    /// Requests begun a second
    #[arg(long, value_name = "NUMBER", default_value_t = 40, value_parser = clap::value_parser!(u32).range(20..=1000))]
    pub(crate) rate: u32,
    /// The folder that the files are written to
    #[arg(long, value_name = "FOLDER", default_value = "chaos")]
    pub(crate) out: PathBuf,
    /// Use addresses that are neither this machine's nor of a private network
    #[arg(long)]
    pub(crate) allow_remote_targets: bool,
    /// For Compose files: where the names of images are, as for `chaos run`
    #[cfg(feature = "docker")]
    #[arg(long, value_name = "FILE")]
    pub(crate) images: Option<PathBuf>,
}

/// Kinds of sources that a system is learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceKind {
    /// A Compose file
    Compose,
    /// A Procfile: lines `name: command`
    Commands,
    /// The `host:port` of what runs already
    Address,
    /// An OpenAPI document, for the load
    Openapi,
}
