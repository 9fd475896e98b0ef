//! Tests of attribution: the command that passing bytes belong to.

use super::wire::{Wire, command};
use crate::{
    filter::{Attribution, Filter as _},
    interpreter::Way,
};

fn number(number: u64) -> Attribution {
    Attribution { subject: Some(format!("number {number}").into()), arrival: None }
}

#[test]
fn each_command_and_each_reply_is_named_before_its_first_byte() {
    let mut wire = Wire::clear();
    wire.rules.traces = true;
    wire.client([command("GET a"), command("SET b 1")].concat());
    let second = command("GET a").len();
    assert_eq!(wire.about, [(Way::Up, 0, number(1)), (Way::Up, second, number(2))]);
    assert_eq!(wire.filter.under_way(), [number(1), number(2)]);
    wire.about.clear();
    wire.server("$1\r");
    assert_eq!(wire.filter.under_way(), [Attribution::default(), number(2)], "of the one that comes");
    wire.server("\nx\r\n+OK\r\n");
    assert_eq!(wire.about, [(Way::Down, 0, number(1)), (Way::Down, 7, number(2))]);
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
    assert_eq!(wire.about, [(Way::Down, 8, number(1)), (Way::Down, 12, Attribution::default())]);
}
