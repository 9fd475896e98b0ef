//! Counts in the text format of Prometheus: Toxiproxy's own of bytes, and what each toxic did.

use super::{
    proxies::Proxies,
    record::Record,
    toxic::{Done, Toxic, times},
};
use std::fmt::Write as _;

const BYTES: [(&str, &str); 2] = [
    ("toxiproxy_proxy_received_bytes_total", "Bytes that came from the sender of a direction."),
    ("toxiproxy_proxy_sent_bytes_total", "Bytes that were sent to the receiver of a direction."),
];

/// A count of one toxic: of what it did before, and on the proxy that runs now.
type Count = fn(&Toxic, Done) -> u64;

const TOXICS: [(&str, &str, Count); 3] = [
    ("chaos_toxic_fired_total", "Times that a toxic did something.", |toxic, now| {
        times(&toxic.before.fired) + times(&now.fired)
    }),
    (
        "chaos_toxic_matched_total",
        "Connections or messages that a toxic is for, those included that its toxicity leaves out.",
        |toxic, now| toxic.before.matched + now.matched,
    ),
    ("chaos_toxic_spared_total", "Connections and messages that a toxic could not act on.", |toxic, now| {
        let of = |done: Done| done.fired.spared.connections() + done.fired.spared.messages();
        of(toxic.before) + of(now)
    }),
];

/// All of them, as of now.
pub(super) async fn text(proxies: &Proxies) -> String {
    let mut text = String::new();
    for (nth, (name, help)) in BYTES.into_iter().enumerate() {
        begin(&mut text, name, help);
        text.push_str(&proxies.look(|record| bytes(record, name, nth == 0)).await.concat());
    }
    for (name, help, count) in TOXICS {
        begin(&mut text, name, help);
        text.push_str(&proxies.look(|record| toxics(record, name, count)).await.concat());
    }
    text
}

fn begin(text: &mut String, name: &str, help: &str) {
    // Writing to a string can't fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} counter\n");
}

fn bytes(record: &Record, name: &str, received: bool) -> String {
    let counts = record.bytes();
    let each = if received {
        [("upstream", counts.received_upstream), ("downstream", counts.received_downstream)]
    } else {
        [("upstream", counts.sent_upstream), ("downstream", counts.sent_downstream)]
    };
    let line = |(direction, count)| {
        let (listener, proxy, upstream) = (escaped(&record.listen), escaped(&record.name), escaped(&record.upstream));
        format!(
            "{name}{{direction=\"{direction}\",listener=\"{listener}\",proxy=\"{proxy}\",upstream=\"{upstream}\"}} {count}\n"
        )
    };
    each.map(line).concat()
}

fn toxics(record: &Record, name: &str, count: Count) -> String {
    let line = |(toxic, now): (&Toxic, Done)| {
        let (proxy, own, kind) = (escaped(&record.name), escaped(&toxic.name), escaped(toxic.kind()));
        format!("{name}{{proxy=\"{proxy}\",toxic=\"{own}\",type=\"{kind}\"}} {}\n", count(toxic, now))
    };
    record.done().into_iter().map(line).collect()
}

/// A label's value, as the format has it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
