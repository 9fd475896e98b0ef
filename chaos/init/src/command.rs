//! Commands as people type them: settings before the program, quotes, and a shell where only a shell would do.

use thiserror::Error;

/// Characters that a shell reads otherwise than as themselves, outside of quotes.
const OF_SHELLS: [char; 11] = ['|', '&', ';', '<', '>', '(', ')', '$', '`', '*', '?'];

/// A service's name with what starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The service's name.
    pub name: String,
    /// Settings: variables of its environment.
    pub env: Vec<(String, String)>,
    /// The program and its arguments.
    pub words: Vec<String>,
}

/// A mistake in a command.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// Nothing says what the service is called.
    #[error("`{0}` needs a name before it, as in `shop={0}`")]
    Nameless(String),
    /// The name is none of a service.
    #[error("`{0}` can't be a service's name: lower-case letters, digits and `-`, beginning with a letter")]
    Name(String),
    /// Two services have the same name.
    #[error("two services are called `{0}`")]
    Twice(String),
    /// A quote has no end.
    #[error("a quote is not closed in `{0}`")]
    Quote(String),
    /// There is no program.
    #[error("`{0}` is to be started by nothing: a program is missing")]
    Empty(String),
    /// Two services would listen at the same port.
    #[error("`{0}` and `{1}` both listen at {2}: each needs a port of its own")]
    SamePort(String, String, u16),
    /// Nothing says which service clients use.
    #[error("nothing says which of these services clients use: {0}; say it by `--entry NAME`")]
    Entry(String),
    /// No service has the entry's name.
    #[error("the entry `{0}` is none of these services: {1}")]
    NoEntry(String, String),
    /// A line of a list is no command.
    #[error("line {0} is no `name: command`: `{1}`")]
    Line(usize, String),
}

impl Command {
    /// The command of `NAME=COMMAND`.
    ///
    /// # Errors
    /// [`CommandError`], where it is none.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let (name, line) = text.split_once('=').ok_or_else(|| CommandError::Nameless(text.to_owned()))?;
        // `PORT=8000 ./shop` has no name, and a setting in its place.
        if name.contains(char::is_whitespace) || name.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(CommandError::Nameless(text.to_owned()));
        }
        Self::of(name, line)
    }

    /// The command in this line, of a service of this name.
    ///
    /// # Errors
    /// [`CommandError`], where it is none.
    pub fn of(name: &str, line: &str) -> Result<Self, CommandError> {
        let name = name.trim();
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_inner);
        if !is_name || name.len() > 63 || ["client", "self", "run"].contains(&name) {
            return Err(CommandError::Name(name.to_owned()));
        }
        let Split { words, needs_shell } = split(line)?;
        let settings = words.iter().map_while(|word| setting(word)).count();
        let env: Vec<_> = words.iter().take(settings).filter_map(|word| setting(word)).collect();
        let words: Vec<String> = words.into_iter().skip(settings).collect();
        if words.is_empty() {
            return Err(CommandError::Empty(name.to_owned()));
        }
        let name = name.to_owned();
        if needs_shell {
            // The shell makes the settings as well.
            let words = vec!["sh".to_owned(), "-c".to_owned(), line.trim().to_owned()];
            return Ok(Self { name, env: Vec::new(), words });
        }
        Ok(Self { name, env, words })
    }
}

/// A word `NAME=VALUE`, as shells read it before a program.
fn setting(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    fits.then(|| (name.to_owned(), value.to_owned()))
}

struct Split {
    words: Vec<String>,
    needs_shell: bool,
}

/// Splits a line into words, as a shell does (POSIX, 2.2), and tells if only a shell can do what it says.
fn split(line: &str) -> Result<Split, CommandError> {
    let (mut words, mut word, mut needs_shell) = (Vec::new(), None::<String>, false);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let open = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        None => return Err(CommandError::Quote(line.trim().to_owned())),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => match rest.next() {
                            Some(next @ ('"' | '\\' | '$' | '`')) => open.push(next),
                            next => open.extend([Some('\\'), next].into_iter().flatten()),
                        },
                        Some(next) => {
                            needs_shell |= c == '"' && matches!(next, '$' | '`');
                            open.push(next);
                        }
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(rest.next()),
            c => {
                needs_shell |= OF_SHELLS.contains(&c);
                word.get_or_insert_default().push(c);
            }
        }
    }
    words.extend(word);
    Ok(Split { words, needs_shell })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Vec<String>, Vec<String>) {
        let command = Command::parse(text).unwrap();
        (command.env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(), command.words)
    }

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        let (env, words) = parse(r#"shop=PORT=8000 GREETING='good day' python3 "a b.py" --name it\'s "\"x\"" ''"#);
        assert_eq!(env, ["PORT=8000", "GREETING=good day"]);
        assert_eq!(words, ["python3", "a b.py", "--name", "it's", "\"x\"", ""]);
    }

    #[test]
    fn what_only_a_shell_can_do_is_left_to_one() {
        for line in ["./a | ./b", "exec ./a --port $PORT", "./a \"$HOME\"", "X=1 ./a && ./b"] {
            let (env, words) = parse(&format!("shop={line}"));
            assert_eq!((env.len(), words), (0, vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()]));
        }
        assert_eq!(parse("shop=./a '$x | y'").1, ["./a", "$x | y"]);
    }

    #[test]
    fn mistakes_are_told() {
        for (text, wrong) in [
            ("./shop", "needs a name before it"),
            ("PORT=1 ./shop", "needs a name before it"),
            ("sh_op=./shop", "`sh_op` can't be a service's name"),
            ("client=./shop", "`client` can't be a service's name"),
            ("shop=", "a program is missing"),
            ("shop=PORT=1", "a program is missing"),
            ("shop=./a 'b", "a quote is not closed in `./a 'b`"),
        ] {
            let told = Command::parse(text).unwrap_err().to_string();
            assert!(told.contains(wrong), "{text}: {told}");
        }
    }
}
