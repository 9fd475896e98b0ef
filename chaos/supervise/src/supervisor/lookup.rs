//! The program that a command means, looked for before it is started as `execvp` looks for it (POSIX, exec): one that is not
//! there is told by its name, and not as a service that ended.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The path where nothing says one, as in the C library.
const USUAL: &str = "/bin:/usr/bin";

/// Looks for a command's program. With a slash in it, it counts from the folder that the command runs in; else it is on the path.
///
/// # Errors
/// Where there is none, or none that may be executed; in words.
pub(super) fn find(program: &str, folder: &Path, path: Option<OsString>) -> io::Result<()> {
    if program.contains('/') {
        let from = if program.starts_with('/') { String::new() } else { format!(" in {}", folder.display()) };
        return is_executable(&folder.join(program)).map_err(|kind| wrong(kind, program, &from));
    }
    let path = path.unwrap_or_else(|| USUAL.into());
    let mut found = io::ErrorKind::NotFound;
    for place in env::split_paths(&path) {
        // An empty place is the folder itself.
        let place = if place == PathBuf::new() { folder.to_owned() } else { folder.join(place) };
        match is_executable(&place.join(program)) {
            Ok(()) => return Ok(()),
            Err(io::ErrorKind::PermissionDenied) => found = io::ErrorKind::PermissionDenied,
            Err(_) => {}
        }
    }
    Err(wrong(found, program, " on the path"))
}

fn wrong(kind: io::ErrorKind, program: &str, place: &str) -> io::Error {
    let how = if kind == io::ErrorKind::NotFound { "was not found" } else { "is no executable file" };
    io::Error::new(kind, format!("the command `{program}` {how}{place}"))
}

fn is_executable(file: &Path) -> Result<(), io::ErrorKind> {
    match fs::metadata(file) {
        Ok(of) if of.is_file() && of.permissions().mode() & 0o111 != 0 => Ok(()),
        Ok(_) => Err(io::ErrorKind::PermissionDenied),
        Err(_) => Err(io::ErrorKind::NotFound),
    }
}

/// The path that a service has: its own, or that of this process, which it inherits.
#[expect(clippy::disallowed_methods, reason = "the supervisor hands its environment to services, as it is")]
pub(super) fn path(own: &BTreeMap<String, String>, inherits: bool) -> Option<OsString> {
    own.get("PATH").map(OsString::from).or_else(|| env::var_os("PATH").filter(|_| inherits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_it_would_be_executed() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        file("bin/server", 0o755);
        file("plain", 0o644);
        let on_path =
            |program| find(program, folder.path(), Some("/nowhere:bin".into())).map_err(|why| why.to_string());
        assert_eq!(on_path("server"), Ok(()), "a relative place of the path counts from the folder");
        assert_eq!(on_path("./bin/server"), Ok(()));
        assert_eq!(on_path("serve"), Err("the command `serve` was not found on the path".to_owned()));
        let from = folder.path().display();
        assert_eq!(on_path("./serve"), Err(format!("the command `./serve` was not found in {from}")));
        assert_eq!(on_path("./plain"), Err(format!("the command `./plain` is no executable file in {from}")));
        assert_eq!(on_path("./bin").map_err(|why| why.len() > 9), Err(true), "a folder is no program");
        assert_eq!(on_path("/no/such"), Err("the command `/no/such` was not found".to_owned()));
        assert_eq!(find("sh", folder.path(), None).map_err(|why| why.to_string()), Ok(()));
    }
}
