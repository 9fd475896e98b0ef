//! Quantities with their units, from text.

use super::{findings::Wrong, nearest::nearest};
use crate::{Comparison, Rate, Share, effect::action::Part};
use std::time::Duration;

/// Nobody breaks a system for longer; below it, sums of durations can't overflow.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// No machine has more CPUs, in thousandths.
const MOST_CPUS: u32 = 10_000_000;

const UNITS: &[(&str, u128)] = &[
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// A decimal number as an exact ratio: `99.95` is 9995 and 100.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    let parts = whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(fraction)?;
    Some((parts, scale))
}

/// `200ms`, `1.5s`, `2m`.
pub(crate) fn duration(text: &str) -> Result<Duration, Wrong> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    if text.starts_with('-') {
        let wrong = Wrong::new(format!("`{text}` is negative, and a duration can't be"));
        return Err(wrong.advice("write it as `200ms`, `1.5s` or `2min`"));
    }
    let Some((parts, scale)) = decimal(number) else {
        return Err(Wrong::new(format!("`{text}` is no duration")).advice("write it as `200ms`, `1.5s` or `2min`"));
    };
    if unit.is_empty() && parts == 0 {
        return Err(Wrong::new("a duration needs a unit").advice("write `0s`"));
    }
    if unit.is_empty() {
        return Err(
            Wrong::new(format!("`{text}` has no unit")).advice(format!("did you mean `{text}s` or `{text}ms`?"))
        );
    }
    if unit.starts_with(char::is_whitespace) && UNITS.iter().any(|(name, _)| *name == unit.trim()) {
        let wrong = Wrong::new(format!("`{text}` has a space between number and unit"));
        return Err(wrong.advice(format!("remove the space: `{number}{}`", unit.trim())));
    }
    let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let word = unit.trim();
        let near = match word.to_lowercase().as_str() {
            "sec" | "secs" | "second" | "seconds" => Some("s"),
            "millis" | "msec" | "milliseconds" => Some("ms"),
            "\u{b5}s" | "\u{3bc}s" | "micros" => Some("us"),
            "minute" | "minutes" | "mins" => Some("min"),
            "hour" | "hours" | "hr" => Some("h"),
            other => nearest(other, UNITS.iter().map(|(name, _)| *name)),
        };
        let advice = match near {
            Some(near) => format!("did you mean `{number}{near}`?"),
            None => "the units are `us`, `ms`, `s`, `min` and `h`".to_owned(),
        };
        return Err(Wrong::new(format!("`{word}` is no unit of time")).advice(advice));
    };
    let nanos = u128::from(parts) * nanos;
    if nanos % u128::from(scale) != 0 {
        return Err(Wrong::new(format!("`{text}` is finer than a nanosecond")).advice("write it as `10us`"));
    }
    let whole = nanos / u128::from(scale);
    match u64::try_from(whole).map(Duration::from_nanos) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(Wrong::new(format!("`{text}` is longer than a month")).advice("write it as `12s`")),
    }
}

/// `5%`, `99.95%`; `0` needs no sign.
pub(crate) fn share(text: &str) -> Result<Share, Wrong> {
    let text = text.trim();
    if text == "0" {
        return Ok(Share { parts: 0, whole: 1 });
    }
    if text.starts_with('-') {
        let wrong = Wrong::new(format!("`{text}` is negative, and a share can't be"));
        return Err(wrong.advice("a share lies between 0% and 100%"));
    }
    let Some(number) = text.strip_suffix('%') else {
        let wrong = Wrong::new(format!("`{text}` is no share: a share has a percent sign"));
        return Err(match decimal(text) {
            Some((parts, scale)) if parts <= scale => {
                let percent = Share { parts, whole: scale };
                wrong.advice(format!("did you mean `{percent}` or `{text}%`?"))
            }
            Some(_) => wrong.advice(format!("did you mean `{text}%`?")),
            None => wrong.advice("write it as `5%` or `99.9%`"),
        });
    };
    let share = decimal(number.trim_end())
        .and_then(|(parts, scale)| Some(Share { parts, whole: scale.checked_mul(100)? }))
        .ok_or_else(|| Wrong::new(format!("`{text}` is no share")).advice("write it as `5%` or `99.9%`"))?;
    Ok(share)
}

/// A share of something: at most all of it.
pub(crate) fn share_of_all(text: &str) -> Result<Share, Wrong> {
    let share = share(text)?;
    if share > Share::ALL {
        return Err(Wrong::new(format!("`{}` is more than all", text.trim())).advice("a share is at most `100%`"));
    }
    Ok(share)
}

