//! The machine that the command runs on: all that it reads from its surroundings. Nothing else reads them.

use crate::{args::Colour, bundle::Bundle};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

/// The surroundings of this process.
pub(crate) struct Machine {
    /// Additions of whoever built this command.
    pub(crate) bundle: Bundle,
    /// The command line, word by word, and the folder that it was given in.
    pub(crate) command: Vec<String>,
    pub(crate) folder: String,
    /// The environment, as far as it is UTF-8.
    pub(crate) env: BTreeMap<String, String>,
    /// True where standard output is a terminal.
    pub(crate) live: bool,
    /// Colours on standard output, and on standard error.
    pub(crate) colour: bool,
    pub(crate) colour_errors: bool,
    /// Columns of the terminal.
    pub(crate) width: usize,
}

/// Output that goes nowhere in particular is made for this many columns.
const WIDTH: usize = 80;
/// Wider lines are hard to read, however wide the terminal.
const WIDEST: usize = 120;

impl Machine {
    pub(crate) fn look(colour: Colour, bundle: Bundle) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
        let env: BTreeMap<String, String> = std::env::vars_os().filter_map(utf8).collect();
        let no_colour = env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        let coloured = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !no_colour && !dumb,
        };
        let live = std::io::stdout().is_terminal() && !dumb;
        let columns = rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
        let width = columns.filter(|columns| live && *columns >= 40).unwrap_or(WIDTH).min(WIDEST);
        let colour_errors = coloured(std::io::stderr().is_terminal());
        let command = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let folder = std::env::current_dir().map_or_else(|_| String::new(), |folder| folder.display().to_string());
        Self { bundle, command, folder, env, live, colour: coloured(live), colour_errors, width }
    }

    /// The folder in which runs have theirs: absolute, since services start elsewhere, and without links, as the kernel
    /// tells of it.
    ///
    /// # Errors
    /// In words, for people.
    pub(crate) fn temp_folder(&self) -> Result<PathBuf, String> {
        let folder = self.env.get("TMPDIR").filter(|folder| !folder.is_empty()).map_or("/tmp", String::as_str);
        std::fs::canonicalize(folder).map_err(|error| format!("TMPDIR is `{folder}`, which is no folder: {error}"))
    }

    /// The machine's name.
    pub(crate) fn name(&self) -> String {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        name.trim().to_owned()
    }

    /// The images that containers run: by the environment, then by a file of `NAME=image` lines, else as scripts/images
    /// calls them and as Redis is called by those who publish it.
    ///
    /// # Errors
    /// In words, for people: the file was asked for and can't be read.
    #[cfg(feature = "docker")]
    pub(crate) fn images(&self, file: Option<&Path>) -> Result<chaos_worlds::docker::Images, String> {
        let path = file.unwrap_or(Path::new(".images.env"));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_some() => return Err(format!("--images: can't read {}: {error}", path.display())),
            Err(_) => String::new(),
        };
        let in_file = |name: &str| {
            let mut lines = text.lines();
            lines
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))
                .map(|image| image.trim().to_owned())
        };
        let image = |name: &str, usual: &str| {
            let named = self.env.get(name).cloned().filter(|image| !image.is_empty());
            let named = named.or_else(|| in_file(name)).filter(|image| !image.is_empty());
            named.unwrap_or_else(|| usual.to_owned())
        };
        Ok(chaos_worlds::docker::Images {
            chaos: image("CHAOS_IMAGE", "chaos-local/chaos:latest"),
            redis: image("REDIS_IMAGE", "redis:7.2-bookworm"),
        })
    }

    /// A Compose file as the Compose of this machine normalises it.
    ///
    /// # Errors
    /// In words: there is no Compose, or it refuses the file.
    #[cfg(feature = "docker")]
    pub(crate) fn normalised_compose(&self, file: &Path) -> Result<serde_json::Value, String> {
        self.compose_tool()?.normalise(file)
    }

    /// There is none where no world runs containers.
    #[cfg(not(feature = "docker"))]
    #[expect(clippy::unused_self, reason = "as where there is one")]
    pub(crate) fn normalised_compose(&self, _: &Path) -> Result<serde_json::Value, String> {
        Err("this build of `chaos` comes without the world `docker`, which runs such systems".to_owned())
    }

    /// The Compose of this machine.
    ///
    /// # Errors
    /// In words: there is none.
    #[cfg(feature = "docker")]
    pub(crate) fn compose_tool(&self) -> Result<chaos_worlds::compose::ComposeTool, String> {
        let tool = chaos_worlds::compose::ComposeTool::find(|name| self.find_program(name));
        let none = "there is no Compose on this machine (`apt-get install docker-compose`, or Docker's own plugin)";
        tool.ok_or_else(|| none.to_owned())
    }

    /// The place of a program on the path.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.env.get("PATH")?;
        std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_executable(file))
    }
}

fn utf8((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

fn is_executable(file: &Path) -> bool {
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file()
}
