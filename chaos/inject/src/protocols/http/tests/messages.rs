//! Messages of any kind, with what a reader must make of them.

use proptest::{collection::vec, prelude::*, sample::select};

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Without the line that starts it.
    pub(super) fields: String,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Length(Vec<u8>),
    /// Chunks, with what is behind their sizes; and the trailer section.
    Chunked(Vec<(String, Vec<u8>)>, String),
}

/// A request and its responses, the last of which is final.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) method: &'static str,
    pub(super) request: Message,
    pub(super) interim: Vec<(u16, String)>,
    pub(super) status: u16,
    pub(super) response: Message,
}

fn fields() -> impl Strategy<Value = String> {
    let field = select(vec![
        "Host: a\r\n",
        "x:\r\n",
        "X-Tabs:\t a \t\r\n",
        "x-fold: a\r\n b\r\n\t c\r\n",
        "x-bytes: \u{e9}\u{fffd}\r\n",
        "Content-Lengthy: 7\r\n",
        "x-content-length: 7\r\n",
        "Expect: 100-continue\r\n",
        "content-type: application/json; charset=utf-8\r\n",
    ]);
    vec(field, 0..4).prop_map(|fields| fields.concat())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text =
        select(vec![&b"\r\n"[..], b"\r\n\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]);
    let piece = prop_oneof![text.prop_map(<[u8]>::to_vec), vec(any::<u8>(), 0..20)];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn body() -> impl Strategy<Value = Body> {
    let behind = select(vec!["", ";a", "; a=\"b;c\"", " ;x", " \t"]).prop_map(str::to_owned);
    let chunk = (behind, bytes().prop_filter("not the last", |bytes| !bytes.is_empty()));
    let trailers = select(vec!["", "digest: x\r\n", "a: b\r\nc: 0\r\n"]).prop_map(str::to_owned);
    prop_oneof![
        Just(Body::None),
        bytes().prop_map(Body::Length),
        (vec(chunk, 0..4), trailers).prop_map(|(chunks, trailers)| Body::Chunked(chunks, trailers)),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    (fields(), body()).prop_map(|(fields, body)| Message { fields, body })
}

pub(super) fn pair() -> impl Strategy<Value = Pair> {
    let method = select(vec!["GET", "HEAD", "POST", "DELETE", "X-ANY"]);
    let interim = vec((select(vec![100, 102, 103]), fields()), 0..3);
    let status = select(vec![200, 201, 204, 304, 404, 500]);
    (method, message(), interim, status, message()).prop_map(|(method, request, interim, status, mut response)| {
        let bodiless = method == "HEAD" || [204, 304].contains(&status);
        if matches!(response.body, Body::None) && !bodiless {
            response.body = Body::Length(vec![]);
        }
        Pair { method, request, interim, status, response }
    })
}

impl Message {
    /// The length of the head, and all of the message.
    fn write(&self, start: &str, bodiless: bool) -> (usize, Vec<u8>) {
        let framing = match &self.body {
            Body::None => String::new(),
            Body::Length(body) => format!("Content-Length: {}\r\n", body.len()),
            Body::Chunked(..) => "transfer-encoding: chunked\r\n".to_owned(),
        };
        let mut all = format!("{start}\r\n{}{framing}\r\n", self.fields).into_bytes();
        let head = all.len();
        match &self.body {
            Body::Length(body) if !bodiless => all.extend_from_slice(body),
            Body::Chunked(chunks, trailers) if !bodiless => {
                for (behind, chunk) in chunks {
                    all.extend_from_slice(format!("{:X}{behind}\r\n", chunk.len()).as_bytes());
                    all.extend_from_slice(chunk);
                    all.extend_from_slice(b"\r\n");
                }
                all.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
            }
            _ => {}
        }
        (head, all)
    }

    /// The bytes that a reader takes for its body.
    pub(super) fn content(&self) -> Vec<u8> {
        match &self.body {
            Body::None => Vec::new(),
            Body::Length(body) => body.clone(),
            Body::Chunked(chunks, _) => chunks.iter().flat_map(|(_, chunk)| chunk).copied().collect(),
        }
    }
}

impl Pair {
    pub(super) fn is_bodiless(&self) -> bool {
        self.method == "HEAD" || [204, 304].contains(&self.status)
    }

    /// The length of the request's head, and all of the request.
    pub(super) fn asked(&self, target: &str) -> (usize, Vec<u8>) {
        self.request.write(&format!("{} {target} HTTP/1.1", self.method), false)
    }

    /// The responses to it.
    pub(super) fn responded(&self) -> Vec<u8> {
        let interim = self.interim.iter().map(|(status, fields)| format!("HTTP/1.1 {status} .\r\n{fields}\r\n"));
        let (_, last) = self.response.write(&format!("HTTP/1.1 {} Any Reason", self.status), self.is_bodiless());
        [interim.collect::<String>().into_bytes(), last].concat()
    }
}
