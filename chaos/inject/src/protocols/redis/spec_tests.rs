use super::super::tests::wire::scanned;
use super::*;

#[test]
fn keys_are_found_as_far_as_they_have_come() {
    for (line, expected) in [
        ("GET a", "a"),
        ("set a b EX 10", "a"),
        ("MSET a 1 b 2", "a b"),
        ("OBJECT ENCODING a", "a"),
        ("OBJECT NOTHING a", ""),
        ("XREADGROUP GROUP g c STREAMS a >", "a"),
        ("CLIENT ID", ""),
        ("FT.SEARCH a b", "a"),
        ("UNHEARDOF", ""),
    ] {
        let command = scanned(line);
        let keys: Vec<_> = keys(&command).into_iter().map(String::from_utf8_lossy).collect();
        assert_eq!(keys.join(" "), expected, "{line}");
    }
}

#[test]
fn a_server_would_run_what_it_knows_with_as_many_arguments_as_it_may_have() {
    for (line, is_run) in
        [("get a", true), ("GET", false), ("GET a b", false), ("CLIENT ID", true), ("CLIENT WHAT", false), ("X", false)]
    {
        assert_eq!(runnable(&scanned(line)).is_some(), is_run, "{line}");
    }
}

#[test]
fn writes_of_one_key_are_decided_on_before_their_values_have_come() {
    for (line, count) in [("SET a b", Some(2)), ("XGROUP DESTROY a g", Some(3)), ("GET a", None), ("MSET a 1", None)] {
        assert_eq!(needed(&scanned(line)), count, "{line}");
    }
}
