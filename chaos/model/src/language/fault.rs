//! `[[fault]]`: what is broken, where and when.

use super::{
    document::{Entry, Table},
    effect,
    findings::{Findings, Wrong},
    load::not_zero,
    names,
    nearest::list,
    only, quantity,
    reader::{Reader, parse_word},
    target, turns,
};
use crate::{
    Diagnostic, Effect, Fault, Protocol, Pulse, Share, SomeInstances, Span, System, Target,
    effect::{Level, RedisState},
    quantity::show_duration,
};
use std::time::Duration;

/// A fault as far as it could be read, even where it is wrong.
#[derive(Debug)]
pub(crate) struct FaultRead {
    pub(crate) name: Option<String>,
    pub(crate) fault: Option<Fault>,
    /// Its `only` and its `except`, as they stand in the file.
    pub(crate) filters: [Option<Entry>; 2],
}

/// The time of a fault: how its reader is told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timing {
    /// By its place on a timeline, which lasts so long, where that is known.
    Timeline(Option<Duration>),
    /// By the message that brings it: it begins then, and ends when it is taken back, or after its own time.
    Message,
}

/// The times of a fault, as far as they could be read.
struct Times {
    at: Option<Duration>,
    lasts: Option<Duration>,
    pulse: Option<Option<Pulse>>,
}

impl Times {
    fn read(reader: &mut Reader<'_>, timing: Timing, findings: &Findings) -> Self {
        if let Timing::Message = timing {
            return Self::of_message(reader, findings);
        }
        let at = reader.needed("at", "at = \"4s\"", quantity::duration);
        let lasts = reader.needed("for", "for = \"4s\"", not_zero);
        let pulse = if reader.entry("pulse").is_some() { reader.parse("pulse", pulse).map(Some) } else { Some(None) };
        Self { at, lasts, pulse }
    }

    fn of_message(reader: &mut Reader<'_>, findings: &Findings) -> Self {
        for (key, advice) in [
            ("at", "take it away: a fault begins when its message comes"),
            ("pulse", "take it away: put the fault in place and take it back, each time"),
        ] {
            if let Some(entry) = reader.foreign(key) {
                let message = format!("`{key}` is of a timeline, and there is none here");
                findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
            }
        }
        let lasts = if reader.entry("for").is_some() { reader.parse("for", not_zero) } else { Some(Duration::ZERO) };
        Self { at: Some(Duration::ZERO), lasts, pulse: Some(None) }
    }
}

/// Reads all faults.
pub(crate) fn read_all(
    scenario: &mut Reader<'_>,
    system: &System,
    duration: Option<Duration>,
    findings: &Findings,
) -> Vec<FaultRead> {
    let tables = scenario.tables("fault");
    let faults: Vec<FaultRead> =
        tables.iter().map(|table| read(table, system, Timing::Timeline(duration), findings)).collect();
    repeated(&tables, findings);
    turns::check(&tables, &faults, findings);
    faults
}

fn repeated(tables: &[&Table], findings: &Findings) {
    let mut seen: Vec<(&str, &Span)> = Vec::new();
    for value in tables.iter().filter_map(|table| table.get("name")).map(|entry| &entry.value) {
        let Some(name) = value.text() else { continue };
        match seen.iter().find(|(earlier, _)| *earlier == name) {
            Some((_, first)) => {
                let message = format!("there are two faults called `{name}`");
                let diagnostic = Diagnostic::new(value.span.clone(), message).also((*first).clone(), "the first");
                findings.add(diagnostic.advice("give each its own name: it makes a phase"));
            }
            None => seen.push((name, &value.span)),
        }
    }
}

