//! Pages of metrics, in the text formats of Prometheus and OpenMetrics.

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "exposition",
    about: "pages of metrics",
    seeds: || PAGES.iter().map(|page| page.as_bytes().to_vec()).collect(),
    words: &[
        "\n",
        "\r\n",
        "# TYPE a counter\n",
        "# HELP a ",
        "# UNIT a seconds\n",
        "# EOF\n",
        "#",
        "{",
        "}",
        "{}",
        ",",
        "\"",
        "\\",
        "\\n",
        "\\\"",
        "=",
        " ",
        "\t",
        "a_total",
        "a_bucket{le=\"+Inf\"} 1\n",
        "a{b=\"c\"} 1\n",
        "{\"a.b\",c=\"d\"} 1\n",
        "+Inf",
        "-Inf",
        "NaN",
        "0x1p3",
        "1e400",
        " # {trace_id=\"x\"} 1 1.5",
        " 1700000000000",
        "a 1\n",
        "\u{e9}",
        "\u{0}",
        "le",
        "quantile=\"0.5\"",
    ],
    start: || {
        Box::new(|page| {
            // A number, or words: either will do.
            let _ = chaos_run::series_on(page);
        })
    },
};

const PAGES: [&str; 4] = [
    "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n\
     http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\"} 1027 1395066363000\n\
     http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"503\"} 3\n\
     # TYPE up gauge\nup 1\n\nodd{path=\"C:\\\\a\\\"b\\nc\",} -1.5e-3\nnan NaN\ninf +Inf\n",
    "# TYPE d histogram\nd_bucket{le=\"0.1\"} 24054\nd_bucket{le=\"+Inf\"} 144320\nd_sum 53423\nd_count 144320\n\
     # TYPE s summary\ns{quantile=\"0.5\"} 4773\ns_sum 1.7560473e+07\ns_count 2693\n",
    "# TYPE a counter\n# UNIT a seconds\na_total{b=\"c\"} 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67\n\
     a_created{b=\"c\"} 1520430000.123\n# EOF\n",
    "# TYPE \"my.metric\" gauge\n{\"my.metric\",\"label.name\"=\"v\"} 1\n{\"other\"} 2\n",
];
