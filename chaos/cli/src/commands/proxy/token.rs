//! The token: made at each start, for nobody but this user to read.

use chaos_links::Token;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The machine's randomness, drawn for this process.
pub(super) struct Random {
    pub(super) token: Token,
    pub(super) seed: u64,
}

pub(super) fn random() -> io::Result<Random> {
    let (mut token, mut seed) = ([0; 32], [0; 8]);
    let mut source = File::open("/dev/urandom")?;
    source.read_exact(&mut token)?;
    source.read_exact(&mut seed)?;
    Ok(Random { token: Token::new(token), seed: u64::from_ne_bytes(seed) })
}

/// Writes it beside and moves it there, so that nobody reads half of it, nor what others may read.
pub(super) fn write(path: &Path, token: &Token) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = Path::new(&new);
    // Of one that was killed here: in a container, process ids come again.
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(token.reveal().as_bytes()).and_then(|()| file.write_all(b"\n"))?;
    std::fs::rename(new, path)
}
