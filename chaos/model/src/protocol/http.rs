//! The row of HTTP/1.1.

use super::{Ready, Recognised, Row, Scheme, Transport, Words};
use crate::effect::Level;

/// The facts of HTTP/1.1 (RFC 9112).
pub(super) static ROW: Row = Row {
    name: "http",
    about: "HTTP/1.1",
    usual_port: 80,
    unprivileged_port: 8000,
    schemes: &[
        Scheme { name: "http", transport: Transport::Plain },
        Scheme { name: "https", transport: Transport::Tls },
        // A WebSocket begins as a request (RFC 6455, 1.3).
        Scheme { name: "ws", transport: Transport::Plain },
        Scheme { name: "wss", transport: Transport::Tls },
    ],
    // The usual protocol of built-in programs, whatever they are called.
    programs: &[],
    ready: Ready::Connection,
    words: Some(Words { message: "request", messages: "requests", response: "response" }),
    levels: &[Level::Connections, Level::Messages, Level::Requests],
    only: &["method", "path", "query", "header.NAME", "baggage.NAME"],
    alpn: &["http/1.1", "http/1.0"],
    takes_password: false,
    elsewhere: &[
        ("Toxiproxy", "no word: toxics act on bytes"),
        ("Chaos Mesh", "`HTTPChaos`"),
        ("Istio", "`http` of a VirtualService, with `fault.delay` and `fault.abort`"),
        ("k6", "`ServiceDisruptor.injectHTTPFaults`"),
    ],
    limits: &[
        ("connections of TLS, HTTP/2 or another protocol", "their requests can't be told apart"),
        ("connections behind `101 Switching Protocols`, or `CONNECT`", "they speak no HTTP/1 any more"),
        (
            "requests with Content-Lengths that differ, with one and a Transfer-Encoding, with a coding that is not chunked, or with \
             lines that some read as these (`Content_Length`, `Content-Length :`, one that goes on with the field before it)",
            "servers end them in different places (RFC 9112, 11.2), and so nobody knows what follows on the connection: all of it is \
             spared",
        ),
        (
            "responses with Content-Lengths that differ, or a Transfer-Encoding that does not end with chunked or has that twice",
            "user agents end them in different places, likewise",
        ),
        (
            "messages with a CR alone, or with lines of which some end with CRLF and some with LF",
            "readers find different fields in them; where all find the same end, what follows on the connection is met",
        ),
        ("heads beyond 256 KiB, and first lines that are none of HTTP/1", "no end can be found"),
        (
            "responses of more than 8 MiB that a share or an edit has to see whole, parts (`206`) of compressed bodies, and codings \
             other than `gzip`, `deflate`, `br` and `zstd`",
            "what would become of them is not known; they pass, as far as it hangs on that",
        ),
        (
            "what follows a response that nobody asked for (`408` on an idle connection)",
            "the next response belongs to nobody knows which request",
        ),
    ],
    recognise,
    filter: None,
};

/// The longest method of the registry (RFC 9110, 16.1) has 17 letters.
const LONGEST_METHOD: usize = 24;

fn recognise(bytes: &[u8]) -> Recognised {
    // The preface of HTTP/2 (RFC 9113, 3.4) looks like a request on purpose.
    const HTTP_2: &[u8] = b"PRI * HTTP/2";
    if bytes.starts_with(HTTP_2) {
        return Recognised::No;
    }
    if HTTP_2.starts_with(bytes) {
        return Recognised::More;
    }
    let is_method = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'-';
    let method = bytes.iter().take_while(|byte| is_method(byte)).count();
    match bytes.get(method) {
        _ if method > LONGEST_METHOD => Recognised::No,
        None => Recognised::More,
        Some(b' ') if method > 0 => Recognised::Yes,
        Some(_) => Recognised::No,
    }
}
