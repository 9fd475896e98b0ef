//! Recorded texts with their secrets again: a run is made once more from what its recording holds, and that holds no secrets.

use super::sources::{covered, secrets};
use crate::Source;
use std::ops::Range;

/// A recorded text with the secrets in it again. `masked` are the places of secrets that its recording names
/// ([`Plan::masked`](crate::Plan::masked)), `now` is the text of the same file as it is now, if there is one, and `variable` gives
/// variables of the environment: `service.S.env.NAME` may come from `NAME`.
///
/// A file that says the same gives all of them. Of one that was changed, secrets are taken that stand behind the same words.
///
/// # Errors
/// Names of the secrets that are nowhere, each with its place.
pub fn restored(
    recorded: &Source,
    masked: &[String],
    now: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Vec<String>> {
    let mut places: Vec<&String> = masked.iter().filter(|place| place_in(place, &recorded.name).is_some()).collect();
    if places.is_empty() {
        return Ok(recorded.text.to_string());
    }
    let now = now.map(|text| Source { name: recorded.name.clone(), text: text.into() });
    if let Some(now) = now.as_ref().filter(|now| covered(now, 0).0 == *recorded.text) {
        return Ok(now.text.to_string());
    }
    let holes = holes(recorded);
    let values = now.as_ref().map(values).unwrap_or_default();
    let (mut text, mut missing) = (recorded.text.to_string(), Vec::new());
    // From the end on, so that what is not filled in yet keeps its place.
    for hole in holes.iter().rev().filter(|hole| masked.contains(&hole.place)) {
        places.retain(|place| **place != hole.place);
        let alike: Vec<&Hole> = holes.iter().filter(|other| other.is_like(hole)).collect();
        let known: Vec<&String> =
            values.iter().filter(|(other, _)| other.is_like(hole)).map(|(_, value)| value).collect();
        let nth = alike.iter().position(|other| other.range == hole.range).unwrap_or_default();
        // Where there are not as many of them, who knows which is which?
        let in_file = known.get(nth).filter(|_| known.len() == alike.len()).map(|value| (*value).clone());
        match in_file.or_else(|| of_environment(&hole.name).and_then(variable).filter(|value| is_plain(value))) {
            Some(value) => text.replace_range(hole.range.clone(), &value),
            // What is commented out is no part of the scenario.
            None if hole.is_comment => {}
            None => missing.push(hole.place.clone()),
        }
    }
    missing.reverse();
    // Parts of texts (a query, a body) are not told from their masks: only the same file has them.
    missing.extend(places.into_iter().filter(|place| !is_comment(recorded, place)).cloned());
    if missing.is_empty() { Ok(text) } else { Err(missing) }
}

/// Names of the secrets in a text, masked or not.
#[must_use]
pub fn secret_names(text: &str) -> Vec<String> {
    secrets(text, 0).into_iter().map(|(_, name)| name).collect()
}

/// A masked secret in a text.
#[derive(Debug)]
struct Hole {
    name: String,
    /// The place as a recording names it.
    place: String,
    range: Range<usize>,
    /// The words of its lines before it and behind it.
    around: (String, String),
    is_comment: bool,
}

impl Hole {
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.around == other.around
    }
}

/// Secrets of a text in which they are masked, in the order of their places.
fn holes(source: &Source) -> Vec<Hole> {
    let text = &*source.text;
    let mut found: Vec<Hole> = secrets(text, 0)
        .into_iter()
        .map(|(range, name)| {
            let start = text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
            let end = text[range.end..].find('\n').map_or(text.len(), |newline| range.end + newline);
            let line = text[..range.start].matches('\n').count() + 1;
            let (before, after) = (text[start..range.start].trim_start(), text[range.end..end].trim_end());
            Hole {
                place: format!("{}:{line}: {name}", source.name),
                is_comment: before.starts_with('#'),
                around: (before.to_owned(), after.to_owned()),
                name,
                range,
            }
        })
        .collect();
    found.sort_by_key(|hole| hole.range.start);
    found
}

/// Secrets of a text in which they are not, each with its value. The words around one are without the other secrets.
fn values(source: &Source) -> Vec<(Hole, String)> {
    let (shown, _) = covered(source, 0);
    let shown = Source { name: source.name.clone(), text: shown.into() };
    // Masks keep their length, so that the places are the same.
    let value = |hole: Hole| {
        let value = source.text[hole.range.clone()].to_owned();
        (hole, value)
    };
    holes(&shown).into_iter().map(value).collect()
}

