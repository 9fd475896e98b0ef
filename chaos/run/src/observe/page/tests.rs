use super::*;
use chaos_model::metric::LabelMatch;

fn page(text: &str) -> Page {
    Page::parse(text.as_bytes()).unwrap()
}

/// Name, labels and value of each series.
fn shown(text: &str) -> Vec<String> {
    let show = |series: &Series| {
        let labels: Vec<String> = series.labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
        format!("{}{{{}}} {}", series.name, labels.join(","), series.value)
    };
    page(text).series.iter().map(show).collect()
}

fn selector(name: &str, labels: &[(&str, &str)]) -> Selector {
    let label = |(label, value): &(&str, &str)| LabelMatch {
        label: (*label).to_owned(),
        value: (*value).to_owned(),
        negated: false,
    };
    Selector { name: name.to_owned(), labels: labels.iter().map(label).collect() }
}

#[test]
fn blanks_and_tabs_may_stand_wherever_the_format_has_room() {
    for line in [
        "a{b=\"c\"} 1",
        "a {b=\"c\"} 1",
        "\ta\t{\tb\t=\t\"c\"\t,\t}\t1\t",
        "  a{ b = \"c\" , } 1  1700000000000 \r",
        "a{b=\"c\"}1",
    ] {
        assert_eq!(shown(line), ["a{b=\"c\"} 1"], "{line:?}");
    }
}

#[test]
fn names_may_be_any_text_in_quotes() {
    let text = "# TYPE \"jobs.done é\" counter\n{\"jobs.done é\",\"ein wort\"=\"x\"} 3\n{tier=\"a\",\"b c\"} 4\n";
    assert_eq!(shown(text), ["jobs.done é{ein wort=\"x\"} 3", "b c{tier=\"a\"} 4"]);
    assert_eq!(page(text).series[0].kind, SeriesKind::Counter);
    for wrong in ["{\"a\",\"b\"} 1\nx 1", "a{\"b\"} 1\nx 1", "{} 1\nx 1"] {
        assert_eq!(page(wrong).faults.len(), 1, "{wrong}");
    }
}

