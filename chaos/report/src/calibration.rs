//! Calibrations, for people and as JSON.

use crate::{
    Style,
    style::Ink,
    text::{left, right, width},
};
use chaos_model::{
    Calibration,
    calibration::{LatencyAccuracy, Quantiles},
    quantity::{show_bytes, show_duration},
};
use std::{
    io::{self, Write},
    time::Duration,
};

/// The table.
///
/// # Errors
/// Whatever the writer says.
pub fn table(mut out: impl Write, style: Style, calibration: &Calibration) -> io::Result<()> {
    let Calibration { idle, latency, transfer, bandwidth, share, .. } = calibration;
    let mut rows = vec![("nothing".to_owned(), quantiles(*idle))];
    for LatencyAccuracy { asked, achieved } in latency {
        rows.push((format!("latency {}", show_duration(*asked)), quantiles(*achieved)));
    }
    if let Some(transfer) = transfer {
        let asked = format!("latency {}, {}", show_duration(transfer.asked), show_bytes(transfer.bytes));
        let [came, idle] = [transfer.rate(), transfer.idle_rate()].map(|rate| rate >> 20);
        rows.push((asked, format!("{came} MiB/s behind the delay ({idle} MiB/s without)")));
    }
    let off = (bandwidth.achieved as f64 / bandwidth.asked as f64 - 1.0) * 100.0;
    let rate = format!("{} bytes/s ({off:+.2}%)", bandwidth.achieved);
    rows.push((format!("bandwidth {}/s", show_bytes(bandwidth.asked)), rate));
    let met = format!("{} ({} of {} requests on one connection)", share.met, share.met.parts, share.met.whole);
    rows.push((format!("status for {}", share.asked), met));
    let columns = rows.iter().map(|(asked, _)| width(asked)).max().unwrap_or(0);
    writeln!(out, "{}", style.paint(Ink::Strong, format!("{}  came", left("asked", columns))))?;
    for (asked, came) in rows {
        writeln!(out, "{}  {came}", left(&asked, columns))?;
    }
    let note =
        "Times are of a request and its response: for nothing beyond a direct connection,\nelse beyond the idle proxy.";
    writeln!(out, "\n{}", style.paint(Ink::Faint, note))
}

/// In a few words, for the report of a run.
pub(crate) fn words(calibration: &Calibration, unix_ms: u64) -> String {
    let age = Duration::from_millis(unix_ms.saturating_sub(calibration.unix_ms));
    let ago = match age.as_secs() {
        seconds if seconds < 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    };
    // The one in the middle is what most scenarios ask for.
    let latency = calibration.latency.get(calibration.latency.len() / 2).map(|LatencyAccuracy { asked, achieved }| {
        let Quantiles { p50, p99 } = *achieved;
        format!("; {} asked came as {} (p99 {})", show_duration(*asked), millis(p50), millis(p99))
    });
    let idle = format!("an idle proxy added {} (p99 {})", millis(calibration.idle.p50), millis(calibration.idle.p99));
    format!("this machine, {ago} before: {idle}{}", latency.unwrap_or_default())
}

/// Writes a calibration as one line of JSON.
///
/// # Errors
/// Errors of the writer.
pub fn write_json(mut out: impl Write, calibration: &Calibration) -> io::Result<()> {
    serde_json::to_writer(&mut out, calibration)?;
    writeln!(out)
}

/// From what [`write_json`] wrote; nothing where that is not what it is.
#[must_use]
pub fn read_json(text: &str) -> Option<Calibration> {
    serde_json::from_str(text).ok()
}

fn quantiles(Quantiles { p50, p99 }: Quantiles) -> String {
    format!("p50 {}  p99 {}", right(&millis(p50), 9), right(&millis(p99), 9))
}

/// To the microsecond, which is what matters here.
fn millis(duration: Duration) -> String {
    format!("{:.3}ms", duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{
        Share,
        calibration::{RateAccuracy, ShareAccuracy, TransferAccuracy},
    };

    fn calibration() -> Calibration {
        let us = Duration::from_micros;
        let latency =
            |asked, p50, p99| LatencyAccuracy { asked: us(asked), achieved: Quantiles { p50: us(p50), p99: us(p99) } };
        Calibration {
            unix_ms: 1_760_000_000_000,
            idle: Quantiles { p50: us(61), p99: us(148) },
            latency: vec![
                latency(1000, 1004, 1210),
                latency(10_000, 10_012, 10_240),
                latency(200_000, 200_003, 200_190),
            ],
            transfer: Some(TransferAccuracy {
                bytes: 16 << 20,
                asked: us(100_000),
                idle: us(20_000),
                took: us(120_500),
            }),
            bandwidth: RateAccuracy { asked: 1 << 20, achieved: 1_048_113 },
            share: ShareAccuracy { asked: Share { parts: 1, whole: 10 }, met: Share { parts: 103, whole: 1000 } },
        }
    }

    #[test]
    fn the_table() {
        let mut out = Vec::new();
        table(&mut out, Style::default(), &calibration()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| width(line) <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn in_a_few_words() {
        let hours = |hours: u64| words(&calibration(), 1_760_000_000_000 + hours * 3_600_000);
        assert_eq!(
            hours(2),
            "this machine, 2 h before: an idle proxy added 0.061ms (p99 0.148ms); 10ms asked came as 10.012ms (p99 10.240ms)"
        );
        assert!(
            hours(0).starts_with("this machine, 0 min before") && hours(72).starts_with("this machine, 3 days before")
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        write_json(&mut out, &calibration()).unwrap();
        assert_eq!(read_json(&String::from_utf8(out).unwrap()), Some(calibration()));
        assert_eq!(read_json("{}"), None);
    }
}