/// The line of a place in the text of this name, and the secret's name.
fn place_in<'p>(place: &'p str, source: &str) -> Option<(usize, &'p str)> {
    let (line, name) = place.strip_prefix(source)?.strip_prefix(':')?.split_once(": ")?;
    Some((line.parse().ok()?, name))
}

fn is_comment(source: &Source, place: &str) -> bool {
    let line = place_in(place, &source.name).and_then(|(line, _)| source.text.lines().nth(line.checked_sub(1)?));
    line.is_some_and(|line| line.trim_start().starts_with('#'))
}

/// The variable of the environment that is the same as a service's.
fn of_environment(name: &str) -> Option<&str> {
    // As `[set]` of a scenario, and of a guard, have it too.
    let name = name.strip_prefix("guard.").unwrap_or(name);
    let name = name.strip_prefix("set.").unwrap_or(name);
    let (service, variable) = name.strip_prefix("service.")?.split_once(".env.")?;
    (!service.contains('.') && !variable.contains('.')).then_some(variable)
}

/// True for a value that stands in any quotes as it is.
fn is_plain(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() || matches!(c, '"' | '\'' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sources, secret::masked_sources};

    const TEXT: &str = r#"[service.a]
# env.OLD_KEY = "past"
env.AUTH_KEY = "sesame"
command      = ["serve", "--password", "hunter2"]
env.URL      = "redis://:pw@cache/0"

[[load.request]]
request = "GET /?token=abc"
"#;

    fn source(text: &str) -> Source {
        Source { name: "a.toml".to_owned(), text: text.into() }
    }

    /// [`TEXT`] as a recording has it, with this in the file now.
    fn with(now: Option<&str>, variable: Option<&str>) -> Result<String, Vec<String>> {
        let (recorded, masked) = masked_sources(&Sources(vec![source(TEXT)]));
        let variable = |name: &str| variable.filter(|_| name == "AUTH_KEY").map(str::to_owned);
        restored(&recorded.0[0], &masked, now, &variable)
    }

    #[test]
    fn a_file_that_says_the_same_gives_its_secrets_again() {
        assert_eq!(with(Some(TEXT), None).unwrap(), TEXT);
        // Another one of the same length is as good.
        let changed = TEXT.replace("sesame", "mesase");
        assert_eq!(with(Some(&changed), None).unwrap(), changed);
        let plain = source("[load]\nrate = \"1/s\"\n");
        assert_eq!(restored(&plain, &[], None, &|_| None).unwrap(), &*plain.text);
    }

    #[test]
    fn of_a_changed_file_secrets_are_taken_that_stand_behind_the_same_words() {
        let (recorded, masked) = masked_sources(&Sources(vec![source(&TEXT.replace("?token=abc", ""))]));
        let now = TEXT.replace("[service.a]", "# new\n[service.a]\nready = \"GET /\"").replace("sesame", "open sesame");
        let text = restored(&recorded.0[0], &masked, Some(&now), &|_| None).unwrap();
        assert_eq!(text, TEXT.replace("?token=abc", "").replace("sesame", "open sesame"));
    }

    #[test]
    fn what_is_nowhere_is_named_with_its_place() {
        let missing = with(None, None).unwrap_err();
        let wanted = [
            "a.toml:3: service.a.env.AUTH_KEY",
            "a.toml:4: service.a.command --password",
            "a.toml:5: credentials of a URL",
            "a.toml:8: load.request.request",
        ];
        assert_eq!(missing, wanted, "what is commented out is no secret that is needed");
        assert_eq!(with(None, Some("from outside")).unwrap_err(), wanted[1..]);
        assert_eq!(with(None, Some("two\nlines\"")).unwrap_err(), wanted, "it would be another text");
        // A part of a text is only known where the whole is the same.
        assert_eq!(with(Some(&TEXT.replace("[service.a]", "[service.a] #")), None).unwrap_err(), wanted[3..]);
    }

    #[test]
    fn secrets_are_not_mixed_up() {
        let two =
            "[[load.request]]\nheaders.authorization = \"one\"\n[[load.request]]\nheaders.authorization = \"two\"\n";
        let (recorded, masked) = masked_sources(&Sources(vec![source(two)]));
        let again = |now: &str| restored(&recorded.0[0], &masked, Some(now), &|_| None);
        assert_eq!(again(&format!("# more\n{two}")).unwrap(), two);
        let three = format!("# more\n[[load.request]]\nheaders.authorization = \"new\"\n{two}");
        assert_eq!(again(&three).unwrap_err().len(), 2, "who knows which is which");
    }
}
