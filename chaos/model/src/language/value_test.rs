//! `">= 95% == {user}"`: what must hold for a value in a body or a header, and for how many responses.

use super::{
    bounds, braces,
    findings::Wrong,
    quantity::{comparison, number, share},
};
use crate::{Comparison, Share, ValueTest};

const FORM: &str = "write it as `== x`, `!= x`, `< 5`, `exists` or `missing`, after `95%` or `>= 95%` if not for all";

/// Reads a test, with the share of responses that must pass it: all, unless it says otherwise.
pub(crate) fn read(text: &str, vars: &[&str]) -> Result<(Comparison<Share>, ValueTest), Wrong> {
    let text = text.trim();
    let (before, rest) = split_share(text);
    let share = match before {
        None => Comparison::AtLeast(Share::ALL),
        Some(before) if before.starts_with(['<', '>', '=', '!']) || before.contains("..") => {
            bounds::check_share(comparison(before, share)?)?.that_can_fail()?
        }
        Some(before) => match share(before)? {
            none if none.parts == 0 => Comparison::Equal(none),
            some => bounds::check_share(Comparison::AtLeast(some))?.that_can_fail()?,
        },
    };
    Ok((share, test(rest, vars)?))
}

/// Reads a test of one response, of which there is no share.
pub(crate) fn of_one(text: &str) -> Result<ValueTest, Wrong> {
    let text = text.trim();
    match split_share(text) {
        (None, rest) => test(rest, &[]),
        (Some(before), rest) => {
            let wrong = Wrong::new(format!("`{before}` is a share of responses, and this is about each"));
            Err(if rest.is_empty() {
                wrong.advice("as in `== true`, `exists`")
            } else {
                wrong.advice(format!("write `{rest}`"))
            })
        }
    }
}

/// Parts `>= 95%` from what follows it. `== 50%` alone is a test: the share is what stands before one.
fn split_share(text: &str) -> (Option<&str>, &str) {
    let Some(percent) = text.find('%') else { return (None, text) };
    let mut end = percent + 1;
    let in_number = |part: &str| {
        let number = part.trim_start_matches(['<', '>', '=', '!']).trim();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-')
    };
    if !in_number(&text[..percent]) {
        return (None, text);
    }
    // A range: `10%..20%`.
    if let Some(high) = text[end..].strip_prefix("..")
        && let Some(second) = high.find('%').filter(|second| in_number(&high[..*second]))
    {
        end += 2 + second + 1;
    }
    let rest = text[end..].trim();
    let is_test = rest.is_empty() && text.starts_with(['<', '>', '=', '!']);
    if is_test { (None, text) } else { (Some(&text[..end]), rest) }
}

fn test(text: &str, vars: &[&str]) -> Result<ValueTest, Wrong> {
    let literal = |rest: &str| match rest.trim() {
        "" => Err(Wrong::new("there is nothing to compare with").advice("for \"nothing there\": `missing`")),
        literal => braces::text(literal, vars).map(|text| (text, ())).map_err(|wrong| Wrong { at: None, ..wrong }),
    };
    match text {
        "" => Err(Wrong::new("this says how many, and not what must hold").advice(FORM)),
        "exists" => Ok(ValueTest::Exists),
        "missing" => Ok(ValueTest::Missing),
        _ if text.starts_with("==") => Ok(ValueTest::Equal(literal(&text[2..])?.0)),
        _ if text.starts_with("!=") => Ok(ValueTest::Different(literal(&text[2..])?.0)),
        _ if text.starts_with(['<', '>', '=']) || text.contains("..") => {
            let bound = comparison(text, number)?;
            Ok(ValueTest::Number(bounds::check_number(bound)?.that_can_fail()?))
        }
        _ => {
            let wrong = Wrong::new(format!("`{text}` says no comparison"));
            let share_behind = text.split_once(' ').filter(|(word, _)| matches!(*word, "exists" | "missing"));
            if let Some((word, share)) = share_behind {
                let share = share.trim();
                let wrong = Wrong::new(format!("how many stands before what must hold, and `{share}` stands behind"));
                return Err(wrong.advice(format!("write `{share} {word}`; `{word}` alone is of all")));
            }
            Err(match super::nearest::nearest(text, ["exists", "missing"]) {
                Some(near) => wrong.advice(format!("did you mean `{near}`?")),
                None => wrong.advice(format!("did you mean `== {text}`?")),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Text, TextPiece};

    fn plain(text: &str) -> Text {
        Text { pieces: vec![TextPiece::Plain(text.to_owned())] }
    }

    #[test]
    fn a_share_may_stand_before_the_test() {
        let all = Comparison::AtLeast(Share::ALL);
        let percent = |parts| Share { parts, whole: 100 };
        for (text, share, test) in [
            ("== true", all, ValueTest::Equal(plain("true"))),
            ("100% == true", all, ValueTest::Equal(plain("true"))),
            ("0% == true", Comparison::Equal(percent(0)), ValueTest::Equal(plain("true"))),
            (">= 95% exists", Comparison::AtLeast(percent(95)), ValueTest::Exists),
            ("< 5% missing", Comparison::Less(percent(5)), ValueTest::Missing),
            ("10%..20% != a%b", Comparison::Between(percent(10), percent(20)), ValueTest::Different(plain("a%b"))),
            ("== 50%", all, ValueTest::Equal(plain("50%"))),
            ("50% < 5", Comparison::AtLeast(percent(50)), ValueTest::Number(Comparison::Less(5.0))),
            ("1..5", all, ValueTest::Number(Comparison::Between(1.0, 5.0))),
        ] {
            assert_eq!(read(text, &[]).unwrap(), (share, test), "{text}");
        }
    }

    #[test]
    fn refuses_what_tests_nothing() {
        for text in ["", "100%", ">= 0% exists", "101% exists", "true", "==", "= 5", "5..1", "== {user}", "exist"] {
            read(text, &[]).unwrap_err();
        }
    }
}
