//! Tests of attribution: the message that passing bytes belong to.

use super::{Wire, canned};
use crate::protocol::{Attribution, Filter as _};
use chaos_model::{ArrivalId, Direction, Nonce};

const ASK: &str = "GET /x?q=1 HTTP/1.1\r\nbaggage: a=1, chaos.request=00000000000000ab-7-0\r\n\r\n";
const POST: &str = "POST /y HTTP/1.1\r\ncontent-length: 3\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

const SEVEN: ArrivalId = ArrivalId { nonce: Nonce(0xab), n: 7, step: 0 };

fn attribution(subject: &str, arrival: Option<ArrivalId>) -> Attribution {
    Attribution { subject: Some(subject.into()), arrival }
}

#[test]
fn each_message_is_named_before_its_first_byte() {
    let mut wire = Wire::idle();
    wire.decisions.traces = true;
    wire.up(&format!("{ASK}{POST}ab"));
    wire.up("c");
    let (first, second) = (attribution("GET /x?q=1", Some(SEVEN)), attribution("POST /y", None));
    let up = [(Direction::Upstream, 0, first.clone()), (Direction::Upstream, ASK.len(), second.clone())];
    assert_eq!(wire.about, up);
    assert_eq!(wire.filter.under_way(), [first.clone(), second.clone()]);
    wire.about.clear();
    wire.down("HTTP/1.1 100 Continue\r\n\r\n");
    // In the middle of a head nothing is said again.
    wire.down(&OK[..10]);
    wire.down(&OK[10..]);
    wire.down(OK);
    assert_eq!(wire.down.out.len(), 25 + 2 * OK.len());
    let down = [
        (Direction::Downstream, 0, first.clone()),
        (Direction::Downstream, 25, first),
        (Direction::Downstream, 25 + OK.len(), second),
    ];
    assert_eq!(wire.about, down);
    assert_eq!(wire.filter.under_way(), []);
}

#[test]
fn answers_in_the_services_place_are_named_too() {
    let mut wire = Wire::planned(canned(503, ""));
    wire.decisions.traces = true;
    wire.up("GET /x HTTP/1.1\r\n\r\n");
    let about = attribution("GET /x", None);
    assert_eq!(wire.about, [(Direction::Upstream, 0, about.clone()), (Direction::Downstream, 0, about)]);
}

#[test]
fn numbers_are_known_of_what_was_under_way_before() {
    let mut wire = Wire::idle();
    wire.up(&format!("{ASK}{POST}"));
    assert_eq!(wire.about, []);
    let before = Attribution { subject: None, arrival: Some(SEVEN) };
    assert_eq!(wire.filter.under_way(), [before.clone(), Attribution::default()]);
    wire.decisions.traces = true;
    wire.down(OK);
    assert_eq!(wire.about, [(Direction::Downstream, 0, before)]);
}
