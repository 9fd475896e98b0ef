use super::*;

fn told(target: &'static str, fields: &[(&'static str, &str)]) -> Observation {
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Observation { at: Instant::now(), service: None, what: What::Event { target, span: None, fields } }
}

fn seen_on(link: &str, side: &str, up: &str, subject: &str, more: &[(&'static str, &str)]) -> Observation {
    let fields = [("link", link), ("connection", "0"), ("side", side), ("up", up), ("subject", subject)];
    told(WIRE, &[&fields, more].concat())
}

/// Steps, by whether they are guesses and by what they say, where all is seen at the same time.
fn steps<const N: usize>(mut seen: [Observation; N]) -> Vec<(bool, String)> {
    let now = Instant::now();
    seen.iter_mut().for_each(|one| one.at = now);
    let trace = pick(0, &seen, &[], &[]).expect("it was begun");
    trace.steps.into_iter().map(|step| (step.is_guess, step.what)).collect()
}

const BEGUN: [(&str, &str); 6] =
    [("message", "begun"), ("n", "0"), ("intended_us", "0"), ("started_us", "0"), ("trace_id", "a"), ("vars", "[7]")];

#[test]
fn commands_of_a_program_without_spans_are_guessed_by_what_the_request_asks_for() {
    let asked = |subject| seen_on("app -> redis", "client", "true", subject, &[]);
    let seen = [
        told(REQUESTS, &BEGUN),
        seen_on("client -> app", "client", "true", "GET /v1/users/7", &[("arrival", "00000000000000ab-0-0")]),
        asked("GET v1:users:8"),
        asked("GET v1:users:7"),
    ];
    let steps = steps(seen);
    let steps: Vec<_> = steps.iter().map(|(is_guess, what)| (*is_guess, what.as_str())).collect();
    assert_eq!(
        steps,
        [(false, "begins"), (false, "GET /v1/users/7 (goes no further)"), (true, "GET v1:users:7 (goes no further)")]
    );
}

#[test]
fn a_question_that_the_proxy_answers_goes_no_further_and_the_next_alike_does() {
    let link = "app -> redis";
    let asked = || seen_on(link, "client", "true", "GET users:7", &[]);
    let seen = [
        told(REQUESTS, &BEGUN),
        seen_on("client -> app", "client", "true", "GET /users/7", &[("arrival", "00000000000000ab-0-0")]),
        asked(),
        seen_on(link, "client", "false", "GET users:7", &[("response", "error: busy")]),
        asked(),
        seen_on(link, "service", "true", "GET users:7", &[]),
    ];
    let steps: Vec<_> = steps(seen).into_iter().skip(2).map(|(_, what)| what).collect();
    assert_eq!(
        steps[..3],
        ["GET users:7 (goes no further)", "error: busy to GET users:7, made by the proxy", "GET users:7"]
    );
}

#[test]
fn a_response_that_a_fault_changes_on_its_way_is_shown_as_it_arrives() {
    let answered = |side, response| seen_on("app -> redis", side, "false", "GET users:7", &[("response", response)]);
    let seen = [
        told(REQUESTS, &BEGUN),
        seen_on("client -> app", "client", "true", "GET /users/7", &[("arrival", "00000000000000ab-0-0")]),
        seen_on("app -> redis", "client", "true", "GET users:7", &[]),
        seen_on("app -> redis", "service", "true", "GET users:7", &[]),
        answered("service", "nil"),
        answered("client", "OK"),
    ];
    let steps: Vec<_> = steps(seen).into_iter().skip(3).map(|(_, what)| what).collect();
    assert_eq!(steps, ["nil to GET users:7", "arrives as: OK to GET users:7"]);
}
