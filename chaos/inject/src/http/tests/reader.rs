//! Reads answers as a client does, with code of its own.

use httparse::{EMPTY_HEADER, ParserConfig, Response, Status};

/// An answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// What the framing announced has come.
    pub(super) complete: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// The answers to requests with these methods, and what is left.
pub(super) fn answers<'a>(methods: &[&str], mut bytes: &'a [u8]) -> (Vec<Answer>, &'a [u8]) {
    let mut all = Vec::new();
    for method in methods {
        loop {
            let Some((answer, rest)) = answer(method, bytes) else { return (all, bytes) };
            bytes = rest;
            let interim = answer.status < 200;
            all.push(answer);
            if !interim {
                break;
            }
        }
    }
    (all, bytes)
}

fn answer<'a>(method: &str, bytes: &'a [u8]) -> Option<(Answer, &'a [u8])> {
    let mut headers = [EMPTY_HEADER; 32];
    let mut response = Response::new(&mut headers);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let Ok(Status::Complete(end)) = config.parse_response(&mut response, bytes) else { return None };
    let headers =
        response.headers.iter().map(|it| (it.name.to_lowercase(), String::from_utf8(it.value.to_vec()).expect("text")));
    let mut answer =
        Answer { status: response.code.expect("a status"), headers: headers.collect(), ..Answer::default() };
    let rest = &bytes[end..];
    if method == "HEAD" || answer.status < 200 || [204, 304].contains(&answer.status) {
        answer.complete = true;
        return Some((answer, rest));
    }
    if answer.header("transfer-encoding") == ["chunked"] {
        let rest = chunks(&mut answer, rest);
        return Some((answer, rest));
    }
    let length = answer.header("content-length").first().map(|it| it.parse::<usize>().expect("a number"));
    let end = length.unwrap_or(rest.len()).min(rest.len());
    answer.body = rest[..end].to_vec();
    answer.complete = length.is_none_or(|length| length == end);
    Some((answer, &rest[end..]))
}

fn chunks<'a>(answer: &mut Answer, mut rest: &'a [u8]) -> &'a [u8] {
    while let Ok(Status::Complete((start, size))) = httparse::parse_chunk_size(rest) {
        rest = &rest[start..];
        if size == 0 {
            while let Some(end) = rest.windows(2).position(|it| it == b"\r\n") {
                let line = &rest[..end];
                rest = &rest[end + 2..];
                if line.is_empty() {
                    answer.complete = true;
                    return rest;
                }
                let line = std::str::from_utf8(line).expect("text");
                let (name, value) = line.split_once(": ").expect("a trailer");
                answer.headers.push((name.to_lowercase(), value.to_owned()));
            }
            return rest;
        }
        let size = usize::try_from(size).expect("a size").min(rest.len());
        answer.body.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        let Some(after) = rest.strip_prefix(b"\r\n") else { return rest };
        rest = after;
    }
    rest
}
