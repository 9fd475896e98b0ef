//! The parts of a request that decisions read: its target, its baggage, and whether a fault is for it.

use crate::protocol::{Key, Message, shortened};
use chaos_model::{ArrivalId, KeyKind, Only, arrival::BAGGAGE_KEY, calls::names_one, effect::Action};
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// A request, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Method, as sent.
    pub(crate) method: &'a str,
    /// Target, as sent: path and query (of the absolute form too).
    pub(crate) target: &'a [u8],
    /// Header fields, as sent, in order.
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    /// Body as far as it was waited for (see [`Decide::draws`](crate::protocol::Decide::draws)); `None` where it was not.
    pub(crate) body: Option<&'a [u8]>,
    /// Arrival that it says it belongs to,
    pub(crate) arrival: Option<ArrivalId>,
    /// and whether that is one of the run whose faults are there.
    pub(crate) is_known: bool,
}

impl Message for Request<'_> {
    fn matches(&self, action: &Action, only: &Only) -> bool {
        (action.message.is_some() || action.http.is_some()) && matches(only, self)
    }

    /// Of one with a number: number, method and target; of one without: method, target and body.
    fn key(&self) -> Key {
        let (method, target) = (self.method.as_bytes(), self.target);
        match self.arrival.filter(|_| self.is_known) {
            Some(ArrivalId { n, step, .. }) => numbered(n, step, method, target),
            None => Key::new(KeyKind::Request, &[b"request", method, target, self.body.unwrap_or_default()]),
        }
    }

    fn subject(&self) -> String {
        subject(self.method, self.target)
    }

    fn arrival(&self) -> Option<ArrivalId> {
        self.arrival
    }
}

/// The key of a request with a number. Without the nonce, which is another in each run: the same seed draws the same.
fn numbered(n: u64, step: u32, method: &[u8], target: &[u8]) -> Key {
    let (n, step_bytes) = (n.to_le_bytes(), step.to_le_bytes());
    let (first, later) = ([b"numbered", &n[..], method, target], [b"numbered", &n[..], &step_bytes, method, target]);
    Key::new(KeyKind::NumberedRequest, if step == 0 { &first } else { &later })
}

/// The subject of a request, for people.
pub(super) fn subject(method: &str, target: &[u8]) -> String {
    format!("{method} {}", shortened(target))
}

/// The kind of a request: its method and its path without what names one thing among many, `GET /users/*`.
pub(super) fn kind(method: &str, target: &[u8]) -> String {
    let path = String::from_utf8_lossy(target.split(|byte| *byte == b'?').next().unwrap_or_default());
    let mut kind = String::with_capacity(method.len() + 1 + path.len());
    kind.push_str(method);
    for (nth, part) in path.split('/').enumerate() {
        kind.push(if nth == 0 { ' ' } else { '/' });
        kind.push_str(if names_one(part) { "*" } else { part });
    }
    kind
}

/// The path and query of a target. Of the absolute form, what follows the authority.
pub(crate) fn target(sent: &[u8]) -> &[u8] {
    if sent.starts_with(b"/") {
        return sent;
    }
    let Some(colon) = memchr::memmem::find(sent, b"://") else { return sent };
    let rest = &sent[colon + 3..];
    match memchr::memchr2(b'/', b'?', rest) {
        Some(at) => &rest[at..],
        None => b"/",
    }
}

/// An entry of a request's baggage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// Key of the entry.
    pub(crate) key: &'a [u8],
    /// Value of the entry, decoded.
    pub(crate) value: Cow<'a, [u8]>,
}

/// The entries of a request's baggage (W3C Baggage, section 3.3), in order, over all headers of that name; those that
/// can't be read are left out, and so are properties.
pub(crate) fn baggage<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> impl Iterator<Item = Entry<'a>> {
    let values = headers.filter(|(name, _)| name.eq_ignore_ascii_case("baggage")).map(|(_, value)| value);
    values.flat_map(|value| value.split(|byte| *byte == b',')).filter_map(entry)
}

fn entry(member: &[u8]) -> Option<Entry<'_>> {
    let pair = member.split(|byte| *byte == b';').next()?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
    (!key.is_empty()).then(|| Entry { key, value: percent_decode(value).into() })
}

/// The arrival that a request belongs to, where it says so: `baggage: chaos.request=9f3c5a1b2d4e6f70-812-0`.
pub(crate) fn arrival<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<ArrivalId> {
    let id = baggage(headers).find(|entry| entry.key == BAGGAGE_KEY.as_bytes())?.value;
    std::str::from_utf8(&id).ok()?.parse().ok()
}