/// `200/s`, `30/min`, `5/h`.
pub(crate) fn rate(text: &str) -> Result<Rate, Wrong> {
    let text = text.trim();
    let form = "write it as `200/s`, `30/min` or `5/h`";
    let Some((number, unit)) = text.split_once('/') else {
        let wrong = Wrong::new(format!("`{text}` is no rate"));
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        return Err(wrong.advice(if plain { format!("did you mean `{text}/s`?") } else { form.to_owned() }));
    };
    let (number, unit) = (number.trim(), unit.trim());
    let per = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(Wrong::new(format!("`{text}` is no rate: `/{unit}` is no unit of it")).advice(form)),
    };
    let times = number.parse::<u64>().map_err(|_| {
        let wrong = Wrong::new(format!("`{number}` is no whole number"));
        if decimal(number).is_some() {
            wrong.advice("for less than one a second: `30/min`, `5/h`")
        } else {
            wrong.advice(form)
        }
    })?;
    if times == 0 {
        return Err(Wrong::new("a rate of 0 makes no request").advice(form));
    }
    if times > 10_000_000 {
        return Err(Wrong::new(format!("`{text}` is more than any machine makes")).advice(form));
    }
    Ok(Rate { times, per: Duration::from_secs(per) })
}

/// A whole number of bytes above 0: `512B`, `64KiB`, `1.5MiB`.
pub(crate) fn size(text: &str) -> Result<u64, Wrong> {
    let text = text.trim();
    let form = "write it as `512B`, `64KiB` or `1MiB`";
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let Some((parts, scale)) = decimal(number) else {
        return Err(Wrong::new(format!("`{text}` is no number of bytes")).advice(form));
    };
    let factor = match unit.trim() {
        "B" => 1_u64,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" | "K" | "k" => return Err(wrong_unit(number, unit, "KiB")),
        "MB" | "M" => return Err(wrong_unit(number, unit, "MiB")),
        "GB" | "G" => return Err(wrong_unit(number, unit, "GiB")),
        "" => return Err(Wrong::new(format!("`{text}` has no unit")).advice(format!("did you mean `{text}B`?"))),
        other => return Err(Wrong::new(format!("`{other}` is no unit of bytes")).advice(form)),
    };
    let bytes = u128::from(parts) * u128::from(factor);
    if bytes % u128::from(scale) != 0 {
        return Err(Wrong::new(format!("`{text}` is no whole number of bytes")).advice(form));
    }
    match u64::try_from(bytes / u128::from(scale)) {
        Ok(0) => Err(Wrong::new("0 bytes are nothing").advice(form)),
        Ok(bytes) if bytes <= 1 << 40 => Ok(bytes),
        _ => Err(Wrong::new(format!("`{text}` is more than 1024GiB")).advice(form)),
    }
}

fn wrong_unit(number: &str, unit: &str, right: &str) -> Wrong {
    Wrong::new(format!("`{}` is no unit of bytes here", unit.trim())).advice(format!("did you mean `{number}{right}`?"))
}

/// Bytes per second: `64KiB/s`.
pub(crate) fn throughput(text: &str) -> Result<u64, Wrong> {
    let form = "write it as `64KiB/s` or `1MiB/s`";
    match text.trim().strip_suffix("/s") {
        Some(bytes) => size(bytes).map_err(|wrong| match wrong.advice.as_deref() {
            // The nearest size, as a rate.
            Some(near) if near.starts_with("did you mean") => {
                let near = near.replace("`?", "/s`?");
                wrong.advice(near)
            }
            _ => wrong.advice(form),
        }),
        None => Err(Wrong::new(format!("`{}` is no rate of bytes", text.trim())).advice(form)),
    }
}

/// A part of a body: `100B`, `50%`; `0` is nothing of it.
pub(crate) fn part(text: &str) -> Result<Part, Wrong> {
    let text = text.trim();
    if matches!(text, "0" | "0B") {
        return Ok(Part::Bytes(0));
    }
    if !text.ends_with('%') {
        return size(text).map(Part::Bytes);
    }
    per_million(text).map(Part::PerMillion)
}

/// A share in parts of a million: `0.1%`.
pub(crate) fn per_million(text: &str) -> Result<u32, Wrong> {
    let Share { parts, whole } = share_of_all(text)?;
    let parts = u128::from(parts) * 1_000_000;
    let exact = parts % u128::from(whole) == 0;
    match u32::try_from(parts / u128::from(whole)) {
        Ok(parts) if exact => Ok(parts),
        _ => Err(Wrong::new(format!("`{}` is finer than 0.0001%", text.trim())).advice("write it as `0.1%`")),
    }
}

