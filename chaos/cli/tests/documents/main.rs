//! Documents are held to the tree: links lead somewhere, and pages say what the code says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cookbook;
mod examples;
mod glossary;
mod links;
mod page;
mod paths;
mod readme;
mod reference;
mod summary;