#[test]
fn escapes_and_odd_letters_in_values() {
    assert_eq!(shown(r#"a{b="\\ \" \n } , {",c=""} 1"#), ["a{b=\"\\\\ \\\" \\n } , {\",c=\"\"} 1"]);
}

#[test]
fn values_are_floats_of_any_form() {
    for (value, is) in
        [("1e3", 1000.0), ("-0.5", -0.5), (".5", 0.5), ("+Inf", f64::INFINITY), ("-Inf", f64::NEG_INFINITY)]
    {
        assert_eq!(page(&format!("a {value}")).series[0].value.to_bits(), f64::to_bits(is), "{value}");
    }
    assert!(page("a NaN").series[0].value.is_nan());
}

#[test]
fn open_metrics_has_exemplars_creation_times_and_an_end() {
    let text = "# TYPE hits counter\n# UNIT hits requests\n# HELP hits All.\nhits_total{t=\"a\"} 5 1.5 # \
                {trace_id=\"x\"} 0.67 1520879607.789\nhits_created{t=\"a\"} 1.7e9\n# TYPE took histogram\ntook_bucket{le=\
                \"+Inf\"} 4 # {} 3\ntook_count 4\ntook_sum 1.5\ntook_created 1\n# TYPE load gaugehistogram\nload_bucket{le=\
                \"1\"} 1\nload_gcount 1\n# TYPE build info\nbuild_info{v=\"1\"} 1\n# EOF\nhits_total{t=\"b\"} 9\n";
    let read = page(text);
    let kinds: Vec<(&str, SeriesKind)> = read.series.iter().map(|series| (series.name.as_str(), series.kind)).collect();
    let (counter, gauge) = (SeriesKind::Counter, SeriesKind::Gauge);
    assert_eq!(
        kinds,
        [
            ("hits_total", counter),
            ("hits_created", gauge),
            ("took_bucket", counter),
            ("took_count", counter),
            ("took_sum", counter),
            ("took_created", gauge),
            ("load_bucket", gauge),
            ("load_gcount", gauge),
            ("build_info", gauge),
        ]
    );
    assert_eq!(read.faults.len(), 0, "{:?}", read.faults);
}

#[test]
fn what_has_no_type_is_of_no_kind_unless_its_name_says_so() {
    let kind = |text: &str| page(text).series[0].kind;
    assert_eq!(kind("a 1"), SeriesKind::Unknown);
    assert_eq!(kind("# TYPE a untyped\na 1"), SeriesKind::Unknown);
    assert_eq!(kind("# TYPE a unknown\na 1"), SeriesKind::Unknown);
    assert_eq!(kind("# TYPE a_count untyped\na_count 1"), SeriesKind::Unknown);
    assert_eq!(
        (kind("a_total 1"), kind("# TYPE a_total untyped\na_total 1")),
        (SeriesKind::Counter, SeriesKind::Counter)
    );
    assert_eq!(kind("a_total 1\n# TYPE a_total gauge"), SeriesKind::Gauge, "wherever the type stands");
    assert_eq!(kind("# TYPE a summary\na{quantile=\"0.5\"} 1"), SeriesKind::Gauge);
    assert_eq!(kind("# TYPE a summary\na_sum 1"), SeriesKind::Counter);
}

#[test]
fn lines_that_cannot_be_read_matter_to_those_who_ask_for_them() {
    let read = page("good_total 1\nodd_total{ 1\nworse_total 1 2 3\nbad_total one\n");
    assert_eq!(read.series.len(), 1);
    let faults: Vec<&str> = read.faults().collect();
    assert_eq!(faults[0], "line 2 can't be read: `odd_total{ 1`");
    assert!(read.find(&selector("good_total", &[])).is_ok());
    for name in ["odd_total", "worse_total", "bad_total"] {
        assert!(read.find(&selector(name, &[])).unwrap_err().contains("can't be read"), "{name}");
    }
    assert_eq!(read.find(&selector("other_total", &[])).unwrap(), Found::default(), "each odd line has a name");
    let nameless = page("good_total 1\n??\n");
    assert!(nameless.find(&selector("good_total", &[])).is_ok());
    assert!(nameless.find(&selector("other_total", &[])).is_err(), "it may be the one");
}

#[test]
fn a_series_that_stands_twice_is_neither() {
    let read = page("a_total{b=\"1\",c=\"2\"} 3\na_total{b=\"2\"} 1\na_total{c=\"2\",b=\"1\"} 4\nother 1\n");
    let why = read.find(&selector("a_total", &[])).unwrap_err();
    assert_eq!(why, "line 3 has a series for the second time: `a_total{c=\"2\",b=\"1\"} 4`");
    assert!(read.find(&selector("other", &[])).is_ok());
}

#[test]
fn the_metric_of_a_series_that_is_not_there_is_known() {
    let read = page("# TYPE a_total counter\na_total{b=\"1\"} 3\n");
    let found = read.find(&selector("a_total", &[("b", "2")])).unwrap();
    assert_eq!(found, Found { series: Vec::new(), kind: Some(SeriesKind::Counter) });
}

#[test]
fn a_page_that_is_no_text_of_metrics_is_refused() {
    assert!(Page::parse(b"a 1\n\xff\xfe 2\n").unwrap_err().contains("is no text"));
    let html = Page::parse(b"<html>\n<body>Not here</body>\n").unwrap_err();
    assert_eq!(html, "the page is no text of metrics: line 1 can't be read: `<html>`");
    assert_eq!(Page::parse(b"").unwrap(), Page::default());
    assert_eq!(Page::parse(b"# nothing yet\n").unwrap(), Page::default());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}", odd in "[a{}\"\\\\=, #TYPE\n0-9\t]{0,200}", bytes: Vec<u8>) {
        let _ = (Page::parse(text.as_bytes()), Page::parse(odd.as_bytes()), Page::parse(&bytes));
    }

    #[test]
    fn what_is_written_is_read(name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", label in "[a-z_][a-z0-9_]{0,8}", value in ".{0,20}", number: f64) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let read = page(&format!("{name}{{{label}=\"{escaped}\"}} {number}\n"));
        let series = &read.series[0];
        proptest::prop_assert_eq!((&series.name, &series.labels[&label]), (&name, &value));
        proptest::prop_assert_eq!(series.value.to_bits(), number.to_bits());
    }
}