/// Reads a fault of a link or a service of this system.
pub(crate) fn read(table: &Table, system: &System, timing: Timing, findings: &Findings) -> FaultRead {
    let mut reader = Reader::new(table, "this fault", findings);
    let name = reader.needed("name", "name = \"outage\"", names::fault);
    let on = on(&mut reader, timing, system, findings);
    let Times { at, lasts, pulse } = Times::read(&mut reader, timing, findings);
    let share = if reader.entry("share").is_some() { reader.parse("share", share) } else { Some(Share::ALL) };
    let instances = instances(&mut reader, timing, on.as_ref(), findings);
    let ramp = if reader.entry("ramp").is_some() { reader.parse("ramp", not_zero) } else { Some(Duration::ZERO) };
    let only = only::read(&mut reader, findings);
    let except = only::read_except(&mut reader, only.as_ref(), findings);
    // Of a fault that ends when it is taken back, nobody knows how long it lasts.
    let known_to_last = lasts.filter(|lasts| !lasts.is_zero());
    let effect = effect::read(&mut reader, known_to_last, findings);
    if let (Some(on), Some(effect)) = (&on, &effect) {
        let fits = match timing {
            Timing::Message if effect.is_of_services() => Err(target::no_service(effect, on, system)),
            _ => target::fits(on, effect, system),
        };
        if let (Err(wrong), Some(entry)) = (fits, table.get("on")) {
            findings.add(wrong.diagnostic(entry.value.span.clone()));
        }
        let filters = [("only", only.is_some()), ("except", except.is_some())];
        suits(&mut reader, (on, effect), filters, system, findings);
        can_be_read(&mut reader, on, effect, system, findings);
    }
    longer_than(&mut reader, "ramp", ramp, known_to_last);
    longer_than(&mut reader, "pulse", pulse.flatten().map(|pulse| pulse.every), known_to_last);
    let lacks_effect = table.get("effect").is_none();
    reader.finish_or(|word| {
        let instead = |advice: &str| Some(advice.to_owned());
        match word {
            "duration" => instead("a fault lasts `for = \"4s\"`"),
            "start" | "after" | "delay_start" => instead("a fault begins `at = \"4s\"`"),
            "target" | "link" | "service" => instead("a fault is `on = \"gateway -> redis\"`, or `on = \"redis\"`"),
            "type" | "kind" | "fault" => instead("what it does is its `effect = \"latency\"`"),
            "probability" | "toxicity" | "percent" | "percentage" => instead("a fault meets a `share = \"10%\"`"),
            _ => (lacks_effect && effect::names().any(|name| name == word))
                .then(|| format!("write it as `effect = \"{word}\"`")),
        }
    });
    let fits = match timing {
        Timing::Timeline(duration) => in_time(table, at, lasts, duration, findings),
        Timing::Message => true,
    };
    let fault = || {
        let (name, on, effect, only, except) = (name.clone()?, on?, effect?, only?, except?);
        let (share, at, lasts, ramp, pulse) = (share?, at?, lasts?, ramp?, pulse?);
        Some(Fault {
            name,
            on,
            effect,
            only,
            except,
            share,
            instances,
            at,
            lasts,
            ramp,
            pulse,
            span: table.span.clone(),
        })
    };
    let fault = fault().filter(|_| fits);
    let name = name.or_else(|| Some(table.get("name")?.value.text()?.to_owned()));
    let filters = ["only", "except"].map(|key| table.get(key).cloned());
    FaultRead { name, fault, filters }
}

/// The place that a fault acts at, if it is right.
fn on(reader: &mut Reader<'_>, timing: Timing, system: &System, findings: &Findings) -> Option<Target> {
    const EXAMPLE: &str = "on = \"gateway -> redis\"";
    // A system without services has been refused as such.
    if let Timing::Message = timing {
        let word = reader.needed_text("on", EXAMPLE).filter(|_| !system.services.is_empty())?;
        return parse_word(word, |text| target::proxied(text, system), findings);
    }
    let entry = reader.entry("on");
    if entry.is_none() {
        reader.lacks("on", EXAMPLE);
    }
    entry.filter(|_| !system.services.is_empty()).and_then(|entry| target::read(entry, system, findings))
}

/// True if the fault lies within the run. Where the times are wrong there is no timeline to judge others by.
fn in_time(
    table: &Table,
    at: Option<Duration>,
    lasts: Option<Duration>,
    duration: Option<Duration>,
    findings: &Findings,
) -> bool {
    let span_of = |key| table.get(key).map_or_else(|| table.span.clone(), |entry| entry.value.span.clone());
    let Some(duration) = duration else { return true };
    let (Some(at), Some(lasts)) = (at, lasts) else { return false };
    let end = show_duration(duration);
    if at >= duration {
        let message = format!("this fault begins at {}, and the run ends at {end}", show_duration(at));
        let advice = "begin it earlier, or raise `duration` in [load]";
        findings.add(Diagnostic::new(span_of("at"), message).advice(advice));
    } else if at + lasts > duration {
        let message = format!("this fault ends at {}, and the run at {end}", show_duration(at + lasts));
        let advice = format!("write `for = \"{}\"` at most, or raise `duration`", show_duration(duration - at));
        findings.add(Diagnostic::new(span_of("for"), message).advice(advice));
    }
    at + lasts <= duration
}

