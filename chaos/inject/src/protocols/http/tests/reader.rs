//! Reads responses as a client does, with code of its own.

use httparse::{EMPTY_HEADER, ParserConfig, Status};

/// A response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// True once all that the framing announced has come.
    pub(super) complete: bool,
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// The responses to requests with these methods, and what is left.
pub(super) fn responses<'a>(methods: &[&str], mut bytes: &'a [u8]) -> (Vec<Response>, &'a [u8]) {
    let mut all = Vec::new();
    for method in methods {
        loop {
            let Some((response, rest)) = response(method, bytes) else { return (all, bytes) };
            bytes = rest;
            let interim = response.status < 200;
            all.push(response);
            if !interim {
                break;
            }
        }
    }
    (all, bytes)
}

fn response<'a>(method: &str, bytes: &'a [u8]) -> Option<(Response, &'a [u8])> {
    let mut headers = [EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut headers);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let Ok(Status::Complete(end)) = config.parse_response(&mut parsed, bytes) else { return None };
    let headers =
        parsed.headers.iter().map(|it| (it.name.to_lowercase(), String::from_utf8(it.value.to_vec()).expect("text")));
    let mut response =
        Response { status: parsed.code.expect("a status"), headers: headers.collect(), ..Response::default() };
    let rest = &bytes[end..];
    if method == "HEAD" || response.status < 200 || [204, 304].contains(&response.status) {
        response.complete = true;
        return Some((response, rest));
    }
    if response.header("transfer-encoding") == ["chunked"] {
        let rest = chunks(&mut response, rest);
        return Some((response, rest));
    }
    let length = response.header("content-length").first().map(|it| it.parse::<usize>().expect("a number"));
    let end = length.unwrap_or(rest.len()).min(rest.len());
    response.body = rest[..end].to_vec();
    response.complete = length.is_none_or(|length| length == end);
    Some((response, &rest[end..]))
}

fn chunks<'a>(response: &mut Response, mut rest: &'a [u8]) -> &'a [u8] {
    while let Ok(Status::Complete((start, size))) = httparse::parse_chunk_size(rest) {
        rest = &rest[start..];
        if size == 0 {
            while let Some(end) = rest.windows(2).position(|it| it == b"\r\n") {
                let line = &rest[..end];
                rest = &rest[end + 2..];
                if line.is_empty() {
                    response.complete = true;
                    return rest;
                }
                let line = std::str::from_utf8(line).expect("text");
                let (name, value) = line.split_once(": ").expect("a trailer");
                response.headers.push((name.to_lowercase(), value.to_owned()));
            }
            return rest;
        }
        let size = usize::try_from(size).expect("a size").min(rest.len());
        response.body.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        let Some(after) = rest.strip_prefix(b"\r\n") else { return rest };
        rest = after;
    }
    rest
}
