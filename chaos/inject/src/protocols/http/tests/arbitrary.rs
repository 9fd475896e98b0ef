//! Whatever comes, in whichever pieces.

use super::{
    Wire, canned, edit,
    messages::{Body, Pair, pair},
    plan, reader,
};
use crate::protocols::http::plan::HttpPlan;
use chaos_model::Direction;
use chaos_model::effect::action::{BodyEdit, HeaderEdit, Part};
use proptest::{collection::vec, prelude::*, sample::select};

/// Bytes of both ways, and up to where they are what.
#[derive(Debug, Default)]
struct Course {
    up: Vec<u8>,
    down: Vec<u8>,
    /// Offsets at which each request begins and its head ends.
    heads: Vec<(usize, usize)>,
    /// Ends of the service's responses, each with the index of its request.
    responses: Vec<(usize, usize)>,
}

impl Course {
    fn of(pairs: &[Pair], target: impl Fn(usize) -> String, asks_service: impl Fn(usize) -> bool) -> Self {
        let mut course = Self::default();
        for (nth, pair) in pairs.iter().enumerate() {
            let (head, request) = pair.asked(&target(nth));
            course.heads.push((course.up.len(), course.up.len() + head));
            course.up.extend(request);
            if asks_service(nth) {
                course.down.extend(pair.responded());
                course.responses.push((course.down.len(), nth));
            }
        }
        course
    }

    /// The count of response bytes that may have come once so much of the requests has.
    fn may_come(&self, up: usize) -> usize {
        let seen = self.heads.iter().filter(|(_, end)| *end <= up).count();
        self.responses.iter().filter(|(_, nth)| *nth < seen).map(|(end, _)| *end).max().unwrap_or(0)
    }

    /// Sends all of it in pieces, now this way, now that; after each, `check` is told how much of both has been sent.
    fn send(&self, wire: &mut Wire, pieces: &[(bool, usize)], mut check: impl FnMut(&Wire, usize, usize)) {
        let (mut up, mut down) = (0, 0);
        let rest = [(true, self.up.len()), (false, self.down.len())];
        for (is_up, count) in pieces.iter().copied().chain(rest) {
            if is_up {
                let end = (up + count).min(self.up.len());
                wire.send(Direction::Upstream, &self.up[up..end]);
                up = end;
            } else {
                let end = (down + count).min(self.may_come(up)).max(down);
                wire.send(Direction::Downstream, &self.down[down..end]);
                down = end;
            }
            check(wire, up, down);
        }
    }
}

fn pieces() -> impl Strategy<Value = Vec<(bool, usize)>> {
    let size = prop_oneof![1..4_usize, 1..40_usize, Just(1000)];
    vec((any::<bool>(), size), 0..120)
}

/// The plan for a request, by its target.
fn happens(target: &str) -> HttpPlan {
    match target.split_once('?').map(|(_, what)| what) {
        Some("canned") => canned(503, "no"),
        Some("shorten") => edit(&[BodyEdit::Shorten(Part::Bytes(7))]),
        Some("replace") => edit(&[BodyEdit::Replace("{}".to_owned())]),
        Some("pad") => edit(&[BodyEdit::Pad(5000)]),
        Some("garble") => edit(&[BodyEdit::Garble { parts_per_million: 100_000 }]),
        Some("header") => {
            HttpPlan { head: vec![HeaderEdit { name: "x-new".to_owned(), value: Some("yes".to_owned()) }], ..plan() }
        }
        _ => HttpPlan::default(),
    }
}

const HAPPENS: [&str; 7] = ["", "?canned", "?shorten", "?replace", "?pad", "?garble", "?header"];

