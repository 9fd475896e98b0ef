use super::*;
use bytes::BytesMut;
use chaos_redis::codec::Request;

fn keys(words: &str) -> Vec<String> {
    let words = words.split(' ').collect::<Vec<_>>();
    let mut bytes = BytesMut::new();
    Request::encode(&words, &mut bytes);
    let (mut scanner, mut at) = (RequestScanner::default(), 0);
    scanner.keep(1000);
    while at < bytes.len() {
        at += scanner.scan(&bytes[at..]).unwrap().0;
    }
    Spec::of(words[0]).keys(&scanner).into_iter().map(|key| String::from_utf8(key.to_vec()).unwrap()).collect()
}

#[test]
fn the_table_is_sorted_and_has_each_once() {
    let misplaced = TABLE.windows(2).find(|pair| pair[0].name >= pair[1].name);
    assert!(misplaced.is_none(), "{misplaced:?}");
    for spec in TABLE {
        assert_eq!(Spec::of(spec.name).name, spec.name);
    }
}

#[test]
fn keys_are_where_redis_says_that_they_are() {
    for (command, expected) in [
        ("GET a", "a"),
        ("SET a b EX 10", "a"),
        ("MGET a b c", "a b c"),
        ("DEL a b", "a b"),
        ("MSET a 1 b 2", "a b"),
        ("HGET a f", "a"),
        ("BLPOP a b 0", "a b"),
        ("LMOVE a b LEFT RIGHT", "a b"),
        ("BLMOVE a b LEFT RIGHT 0", "a b"),
        ("SMOVE a b m", "a b"),
        ("EVAL script 2 a b c", "a b"),
        ("EVAL script 0 c", ""),
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d a b"),
        ("ZUNION 2 a b WITHSCORES", "a b"),
        ("LMPOP 2 a b LEFT", "a b"),
        ("BLMPOP 0 2 a b LEFT", "a b"),
        ("XREAD COUNT 2 STREAMS a b 0 0", "a b"),
        ("XREADGROUP GROUP g c STREAMS a >", "a"),
        ("OBJECT ENCODING a", "a"),
        ("BITOP AND d a b", "d a b"),
        ("PING", ""),
        ("CLIENT ID", ""),
        ("SUBSCRIBE news", ""),
        ("FT.SEARCH a b", "a"),
        ("UNHEARDOF", ""),
    ] {
        assert_eq!(keys(command).join(" "), expected, "{command}");
    }
}
