//! `auth`: what the load's requests say who they are. Secrets come from the environment or a file, or are variables.

use super::{
    braces,
    document::Entry,
    findings::{Findings, Wrong},
    outside::Outside,
    reader::{Reader, Word, parse_word, text_of},
    request::field_name,
};
use crate::{
    Diagnostic, Span, Text,
    load::{Secrets, TextPiece},
};
use std::{cell::RefCell, collections::BTreeMap};

/// The authentication of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auth {
    /// Header fields.
    pub(crate) headers: BTreeMap<String, Text>,
    /// User and password, with a colon between them.
    pub(crate) basic: Option<Text>,
}

/// Reads `auth`, and gathers secrets that it names.
pub(crate) struct AuthReader<'a> {
    outside: &'a Outside<'a>,
    secrets: RefCell<Secrets>,
}

impl<'a> AuthReader<'a> {
    pub(crate) fn new(outside: &'a Outside<'a>) -> Self {
        Self { outside, secrets: RefCell::default() }
    }

    /// The secrets that were named.
    pub(crate) fn secrets(&self) -> Secrets {
        self.secrets.borrow().clone()
    }

    /// Reads the authentication of a table, if it has one.
    pub(crate) fn read(&self, reader: &mut Reader<'_>, vars: &[&str], findings: &Findings) -> Auth {
        let Some(table) = reader.table("auth") else { return Auth::default() };
        let mut auth = Auth::default();
        let mut reader = Reader::new(table, "`auth`", findings);
        let (bearer, basic) = (reader.entry("bearer"), reader.entry("basic"));
        if let Some(entry) = bearer
            && let Some(text) = self.text(entry, vars, findings)
        {
            let scheme = TextPiece::Plain("Bearer ".to_owned());
            let pieces = std::iter::once(scheme).chain(text.pieces).collect();
            auth.headers.insert("authorization".to_owned(), Text { pieces });
        }
        if let (Some(_), Some(basic)) = (bearer, basic) {
            let twice = Diagnostic::new(basic.key_span.clone(), "a request says once who makes it, and here are two");
            findings.add(twice.advice("take `bearer` or `basic` away"));
        } else if let Some(entry) = basic {
            auth.basic = self.text(entry, vars, findings);
            if auth
                .basic
                .as_ref()
                .is_some_and(|text| !text.to_string().replace("{env:", "").replace("{file:", "").contains(':'))
            {
                let message = "a user and a password have a colon between them";
                let advice = "as in `basic = \"shop:{env:SHOP_PASSWORD}\"`";
                findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
            }
        }
        for entry in reader.table("header").iter().flat_map(|table| &table.entries) {
            match (field_name(&entry.key), self.text(entry, vars, findings)) {
                (Ok(name), Some(text)) => drop(auth.headers.insert(name, text)),
                (Err(wrong), _) => findings.add(wrong.diagnostic(entry.key_span.clone())),
                (Ok(_), None) => {}
            }
        }
        reader.finish();
        auth
    }

    /// A text with secrets: not all of it may stand in the file.
    fn text(&self, entry: &Entry, vars: &[&str], findings: &Findings) -> Option<Text> {
        let word = text_of(entry, findings)?;
        let references = references(word.text);
        let known: Vec<&str> = vars.iter().copied().chain(references.iter().copied()).collect();
        let text = parse_word(word, |text| braces::text(text, &known), findings)?;
        if text.variables().next().is_none() {
            let wrong = Wrong::new("a secret stands in no file of a scenario");
            let advice = "name the environment variable or the file that has it: `{env:API_TOKEN}`, `{file:token.txt}`";
            findings.add(word.refuse(wrong.advice(advice)));
            return None;
        }
        references.iter().for_each(|name| self.resolve(name, word, findings));
        Some(text)
    }

    fn resolve(&self, name: &str, word: Word<'_>, findings: &Findings) {
        let value = match name.split_once(':') {
            Some(("file", file)) => match self.outside.files.get(file) {
                Ok(text) => Some(text.trim_end().to_owned()),
                Err(why) => {
                    let wrong = Wrong::new(why).advice("the path is taken from the scenario's folder");
                    findings.add(word.refuse(wrong));
                    return;
                }
            },
            Some((_, variable)) => (self.outside.variable)(variable),
            None => None,
        };
        let span: Span = word.span.clone();
        let mut secrets = self.secrets.borrow_mut();
        match value {
            Some(value) => secrets.put(name, value),
            // Who only checks a scenario need not have its secrets.
            None => secrets.miss(name, span),
        }
    }
}

/// The names in braces that are none of variables: `env:NAME`, `file:PATH`.
fn references(text: &str) -> Vec<&str> {
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let is_reference = |name: &&str| {
        name.split_once(':').is_some_and(|(kind, name)| ["env", "file"].contains(&kind) && !name.is_empty())
    };
    names.filter(is_reference).collect()
}
