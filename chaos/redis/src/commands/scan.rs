use super::{Call, Command, Refusal, Reply, glob};
use crate::codec::{Frame, parse_integer};
use bytes::Bytes;

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`: a cursor to go on with, 0 at the end, and some keys.
pub(super) const SCAN: Command = Command::new("scan", run);

/// Keys that are looked at in one call, unless `COUNT` says otherwise.
const COUNT: usize = 10;

fn run(call: &mut Call<'_>) -> Reply {
    let cursor = cursor(call.word(1))?;
    let Options { pattern, count, has_strings } = Options::parse(call.after(2))?;
    let mut keys = vec![];
    let next = call.state.store.scan(call.client.database, cursor, count, call.now_ms, |key| {
        if has_strings && pattern.is_none_or(|pattern| glob(pattern, key)) {
            keys.push(Frame::bulk(key));
        }
    });
    Ok(Frame::Array(vec![Frame::bulk(next.to_string()), Frame::Array(keys)]))
}

/// Reads a cursor as `strtoul` does: a sign and leading zeros may be there, and a negative number wraps.
fn cursor(text: &[u8]) -> Result<u64, Refusal> {
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = text.and_then(|text| text.parse::<u64>().ok()).ok_or(Refusal::says("ERR invalid cursor"))?;
    Ok(if is_negative { number.wrapping_neg() } else { number })
}

struct Options<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    /// True where strings, all that there is, are of the type that was asked for.
    has_strings: bool,
}

impl<'a> Options<'a> {
    fn parse(mut words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut this = Self { pattern: None, count: COUNT, has_strings: true };
        while let [option, value, rest @ ..] = words {
            match option.to_ascii_lowercase().as_slice() {
                b"match" => this.pattern = Some(value),
                b"count" => {
                    let count = parse_integer(value).ok_or(Refusal::NOT_AN_INTEGER)?;
                    this.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Refusal::SYNTAX)?;
                }
                b"type" => this.has_strings = value.eq_ignore_ascii_case(b"string"),
                _ => return Err(Refusal::SYNTAX),
            }
            words = rest;
        }
        if words.is_empty() { Ok(this) } else { Err(Refusal::SYNTAX) }
    }
}
