//! Compose itself, as this machine has it: Docker's plugin (v2), or `docker-compose` (1.29).

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Lines of what Compose says when it refuses a file.
const LINES: usize = 3;

/// The command that is Compose here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeTool {
    /// The first words of its commands.
    words: Vec<String>,
    is_plugin: bool,
}

impl ComposeTool {
    /// Looks for it; `find` gives the place of a program. None where there is none.
    #[must_use]
    pub fn find(find: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let plugin = find("docker").filter(|docker| {
            let version = Command::new(docker).args(["compose", "version", "--short"]).stdin(Stdio::null()).output();
            version.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
        });
        if let Some(docker) = plugin {
            return Some(Self { words: vec![docker.display().to_string(), "compose".to_owned()], is_plugin: true });
        }
        let alone = find("docker-compose")?;
        Some(Self { words: vec![alone.display().to_string()], is_plugin: false })
    }

    /// Has it read a file, with all that the file includes, extends and names, and write what it means as one document.
    ///
    /// # Errors
    /// In words: what it says.
    pub fn normalise(&self, file: &Path) -> Result<Value, String> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).arg("-f").arg(file).arg("config").stdin(Stdio::null());
        if self.is_plugin {
            command.args(["--format", "json"]);
        }
        let output = command.output().map_err(|error| format!("{} can't be started: {error}", self.words.join(" ")))?;
        if !output.status.success() {
            return Err(said(&output));
        }
        // JSON is YAML too.
        let text = String::from_utf8(output.stdout).map_err(|_| "what it writes is not UTF-8".to_owned())?;
        serde_saphyr::from_str(&text).map_err(|error| {
            let why = error.to_string();
            format!("what it writes can't be read: {}", why.lines().next().unwrap_or_default())
        })
    }

    /// The words of a command on a project and its document.
    pub(super) fn command(&self, project: &str, document: &Path, words: &[&str]) -> Vec<String> {
        let of_project = ["-p".to_owned(), project.to_owned(), "-f".to_owned(), document.display().to_string()];
        let words = words.iter().map(|word| (*word).to_owned());
        self.words.iter().cloned().chain(of_project).chain(words).collect()
    }
}

/// Its words, in a line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let lines = &lines[..lines.len().min(LINES)];
    if lines.is_empty() { output.status.to_string() } else { lines.join(" ") }
}
