//! `scripts/release`: what people fetch.

use super::support::{PROGRAM, TAG, machine, release, release_site, said};
use std::{fs, process::Command};

pub(crate) fn a_release_is_packed_checked_and_installed() {
    let scratch = tempfile::tempdir().unwrap();
    let [dist, prefix] = ["dist", "prefix"].map(|name| scratch.path().join(name).to_str().unwrap().to_owned());
    let packed = release(&["--from", PROGRAM, "--to", &dist, "--tag", TAG, "--install", &prefix]);
    assert!(packed.status.success(), "{}", said(&packed));
    let archive = format!("{dist}/chaos-{TAG}-{}-unknown-linux-gnu.tar.gz", machine());
    assert!(fs::read_to_string(format!("{archive}.sha256")).unwrap().ends_with("-unknown-linux-gnu.tar.gz\n"));
    let chaos = |arguments: &[&str]| {
        let output = Command::new(format!("{prefix}/bin/chaos")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(chaos(&["--version"]), format!("chaos {}\n", &TAG[1..]));
    for (shell, file) in [
        ("bash", "bash-completion/completions/chaos"),
        ("zsh", "zsh/site-functions/_chaos"),
        ("fish", "fish/vendor_completions.d/chaos.fish"),
    ] {
        let installed = fs::read_to_string(format!("{prefix}/share/{file}")).unwrap();
        assert_eq!(installed, chaos(&["completions", shell]), "{shell}");
    }
    for file in ["man/man1/chaos.1", "man/man1/chaos-run.1", "doc/chaos/LICENSE-MIT", "doc/chaos/LICENSE-APACHE"] {
        assert!(fs::metadata(format!("{prefix}/share/{file}")).unwrap().len() > 0, "{file}");
    }
    // Packed elsewhere, at another time, it is the same to the byte.
    let folder = release_site().path().join("OWNER/chaos/releases/download").join(TAG);
    let other = folder.join(format!("chaos-{TAG}-{}-unknown-linux-musl.tar.gz", machine()));
    assert!(fs::read(&archive).unwrap() == fs::read(other).unwrap(), "two archives of one program differ");
}

pub(crate) fn what_is_no_release_is_not_packed() {
    let scratch = tempfile::tempdir().unwrap();
    let dist = scratch.path().join("dist").to_str().unwrap().to_owned();
    let none = scratch.path().join("chaos").to_str().unwrap().to_owned();
    let musl = format!("{}-unknown-linux-musl", machine());
    for (arguments, code, why) in [
        (&["--from", PROGRAM, "--tag", "v9.9.9"][..], 2, "the tag is v9.9.9, and the version of Cargo.toml v"),
        (&["--from", &none], 1, "chaos is no program"),
        (&["--from", "/bin/true"], 1, "says that its version is"),
        // The one under test is linked with this machine's library.
        (&["--from", PROGRAM, "--target", &musl], 1, "is not static"),
        (&["--form", PROGRAM], 2, "scripts/release --from PROGRAM"),
        (&["--from"], 2, "scripts/release --from PROGRAM"),
    ] {
        let output = release(&[arguments, &["--to", &dist]].concat());
        let said = said(&output);
        assert!(output.status.code() == Some(code) && said.contains(why), "{arguments:?}: {said}");
    }
    assert!(!scratch.path().join("dist").exists(), "nothing is left");
}
