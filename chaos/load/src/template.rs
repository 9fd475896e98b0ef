//! Requests, rendered as far as they can be before the arrivals are known.

use crate::{Arrival, cookies::Jar, draw};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use chaos_model::{
    ArrivalId, RequestId, RunKey, Text, Values,
    arrival::BAGGAGE_KEY,
    load::{Secrets, TextPiece},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::Full;
use std::{fmt::Write as _, time::Duration};

/// A request as hyper sends it.
pub(crate) type Request = http::Request<Full<Bytes>>;

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const USER_AGENT: &str = concat!("chaos/", env!("CARGO_PKG_VERSION"));

/// One of the load's requests, checked, with its constant parts rendered. What the user's own header says stands, with
/// two exceptions: `baggage` is added to, and framing is hyper's.
pub(crate) struct Template {
    method: Method,
    path: Part<Uri>,
    /// Everything but what depends on the arrival.
    headers: HeaderMap,
    filled: Vec<(HeaderName, Text)>,
    /// User and password, where variables are in them.
    basic: Option<Text>,
    /// The user's own baggage with a comma behind it, or nothing.
    baggage: Text,
    own_traceparent: bool,
    body: Part<Bytes>,
}

enum Part<T> {
    Constant(T),
    Filled(Text),
}

impl Template {
    /// None for what can't be sent as HTTP.
    pub(crate) fn new(request: &chaos_model::Request, secrets: &Secrets, host: &str, port: u16) -> Option<Self> {
        let method = Method::from_bytes(request.method.as_bytes()).ok().filter(|method| method != Method::CONNECT)?;
        let mut template = Self {
            method,
            path: part(&request.path, uri)?,
            headers: HeaderMap::new(),
            filled: Vec::new(),
            basic: None,
            baggage: Text { pieces: Vec::new() },
            own_traceparent: false,
            body: match &request.body {
                Some(body) => part(body, |text| Some(text.into()))?,
                None => Part::Constant(Bytes::new()),
            },
        };
        template.headers.insert(header::HOST, authority(host, port)?);
        template.headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        for (name, value) in &request.headers {
            template.add_header(HeaderName::from_bytes(name.as_bytes()).ok()?, &secrets.fill(value))?;
        }
        if let Some(basic) = &request.basic {
            let basic = secrets.fill(basic);
            template.headers.insert(header::AUTHORIZATION, basic_auth(&fill(&basic, &Values::new()))?);
            template.basic = Some(basic).filter(|basic| basic.variables().next().is_some());
        }
        Some(template)
    }

    fn add_header(&mut self, name: HeaderName, value: &Text) -> Option<()> {
        if matches!(name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING) {
            return None;
        }
        // A value that makes it invalid is one that the language refuses.
        header_value(fill(value, &Values::new()))?;
        if name == BAGGAGE {
            self.baggage.pieces.clone_from(&value.pieces);
            self.baggage.pieces.push(TextPiece::Plain(",".to_owned()));
            return Some(());
        }
        self.own_traceparent |= name == TRACEPARENT;
        match part(value, header_value)? {
            Part::Constant(value) => drop(self.headers.insert(name, value)),
            Part::Filled(text) => {
                // Room for it from the start, and the place of a default that it replaces.
                self.headers.insert(name.clone(), HeaderValue::from_static(""));
                self.filled.push((name, text));
            }
        }
        Some(())
    }

    /// True if to make it twice is to make it once (RFC 9110, 9.2.2).
    pub(crate) fn is_idempotent(&self) -> bool {
        // `is_idempotent` of the method knows these too, and nothing of methods that others made up.
        self.method.is_idempotent()
    }

    /// The request of one arrival, with the cookies of its client; none where its variables make an invalid one.
    pub(crate) fn render(
        &self,
        RunKey { seed, nonce }: RunKey,
        arrival: &Arrival,
        cookies: &Jar,
        unix_now: Duration,
    ) -> Option<Request> {
        let vars = &arrival.vars;
        let body = match &self.body {
            Part::Constant(body) => body.clone(),
            Part::Filled(text) => fill(text, vars).into(),
        };
        let mut request = Request::new(Full::new(body));
        request.method_mut().clone_from(&self.method);
        *request.uri_mut() = match &self.path {
            Part::Constant(uri) => uri.clone(),
            Part::Filled(text) => uri(fill(text, vars))?,
        };
        let mut headers = self.headers.clone();
        for (name, text) in &self.filled {
            headers.insert(name, header_value(fill(text, vars))?);
        }
        if let Some(basic) = &self.basic {
            headers.insert(header::AUTHORIZATION, basic_auth(&fill(basic, vars))?);
        }
        let mut baggage = fill(&self.baggage, vars);
        let id = RequestId { n: arrival.n, step: arrival.step };
        write!(baggage, "{BAGGAGE_KEY}={}", ArrivalId { nonce, n: id.n, step: id.step }).ok()?;
        headers.insert(BAGGAGE, header_value(baggage)?);
        if !self.own_traceparent {
            headers.insert(TRACEPARENT, header_value(traceparent(seed, id))?);
        }
        if !cookies.is_empty()
            && let Some(field) = cookies.field(headers.get(header::COOKIE), request.uri().path(), unix_now)
        {
            headers.insert(header::COOKIE, field);
        }
        *request.headers_mut() = headers;
        Some(request)
    }
}

/// Version 00, sampled (W3C trace context).
fn traceparent(seed: u64, id: RequestId) -> String {
    format!("00-{:032x}-{:016x}-01", draw::trace_id(seed, id), draw::span_id(seed, id))
}

/// Renders at once what depends on no variable.
fn part<T>(text: &Text, constant: impl Fn(String) -> Option<T>) -> Option<Part<T>> {
    if text.variables().next().is_some() {
        return Some(Part::Filled(text.clone()));
    }
    constant(fill(text, &Values::new())).map(Part::Constant)
}

/// The rendered text, as [`Text::render`] gives it, with one allocation.
fn fill(text: &Text, values: &Values) -> String {
    let mut filled = String::with_capacity(64);
    text.pieces.iter().for_each(|piece| piece.render(values, &mut filled));
    filled
}

fn uri(text: String) -> Option<Uri> {
    if text.starts_with('/') { Uri::from_maybe_shared(Bytes::from(text)).ok() } else { None }
}

fn header_value(text: String) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

/// As RFC 7617 writes a user and a password.
fn basic_auth(user_and_password: &str) -> Option<HeaderValue> {
    header_value(format!("Basic {}", BASE64_STANDARD.encode(user_and_password)))
}

fn authority(host: &str, port: u16) -> Option<HeaderValue> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    header_value(if port == 80 { host } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{request, text};
    use std::collections::BTreeMap;

    fn variable(before: &str, name: &str) -> Text {
        Text { pieces: vec![TextPiece::Plain(before.to_owned()), TextPiece::Variable(name.to_owned())] }
    }

    const KEY: RunKey = RunKey { seed: 1, nonce: chaos_model::Nonce(0xab) };

    fn arrival(n: u64) -> Arrival {
        Arrival {
            n,
            step: 0,
            request: 0,
            intended: Duration::ZERO,
            vars: BTreeMap::from([("user".to_owned(), chaos_model::Value::Number(40 + n))]),
        }
    }

    #[test]
    fn defaults_stand_unless_the_user_says_otherwise() {
        let template = Template::new(&request("/a?b=c", 1), &Secrets::default(), "gateway", 8000).unwrap();
        let made = template.render(KEY, &arrival(3), &Jar::default(), Duration::ZERO).unwrap();
        assert_eq!(made.uri(), "/a?b=c");
        assert_eq!(made.headers()["host"], "gateway:8000");
        assert_eq!(made.headers()["user-agent"], USER_AGENT);
        assert_eq!(made.headers()["baggage"], "chaos.request=00000000000000ab-3-0");
        assert_eq!(made.headers()["traceparent"], traceparent(1, 3.into()));
        assert_eq!(made.headers().len(), 4);

        let headers = [("host", "other"), ("user-agent", "me"), ("traceparent", "mine"), ("baggage", "a=b")];
        let headers = headers.map(|(name, value)| (name.to_owned(), text(value)));
        let own = chaos_model::Request { headers: BTreeMap::from(headers), ..request("/", 1) };
        let made = Template::new(&own, &Secrets::default(), "gateway", 80)
            .unwrap()
            .render(KEY, &arrival(3), &Jar::default(), Duration::ZERO)
            .unwrap();
        assert_eq!(made.headers()["host"], "other");
        assert_eq!(made.headers()["user-agent"], "me");
        assert_eq!(made.headers()["traceparent"], "mine");
        assert_eq!(made.headers()["baggage"], "a=b,chaos.request=00000000000000ab-3-0");
    }

    #[test]
    fn variables_are_filled_in_everywhere() {
        let request = chaos_model::Request {
            name: String::new(),
            path: variable("/api/", "user"),
            headers: BTreeMap::from([
                ("X-User".to_owned(), variable("u", "user")),
                ("Baggage".to_owned(), variable("user=", "user")),
            ]),
            body: Some(variable("id=", "user")),
            ..request("/", 1)
        };
        let made = Template::new(&request, &Secrets::default(), "::1", 8000)
            .unwrap()
            .render(KEY, &arrival(2), &Jar::default(), Duration::ZERO)
            .unwrap();
        assert_eq!(made.uri(), "/api/42");
        assert_eq!(made.headers()["x-user"], "u42");
        assert_eq!(made.headers()["baggage"], "user=42,chaos.request=00000000000000ab-2-0");
        assert_eq!(made.headers()["host"], "[::1]:8000");
        assert_eq!(format!("{:?}", made.body()), format!("{:?}", Full::new(Bytes::from("id=42"))));
    }

    #[test]
    fn users_and_passwords_are_coded_as_one_word() {
        let of = |basic: Text| {
            let request = chaos_model::Request { basic: Some(basic), ..request("/", 1) };
            let template = Template::new(&request, &Secrets::default(), "gateway", 80).unwrap();
            let made = template.render(KEY, &arrival(2), &Jar::default(), Duration::ZERO).unwrap();
            made.headers()["authorization"].to_str().unwrap().to_owned()
        };
        // The example of RFC 7617, 2.
        assert_eq!(of(text("Aladdin:open sesame")), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(of(variable("user:", "user")), format!("Basic {}", BASE64_STANDARD.encode("user:42")));
    }

    #[test]
    fn what_is_no_http_is_refused() {
        let refused =
            |request: chaos_model::Request| Template::new(&request, &Secrets::default(), "gateway", 80).is_none();
        let header = |name: &str, value: &str| chaos_model::Request {
            headers: BTreeMap::from([(name.to_owned(), text(value))]),
            ..request("/", 1)
        };
        assert!(refused(request("no slash", 1)));
        assert!(refused(request("/with a space", 1)));
        assert!(refused(chaos_model::Request { method: "G T".to_owned(), ..request("/", 1) }));
        assert!(refused(chaos_model::Request { method: "CONNECT".to_owned(), ..request("/", 1) }));
        assert!(refused(header("with space", "x")));
        assert!(refused(header("x-lines", "a\r\nb: c")));
        assert!(refused(header("content-length", "5")));
        assert!(refused(header("transfer-encoding", "chunked")));
        assert!(!refused(header("x-fine", "x")));
    }
}
