use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use serde_json_path::JsonPath;

/// Found by one pass.
fn found(path: &str, body: &str) -> Vec<Value> {
    let mut paths = Paths::default();
    // Others beside it change nothing.
    paths.add(&steps("$.meta.*").unwrap()).unwrap();
    let place = paths.add(&steps(path).unwrap()).unwrap();
    paths.add(&steps("$.*.state").unwrap()).unwrap();
    let found = paths.look(body.as_bytes()).map(|mut found| found.swap_remove(place)).unwrap_or_default();
    found.into_iter().map(|raw| serde_json::from_str(raw.get()).unwrap()).collect()
}

#[test]
fn names_and_wildcards_are_found() {
    let body = r#"{"a": {"b c": [1, {"d": null}]}, "e\"": 2, "a.b": 3}"#;
    assert_eq!(found("$.a['b c']", body), [json!([1, { "d": null }])]);
    assert_eq!(found("$.a[\"b c\"][*]", body), [json!(1), json!({ "d": null })]);
    assert_eq!(found("$.a.*.*.d", body), [Value::Null]);
    assert_eq!(found("$['a.b']", body), [json!(3)]);
    assert_eq!(found("$", "7"), [json!(7)]);
    assert_eq!(found("$.\u{e9}", r#"{"\u00e9": true}"#), [json!(true)]);
    assert!(found("$.b", body).is_empty());
}

#[test]
fn members_that_are_there_twice_each_count() {
    assert_eq!(found("$.partial", r#"{"partial": false, "partial": true}"#), [json!(false), json!(true)]);
}

#[test]
fn other_paths_take_the_whole_body() {
    for path in
        ["a", "$..a", "$.a[0]", "$[1:2]", "$[?@.a]", "$['a','b']", "$.", "$[a]", "$['a\\u0041']", "$ .a", "$.a b"]
    {
        assert_eq!(steps(path), None, "{path}");
    }
}

#[test]
fn a_filter_on_a_text_is_the_text_of_any() {
    let name = |name: &str| Step::Name(name.to_owned());
    let wanted = vec![name("meta"), name("parts"), Step::Any, name("state")];
    for path in ["$.meta.parts[?@.state=='stale']", "$.meta['parts'][? @.state == \"stale\" ]"] {
        assert_eq!(filtered(path), Some((wanted.clone(), "stale".to_owned())), "{path}");
        JsonPath::parse(path).unwrap();
    }
    for path in [
        "$.parts[?@.state]",
        "$.parts[?@.state==1]",
        "$.parts[?@.state!='stale']",
        "$.parts[?@.a=='x' && @.b=='y']",
        "$.parts[?@.a=='x' || @.b=='y']",
        "$.parts[?$.a=='x']",
        "$.parts[?length(@.a)=='x']",
        "$.parts[?@.a=='it\\'s']",
        "$.parts[?@.a=='x'].b",
        "$..parts[?@.a=='x']",
        "$[?@.a==@['b']]",
    ] {
        assert_eq!(filtered(path), None, "{path}");
    }
}

#[test]
fn too_many_steps_are_not_looked_at_together() {
    let mut paths = Paths::default();
    let many: Vec<Step> = (0..40).map(|n| Step::Name(n.to_string())).collect();
    assert_eq!((paths.add(&many), paths.add(&many), paths.add(&many[..20])), (Some(0), None, Some(1)));
}

#[test]
fn what_is_no_json_has_nothing() {
    for body in [
        "",
        "a",
        r#"{"a": true"#,
        r#"{"a": true} and more"#,
        r#"{"a": true, }"#,
        r#"{"a": true, "name": tru}"#,
        r#"{"a": true, "name": "with no end}"#,
        r#"{"a": true, "list": [1 2 nope]}"#,
        r#"{"a": true, "user": {1}}"#,
        r#"{"a": true "meta": {}}"#,
        r#"{a: true}"#,
        "{\"a\": true, \"list\": [\"\\",
    ] {
        assert!(found("$.a", body).is_empty(), "{body}");
        let mut paths = Paths::default();
        paths.add(&steps("$.a").unwrap());
        assert!(paths.look(body.as_bytes()).is_none(), "{body}");
    }
}

#[test]
fn what_is_found_stands_as_it_came() {
    let mut paths = Paths::default();
    let (outer, inner) = (paths.add(&steps("$.a").unwrap()).unwrap(), paths.add(&steps("$.a.*").unwrap()).unwrap());
    let found = paths.look(br#"{"a": {"n": 1.50e400, "m":12345678901234567890123}}"#).unwrap();
    let texts = |at: usize| found[at].iter().map(|raw| raw.get()).collect::<Vec<_>>();
    assert_eq!(texts(outer), [r#"{"n": 1.50e400, "m":12345678901234567890123}"#]);
    assert_eq!(texts(inner), ["1.50e400", "12345678901234567890123"]);
}

/// JSON with names that matter, in the right places often enough.
fn json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec!["stale", "fresh", "\"", "\\", "é{\n", ""]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 64, 5, |inner| {
        let name = prop::sample::select(vec!["meta", "parts", "state", "a b", "user", "\"}"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn one_pass_finds_what_a_library_finds(body in json(), more in json()) {
        let body = json!({ "meta": { "parts": { "user": more, "b": body } }, "a b": body, "state": more });
        let text = body.to_string();
        // As it is read again: a number may have lost its last digit on the way.
        let body: Value = serde_json::from_str(&text).unwrap();
        for path in ["$", "$.*", "$.meta", "$.meta.parts.*.state", "$.meta.parts.*.*", "$['a b'].*", "$.*.*.state"] {
            let known = JsonPath::parse(path).unwrap();
            let wanted: Vec<Value> = known.query(&body).all().into_iter().cloned().collect();
            prop_assert_eq!(found(path, &text), wanted, "{} in {}", path, text);
        }
        let path = "$.meta.parts[?@.state=='stale']";
        let (steps, word) = filtered(path).unwrap();
        let mut paths = Paths::default();
        paths.add(&steps).unwrap();
        let any = paths.look(text.as_bytes()).unwrap()[0]
            .iter()
            .any(|raw| serde_json::from_str::<Value>(raw.get()).unwrap() == word.as_str());
        prop_assert_eq!(any, !JsonPath::parse(path).unwrap().query(&body).all().is_empty(), "{}", text);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, quoted in "[{}\\[\\]\",:\\\\a1 ]{0,60}", path in "[$.*a'\\[\\]?@= ]{0,30}") {
        let mut paths = Paths::default();
        paths.add(&steps("$.a.*").unwrap());
        paths.look(&bytes);
        paths.look(quoted.as_bytes());
        let _ = (steps(&path), filtered(&path));
    }
}
