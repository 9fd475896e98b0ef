//! Scrapes: what services said of the metrics that expectations ask for.

use crate::check::reading::{ScrapeSide, SeriesKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, time::Duration};

/// Scrapes of a service's metrics within about a second, in the order of time. Of all its series there are those that
/// expectations ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scraped {
    /// The service's name.
    pub service: String,
    /// The series that are asked for; each scrape has their values in this order.
    pub series: Vec<ScrapedSeries>,
    /// The scrapes.
    // Several in one event: where detection is watched they come ten times a second, and names are longer than values.
    pub scrapes: Vec<Scrape>,
}

/// A series, or the sum of several, by the selector that asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrapedSeries {
    /// The selector, as `cache_hits_total{tier="memory"}`.
    pub selector: String,
    /// The kind of what matched; none where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SeriesKind>,
}

/// One scrape of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scrape {
    /// The moment of the timeline at which it was due.
    #[serde(rename = "due_us", with = "crate::micros")]
    pub at: Duration,
    /// The moment at which it was asked for, where that was later.
    #[serde(rename = "taken_us", with = "crate::micros::option", default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Duration>,
    /// The side of the edge, where something changes there.
    #[serde(default, skip_serializing_if = "is_both")]
    pub side: ScrapeSide,
    /// The value of each series; none where nothing matched. Empty where the scrape failed, and where they are those of the
    /// last one before it in this event that did not fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Option<Sample>>,
    /// The reason why there are no values, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Faults of the page, where they are not those of the one before: lines that can't be read, series that stand twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_both(side: &ScrapeSide) -> bool {
    *side == ScrapeSide::Both
}

/// A value of a series, as services write it: a number, or `NaN`, `+Inf`, `-Inf`, for which JSON has no number.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Sample(pub f64);

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            number => write!(f, "{number}"),
        }
    }
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            nan if nan.is_nan() => to.serialize_str("NaN"),
            f64::INFINITY => to.serialize_str("+Inf"),
            f64::NEG_INFINITY => to.serialize_str("-Inf"),
            // Most values count something: without a fraction they are two bytes shorter.
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
            number if number.fract() == 0.0 && number.abs() < 1e15 => to.serialize_i64(number as i64),
            number => to.serialize_f64(number),
        }
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl de::Visitor<'_> for Read {
            type Value = Sample;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, `NaN`, `+Inf` or `-Inf`")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Sample, E> {
                Ok(Sample(number))
            }

            #[expect(clippy::cast_precision_loss, reason = "a value of a series is a float, whoever wrote it")]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Sample, E> {
                Ok(Sample(number as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "a value of a series is a float, whoever wrote it")]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sample, E> {
                Ok(Sample(number as f64))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Sample, E> {
                match word {
                    "NaN" => Ok(Sample(f64::NAN)),
                    "+Inf" => Ok(Sample(f64::INFINITY)),
                    "-Inf" => Ok(Sample(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        from.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Record};

    #[test]
    fn scrapes_survive_a_recording_with_all_that_a_series_can_be() {
        let whole = Scrape {
            at: Duration::from_secs(1),
            taken: None,
            side: ScrapeSide::Both,
            values: vec![Some(Sample(1.5)), None, Some(Sample(f64::INFINITY)), Some(Sample(f64::NEG_INFINITY))],
            failed: None,
            faults: vec!["line 3 can't be read: `a{`".to_owned()],
        };
        let failed = Scrape {
            taken: Some(Duration::from_millis(1002)),
            side: ScrapeSide::Before,
            values: Vec::new(),
            failed: Some("refused".to_owned()),
            faults: Vec::new(),
            ..whole
        };
        let selector = "hits_total{tier=\"memory\"}".to_owned();
        let series = vec![ScrapedSeries { selector, kind: Some(SeriesKind::Counter) }];
        let scraped = Scraped { service: "gateway".to_owned(), series, scrapes: vec![whole, failed] };
        let record = Record { at_us: 1, event: Event::Scraped(scraped) };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
        let expected = r#""scrapes":[{"due_us":1000000,"values":[1.5,null,"+Inf","-Inf"],"faults":["#;
        assert!(text.contains(expected), "{text}");
        assert!(
            text.ends_with(r#"{"due_us":1000000,"taken_us":1002000,"side":"before","failed":"refused"}]}"#),
            "{text}"
        );
    }

    #[test]
    fn a_sample_is_a_number_or_one_of_three_words() {
        let read = |text: &str| serde_json::from_str::<Sample>(text);
        assert!(read("\"NaN\"").unwrap().0.is_nan());
        assert_eq!(serde_json::to_string(&[Sample(7.0), Sample(-7.5)]).unwrap(), "[7,-7.5]");
        assert_eq!((read("7").unwrap(), read("-7").unwrap()), (Sample(7.0), Sample(-7.0)));
        assert!(read("\"7\"").is_err());
    }
}
