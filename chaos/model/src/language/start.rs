//! Reads the program of a service: `program`, `command`, or `image` with the keys that go with it.

use super::{
    address,
    braces::Names,
    document::Entry,
    findings::{Findings, Wrong},
    image,
    nearest::{list, nearest},
    probe,
    reader::{Reader, parse_word, text_of},
};
use crate::{Diagnostic, Image, Start, attach::HostPort, system::KNOWN_PROGRAMS};

/// Reads what runs on a service. Where that is wrong, it is a command of nothing. `names` are those that texts may have in
/// braces, `programs` those that there are.
pub(crate) fn read(reader: &mut Reader<'_>, names: &Names<'_>, programs: &[&str], findings: &Findings) -> Start {
    let [program, command, image, address] = ["program", "command", "image", "address"].map(|key| reader.entry(key));
    let entries = [program, command, image, address];
    one_of(&entries, names.service, reader, findings);
    let port = port(reader, image.is_some(), findings);
    if let Some(program) = program.and_then(|entry| text_of(entry, findings)) {
        return Start::Program(parse_word(program, |name| known_program(name, programs), findings).unwrap_or_default());
    }
    if let Some(word) = address.filter(|_| command.is_none()).and_then(|entry| text_of(entry, findings)) {
        let nowhere = HostPort { host: String::new(), port: 0 };
        return Start::Address(parse_word(word, address::host_port, findings).unwrap_or(nowhere));
    }
    let command = command.map(|entry| probe::command(entry, "command", names, findings)).unwrap_or_default();
    match image.and_then(|entry| text_of(entry, findings)) {
        Some(word) => {
            let reference = parse_word(word, image::reference, findings).unwrap_or_default();
            Start::Image(Image { reference, command, port })
        }
        None => Start::Command(command),
    }
}

/// Refuses a service with no key, or several, for its program. A command beside an image is run by its container.
fn one_of(entries: &[Option<&Entry>], service: &str, reader: &Reader<'_>, findings: &Findings) {
    let given: Vec<&Entry> = entries.iter().copied().flatten().collect();
    let keys: Vec<&str> = given.iter().map(|entry| entry.key.as_str()).collect();
    match (keys.as_slice(), given.as_slice()) {
        ([], _) => {
            let message = format!("nothing says what runs on service `{service}`");
            let advice = "add `program = \"gateway\"` or `command = [\"./server\", \"--port\", \"{self.port}\"]`";
            findings.add(Diagnostic::new(reader.span().clone(), message).advice(advice));
        }
        ([_] | ["command", "image"], _) => {}
        (_, [first, second, ..]) => {
            let message = format!("service `{service}` has both `{}` and `{}`", first.key, second.key);
            let diagnostic =
                Diagnostic::new(second.key_span.clone(), message).also(first.key_span.clone(), "the other");
            findings.add(diagnostic.advice("one of them says what runs there; take the other away"));
        }
        (_, _) => {}
    }
}

fn known_program(name: &str, programs: &[&str]) -> Result<String, Wrong> {
    if programs.contains(&name) {
        return Ok(name.to_owned());
    }
    let own = format!("for your own: `command = [\"./{name}\"]`");
    let built_in = match programs {
        [] => "no program is built in".to_owned(),
        [one] => format!("built in is `{one}`"),
        _ => format!("built in are {}", list(programs.iter().copied())),
    };
    // A name that is right elsewhere is no slip of the pen, however near another one is.
    if KNOWN_PROGRAMS.contains(&name) {
        let wrong = Wrong::new(format!("this build of `chaos` comes without the program `{name}`"));
        return Err(wrong.advice(format!("{built_in}; builds with the feature `bundled` have it; {own}")));
    }
    let wrong = Wrong::new(format!("there is no built-in program called `{name}`"));
    Err(match nearest(name, programs.iter().copied()) {
        Some(near) => wrong.advice(format!("did you mean `{near}`?")),
        None => wrong.advice(format!("{built_in}; {own}")),
    })
}

/// `port`, which belongs to an image: every other service is told its port.
pub(crate) fn port(reader: &mut Reader<'_>, is_image: bool, findings: &Findings) -> Option<u16> {
    let entry = reader.entry("port")?;
    if !is_image {
        let message = "`port` belongs to `image`: it is where its program listens in the container";
        let advice = "take it away: a program gets a port from the world, and a command as `{self.port}`";
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        return None;
    }
    let port = entry.value.raw().and_then(|raw| raw.parse::<u16>().ok()).filter(|port| *port > 0);
    if port.is_none() {
        let message = "a port is a whole number from 1 to 65535";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice("write it as `port = 5432`"));
    }
    port
}
