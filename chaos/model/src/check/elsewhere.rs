//! Words of other tools for what an expectation says, also for what there is no check for here.

use super::Row;
use crate::term::plain;

/// A word that there is no check for, the tools that know it, and what to write instead.
struct Missing {
    words: &'static [&'static str],
    instead: &'static str,
}

const MISSING: &[Missing] = &[
    Missing {
        words: &["errors", "error", "error-rate", "errorRate", "failure-rate", "failures-rate"],
        instead: "it means two things: `availability = \">= 99%\"` is the share of good responses, and \
                  `unanswered.any = \"<= 1%\"` of requests without any response",
    },
    Missing { words: &["success"], instead: "write the share of good responses: `availability = \">= 99.9%\"`" },
    Missing {
        words: &["throughput", "rps", "http-reqs", "requests", "iterations"],
        instead: "requests come at `load.rate` whatever the system does: compare `status.2xx` or `latency.p99`",
    },
    Missing {
        words: &["apdex", "response-time", "p50", "p90", "p95", "p99", "http-req-duration"],
        instead: "write a percentile of the latency: `latency.p99 = \"< 50ms\"`",
    },
    Missing {
        words: &["timeouts", "reset", "refused", "connect"],
        instead: "requests without a response are `unanswered`: `unanswered.timeout = \"== 0%\"`, or `unanswered.any`",
    },
    Missing {
        words: &["cpu", "memory", "goroutines", "threads", "saturation", "queue"],
        instead: "compare a metric of the service: `metric.process_resident_memory_bytes = \"< 500000000\"`",
    },
    Missing {
        words: &["log", "logs", "trace", "traces", "span"],
        instead: "logs and traces are not judged: compare a metric that counts the same, as `metric.errors_total = \
                  \"== 0\"`",
    },
    Missing {
        words: &["steady-state", "steady-state-hypothesis", "probe", "hypothesis", "thresholds", "checks", "assert"],
        instead: "write each condition under its own key, as `status.200 = \">= 99%\"`, with `during = \
                  \"baseline\"` for the steady state",
    },
    Missing {
        words: &["retries", "retry", "retry-budget"],
        instead: "write calls over requests, as proxies count them: `calls.'shop -> stock' = \"<= 1.1 per request\"`; or over \
                  first attempts, as a service counts them: `amplification.'calls_total / first_attempts_total' = \"<= 1.2\"`",
    },
    Missing {
        words: &["hit-rate", "hit-ratio", "hits", "misses"],
        instead: "write how many calls still go behind the cache: `calls.'shop -> stock' = \"<= 0.2 per request\"`",
    },
    Missing { words: &["mttr", "rto", "time-to-recover"], instead: "write `recovery.time = \"< 2s\"` with `after`" },
    Missing { words: &["mttd", "time-to-detect"], instead: "write `detect.time = \"< 1s\"` with `during`" },
    Missing {
        words: &["rpo", "staleness", "freshness", "lag"],
        instead: "write `age.max = \"< 330s\"`, or the share of old responses: `stale = \"== 0%\"`",
    },
];

/// Advice in place of a word of another tool; none for a word that is nobody's.
pub(crate) fn instead_of(word: &str, rows: &[&Row]) -> Option<String> {
    let word = plain(word);
    let row = rows.iter().find_map(|row| {
        let term = row.others.iter().find(|term| plain(term.word) == word)?;
        let (tool, word) = (term.tool, term.word);
        Some(format!("`{word}` ({tool}) is `{}` here: `{}`", row.key, row.comparison()))
    });
    let missing = || MISSING.iter().find(|missing| missing.words.contains(&word.as_str()));
    row.or_else(|| missing().map(|missing| missing.instead.to_owned()))
}

/// Words that there is no check for, each line with what to write instead.
pub(super) fn missing() -> impl Iterator<Item = (String, &'static str)> {
    MISSING.iter().map(|missing| {
        let words: Vec<String> = missing.words.iter().map(|word| format!("`{word}`")).collect();
        (words.join(", "), missing.instead)
    })
}