/// Tells whether a fault is for this request, its place among those that match apart. A fault for commands is for none.
pub(crate) fn matches(only: &Only, request: &Request<'_>) -> bool {
    let method = only.methods.is_empty() || only.methods.iter().any(|method| method == request.method);
    let path_length = memchr::memchr(b'?', request.target).unwrap_or(request.target.len());
    let (own_path, own_query) = request.target.split_at(path_length);
    let path = only.path.as_ref().is_none_or(|path| path.matches(own_path));
    let query = only.query.as_ref().is_none_or(|query| query.matches(own_query.get(1..).unwrap_or_default()));
    let headers = only.headers.iter().all(|(name, pattern)| {
        let mut values = request.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
        values.any(|(_, value)| pattern.matches(value))
    });
    let baggage = only.baggage.iter().all(|(key, pattern)| {
        baggage(request.headers.iter().copied())
            .any(|entry| entry.key == key.as_bytes() && pattern.matches(&entry.value))
    });
    method && path && query && headers && baggage && only.commands.is_empty() && only.key.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Nonce, Pattern};

    fn entries(headers: &[(&'static str, &'static [u8])]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        baggage(headers.iter().copied()).map(|entry| (text(entry.key), text(&entry.value))).collect()
    }

    #[test]
    fn baggage_is_read_over_several_headers() {
        let headers: [(&str, &[u8]); 4] = [
            ("baggage", b"a=1;prop;p=2 ,\tb = x%2Cy%20z%zz=,, none, =no,c="),
            ("Other", b"d=4"),
            ("Baggage", b"a=2"),
            ("baggage", b"e=\xff%ff"),
        ];
        let read = [("a", "1"), ("b", "x,y z%zz="), ("c", ""), ("a", "2"), ("e", "\u{fffd}\u{fffd}")];
        assert_eq!(entries(&headers), read.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_request_says_to_which_arrival_it_belongs() {
        let number = |value: &'static str| arrival([("BAGGAGE", value.as_bytes())].into_iter());
        let seven = ArrivalId { nonce: Nonce(0xab), n: 7, step: 0 };
        assert_eq!(number("user=1, chaos.request = 00000000000000ab-7-0;x"), Some(seven));
        assert_eq!(number("chaos.request=00000000000000ab-%37-0"), Some(seven));
        for none in ["", "chaos.request=", "chaos.request=7", "chaos.requests=00000000000000ab-7-0"] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn later_steps_of_an_arrival_are_drawn_apart() {
        let all = [numbered(7, 0, b"GET", b"/"), numbered(7, 1, b"GET", b"/"), numbered(7, 2, b"GET", b"/")];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }

    #[test]
    fn a_target_is_a_path_and_a_query() {
        for (sent, is) in [
            ("/a?b=http://c", "/a?b=http://c"),
            ("http://user@a:1/b?c", "/b?c"),
            ("http://a", "/"),
            ("http://a?b/c", "?b/c"),
            ("*", "*"),
            ("a:443", "a:443"),
        ] {
            assert_eq!(target(sent.as_bytes()), is.as_bytes());
        }
    }

    #[test]
    fn the_kind_of_a_request_names_no_one_thing() {
        for (target, path) in [
            ("/", "/"),
            ("*", "*"),
            ("/users/7?page=2", "/users/*"),
            ("/api/v1/users/u-77/orders", "/api/v1/users/*/orders"),
            ("/files/0af76519-16cd-43dd-8448-eb211c80319c/", "/files/*/"),
            ("/v/vx1/version", "/v/*/version"),
        ] {
            assert_eq!(kind("GET", target.as_bytes()), format!("GET {path}"));
        }
    }

    fn is_for(only: &Only) -> bool {
        let headers: [(&str, &[u8]); 4] =
            [("X-User", b"7"), ("x-user", b"8"), ("baggage", b"a=1,b=2"), ("baggage", b"a=%33")];
        let (method, target, arrival) = ("GET", &b"/orders/7?full=1"[..], None);
        matches(only, &Request { method, target, headers: &headers, body: None, arrival, is_known: false })
    }

    #[test]
    fn a_fault_is_for_requests_that_match_all_it_asks() {
        let like = |text: &str| Pattern(text.to_owned());
        let method = |method: &str| Only { methods: vec!["PUT".to_owned(), method.to_owned()], ..Only::default() };
        let path = |text| Only { path: Some(like(text)), ..Only::default() };
        let query = |text| Only { query: Some(like(text)), ..Only::default() };
        let header = |name: &str, text| Only { headers: vec![(name.to_owned(), like(text))], ..Only::default() };
        let baggage = |name: &str, text| Only { baggage: vec![(name.to_owned(), like(text))], ..Only::default() };
        let all =
            Only { path: Some(like("/orders/*")), headers: vec![("x-user".to_owned(), like("8"))], ..method("GET") };
        let yes =
            [Only::default(), method("GET"), path("/orders/7"), query("full=1"), query("*"), header("x-user", "7")];
        let no =
            [method("get"), path("/orders/7?*"), path("*full=1"), query("?full=1"), query("1"), header("x-user", "9")];
        let no = no.iter().chain(&[header("none", "*"), baggage("c", "*")]).cloned().collect::<Vec<_>>();
        let yes = yes.iter().chain(&[path("/orders/*"), all.clone()]).cloned().collect::<Vec<_>>();
        for only in yes.iter().chain(&[header("x-user", "8"), baggage("a", "1"), baggage("a", "3"), baggage("b", "*")])
        {
            assert!(is_for(only), "{only}");
        }
        for only in
            no.iter().chain(&[baggage("a", "2"), baggage("a", "%33"), Only { path: Some(like("/users")), ..all }])
        {
            assert!(!is_for(only), "{only}");
        }
        assert!(!is_for(&Only { commands: vec!["GET".to_owned()], ..Only::default() }));
        assert!(!is_for(&Only { key: Some(like("*")), ..Only::default() }));
    }
}
