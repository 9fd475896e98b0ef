//! Error replies, in the words of Redis.

use crate::codec::Frame;
use bytes::Bytes;
use std::borrow::Cow;

/// So much of what a client sent is repeated to it.
const REPEATED_BYTES: usize = 128;

/// The reason for which a command did nothing. It holds bytes, since it may repeat some of the client's, which need be
/// no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(Cow<'static, [u8]>);

impl Refusal {
    pub(super) const SYNTAX: Self = Self::says("ERR syntax error");
    pub(super) const NOT_AN_INTEGER: Self = Self::says("ERR value is not an integer or out of range");
    pub(super) const NOT_AN_INT: Self =
        Self::says("ERR value is out of range, value must between -2147483648 and 2147483647");
    pub(super) const NO_SUCH_DATABASE: Self = Self::says("ERR DB index is out of range");
    pub(super) const NOT_AUTHENTICATED: Self = Self::says("NOAUTH Authentication required.");
    pub(super) const OUT_OF_MEMORY: Self = Self::says("OOM command not allowed when used memory > 'maxmemory'.");
    pub(super) const WRONG_PASSWORD: Self = Self::says("WRONGPASS invalid username-password pair or user is disabled.");

    pub(super) const NO_PERMISSION_FOR_KEY: Self =
        Self::says("NOPERM this user has no permissions to access one of the keys used as arguments");

    pub(super) const fn says(text: &'static str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }

    /// A text with some of the client's bytes in it, up to the first NUL, as C has it. Line breaks at the end go.
    pub(super) fn repeating(before: &str, client: &[u8], after: &str) -> Self {
        let mut text = [before.as_bytes(), until_nul(client), after.as_bytes()].concat();
        while text.pop_if(|last| matches!(last, b'\r' | b'\n')).is_some() {}
        Self(Cow::Owned(text))
    }

    pub(super) fn wrong_arity(command: &str) -> Self {
        Self::repeating("ERR wrong number of arguments for '", command.as_bytes(), "' command")
    }

    pub(super) fn no_permission(command: &str) -> Self {
        Self::repeating("NOPERM this user has no permissions to run the '", command.as_bytes(), "' command")
    }

    /// The same as the reason why a transaction isn't carried out.
    pub(super) fn of_exec(self) -> Self {
        let text = self.0.strip_prefix(b"ERR ").unwrap_or(&self.0);
        Self::repeating("EXECABORT Transaction discarded because of: ", text, "")
    }

    pub(super) fn invalid_expire(command: &str) -> Self {
        Self::repeating("ERR invalid expire time in '", command.as_bytes(), "' command")
    }

    pub(super) fn unknown_command(name: &[u8], arguments: &[Bytes]) -> Self {
        let mut repeated = vec![];
        for argument in arguments {
            let Some(room) = REPEATED_BYTES.checked_sub(repeated.len()).filter(|room| *room > 0) else { break };
            repeated.push(b'\'');
            repeated.extend_from_slice(cut(until_nul(argument), room));
            repeated.extend_from_slice(b"' ");
        }
        let name = cut(until_nul(name), REPEATED_BYTES);
        let parts = [b"ERR unknown command '", name, b"', with args beginning with: ", until_nul(&repeated)];
        Self(Cow::Owned(parts.concat()))
    }

    pub(super) fn unknown_subcommand(command: &str, subcommand: &[u8]) -> Self {
        let after = format!("'. Try {} HELP.", command.to_ascii_uppercase());
        Self::repeating("ERR unknown subcommand '", cut(subcommand, REPEATED_BYTES), &after)
    }

    pub(super) fn into_frame(self) -> Frame {
        Frame::Error(match self.0 {
            Cow::Borrowed(text) => Bytes::from_static(text),
            Cow::Owned(text) => Bytes::from(text),
        })
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn cut(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}
