//! Texts with places in braces: `{user}` in requests, `{redis}` in settings. `{{` and `}}` are braces themselves.

use super::{findings::Wrong, load::N, names, nearest::advise};
use crate::{
    ServiceName,
    load::{Text, TextPiece},
    system::{Piece, RunFile, Template},
};
use std::{collections::BTreeMap, ops::Range};

enum Part<'a> {
    Text(String),
    Braces(&'a str, Range<usize>),
}

/// Takes a text apart at its braces.
fn parts(text: &str) -> Result<Vec<Part<'_>>, Wrong> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        let at = text.len() - rest.len() + brace;
        plain.push_str(&rest[..brace]);
        let from = &rest[brace..];
        if from.starts_with("{{") || from.starts_with("}}") {
            plain.push_str(&from[..1]);
            rest = &from[2..];
        } else if from.starts_with('}') {
            let wrong = Wrong::new("this `}` closes nothing").at(at..at + 1);
            return Err(wrong.advice("write `}}` for the brace itself"));
        } else {
            let Some(end) = from.find('}') else {
                let wrong = Wrong::new("this `{` is never closed").at(at..at + 1);
                return Err(wrong.advice("write `{{` for the brace itself"));
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Braces(&from[1..end], at..at + end + 1));
            rest = &from[end + 1..];
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

/// A text with variables, all of which must be among `vars`.
pub(crate) fn text(text: &str, vars: &[&str]) -> Result<Text, Wrong> {
    let piece = |part| match part {
        Part::Text(text) => Ok(TextPiece::Plain(text)),
        Part::Braces(name, _) if vars.contains(&name) => Ok(TextPiece::Variable(name.to_owned())),
        Part::Braces(name, at) => {
            let wrong = Wrong::new(format!("there is no variable called `{name}`")).at(at);
            Err(if names::is_name(name) {
                let new = format!("declare it in [load]: `vars.{name} = \"uniform 1..500\"`");
                // The arrival's number is always there, and seldom what is meant.
                let declared = || vars.iter().copied().filter(|name| *name != N);
                let known = advise(name, declared(), "the variables are");
                wrong.advice(if declared().next().is_none() { new } else { known })
            } else {
                wrong.advice("write `{{` and `}}` for braces themselves")
            })
        }
    };
    Ok(Text { pieces: parts(text)?.into_iter().map(piece).collect::<Result<_, _>>()? })
}

/// A body with variables. Braces that hold no name stand for themselves, so that JSON is written as it is; but where `{{` is in
/// it, braces are written as everywhere else.
pub(crate) fn body(body: &str, vars: &[&str]) -> Result<Text, Wrong> {
    if body.contains("{{") {
        return text(body, vars);
    }
    let mut doubled = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(['{', '}']) {
        let (plain, from) = rest.split_at(at);
        doubled.push_str(plain);
        let name = from.strip_prefix('{').and_then(|inner| inner.split_once('}')).map(|(name, _)| name);
        let place = name.filter(|name| names::is_name(name)).map_or(1, |name| name.len() + 2);
        let (this, after) = from.split_at(place);
        doubled.push_str(this);
        if place == 1 {
            doubled.push_str(this);
        }
        rest = after;
    }
    doubled.push_str(rest);
    // Where a mistake is, in the body as it was written: each brace before it was doubled.
    text(&doubled, vars).map_err(|wrong| {
        let name =
            wrong.at.clone().and_then(|at| doubled.get(at)).and_then(|name| body.find(name).zip(Some(name.len())));
        Wrong { at: name.map(|(at, length)| at..at + length), ..wrong }
    })
}

/// Names that the texts of a service may have in braces.
pub(crate) struct Names<'a> {
    /// Its own name.
    pub(crate) service: &'a str,
    /// Those of all services.
    pub(crate) services: &'a [&'a str],
    /// Those of its ports, beside its own.
    pub(crate) ports: &'a BTreeMap<String, u16>,
    /// Numbers of replicas, of the services that have several.
    pub(crate) replicas: &'a BTreeMap<&'a str, usize>,
}

