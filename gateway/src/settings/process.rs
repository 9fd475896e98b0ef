//! Settings of a process, as one map: its settings file, its environment, its arguments, in this order; what comes
//! later wins. The defaults are those of the declarations, and take the place of what nobody said.
//!
//! A value is looked at only when all is together ([`Settings::from_map`]), so that it means the same wherever it stood;
//! what is wrong with it is then said of the place where it was written.

use super::{
    Settings,
    file::{BadFile, SettingsFile},
    source::{self, CONFIG, Invalid},
};
use clap::{builder::StringValueParser, parser::ValueSource};
use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map},
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// A process was told something that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The arguments can't be read; also for `--help` and `--version`. Print it and exit with its code.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The settings file can't be read.
    #[error("can't read the settings file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The machine's error.
        source: io::Error,
    },
    /// A file that has a secret can't be read.
    #[error("{variable}: can't read {}: {source}", path.display())]
    Secret {
        /// The setting that names it.
        variable: String,
        /// The file.
        path: PathBuf,
        /// The machine's error.
        source: io::Error,
    },
    /// The settings file can't be used.
    #[error(transparent)]
    File(#[from] BadFile),
    /// Settings can't be used.
    #[error("{0}")]
    Settings(String),
}

/// Settings of a process, and what [`run`](crate::run) gets them from.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// For the host.
    pub map: host::Settings,
    /// The same, checked.
    pub settings: Settings,
}

/// Reads a process's settings file, environment and arguments (its name first). Of the environment it takes the
/// gateway's variables alone. `read` reads the settings file, where `--config` or `GATEWAY_CONFIG` name one, and files with
/// secrets.
///
/// # Errors
/// Where anything of it can't be used, and for `--help` and `--version`.
pub fn from_process(
    arguments: impl IntoIterator<Item = String>,
    environment: impl IntoIterator<Item = (String, String)>,
    read: impl Fn(&Path) -> io::Result<String>,
) -> Result<ProcessSettings, Refused> {
    let ids = source::ids();
    let names: Vec<String> = ids.iter().map(|id| source::flag(id)).collect();
    let matches = command().try_get_matches_from(arguments)?;
    let mut environment: BTreeMap<String, String> =
        environment.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let config = matches.get_one::<String>("config").cloned().or(environment.remove(CONFIG));
    let file = config.map(|path| {
        let text =
            read(Path::new(&path)).map_err(|source| Refused::Unreadable { path: path.clone().into(), source })?;
        Ok::<_, Refused>(SettingsFile::parse(&path, &text, &names)?)
    });

    let told = |value: Option<String>, id: &String| Some((source::flag(id), value?));
    let variables = ids.iter().filter_map(|id| told(environment.remove(&source::variable(id)), id)).collect();
    let flags = ids.iter().filter_map(|id| {
        let said = matches.value_source(id) == Some(ValueSource::CommandLine);
        told(matches.get_one::<String>(id).filter(|_| said).cloned(), id)
    });
    let figment = match file.transpose()? {
        Some(file) => Figment::from(file),
        None => Figment::new(),
    };
    let figment = figment.merge(Layer::variables(variables)).merge(Layer::flags(flags.collect()));

    // What is left of the environment and reads like ours is a mistake, and refused as such.
    let strangers = environment.into_iter().filter(|(name, _)| name.starts_with("GATEWAY_"));
    let map = ids.iter().zip(&names).filter_map(|(id, name)| Some((source::variable(id), value(&figment, name)?)));
    let mut map: BTreeMap<String, String> = map.chain(strangers).collect();
    let notes = take_in_secrets(&mut map, &figment, &ids, read)?;
    let map: host::Settings = map.into_iter().collect();
    match Settings::from_map(&map) {
        Ok(settings) => Ok(ProcessSettings { map, settings }),
        Err(invalid) => Err(Refused::Settings(located(&invalid, &figment, &ids) + &notes)),
    }
}

