//! Words of other tools for what a fault does, also for what there is no effect for here.

use super::{Effect, Term, term};
use crate::term::plain;

/// Words that there is no effect for, or that tools mean different things by.
pub(super) struct Missing {
    /// The words, with who says them.
    pub(super) words: &'static [Term],
    /// Effects to use in their place.
    pub(super) targets: &'static [&'static str],
    /// Advice, which names the targets.
    pub(super) instead: &'static str,
}

pub(super) const MISSING: &[Missing] = &[
    Missing {
        words: &[
            term("Chaos Mesh", "loss"),
            term("Gremlin", "packet loss"),
            term("Litmus", "pod-network-loss"),
            term("AWS FIS", "aws:ecs:task-network-packet-loss"),
        ],
        targets: &["latency", "blackhole", "lose"],
        instead: "TCP sends lost packets again, so that programs see delays: use `latency` with `distribution = \
                  \"pareto\"`; `blackhole` where all are lost, `lose` for replies of Redis",
    },
    Missing {
        words: &[
            term("Chaos Mesh", "duplicate"),
            term("Litmus", "pod-network-duplication"),
            term("netem", "reorder"),
            term("netem", "jitter"),
        ],
        targets: &["latency"],
        instead: "TCP puts packets in order again, so that programs see delays: use `latency` with `jitter = \"50ms\"`",
    },
    Missing {
        words: &[term("Chaos Mesh", "corrupt"), term("Litmus", "pod-network-corruption")],
        targets: &["garble", "latency"],
        instead: "TCP throws broken packets away and sends them again: use `garble` for bytes of a body, `latency` for \
                  what the network does",
    },
    Missing {
        words: &[term("Istio, Envoy, Chaos Mesh", "abort")],
        targets: &["status", "close", "reset"],
        instead: "Istio and Envoy mean another response: use `status`; Chaos Mesh ends the connection: use `close` or \
                  `reset`",
    },
    Missing {
        words: &[term("Chaos Mesh", "patch")],
        targets: &["header", "replace"],
        instead: "use `header` for one header field, `replace` for the body",
    },
    Missing {
        words: &[
            term("k6", "errorRate"),
            term("Spring Boot", "exception"),
            term("Chaos Mesh", "fault"),
            term("AWS FIS", "aws:fis:inject-api-internal-error"),
            term("AWS FIS", "aws:fis:inject-api-unavailable-error"),
            term("AWS FIS", "aws:lambda:invocation-error"),
        ],
        targets: &["status", "error"],
        instead: "use `status = \"503\"` with `share = \"20%\"`; `error` for replies of Redis",
    },
    Missing {
        words: &[term("AWS FIS", "aws:fis:inject-api-throttle-error"), term("Envoy", "throttle")],
        targets: &["status", "bandwidth"],
        instead: "use `status = \"429\"` for requests that are turned away, `bandwidth` for bytes",
    },
    Missing {
        words: &[term("WireMock", "RANDOM_DATA_THEN_CLOSE"), term("WireMock", "MALFORMED_RESPONSE_CHUNK")],
        targets: &["garble", "truncate"],
        instead: "use `garble` for wrong bytes, `truncate` for a body that ends early",
    },
    Missing {
        words: &[term("Chaos Mesh", "dns"), term("Litmus", "pod-dns-error"), term("Litmus", "pod-dns-spoof")],
        targets: &["refuse", "blackhole"],
        instead: "names are left alone: to a program that can't reach its peer it is as with `refuse` or `blackhole`",
    },
    Missing {
        words: &[
            term("Gremlin", "disk"),
            term("Gremlin", "io"),
            term("Litmus", "disk-fill"),
            term("Litmus", "pod-io-stress"),
        ],
        targets: &["delay", "latency", "pause"],
        instead: "disks are left alone: those who use a service that waits for its disk see `delay` or `latency`, or \
                  `pause` while it hangs",
    },
    Missing {
        words: &[term("Chaos Mesh", "time"), term("Gremlin", "time travel"), term("Jepsen", "clock-skew")],
        targets: &["stale"],
        instead: "clocks are left alone: use `stale` for data that is older than it should be",
    },
    Missing {
        words: &[term("Chaos Mesh", "stress"), term("Pumba", "stress")],
        targets: &["cpu", "memory"],
        instead: "nothing is loaded on purpose: use `cpu` or `memory` to leave a service less of it",
    },
    Missing {
        words: &[term("Chaos Mesh", "redis-expiration"), term("Chaos Mesh", "redis-cacheLimit")],
        targets: &["miss", "flush"],
        instead: "use `miss` for reads that find nothing, `flush` for a Redis that forgets everything",
    },
];

/// Advice in place of a word of another tool; none for a word that is nobody's.
pub(crate) fn instead_of(word: &str) -> Option<String> {
    let wanted = plain(word);
    let of = |terms: &'static [Term]| terms.iter().find(|term| plain(term.word) == wanted);
    let here = Effect::ALL.iter().find_map(|facts| {
        let tool = of(facts.others)?.tool;
        Some(format!("`{word}` ({tool}) is `{}` here: {}", facts.name, facts.about))
    });
    here.or_else(|| {
        let (term, missing) = MISSING.iter().find_map(|missing| Some((of(missing.words)?, missing)))?;
        Some(format!("`{word}` ({}) is not here: {}", term.tool, missing.instead))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Tools may share a word where they mean the same effect.
    #[test]
    fn no_word_is_claimed_twice_and_each_leads_to_an_effect_that_exists() {
        let mut claimed: BTreeMap<String, &str> = BTreeMap::new();
        for facts in Effect::ALL {
            claimed.insert(facts.name.to_owned(), facts.name);
        }
        let rows = Effect::ALL.iter().map(|facts| (facts.name, facts.others));
        let missing = MISSING.iter().map(|missing| (missing.instead, missing.words));
        for (row, words) in rows.chain(missing) {
            for term in words {
                let before = claimed.insert(plain(term.word), row);
                assert!(before.is_none_or(|before| before == row), "`{}` leads to {before:?} and `{row}`", term.word);
            }
        }
        for missing in MISSING {
            for target in missing.targets {
                assert!(Effect::ALL.iter().any(|facts| facts.name == *target), "there is no `{target}`");
                assert!(missing.instead.contains(&format!("`{target}")), "{target}: {}", missing.instead);
            }
        }
    }

    #[test]
    fn strangers_words_are_known_however_they_are_written() {
        let discard = instead_of("Timeout").unwrap_or_default();
        assert!(discard.starts_with("`Timeout` (Toxiproxy) is `discard` here: bytes are thrown away"), "{discard}");
        let reset = instead_of("reset-peer").unwrap_or_default();
        assert!(reset.starts_with("`reset-peer` (Toxiproxy) is `reset` here"), "{reset}");
        let loss = instead_of("Packet Loss").unwrap_or_default();
        assert!(loss.contains("(Gremlin)") && loss.contains("`lose`"), "{loss}");
        assert_eq!(instead_of("teleport"), None);
    }
}