/// A text of a service, with uses of other services and its own ports.
pub(crate) fn template(text: &str, names: &Names<'_>) -> Result<Template, Wrong> {
    let mut pieces = Vec::new();
    for part in parts(text)? {
        match part {
            Part::Text(text) => pieces.push(Piece::Text(text)),
            Part::Braces("self.port", _) => pieces.push(Piece::OwnPort),
            Part::Braces(place, _) if let Some(file) = run_file(place) => pieces.push(Piece::File(file)),
            Part::Braces(place, at) => match place.strip_prefix("self.port.") {
                Some(name) => pieces.push(named_port(name, names).map_err(|wrong| wrong.at(at))?),
                None => pieces.extend(use_of(place, names).map_err(|wrong| wrong.at(at))?),
            },
        }
    }
    Ok(Template { pieces })
}

fn run_file(place: &str) -> Option<RunFile> {
    RunFile::ALL.into_iter().find(|file| file.place() == place)
}

fn named_port(name: &str, names: &Names<'_>) -> Result<Piece, Wrong> {
    if names.ports.contains_key(name) {
        return Ok(Piece::NamedPort(name.to_owned()));
    }
    let wrong = Wrong::new(format!("this service has no port called `{name}`"));
    Err(wrong.advice(if names.ports.is_empty() && names::is_name(name) {
        format!("declare it: `ports.{name} = 8081`")
    } else {
        advise(name, names.ports.keys().map(String::as_str), "its ports are")
    }))
}

/// A use of a service, or of each of its replicas with commas between.
fn use_of(place: &str, names: &Names<'_>) -> Result<Vec<Piece>, Wrong> {
    let Names { service, services, .. } = names;
    let (to, label) = match place.split_once('#') {
        Some((to, label)) => (to, Some(label)),
        None => (place, None),
    };
    if let Some(replicas) = replicas_of(to, names)? {
        if let Some(label) = label {
            names::check(label, "a link's label")?;
        }
        let one = |to| Piece::Service { to, label: label.map(str::to_owned) };
        let pieces = replicas.into_iter().map(one).flat_map(|one| [Piece::Text(",".to_owned()), one]);
        return Ok(pieces.skip(1).collect());
    }
    if to == *service {
        let wrong = Wrong::new(format!("service `{service}` names itself"));
        return Err(wrong.advice("its own port is `{self.port}`"));
    }
    if to.starts_with("self") && !services.contains(&to) {
        let own =
            "its own port is `{self.port}`, and the files of a certificate of its own `{self.cert}` and `{self.key}`";
        return Err(Wrong::new(format!("a service has no `{place}`")).advice(own));
    }
    if to.starts_with("run.") {
        let wrong = Wrong::new(format!("a run has no `{place}`"));
        return Err(wrong.advice("the certificate of its authority is the file `{run.ca}`"));
    }
    if to.eq_ignore_ascii_case("port") && !services.contains(&to) {
        let wrong = Wrong::new(format!("`{place}` is no place that the world fills"));
        return Err(wrong.advice("its own port is `{self.port}`, and no `$` stands before it"));
    }
    if let Some((service, part)) = to.split_once('.').filter(|(service, _)| services.contains(service)) {
        let wrong = Wrong::new(format!("a service has no `{part}` for others"));
        return Err(wrong.advice(format!("`{{{service}}}` is its address, with the port")));
    }
    known_service(to, services)?;
    if let Some(label) = label {
        names::check(label, "a link's label")?;
    }
    Ok(vec![Piece::Service { to: ServiceName::from(to), label: label.map(str::to_owned) }])
}

