use super::*;

/// As docker-compose 1.29.2 writes it (`docker-compose config`).
const V1: &str = include_str!("../../tests/compose/v1.29.yml");
/// In the form of Compose v2 (`docker compose config --format json`).
const V2: &str = include_str!("../../tests/compose/v2.json");

fn document(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn read(text: &str, profiles: &str) -> Compose {
    Compose::read(PathBuf::from("docker-compose.yml"), document(text), profiles).unwrap()
}

fn names(compose: &Compose, from: &str, to: &str) -> Vec<String> {
    compose.names(from, to).into_iter().collect()
}

/// Problems of a file with this beside a service `a`.
fn problems(of_a: &str, more: &str) -> Vec<String> {
    let image = if of_a.contains("image:") { "" } else { "image: x," };
    let compose = read(&format!("services: {{a: {{{image} {of_a}}}, b: {{image: v}}}}\n{more}\n"), "");
    compose.problems.into_iter().map(|problem| problem.what).collect()
}

#[test]
fn what_docker_compose_normalises_is_read() {
    let compose = read(V1, "");
    assert_eq!(compose.problems, []);
    let services: Vec<&str> = compose.services.keys().map(String::as_str).collect();
    assert_eq!(services, ["cache", "db", "migrate", "web"], "`dbg` has a profile that is not active");
    assert!(compose.document["services"].get("dbg").is_none() && read(V1, "x, debug").services.contains_key("dbg"));
    let web = &compose.services["web"];
    assert_eq!(
        (web.ports.as_slice(), web.published.as_slice()),
        (&[80, 9000, 9001, 3000, 9002][..], &[80, 9000, 9001][..])
    );
    assert_eq!((web.builds, web.restart, web.stop_grace), (true, Restart::Always, Duration::from_secs(10)));
    assert_eq!(compose.services["migrate"].restart, Restart::OnFailure(Some(3)));
    assert!(compose.services["migrate"].is_task && !compose.services["db"].is_task);
    let db = &compose.services["db"];
    assert_eq!((db.stop_signal, db.stop_grace), (Some(StopSignal::Int), Duration::from_secs(90)));
    assert_eq!(compose.entry(), Ok("web"));
    assert!(compose.services["cache"].is_redis() && !db.is_redis());
    assert_eq!(compose.document["services"]["web"]["environment"]["N"], 17, "the document stays as it is");
}

#[test]
fn services_find_each_other_in_the_networks_that_they_share() {
    let compose = read(V1, "");
    assert!(compose.reaches("web", "db") && compose.reaches("migrate", "cache") && !compose.reaches("web", "web"));
    assert_eq!(names(&compose, "web", "db"), ["database", "db", "my_db"], "its link, itself, its container");
    assert_eq!(names(&compose, "migrate", "db"), ["db", "my_db"]);
    assert_eq!(names(&compose, "web", "cache"), ["cache", "cache.front", "sessions"]);
    assert_eq!(names(&compose, "migrate", "cache"), ["cache", "sessions"], "it is not in `front`");
}

#[test]
fn the_form_of_compose_v2_is_read() {
    let compose = read(V2, "all");
    assert_eq!(compose.problems, []);
    let web = &compose.services["web"];
    assert_eq!((web.ports.as_slice(), web.published.as_slice()), (&[80, 81, 9000][..], &[80, 81][..]));
    assert_eq!((web.restart, web.stop_grace), (Restart::OnFailure(Some(2)), Duration::from_millis(60_500)));
    assert!(compose.services["cache"].is_redis() && compose.reaches("web", "cache"));
    assert!(!compose.reaches("web", "worker") && !compose.reaches("worker", "web"), "it has no network");
    assert!(!read(V2, "").services.contains_key("web"));
    assert_eq!(read(V2, "").entry(), Err(Vec::new()));
}

#[test]
fn what_can_not_be_interposed_is_told() {
    let none: [String; 0] = [];
    assert_eq!(problems("ports: ['8080:80']", "volumes: {v: {}}\nnetworks: {n: {driver: bridge}}"), none);
    let cases = [
        ("network_mode: host", "", "service `a` is on its machine's own network"),
        ("network_mode: 'service:b'", "", "service `a` shares a network that has no names (`network_mode: service:b`)"),
        ("networks: {n: {ipv4_address: 10.1.1.1}}", "", "service `a` has a fixed address in `n` (`ipv4_address`)"),
        ("image: ''", "", "service `a` has no image"),
        ("external_links: [x]", "", "service `a` uses containers of others"),
        ("ports: ['53:53/udp']", "", "service `a` uses UDP (port 53)"),
        ("ports: [{target: 54, protocol: udp}]", "", "service `a` uses UDP (port 54)"),
        ("expose: [x]", "", "service `a`: `\"x\"` of its `expose` is no port"),
        ("", "networks: {n: {external: true}}", "the network `n` is of others"),
        ("", "networks: {n: {external: {name: m}}}", "the network `n` is of others"),
        ("", "networks: {n: {driver: macvlan}}", "the network `n` has the driver `macvlan`"),
        ("", "volumes: {v: {external: true}}", "the volume `v` is of others"),
        ("", "volumes: {v: {driver_opts: {type: none, o: bind, device: /data}}}", "the volume `v` is kept elsewhere"),
    ];
    for (of_a, more, wanted) in cases {
        let told = problems(of_a, more);
        assert!(told.len() == 1 && told[0].starts_with(wanted), "{of_a} {more}: {told:?}");
    }
}

#[test]
fn what_is_no_compose_file_is_refused() {
    let read = |text: &str| Compose::read(PathBuf::new(), document(text), "").unwrap_err();
    assert!(read("web:\n  image: x\n").contains("no `services`"));
    assert_eq!(read("services: {a: {image: x, profiles: [p]}}"), "none of its services has an active profile");
    assert_eq!(read("services: {a: 1}"), "service `a` is no mapping");
}

#[test]
fn durations_are_those_of_go() {
    for (text, millis) in [("10s", 10_000), ("1m30s", 90_000), ("500ms", 500), ("1.5s", 1500), ("1h0m0s", 3_600_000)] {
        assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
    }
    for text in ["10", "s", "1x", "1m30"] {
        assert_eq!(duration(text), None, "{text}");
    }
}

#[test]
fn a_service_is_started_again_as_its_rule_says() {
    assert!(Restart::Always.again(true, 99) && !Restart::No.again(false, 0));
    let twice = Restart::OnFailure(Some(2));
    assert!(twice.again(false, 1) && !twice.again(false, 2) && !twice.again(true, 0));
    assert!(Restart::OnFailure(None).again(false, 99));
}
