use super::*;

fn drafted(commands: &[&str]) -> String {
    let commands: Vec<Command> = commands.iter().map(|text| Command::parse(text).unwrap()).collect();
    match draft(&commands, None) {
        Ok(draft) => draft.text(),
        Err(why) => why.to_string(),
    }
}

#[test]
fn commands_as_they_are_typed_by_hand_are_wired() {
    insta::assert_snapshot!(drafted(&[
        "stock=python3 -m http.server --bind 127.0.0.1 9001",
        "prices=./prices --listen=0.0.0.0:9002 --db postgresql://shop@localhost:5432/shop",
        "shop=PORT=8000 STOCK_URL=http://127.0.0.1:9001/stock.json ./shop --prices localhost:9002 --json '{\"a\": 1}'",
    ]));
}

#[test]
fn places_in_braces_stay_and_a_port_is_given_to_who_takes_none() {
    insta::assert_snapshot!(drafted(&["stock=./stock {self.port}", "shop=STOCK={stock} ./shop --workers 4"]));
}

#[test]
fn numbers_of_other_things_are_no_ports() {
    let text = drafted(&["shop=TIMEOUT_MS=2000 ./shop --timeout 3000 --size=4000"]);
    for kept in
        ["env.TIMEOUT_MS = \"2000\"", "\"--timeout\", \"3000\", \"--size=4000\"", "env.PORT       = \"{self.port}\""]
    {
        assert!(text.contains(kept), "no {kept} in {text}");
    }
}

#[test]
fn an_entry_has_to_be_known() {
    let told = drafted(&["a=./a --port 8001", "b=./b --port 8002"]);
    assert_eq!(told, "nothing says which of these services clients use: `a`, `b`; say it by `--entry NAME`");
    assert!(drafted(&["web=./a --port 8001", "b=./b --port 8002"]).contains("entry = \"web\""));
    let told = drafted(&["a=./a --port 8001", "b=./b --port 8001"]);
    assert_eq!(told, "`a` and `b` both listen at 8001: each needs a port of its own");
    assert_eq!(drafted(&["a=./a", "a=./b"]), "two services are called `a`");
}
