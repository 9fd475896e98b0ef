//! The table of commands beside that of a real server: `COMMAND INFO`, `COMMAND LIST` and `COMMAND GETKEYS`.

use crate::target::{Connection, Target};
use chaos_redis::{
    codec::Frame,
    table::{self, Flag, Found},
};
use std::collections::BTreeSet;

/// The file that is made from a server.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/table/redis7.rs");

/// The version that it is made from, and compared with: others have other commands.
pub(crate) const VERSION: &str = "7.0.";

/// A call of every command that has keys, and some that have none: a line each, words set apart by single spaces.
const SAMPLES: &str = include_str!("samples.txt");

const HEAD: &str = "\
//! Commands of Redis 7.0, as its `COMMAND INFO` has them, but for the keys of `SORT` and `MIGRATE`, which it does not tell
//! in full. Made by `cargo test --test conformance -- --ignored write_the_table`.

use super::{
    Flag as F, Spec,
    keys::{MIGRATED, at, behind, counted, range},
    row,
};

#[rustfmt::skip]
pub(super) const ROWS: &[Spec] = &[
";

/// Makes the file anew.
pub(crate) async fn write(target: Target) {
    std::fs::write(FILE, rendered(&mut target.connect().await).await).expect("it can be written");
}

/// Compares the table with the server's.
pub(crate) async fn run(target: Target) {
    let mut server = target.connect().await;
    let file = std::fs::read_to_string(FILE).expect("the file is there");
    let made = rendered(&mut server).await;
    let differs = made.lines().zip(file.lines()).find(|(made, there)| made != there);
    assert!(file == made, "the server has other commands than {FILE}, first: {differs:?}");
    let listed: BTreeSet<String> = items(&ask(&mut server, &["COMMAND", "LIST"]).await).iter().map(text).collect();
    let of_server = |name: &str| made.contains(&format!("row(\"{name}\","));
    let ours: BTreeSet<String> = table::all().map(|spec| spec.name.to_owned()).filter(|name| of_server(name)).collect();
    assert_eq!(ours, listed);
    keys_are_where_it_says(&mut server).await;
}

async fn keys_are_where_it_says(server: &mut Connection) {
    let mut sampled = BTreeSet::new();
    for line in SAMPLES.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let found = table::find(words[0].as_bytes(), words.get(1).map(|word| word.as_bytes()));
        let Found::Command(spec) = found else { panic!("{line} is no command") };
        assert!(spec.takes(words.len() as u64), "{line}");
        sampled.insert(spec.name);
        let word = |place: usize| words.get(place).map(|word| word.as_bytes());
        let ours: Vec<String> =
            spec.keys_among(words.len(), word).map(|key| String::from_utf8_lossy(key).into_owned()).collect();
        // `COMMAND GETKEYS` takes no command without arguments.
        if words.len() == 1 {
            assert!(ours.is_empty(), "{line}");
            continue;
        }
        let theirs = match ask(server, &[&["COMMAND", "GETKEYS"], words.as_slice()].concat()).await {
            Frame::Array(keys) => keys.iter().map(text).collect(),
            Frame::Error(error) if error.ends_with(b"no key arguments") => vec![],
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(ours, theirs, "{line}");
    }
    let file = std::fs::read_to_string(FILE).expect("the file is there");
    let unsampled: Vec<&str> = table::all()
        .filter(|spec| !spec.keys.is_empty() && file.contains(&format!("row(\"{}\",", spec.name)))
        .map(|spec| spec.name)
        .filter(|name| !sampled.contains(name))
        .collect();
    assert!(unsampled.is_empty(), "without a sample: {unsampled:?}");
}

async fn ask(server: &mut Connection, words: &[&str]) -> Frame {
    Frame::parse(&server.ask_raw(words).await).expect("a reply")
}

/// The file, as this server has it.
async fn rendered(server: &mut Connection) -> String {
    let all = ask(server, &["COMMAND", "INFO"]).await;
    let mut rows: Vec<(String, String)> = vec![];
    for command in items(&all) {
        rows.push(row(command));
        rows.extend(items(&items(command)[9]).iter().map(row));
    }
    rows.sort();
    let rows: String = rows.into_iter().map(|(_, row)| row).collect();
    format!("{HEAD}{rows}];\n")
}

/// The name and the line of a command.
fn row(command: &Frame) -> (String, String) {
    let fields = items(command);
    let (name, arity) = (text(&fields[0]), integer(&fields[1]));
    let mut flags: Vec<String> =
        items(&fields[2]).iter().map(|flag| format!("F::{:?}", flag_of(&text(flag)))).collect();
    if !items(&fields[9]).is_empty() {
        flags.push(format!("F::{:?}", Flag::Container));
    }
    let keys = match name.as_str() {
        "sort" => "at(1), behind(\"STORE\", 2, 0, 0)".to_owned(),
        "migrate" => "MIGRATED".to_owned(),
        _ => items(&fields[8]).iter().filter_map(key_spec).collect::<Vec<_>>().join(", "),
    };
    let line = format!("    row(\"{name}\", {arity}, &[{}], &[{keys}]),\n", flags.join(", "));
    (name, line)
}

fn flag_of(name: &str) -> Flag {
    let flag = Flag::ALL.iter().find(|flag| flag.name() == name);
    *flag.unwrap_or_else(|| panic!("`{name}` is no known flag"))
}

/// A key specification as the file has it; nothing where it is of no keys, or none that can be told.
fn key_spec(spec: &Frame) -> Option<String> {
    let of_no_key = items(&field(spec, "flags")).iter().any(|flag| text(flag) == "not_key");
    let (begin, find) = (field(spec, "begin_search"), field(spec, "find_keys"));
    let (begin, begin_kind) = (field(&begin, "spec"), text(&field(&begin, "type")));
    let (find, find_kind) = (field(&find, "spec"), text(&field(&find, "type")));
    if of_no_key || begin_kind == "unknown" {
        return None;
    }
    let number = |of: &Frame, name: &str| integer(&field(of, name));
    let range = || (number(&find, "lastkey"), number(&find, "keystep"), number(&find, "limit"));
    Some(match (begin_kind.as_str(), find_kind.as_str()) {
        ("index", "range") if range().0 == 0 => format!("at({})", number(&begin, "index")),
        ("index", "range") => {
            let (last, step, limit) = range();
            assert!(limit <= 1, "{spec:?}");
            format!("range({}, {last}, {step})", number(&begin, "index"))
        }
        ("index", "keynum") => {
            let places = ["keynumidx", "firstkey", "keystep"].map(|name| number(&find, name));
            assert_eq!(places, [0, 1, 1], "{spec:?}");
            format!("counted({})", number(&begin, "index"))
        }
        ("keyword", "range") => {
            let (last, step, limit) = range();
            assert_eq!(step, 1, "{spec:?}");
            let (word, from) = (text(&field(&begin, "keyword")), number(&begin, "startfrom"));
            format!("behind(\"{word}\", {from}, {last}, {limit})")
        }
        other => panic!("{other:?}: {spec:?}"),
    })
}

/// The value of a name in a list of names and values.
fn field(of: &Frame, name: &str) -> Frame {
    let pair = items(of).chunks(2).find(|pair| text(&pair[0]) == name);
    pair.unwrap_or_else(|| panic!("{of:?} has no {name}"))[1].clone()
}

fn items(frame: &Frame) -> &[Frame] {
    match frame {
        Frame::Array(items) | Frame::Set(items) => items,
        other => panic!("{other:?} is no list"),
    }
}

fn text(frame: &Frame) -> String {
    match frame {
        Frame::Simple(text) | Frame::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?} is no text"),
    }
}

fn integer(frame: &Frame) -> i64 {
    match frame {
        Frame::Integer(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}