/// Puts what files with secrets have in their place. Gives a line for each, to go with what is said of the settings.
fn take_in_secrets(
    map: &mut BTreeMap<String, String>,
    figment: &Figment,
    ids: &[String],
    read: impl Fn(&Path) -> io::Result<String>,
) -> Result<String, Refused> {
    let mut notes = String::new();
    for (file, secret) in source::SECRET_FILES.map(|(file, secret)| (source::variable(file), source::variable(secret)))
    {
        let Some(path) = map.remove(&file) else { continue };
        if map.contains_key(&secret) {
            let problem = format!("{secret} and {file} are both set");
            let both = Invalid::Together { problem, advice: "leave one of them out".to_owned() };
            return Err(Refused::Settings(located(&both, figment, ids)));
        }
        let text = read(Path::new(&path));
        let text = text.map_err(|source| Refused::Secret { variable: file, path: path.clone().into(), source })?;
        notes.push_str(&format!("\n  {secret} is what {path} has"));
        // Editors end a file with a line's end.
        map.insert(secret, text.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(notes)
}

/// The command as the process sees it: it takes in every value as text, and knows the settings file.
fn command() -> clap::Command {
    let config = clap::Arg::new("config").long("config").value_name("FILE");
    let help = format!("Settings file in TOML, whose names are those of the flags [env: {CONFIG}]");
    source::command().mut_args(|argument| argument.value_parser(StringValueParser::new())).arg(config.help(help))
}

/// One source of values, by the names of their flags.
struct Layer {
    metadata: fn() -> Metadata,
    values: BTreeMap<String, String>,
}

impl Layer {
    fn variables(values: BTreeMap<String, String>) -> Self {
        let metadata =
            || Metadata::named("environment").interpolater(|_, names| source::variable(&source::id(&names.concat())));
        Self { metadata, values }
    }

    fn flags(values: BTreeMap<String, String>) -> Self {
        let metadata =
            || Metadata::named("arguments").interpolater(|_, names: &[&str]| format!("--{}", names.concat()));
        Self { metadata, values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        (self.metadata)()
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let values = self.values.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        Ok(Profile::Default.collect(values.collect()))
    }
}

fn value(figment: &Figment, name: &str) -> Option<String> {
    figment.find_value(name).ok()?.into_string()
}

/// The place where the setting of this name was written, if anywhere.
fn origin(figment: &Figment, name: &str) -> Option<String> {
    Some(figment.find_metadata(name)?.interpolate(&Profile::Default, &[name]))
}

/// Says what is wrong in terms of where it was written.
fn located(invalid: &Invalid, figment: &Figment, ids: &[String]) -> String {
    let mut text = invalid.to_string();
    match invalid {
        Invalid::Value { variable, .. } => {
            let id = ids.iter().find(|id| source::variable(id) == *variable);
            let origin = id.and_then(|id| origin(figment, &source::flag(id)));
            if let (Some(origin), Some(rest)) = (origin, text.strip_prefix(variable.as_str())) {
                text = format!("{origin}{rest}");
            }
        }
        Invalid::Together { problem, advice } => {
            let said = format!("{problem} {advice}");
            let mentioned = |variable: &String| {
                said.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).any(|word| word == variable)
            };
            for (id, variable) in ids.iter().map(|id| (id, source::variable(id))).filter(|(_, name)| mentioned(name)) {
                if let Some(origin) = origin(figment, &source::flag(id)).filter(|origin| *origin != variable) {
                    text.push_str(&format!("\n  {variable} is set by {origin}"));
                }
            }
        }
        Invalid::Unknown { .. } => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// With a settings file of this text.
    fn told(arguments: &[&str], environment: &[(&str, &str)], file: &str) -> Result<ProcessSettings, Refused> {
        let arguments = std::iter::once("gateway").chain(arguments.iter().copied()).map(str::to_owned);
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        from_process(arguments, environment, |path| match path.to_str() {
            Some("g.toml") => Ok(file.to_owned()),
            Some("key") => Ok("a secret that is long enough, just\r\n\n".to_owned()),
            Some("short") => Ok("short-and-sweet\n".to_owned()),
            Some("redis") => Ok("redis://:hidden@cache\n".to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        })
    }

    fn refusal(arguments: &[&str], environment: &[(&str, &str)], file: &str) -> String {
        told(arguments, environment, file).expect_err("it should be refused").to_string()
    }

    #[test]
    fn a_flag_wins_over_its_variable_and_that_over_the_file() {
        let file = "port = 3\ncache-memory = true\ndeadline = '3s'\ndrain = '3s'\n";
        let environment =
            [("PORT", "2"), ("GATEWAY_DEADLINE", "2s"), ("HOME", "/"), ("GATEWAY_DRAIN", ""), ("GATEWAY_CONFIG", "no")];
        let told = told(&["--port", "1", "--cache-memory=off", "--config", "g.toml"], &environment, file).unwrap();
        assert_eq!(told.map.get("PORT"), Some("1"));
        assert_eq!(told.map.get("GATEWAY_CACHE_MEMORY"), Some("off"));
        assert_eq!(told.map.get("GATEWAY_DEADLINE"), Some("2s"));
        assert_eq!(told.map.get("GATEWAY_DRAIN"), Some("3s"), "an empty variable says nothing");
        assert_eq!((told.map.get("HOME"), told.map.get("GATEWAY_CONFIG")), (None, None));
        assert_eq!(told.map.iter().count(), 4, "what nobody said is left to the defaults");
        assert_eq!((told.settings.port, told.settings.deadline), (1, Duration::from_secs(2)));
    }

    #[test]
    fn the_file_is_named_by_flag_or_variable() {
        let by_variable = told(&[], &[("GATEWAY_CONFIG", "g.toml")], "port = 7").unwrap();
        assert_eq!(by_variable.settings.port, 7);
        assert!(told(&[], &[], "port = 7").unwrap().map.iter().next().is_none());
        let missing = refusal(&["--config", "there.toml"], &[], "");
        assert!(missing.starts_with("can't read the settings file there.toml: "), "{missing}");
    }

    #[test]
    fn a_bad_value_is_refused_where_it_was_written() {
        let config = [("GATEWAY_CONFIG", "g.toml")];
        let reason = "it is a duration with a unit, as `200ms` or `2s`";
        assert_eq!(refusal(&[], &config, "\ncache-ttl = 30\n"), format!("g.toml:2: cache-ttl can't be `30`: {reason}"));
        assert_eq!(
            refusal(&[], &[("GATEWAY_CACHE_TTL", "31")], ""),
            format!("GATEWAY_CACHE_TTL can't be `31`: {reason}")
        );
        assert_eq!(refusal(&["--cache-ttl", "32"], &[], ""), format!("--cache-ttl can't be `32`: {reason}"));
        assert!(
            refusal(&[], &config, "redis-url = 'http://:secret@x'").starts_with("g.toml:1: redis-url can't be `…`")
        );
        assert!(!refusal(&["--redis-url", "http://:secret@x"], &[], "").contains("secret"));
    }

    #[test]
    fn what_cannot_work_together_names_each_place() {
        let text = refusal(&["--deadline=1s"], &[("GATEWAY_CONFIG", "g.toml")], "order-timeout = '2s'");
        assert!(text.contains("GATEWAY_ORDER_TIMEOUT is set by g.toml:1: order-timeout"), "{text}");
        assert!(text.contains("GATEWAY_DEADLINE is set by --deadline"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
        let text = refusal(&[], &[("GATEWAY_ORDER_TIMEOUT", "2s")], "");
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        let config = [("GATEWAY_CONFIG", "g.toml")];
        assert!(refusal(&[], &config, "cache_memory = 'on'").contains("did you mean `cache-memory`?"));
        assert!(refusal(&[], &[("GATEWAY_CACHE_MEMROY", "off")], "").contains("did you mean GATEWAY_CACHE_MEMORY?"));
        assert!(matches!(told(&["--cache-memroy=off"], &[], ""), Err(Refused::Arguments(_))));
        assert!(refusal(&[], &config, "config = 'more.toml'").contains("no setting"));
    }

    #[test]
    fn secrets_come_from_files() {
        let auth = ("GATEWAY_AUTH", "hs256");
        let by_variable =
            told(&[], &[auth, ("GATEWAY_AUTH_KEY_FILE", "key"), ("REDIS_URL_FILE", "redis")], "").unwrap();
        assert_eq!(by_variable.map.get("GATEWAY_AUTH_KEY"), Some("a secret that is long enough, just"));
        assert_eq!(by_variable.map.get("REDIS_URL"), Some("redis://:hidden@cache"));
        assert_eq!(by_variable.map.iter().count(), 3);
        let by_file = told(&["--config=g.toml"], &[], "auth = 'hs256'\nauth-key-file = 'key'").unwrap();
        assert_eq!(by_file.map.get("GATEWAY_AUTH_KEY"), by_variable.map.get("GATEWAY_AUTH_KEY"));
        // Nobody asks for a token, but a secret that can't be read is a mistake all the same.
        let missing = refusal(&[], &[("GATEWAY_AUTH_KEY_FILE", "nowhere")], "");
        assert!(missing.starts_with("GATEWAY_AUTH_KEY_FILE: can't read nowhere: "), "{missing}");
    }

    #[test]
    fn a_secret_that_cant_be_used_is_told_with_its_file_and_not_shown() {
        let auth = ("GATEWAY_AUTH", "hs256");
        let short = refusal(&[], &[auth, ("GATEWAY_AUTH_KEY_FILE", "short")], "");
        assert!(short.contains("GATEWAY_AUTH_KEY is no secret") && !short.contains("sweet"), "{short}");
        assert!(short.ends_with("\n  GATEWAY_AUTH_KEY is what short has"), "{short}");
        let both = refusal(&["--auth-key-file=key"], &[auth, ("GATEWAY_AUTH_KEY", "another")], "");
        assert!(both.starts_with("GATEWAY_AUTH_KEY and GATEWAY_AUTH_KEY_FILE are both set: leave one of them out"));
        assert!(
            both.ends_with("GATEWAY_AUTH_KEY_FILE is set by --auth-key-file") && !both.contains("another"),
            "{both}"
        );
        let url = refusal(&[], &[("REDIS_URL_FILE", "short")], "");
        assert!(url.starts_with("REDIS_URL can't be `…`") && url.contains("REDIS_URL is what short has"), "{url}");
    }

    #[test]
    fn the_help_tells_of_the_file() {
        let Err(Refused::Arguments(help)) = told(&["--help"], &[], "") else { panic!("no help") };
        assert!(help.to_string().contains("GATEWAY_CONFIG"), "{help}");
        assert_eq!(help.exit_code(), 0);
    }
}