/// A number of CPUs in thousandths: `0.1` is 100.
pub(crate) fn cpus(text: &str) -> Result<u32, Wrong> {
    let text = text.trim();
    let form = "write it as `0.5` (half of one) or `2`";
    let Some((parts, scale)) = decimal(text) else {
        return Err(Wrong::new(format!("`{text}` is no number of CPUs")).advice(form));
    };
    let thousandths = u128::from(parts) * 1000;
    if thousandths % u128::from(scale) != 0 {
        return Err(Wrong::new(format!("`{text}` is finer than a thousandth of a CPU")).advice(form));
    }
    match u32::try_from(thousandths / u128::from(scale)) {
        Ok(0..10) => Err(Wrong::new(format!("`{text}` is less than engines give")).advice("write `0.01` at least")),
        Ok(thousandths @ ..=MOST_CPUS) => Ok(thousandths),
        _ => Err(Wrong::new(format!("`{text}` is more than any machine has")).advice(form)),
    }
}

/// A plain number.
pub(crate) fn number(text: &str) -> Result<f64, Wrong> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(Wrong::new(format!("`{text}` is no number")).advice("write it as `5` or `0.25`")),
    }
}

/// `< 50ms`, `>= 99.9%`, `== 0`, `1..5`.
pub(crate) fn comparison<T>(text: &str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Result<Comparison<T>, Wrong> {
    let text = text.trim();
    type Make<T> = fn(T) -> Comparison<T>;
    let operators: [(&str, Make<T>); 6] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("==", Comparison::Equal),
        ("!=", Comparison::Different),
        ("<", Comparison::Less),
        (">", Comparison::More),
    ];
    for (sign, make) in operators {
        if let Some(rest) = text.strip_prefix(sign) {
            return parse(rest).map(make);
        }
    }
    for (sign, right) in [("=<", "<="), ("=>", ">="), ("=", "==")] {
        if let Some(rest) = text.strip_prefix(sign) {
            let advice = format!("did you mean `{right} {}`?", rest.trim());
            return Err(Wrong::new(format!("`{sign}` is no comparison")).advice(advice));
        }
    }
    if let Some((low, high)) = text.split_once("..") {
        return Ok(Comparison::Between(parse(low)?, parse(high)?));
    }
    let form = Wrong::new(format!("`{text}` says no comparison"));
    Err(if parse(text).is_ok() {
        form.advice(format!("write `== {text}`, `< {text}`, `>= {text}` or a range as `low..high`"))
    } else {
        form.advice("a comparison begins with `<`, `<=`, `>`, `>=`, `==` or `!=`, or is a range as `low..high`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::show_duration;
    use proptest::prelude::*;

    #[test]
    fn durations_are_exact() {
        for (text, nanos) in
            [("0s", 0), ("80us", 80_000), ("1.5us", 1_500), ("200ms", 200_000_000), ("2min", 120_000_000_000)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_nanos(nanos), "{text}");
        }
        assert_eq!(duration("1.5h").unwrap(), duration("90m").unwrap());
        for text in
            ["", "s", "4", "4 s", "-4s", "4sec", "1.2.3s", ".5s", "5.s", "1e3s", "0.0001us", "1000h", "\u{663}s"]
        {
            duration(text).unwrap_err();
        }
    }

    #[test]
    fn shares_are_exact() {
        assert_eq!(share("99.95%").unwrap(), Share { parts: 9995, whole: 10_000 });
        assert_eq!(share("100%").unwrap(), Share::ALL);
        assert_eq!(share("100.000%").unwrap(), Share::ALL);
        // 0.1 % of a thousand is one, without a rounding to decide.
        assert_eq!(share("0.1%").unwrap(), Share { parts: 1, whole: 1000 });
        for text in ["", "%", "5", "0.5", "-1%", "1e1%", "five%", "99999999999999999999%"] {
            share(text).unwrap_err();
        }
        share_of_all("100.001%").unwrap_err();
    }

    #[test]
    fn rates_are_whole() {
        assert_eq!(rate("200/s").unwrap(), Rate { times: 200, per: Duration::from_secs(1) });
        assert_eq!(rate("30/min").unwrap(), Rate { times: 30, per: Duration::from_secs(60) });
        for text in ["", "/", "200", "0/s", "1.5/s", "-1/s", "1/day", "1/s/s", "99999999999/s"] {
            rate(text).unwrap_err();
        }
    }

    #[test]
    fn sizes_are_whole_bytes() {
        for (text, bytes) in [("512B", 512), ("64KiB", 65_536), ("1.5MiB", 1_572_864), ("1024GiB", 1 << 40)] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "B", "0B", "5", "1.5B", "64KB", "1TiB", "2048GiB", "-1B", "1e3B"] {
            size(text).unwrap_err();
        }
        assert_eq!(throughput("1MiB/s").unwrap(), 1 << 20);
        for text in ["1MiB", "0B/s", "1MiB/min", "/s"] {
            throughput(text).unwrap_err();
        }
    }

    #[test]
    fn cpus_are_thousandths() {
        for (text, thousandths) in [("0.1", 100), ("2", 2000), ("0.01", 10), ("1.50", 1500), ("0.125", 125)] {
            assert_eq!(cpus(text).unwrap(), thousandths, "{text}");
        }
        for text in ["", "0", "0.009", "0.0125", "-1", "50%", "1e3", "one", "99999999", "100m"] {
            cpus(text).unwrap_err();
        }
    }

    #[test]
    fn parts_are_bytes_or_shares() {
        assert_eq!(part("100B").unwrap().of(40), 40);
        assert_eq!(part("0").unwrap().of(40), 0);
        assert_eq!(part("50%").unwrap().of(41), 20);
        assert_eq!(part("100%").unwrap().of(u64::MAX), u64::MAX);
        for text in ["", "50", "101%", "0.00001%", "half"] {
            part(text).unwrap_err();
        }
    }

    #[test]
    fn comparisons_have_a_sign_or_are_ranges() {
        assert_eq!(comparison("<5", number).unwrap(), Comparison::Less(5.0));
        assert_eq!(comparison(" >= 5 ", number).unwrap(), Comparison::AtLeast(5.0));
        assert_eq!(comparison("1..5", number).unwrap(), Comparison::Between(1.0, 5.0));
        assert_eq!(comparison("1.5..2.5", number).unwrap(), Comparison::Between(1.5, 2.5));
        for text in ["", "5", "=5", "=> 5", "<", "< <5", "1..", "..5", "< nan", "< inf"] {
            comparison(text, number).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in ".{0,20}") {
            let _ = (duration(&text), share(&text), rate(&text), number(&text), comparison(&text, share));
        }

        #[test]
        fn what_is_shown_of_a_duration_reads_as_shown(nanos in 0..100_000_000_000_000_u64) {
            let shown = show_duration(Duration::from_nanos(nanos));
            let read = duration(&shown).unwrap();
            prop_assert_eq!(&show_duration(read), &shown);
            // Three digits are shown at the least; below a microsecond, two decimals.
            prop_assert!(read.as_nanos().abs_diff(u128::from(nanos)) <= u128::from(nanos / 150 + 5));
        }

        #[test]
        fn whole_minutes_are_shown_without_loss(minutes in 10..=43_200_u64) {
            let whole = Duration::from_secs(minutes * 60);
            let shown = show_duration(whole);
            prop_assert!(!shown.ends_with("ms") && !shown.ends_with('s'), "{}", shown);
            prop_assert_eq!(duration(&shown).unwrap(), whole);
        }

        #[test]
        fn what_is_shown_of_a_share_reads_as_shown(parts in 0..2_000_u64, whole in 1..2_000_u64) {
            let it = Share { parts, whole };
            let read = share(&it.to_string()).unwrap();
            prop_assert!((read.as_f64() - it.as_f64()).abs() <= 0.000_051, "{} {}", it, read);
            prop_assert_eq!(read.parts == 0, parts == 0);
            prop_assert_eq!(read == Share::ALL, parts == whole);
        }

        #[test]
        fn a_rate_is_read_as_it_was(times in 1..10_000_000_u64, per in prop::sample::select(vec![1, 60, 3600])) {
            let it = Rate { times, per: Duration::from_secs(per) };
            prop_assert_eq!(rate(&it.to_string()).unwrap(), it);
        }

        #[test]
        fn a_comparison_is_read_as_it_was(low in 0..100_u64, high in 0..100_u64, which in 0..7_usize) {
            let percent = |parts| Share { parts, whole: 100 };
            let (low, high) = (percent(low), percent(high));
            let all = [
                Comparison::Less(low), Comparison::AtMost(low), Comparison::More(low), Comparison::AtLeast(low),
                Comparison::Equal(low), Comparison::Different(low), Comparison::Between(low, high),
            ];
            prop_assert_eq!(comparison(&all[which].to_string(), share).unwrap(), all[which]);
        }
    }
}