/// Tells whether this is what a client should read.
fn is_right(what: &str, pair: &Pair, response: &reader::Response) -> bool {
    if what == "?canned" {
        let text = if pair.method == "HEAD" { "" } else { "no" };
        return response.status == 503 && response.text() == text;
    }
    let mut content = if pair.is_bodiless() { Vec::new() } else { pair.response.content() };
    let right = match what {
        _ if pair.is_bodiless() => response.body.is_empty(),
        "?shorten" => {
            content.truncate(7);
            response.body == content
        }
        "?replace" => response.text() == "{}",
        "?pad" => {
            content.resize(content.len().max(5000), b' ');
            response.body == content
        }
        "?garble" => response.body.len() == content.len() && (content.is_empty() || response.body != content),
        _ => response.body == content,
    };
    let header = if what == "?header" { vec!["yes"] } else { vec![] };
    right && response.status == pair.status && response.header("x-new") == header
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let known = select(vec![
        "GET / HTTP/1.1\r\n",
        "HEAD /x?canned HTTP/1.1\r\n",
        "CONNECT a:1 HTTP/1.1\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 101 .\r\n",
        "content-length: 3\r\n",
        "transfer-encoding: chunked\r\n",
        "\r\n",
        "\n",
        "3\r\n",
        "0\r\n\r\n",
        "abc",
        " ",
        "x: y\r\n",
    ]);
    let piece = prop_oneof![4 => known.prop_map(|text| text.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..5)];
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Every byte passes, as soon as it may, and every end of a message is found where it is.
    #[test]
    fn messages_pass_as_they_came(pairs in vec(pair(), 0..5), pieces in pieces(), armed: bool) {
        let course = Course::of(&pairs, |nth| format!("/{nth}"), |_| true);
        let mut wire = Wire::with(|_| HttpPlan::default());
        wire.decisions.armed = armed;
        course.send(&mut wire, &pieces, |wire, up, down| {
            let held = course.heads.iter().find(|(begin, end)| (*begin..*end).contains(&up)).map(|(begin, _)| *begin);
            assert_eq!(wire.up.out, &course.up[..held.unwrap_or(up)]);
            assert_eq!(wire.down.out, &course.down[..down]);
            let begun = course.heads.iter().filter(|(_, end)| *end <= up).count();
            let over = course.responses.iter().filter(|(end, _)| *end <= down).count();
            assert_eq!((wire.filter.exchanges.len(), wire.is_lost()), (begun - over, false));
        });
        prop_assert!(wire.is_settled());
        let asked = pairs.iter().enumerate().map(|(nth, pair)| format!("{} /{nth}", pair.method)).collect::<Vec<_>>();
        prop_assert_eq!(wire.decisions.asked, if armed { asked } else { vec![] });
    }

    /// Whatever happens to some, every client reads a response to each request, in order, and it is the right one.
    #[test]
    fn responses_are_changed_and_the_others_are_intact(
        pairs in vec((pair(), select(HAPPENS.to_vec())), 1..5),
        pieces in pieces(),
    ) {
        let (pairs, what): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let course = Course::of(&pairs, |nth| format!("/{nth}{}", what[nth]), |nth| what[nth] != "?canned");
        let mut wire = Wire::with(happens);
        course.send(&mut wire, &pieces, |_, _, _| {});
        prop_assert!(wire.is_settled() && wire.ended.is_none());
        let methods = pairs.iter().map(|pair| pair.method).collect::<Vec<_>>();
        let (responses, rest) = reader::responses(&methods, &wire.down.out);
        prop_assert!(rest.is_empty());
        let mut responses = responses.iter().filter(|response| response.status >= 200);
        for (pair, what) in pairs.iter().zip(what) {
            let response = responses.next().expect("an response");
            prop_assert!(response.complete && is_right(what, pair, response), "{} {:?}", what, response);
            let chunked = matches!(pair.response.body, Body::Chunked(..)) && what != "?canned";
            prop_assert_eq!(!response.header("transfer-encoding").is_empty(), chunked);
        }
        let asked = pairs.iter().enumerate().map(|(nth, pair)| (nth, pair.asked(&format!("/{nth}{}", what_of(&wire, nth)))));
        let service = asked.filter(|(nth, _)| !what_of(&wire, *nth).contains("canned")).flat_map(|(_, (_, bytes))| bytes);
        prop_assert_eq!(service.collect::<Vec<_>>(), wire.up.out);
    }

    /// Faults that stay do the same, and count it once, whatever others come and go.
    #[test]
    fn faults_that_come_and_go_change_nothing_for_others(
        pairs in vec((pair(), select(HAPPENS.to_vec())), 1..5),
        pieces in pieces(),
        traces: bool,
    ) {
        let (pairs, what): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let course = Course::of(&pairs, |nth| format!("/{nth}{}", what[nth]), |nth| what[nth] != "?canned");
        let run = |changes| {
            let mut wire = Wire::with(happens);
            (wire.changes, wire.decisions.traces) = (changes, traces);
            course.send(&mut wire, &pieces, |_, _, _| {});
            (wire.up.out, wire.down.out, wire.fired, wire.decisions.asked, wire.about)
        };
        prop_assert_eq!(run(false), run(true));
    }

    /// A response that comes when the faults are gone is as the service sent it.
    #[test]
    fn faults_that_are_gone_do_nothing_to_what_comes(
        pairs in vec((pair(), select(HAPPENS.into_iter().filter(|what| *what != "?canned").collect::<Vec<_>>())), 1..5),
        pieces in pieces(),
    ) {
        let (pairs, what): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let course = Course::of(&pairs, |nth| format!("/{nth}{}", what[nth]), |_| true);
        let mut wire = Wire::with(happens);
        wire.send(Direction::Upstream, &course.up);
        wire.decisions.are_gone = true;
        wire.change();
        let mut rest = &course.down[..];
        for (_, count) in pieces.into_iter().chain([(false, course.down.len())]) {
            let (now, later) = rest.split_at(count.min(rest.len()));
            rest = later;
            wire.send(Direction::Downstream, now);
        }
        prop_assert_eq!((wire.fired, &wire.down.out), (0, &course.down));
    }

    /// Garbage passes untouched, in the end, and so does what is almost HTTP.
    #[test]
    fn garbage_passes(up in garbage(), down in garbage(), pieces in pieces(), armed: bool) {
        let mut wire = Wire::with(|_| HttpPlan::default());
        wire.decisions.armed = armed;
        everything_passes(&mut wire, &up, &down, &pieces);
    }

    /// So does a good message with a byte that is another.
    #[test]
    fn broken_messages_pass(
        pairs in vec(pair(), 1..4),
        pieces in pieces(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let course = Course::of(&pairs, |nth| format!("/{nth}"), |_| true);
        let (mut up, mut down) = (course.up, course.down);
        for (at, byte) in flips {
            *at.get_mut(&mut up) = byte;
            *at.get_mut(&mut down) = byte;
        }
        everything_passes(&mut Wire::with(|_| HttpPlan::default()), &up, &down, &pieces);
    }

    /// With faults, garbage may be answered, but nothing is made up on the way to the service.
    #[test]
    fn garbage_with_faults_does_no_harm(up in garbage(), down in garbage(), pieces in pieces()) {
        let plans = HAPPENS.map(|what| happens(&format!("/{what}")));
        let mut nth = 0;
        let mut wire = Wire::with(move |_| {
            nth += 1;
            plans[nth % plans.len()].clone()
        });
        let course = Course { up, down, ..Course::default() };
        send_all(&mut wire, &course.up, &course.down, &pieces);
        let mut rest = course.up.iter();
        prop_assert!(wire.up.out.iter().all(|byte| rest.any(|it| it == byte)), "in order, some left out");
    }
}

fn what_of(wire: &Wire, nth: usize) -> String {
    let target = wire.decisions.asked[nth].split_once('?').map(|(_, what)| what);
    target.map(|what| format!("?{what}")).unwrap_or_default()
}

fn everything_passes(wire: &mut Wire, up: &[u8], down: &[u8], pieces: &[(bool, usize)]) {
    send_all(wire, up, down, pieces);
    assert_eq!((&*wire.up.out, &*wire.down.out), (up, down));
}

/// Sends all of both ways, whatever belongs to what, and ends both.
fn send_all(wire: &mut Wire, up: &[u8], down: &[u8], pieces: &[(bool, usize)]) {
    let mut rest = [(Direction::Upstream, up), (Direction::Downstream, down)];
    let last = [(true, up.len()), (false, down.len())];
    for (is_up, count) in pieces.iter().copied().chain(last) {
        let (direction, bytes) = &mut rest[usize::from(!is_up)];
        let (piece, others) = bytes.split_at(count.min(bytes.len()));
        *bytes = others;
        let before = wire.side(*direction).out.len() + wire.side(*direction).left.len();
        wire.send(*direction, piece);
        let after = wire.side(*direction).out.len() + wire.side(*direction).left.len();
        assert!(*direction == Direction::Downstream || after <= before + piece.len());
    }
    wire.end(Direction::Upstream);
    wire.end(Direction::Downstream);
}
