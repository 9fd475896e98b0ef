//! Procfiles: a service a line, `name: command`, as Heroku, foreman and their like read them.

use crate::command::{Command, CommandError};

/// The commands of a Procfile.
///
/// # Errors
/// The line that is none, or what is wrong with its command.
pub fn procfile(text: &str) -> Result<Vec<Command>, CommandError> {
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let command = |(number, line): (usize, &str)| {
        let (name, command) = line.split_once(':').ok_or_else(|| CommandError::Line(number, line.to_owned()))?;
        // Names of processes may have them; those of services become names of hosts.
        Command::of(&name.trim().replace('_', "-").to_lowercase(), command)
    };
    lines.map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_service() {
        let commands =
            procfile("# ours\nweb: PORT=8000 ./web\n\nWork_er: ./work --url http://127.0.0.1:8000\n").unwrap();
        assert_eq!(commands.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["web", "work-er"]);
        assert_eq!(commands[1].words, ["./work", "--url", "http://127.0.0.1:8000"]);
        let wrong = procfile("web: ./web\njust words\n").unwrap_err();
        assert_eq!(wrong.to_string(), "line 2 is no `name: command`: `just words`");
    }
}
