use super::*;

fn keys(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split(' ').collect();
    let Found::Command(spec) = find(words[0].as_bytes(), words.get(1).map(|word| word.as_bytes())) else {
        panic!("{line} is no command")
    };
    let word = |place: usize| words.get(place).map(|word| word.as_bytes());
    spec.keys_among(words.len(), word).map(|key| std::str::from_utf8(key).unwrap()).collect()
}

#[test]
fn the_rows_are_sorted_and_each_is_there_once() {
    for rows in [redis7::ROWS, later::ROWS] {
        let misplaced = rows.windows(2).find(|pair| pair[0].name >= pair[1].name);
        assert!(misplaced.is_none(), "{misplaced:?}");
    }
    for spec in all() {
        assert_eq!(Spec::of(spec.name), spec);
        let (name, second) = spec.name.split_once('|').map_or((spec.name, None), |(name, second)| (name, Some(second)));
        let upper = second.map(str::to_uppercase);
        let found = find(name.to_uppercase().as_bytes(), upper.as_ref().map(String::as_bytes));
        assert_eq!(found, Found::Command(spec), "{}", spec.name);
    }
}

#[test]
fn subcommands_are_found_behind_their_commands_alone() {
    assert!(matches!(find(b"CLIENT", Some(b"nothing")), Found::NoSubcommand(spec) if spec.name == "client"));
    assert!(matches!(find(b"Client", None), Found::Command(spec) if spec.name == "client"));
    assert!(matches!(find(b"GET", Some(b"id")), Found::Command(spec) if spec.name == "get"));
    assert_eq!(find(b"client|id", None), Found::Nothing);
    assert_eq!(find(b"GETT", None), Found::Nothing);
}

#[test]
fn keys_are_where_the_words_say() {
    for (line, expected) in [
        ("GET a", "a"),
        ("MGET a b c", "a b c"),
        ("MSET a 1 b 2", "a b"),
        ("BLPOP a b 0", "a b"),
        ("EVAL script 2 a b c", "a b"),
        ("EVAL script 9 a b", "a b"),
        ("EVAL script -1 a", ""),
        ("EVAL script x a", ""),
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d a b"),
        ("XREAD COUNT 2 STREAMS a b 0 0", "a b"),
        ("XREAD COUNT 2", ""),
        ("XREADGROUP GROUP g c STREAMS a >", "a"),
        ("OBJECT ENCODING a", "a"),
        ("SORT a BY w STORE d", "a d"),
        ("MIGRATE h 1 k 0 1", "k"),
        ("MIGRATE h 1  0 1 KEYS a b", "a b"),
        ("PING", ""),
        ("CLIENT ID", ""),
        ("SUBSCRIBE news", ""),
        ("SSUBSCRIBE news", ""),
    ] {
        assert_eq!(keys(line).join(" "), expected, "{line}");
    }
}

/// A call of which little has come announces as many words as it likes.
#[test]
fn words_that_have_not_come_cost_no_time() {
    for line in ["MGET a", "EVAL s 2000000000 a", "XREAD COUNT 2", "MIGRATE h 1  0 1", "SORT a"] {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let Found::Command(spec) = find(words[0], None) else { panic!("{line}") };
        assert!(spec.keys_among(2_000_000_000, |place| words.get(place).copied()).count() <= 1, "{line}");
    }
}

#[test]
fn arity_is_exact_or_a_least_count() {
    assert!(Spec::of("get").takes(2) && !Spec::of("get").takes(3) && !Spec::of("get").takes(1));
    assert!(Spec::of("set").takes(3) && Spec::of("set").takes(9) && !Spec::of("set").takes(2));
}
