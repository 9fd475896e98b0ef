//! A folder for one test, with a place of releases in it, and YAML.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chaos");

/// The tag of this version.
pub(crate) const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The repository that files of others name.
pub(crate) const REPOSITORY: &str = "OWNER/chaos";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One service that is away for a moment, and expectations that hold.
pub(crate) const SCENARIO: &str = r#"
title = "One service"
entry = "users"

[service.users]
program = "user-service"
ready   = "GET /health"

[load]
request   = "GET /users/{user}"
rate      = "100/s"
duration  = "4s"
vars.user = "uniform 1..1000"

[[fault]]
name   = "away"
on     = "client -> users"
effect = "close"
share  = "100%"
at     = "1s"
for    = "2s"

[[expect]]
that   = "somebody is not answered without it"
during = "away"
unanswered.any = ">= 5%"

[[expect]]
that   = "all are answered before"
during = "baseline"
status.200 = ">= 100%"

[[guard]]
without = "its users"
set."service.users.program" = "order-service"
breaks = ["all are answered before"]
"#;

/// A folder with scenarios, and all that a job has beside it.
pub(crate) struct Job {
    folder: TempDir,
}

impl Job {
    pub(crate) fn new() -> Self {
        let job = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["work/scenarios", "temp", "tmp"] {
            std::fs::create_dir_all(job.path().join(name)).unwrap();
        }
        job.write("scenarios/good.toml", SCENARIO);
        job
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder in which its commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.work().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.work().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A place of releases that has this program as the one of this version.
    pub(crate) fn releases(&self) -> String {
        format!("file://{}", release_site().path().display())
    }

    /// A command with these surroundings and no others.
    pub(crate) fn command(&self, program: &str, env: &BTreeMap<String, String>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", search_path()).env("TMPDIR", self.path().join("tmp"));
        command.env("XDG_STATE_HOME", self.path().join("state")).envs(env);
        command.current_dir(self.work()).stdin(Stdio::null());
        command
    }
}

/// The folders in which this machine has its programs.
#[expect(clippy::disallowed_methods, reason = "commands of a job need the machine's programs")]
pub(crate) fn search_path() -> String {
    std::env::var("PATH").unwrap()
}

/// The text of an output.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Packs by `scripts/release`.
pub(crate) fn release(arguments: &[&str]) -> Output {
    Command::new(root().join("scripts/release")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What this machine is called in names of archives.
pub(crate) fn machine() -> &'static str {
    std::env::consts::ARCH
}

/// A release as it is published: this program, packed once for all tests, under the name of a static one.
pub(crate) fn release_site() -> &'static TempDir {
    static SITE: LazyLock<TempDir> = LazyLock::new(|| {
        let site = tempfile::tempdir().unwrap();
        let folder = site.path().join(REPOSITORY).join("releases/download").join(TAG);
        let packed = release(&["--from", PROGRAM, "--to", folder.to_str().unwrap()]);
        assert!(packed.status.success(), "{}", said(&packed));
        let name = |libc: &str| format!("chaos-{TAG}-{}-unknown-linux-{libc}.tar.gz", machine());
        let (packed, published) = (name("gnu"), name("musl"));
        std::fs::rename(folder.join(&packed), folder.join(&published)).unwrap();
        let sum = std::fs::read_to_string(folder.join(format!("{packed}.sha256"))).unwrap();
        std::fs::write(folder.join(format!("{published}.sha256")), sum.replace(&packed, &published)).unwrap();
        site
    });
    &SITE
}
