//! Tests of attribution: the command that passing bytes belong to.

use super::wire::{Wire, command};
use crate::protocol::{Attribution, Filter as _};
use chaos_model::Direction;

fn about(subject: &str) -> Attribution {
    Attribution { subject: Some(subject.into()), arrival: None }
}

#[test]
fn each_command_and_each_reply_is_named_before_its_first_byte() {
    let mut wire = Wire::clear();
    wire.rules.traces = true;
    wire.client([command("GET a"), command("SET b 1")].concat());
    let second = command("GET a").len();
    assert_eq!(wire.about, [(Direction::Upstream, 0, about("GET a")), (Direction::Upstream, second, about("SET b"))]);
    assert_eq!(wire.filter.under_way(), [about("GET a"), about("SET b")]);
    wire.about.clear();
    wire.server("$1\r");
    assert_eq!(wire.filter.under_way(), [Attribution::default(), about("SET b")], "of the one that comes");
    wire.server("\nx\r\n+OK\r\n");
    assert_eq!(wire.about, [(Direction::Downstream, 0, about("GET a")), (Direction::Downstream, 7, about("SET b"))]);
    assert_eq!(wire.filter.under_way(), []);
    assert_eq!(wire.down.arrived, b"$1\r\nx\r\n+OK\r\n");
}

#[test]
fn it_is_said_once_that_nothing_is_known_any_more() {
    let mut wire = Wire::clear();
    wire.client([command("GET a"), command("GET b")].concat());
    assert_eq!(wire.filter.under_way(), [Attribution::default()], "those that nothing is known of are one");
    wire.rules.traces = true;
    wire.commands(&["GET c"]);
    wire.rules.traces = false;
    wire.commands(&["GET d", "GET e"]);
    wire.about.clear();
    wire.server("+a\r\n+b\r\n+c\r\n+d\r\n+e\r\n");
    assert_eq!(
        wire.about,
        [(Direction::Downstream, 8, about("GET c")), (Direction::Downstream, 12, Attribution::default())]
    );
}