/// Refuses a ramp or a pulse that is longer than its fault.
fn longer_than(reader: &mut Reader<'_>, key: &'static str, time: Option<Duration>, lasts: Option<Duration>) {
    if let (Some(time), Some(lasts)) = (time, lasts)
        && time > lasts
    {
        let wrong = Wrong::new(format!("the fault lasts {}, which is less", show_duration(lasts)));
        reader.parse(key, |_| Err::<(), _>(wrong.advice(format!("shorten `{key}`, or make the fault last longer"))));
    }
}

/// Refuses `share`, `ramp`, `only` and `except` where they can't be said of this effect. `filters` says of the last two whether
/// they are right in themselves.
fn suits(
    reader: &mut Reader<'_>,
    (on, effect): (&Target, &Effect),
    filters: [(&'static str, bool); 2],
    system: &System,
    findings: &Findings,
) {
    // New connections are turned away: nothing has come on them to choose by.
    let turns_away = effect.action().stream.is_some_and(|stream| stream.turns_away.is_some());
    let (name, level) = if turns_away {
        (RedisState::MaxClients.word(), Level::Connections)
    } else {
        (effect.name(), effect.facts().level)
    };
    let whole =
        |what: &str| Wrong::new(format!("`{name}` acts on the whole service")).advice(format!("take `{what}` away"));
    if level == Level::Services {
        let advice = "take `share` away: it is the share of connections, requests or commands of a link";
        reader.parse("share", |_| Err::<(), _>(whole("share").advice(advice)));
        reader.parse("ramp", |_| Err::<(), _>(whole("ramp")));
    }
    if matches!(level, Level::Connections | Level::Tls) && effect.grows().is_none() {
        let wrong = Wrong::new(format!("`{name}` does not grow: it is there or not"));
        let advice = "take `ramp` away; `latency`, `dial-delay` and effects on requests and commands have one";
        reader.parse("ramp", |_| Err::<(), _>(wrong.advice(advice)));
    }
    let mut protocols: Vec<Protocol> = Vec::new();
    for service in on.links().iter().filter_map(|link| system.services.get(&link.to)) {
        protocols.extend(Some(service.protocol).filter(|protocol| !protocols.contains(protocol)));
    }
    for (key, _) in filters.into_iter().filter(|(_, is_right)| *is_right) {
        let Some(entry) = reader.entry(key) else { continue };
        let refuse = |message: String, advice: String| {
            findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
        };
        match level {
            Level::Services => refuse(format!("`{name}` acts on the whole service"), format!("take `{key}` away")),
            Level::Connections | Level::Tls => refuse(
                format!("`{name}` acts on connections, which carry any requests"),
                format!("take `{key}` away, or use an effect on requests or commands, as `delay`"),
            ),
            Level::Messages | Level::Requests | Level::Commands => {
                protocols.iter().for_each(|protocol| strange_keys(entry, *protocol, findings));
            }
        }
    }
}

/// Refuses an effect on messages where TLS hides them in every world.
fn can_be_read(reader: &mut Reader<'_>, on: &Target, effect: &Effect, system: &System, findings: &Findings) {
    let level = effect.facts().level;
    let passed = on.links().iter().filter(|link| system.passes_tls(link));
    let encrypted = passed.filter_map(|link| Some((link, system.encrypted.get(link)?))).next();
    let (Some((link, setting)), Some(entry)) = (encrypted, reader.entry("on")) else { return };
    let protocol = system.stack(link).protocol;
    let Some(words) = protocol.words.filter(|_| level != Level::Connections && protocol.has(level)) else { return };
    let (name, messages) = (effect.name(), words.messages);
    let message = format!("`{name}` acts on {messages}, and on `{link}` TLS hides them");
    let act = target::effects(|level| level == Level::Connections);
    let plain = protocol.schemes.iter().find(|scheme| scheme.transport.is_plain());
    let plain = plain.map(|scheme| {
        format!(
            "; for `{name}`, take `tls = \"pass\"` from `{}`, or have the setting say `{}://`",
            link.to, scheme.name
        )
    });
    let advice = format!("there, {act} act{}", plain.unwrap_or_default());
    let diagnostic = Diagnostic::new(entry.value.span.clone(), message).also(setting.clone(), "asks for TLS");
    findings.add(diagnostic.advice(advice));
}

/// Refuses keys of `only` or `except` by which messages of this protocol can't be chosen.
fn strange_keys(entry: &Entry, protocol: Protocol, findings: &Findings) {
    const OF_ALL: [&str; 3] = ["nth", "first", "every"];
    let (name, only) = (&entry.key, &entry.value);
    let keys = only.table().map(|table| table.entries.as_slice()).unwrap_or_default();
    let fits = |entry: &&Entry| {
        protocol.only.iter().filter_map(|key| key.split('.').next()).chain(OF_ALL).any(|key| key == entry.key)
    };
    let strange: Vec<&str> = keys.iter().filter(|entry| !fits(entry)).map(|entry| &*entry.key).collect();
    let (false, Some(words)) = (strange.is_empty(), protocol.words) else { return };
    let has = strange.join(" and no ");
    let by: Vec<String> = protocol.only.iter().map(|key| format!("{name}.{key}")).collect();
    let advice = format!("choose by {}", list(by.iter().map(String::as_str)));
    findings.add(Diagnostic::new(only.span.clone(), format!("{} have no {has}", words.messages)).advice(advice));
}

/// `instances`: on how many replicas of the service it is, where that has several.
fn instances(
    reader: &mut Reader<'_>,
    timing: Timing,
    on: Option<&Target>,
    findings: &Findings,
) -> Option<SomeInstances> {
    let entry = match timing {
        Timing::Timeline(_) => reader.entry("instances")?,
        // Proxies know links alone.
        Timing::Message => reader.foreign("instances")?,
    };
    let all = match on {
        Some(Target::Services(services)) => services.len(),
        Some(on) => {
            let message = format!("`instances` is of a fault on a service with replicas, and `{on}` is none");
            let advice = "take it away; a service has several by `replicas = 2`, and a fault on that is on all of them";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
            return None;
        }
        None => return None,
    };
    reader.parse("instances", |text| {
        let some = match text.trim().parse::<usize>() {
            Ok(count) => SomeInstances::Count(count),
            Err(_) if text.contains('%') => SomeInstances::Share(share(text)?),
            Err(_) => {
                let wrong = Wrong::new(format!("`{text}` is no number of instances"));
                return Err(wrong.advice("write it as `instances = \"1\"`, or as a share, `\"50%\"`"));
            }
        };
        match some {
            SomeInstances::Count(0) => Err(Wrong::new("a fault on no instance does nothing").advice("one at least")),
            SomeInstances::Count(count) if count > all => {
                Err(Wrong::new(format!("there are {all} replicas, and not {count}"))
                    .advice("it is on all of them where nothing is said"))
            }
            some => Ok(some),
        }
    })
}

/// The shortest time that a pulse is on, or off. Timers are exact to a millisecond or two, and where proxies are others', it takes
/// them as long to hear of it.
const SHORTEST_PULSE: Duration = Duration::from_millis(10);

/// `1s of 3s`: on for one second of each three.
fn pulse(text: &str) -> Result<Pulse, Wrong> {
    let form = "write it as `1s of 3s`: on for one second of each three";
    let Some((on, every)) = text.split_once(" of ") else {
        return Err(Wrong::new(format!("`{}` is no pulse", text.trim())).advice(form));
    };
    let (on, every) = (not_zero(on)?, not_zero(every)?);
    if on >= every {
        return Err(Wrong::new("a pulse is off for some of the time").advice(form));
    }
    if on < SHORTEST_PULSE || every - on < SHORTEST_PULSE {
        let wrong = Wrong::new(format!("`{}` is too fast for a pulse", text.trim()));
        return Err(wrong.advice("on for 10ms or more, and off as long: timers and proxies need a few of them"));
    }
    Ok(Pulse { on, every })
}

fn share(text: &str) -> Result<Share, Wrong> {
    let share = quantity::share_of_all(text)?;
    if share.parts == 0 {
        return Err(Wrong::new("a fault for 0% does nothing").advice("take the fault away, or write `5%`"));
    }
    Ok(share)
}
