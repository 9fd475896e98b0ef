//! `of`: the requests of the load that an expectation judges.

use super::{
    findings::{Findings, Wrong},
    load::LoadRead,
    nearest::advise,
    reader::{Reader, parse_word},
};
use crate::{Request, SomeRequests};
use std::collections::BTreeSet;

/// Reads which requests are judged. Nothing where all are, or where it is wrong.
pub(crate) fn read(reader: &mut Reader<'_>, load: &LoadRead, findings: &Findings) -> Option<SomeRequests> {
    let word = reader.text("of")?;
    // Where the load is wrong, nobody knows what its requests are called.
    let requests = &load.load.as_ref()?.requests;
    parse_word(word, |text| those(text.trim(), requests), findings)
}

fn those(said: &str, requests: &[Request]) -> Result<SomeRequests, Wrong> {
    let meant = |request: &Request| {
        let journey = request.step.journey.as_deref();
        request.name == said || request.line() == said || journey == Some(said)
    };
    let places: Vec<usize> = (0..requests.len()).filter(|place| meant(&requests[*place])).collect();
    if !places.is_empty() {
        return Ok(SomeRequests { said: said.to_owned(), places });
    }
    let names = requests
        .iter()
        .flat_map(|request| [request.name.clone(), request.line()].into_iter().chain(request.step.journey.clone()));
    let names: BTreeSet<String> = names.collect();
    let advice = advise(said, names.iter().map(String::as_str), "its requests are");
    Err(Wrong::new(format!("the load has no request `{said}`")).advice(advice))
}
