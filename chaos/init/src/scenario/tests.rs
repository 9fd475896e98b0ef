use super::*;
use chaos_model::event::LatencyFigures;

fn normal(good: u64, arrivals: u64, millis: u64) -> Normal {
    let time = Duration::from_millis(millis);
    let latency = LatencyFigures { p50: time, p90: time, p99: time, p999: time, max: time };
    Normal::of(&PhaseFigures { good, arrivals, latency: Some(latency), ..PhaseFigures::default() }).unwrap()
}

fn written(link: &str, protocol: &str) -> String {
    let link = LinkDraft { link: link.to_owned(), protocol: protocol.to_owned() };
    let load = LoadDraft::of(&["GET /tea".to_owned()], &[], "`GET /`, for want of a better one");
    text(&link, &load, 40, normal(200, 200, 6))
}

#[test]
fn a_link_is_broken_in_each_way() {
    insta::assert_snapshot!(written("shop -> stock", "http"));
}

#[test]
fn what_refuses_does_so_in_its_own_words() {
    let part = |protocol: &str| {
        let text = written("shop -> stock", protocol);
        let from = text.find("# 4. ").unwrap();
        text[from..].split("\n\n").next().unwrap().to_owned()
    };
    insta::assert_snapshot!([part("redis"), part("tcp")].join("\n\n"));
}

#[test]
fn of_clients_own_trouble_what_follows_counts() {
    let text = written("client -> shop", "http");
    assert_eq!((text.matches("\nafter ").count(), text.matches("\nduring ").count()), (4, 1), "{text}");
    let places = Breakage::ALL.map(|breakage| breakage.expectations("client -> shop"));
    assert_eq!(places.concat(), [1, 2, 3, 4]);
    let places = Breakage::ALL.map(|breakage| breakage.expectations("shop -> stock"));
    assert_eq!(places.concat(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn bounds_come_of_what_was_seen_in_round_numbers() {
    for (good, millis, availability, bound) in
        [(200, 1, ">= 99%", 100), (199, 26, ">= 98%", 200), (150, 300, ">= 74%", 2000), (0, 60, ">= 0%", 500)]
    {
        let normal = normal(good, 200, millis);
        assert_eq!((normal.availability().as_str(), normal.bound().as_millis()), (availability, bound));
    }
    assert!(normal(99, 200, 1).is_poor() && !normal(100, 200, 1).is_poor());
    assert_eq!(Normal::of(&PhaseFigures::default()), None);
}

#[test]
fn files_are_called_by_their_links() {
    let stem = |link: &str| LinkDraft { link: link.to_owned(), protocol: "tcp".to_owned() }.stem();
    assert_eq!(stem("web -> broker#15672"), "web_broker_15672");
    assert_eq!(stem("lb -> app.1"), "lb_app_1");
}