/// The replicas that are meant by `app.all` or `app.2`, where `app` has several. Of such a service, `app` alone is refused.
fn replicas_of(to: &str, names: &Names<'_>) -> Result<Option<Vec<ServiceName>>, Wrong> {
    let (of, which) = to.split_once('.').unwrap_or((to, ""));
    let Some(count) = names.replicas.get(of).copied() else { return Ok(None) };
    let advice =
        format!("`{{{of}.all}}` is all of them, with commas between, and `{{{of}.1}}` to `{{{of}.{count}}}` one");
    if of == names.service {
        let wrong = Wrong::new(format!("service `{of}` names itself"));
        return Err(wrong.advice("its own port is `{self.port}`"));
    }
    match which.parse::<usize>() {
        _ if which == "all" => Ok(Some((1..=count).map(|number| replica(of, number)).collect())),
        Ok(number) if (1..=count).contains(&number) => Ok(Some(vec![replica(of, number)])),
        Ok(_) => Err(Wrong::new(format!("`{of}` has {count} replicas, and `{to}` is none of them")).advice(advice)),
        Err(_) if which.is_empty() => {
            Err(Wrong::new(format!("`{of}` has {count} replicas, each at an address of its own")).advice(advice))
        }
        Err(_) => Err(Wrong::new(format!("a service has no `{which}` for others")).advice(advice)),
    }
}

/// The name of a service's replica.
pub(crate) fn replica(of: &str, number: usize) -> ServiceName {
    format!("{of}.{number}")
}

/// Refuses the name of a service that is not there.
pub(crate) fn known_service(name: &str, services: &[&str]) -> Result<(), Wrong> {
    if services.contains(&name) {
        return Ok(());
    }
    let wrong = Wrong::new(format!("there is no service called `{name}`"));
    Err(wrong.advice(advise(name, services.iter().copied(), "the services are")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::TextPiece::{Plain, Variable};

    #[test]
    fn reads_variables_and_braces() {
        let read = text("/a/{user}?q={{x}}", &["user"]).unwrap();
        let wanted = [Plain("/a/".into()), Variable("user".into()), Plain("?q={x}".into())];
        assert_eq!(read.pieces, wanted);
    }

    #[test]
    fn a_body_has_json_as_it_is() {
        let of = |text: &str| {
            body(text, &["user"]).map(|read| read.render(&[("user".to_owned(), crate::Value::Number(7))].into()))
        };
        for (written, read) in [
            (r#"{"user": {user}}"#, r#"{"user": 7}"#),
            (r#"{"a": {"b": [{user}, {}]}}"#, r#"{"a": {"b": [7, {}]}}"#),
            (r#"{{"user": {user}}}"#, r#"{"user": 7}"#),
            ("{user}}", "7}"),
            ("}{", "}{"),
            ("{ user }", "{ user }"),
            ("a query { orders(first: {user}) { id } }", "a query { orders(first: 7) { id } }"),
        ] {
            assert_eq!(of(written).unwrap(), read, "{written}");
        }
        assert_eq!(of(r#"{"é": {}, "id": {usr}}"#).unwrap_err().at, Some(17..22));
    }

    #[test]
    fn reads_uses_of_services() {
        let ports = [("admin".to_owned(), 8081)].into();
        let replicas = [("app", 2)].into();
        let names =
            Names { service: "gateway", services: &["gateway", "redis", "app"], ports: &ports, replicas: &replicas };
        let read = template("redis://{redis#sessions}:{self.port}{self.port.admin}", &names).unwrap();
        let to = Piece::Service { to: "redis".into(), label: Some("sessions".into()) };
        let admin = Piece::NamedPort("admin".into());
        assert_eq!(read.pieces, [Piece::Text("redis://".into()), to, Piece::Text(":".into()), Piece::OwnPort, admin]);
        let all = template("{app.all#x}", &names).unwrap().to_string();
        assert_eq!(
            (all, template("{app.2}", &names).unwrap().to_string()),
            ("{app.1#x},{app.2#x}".into(), "{app.2}".into())
        );
        for wrong in ["{app}", "{app.0}", "{app.3}", "{app.port}", "{app.}", "{redis.1}"] {
            template(wrong, &names).unwrap_err();
        }
        template("{gateway}", &names).unwrap_err();
        template("{self.port.other}", &names).unwrap_err();
    }

    #[test]
    fn says_where_it_is_wrong() {
        assert_eq!(text("ab{user", &["user"]).unwrap_err().at, Some(2..3));
        assert_eq!(text("ab}", &[]).unwrap_err().at, Some(2..3));
        assert_eq!(text("é{usr}", &["user"]).unwrap_err().at, Some(2..7));
    }
}
