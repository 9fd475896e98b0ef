//! "Did you mean …?": which of the names that exist was probably meant.

/// The name that is nearest to `word`, if any is near.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let rank = |name: &'a str| {
        let begins = lower.len() >= 3 && name.to_lowercase().starts_with(&lower);
        let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
        let near = begins || distance <= (lower.chars().count() / 3).max(1);
        near.then_some((distance, name))
    };
    names.into_iter().filter_map(rank).min().map(|(_, name)| name)
}

/// Advice for a name that does not exist: the nearest, or else all that there are, after `there_are`.
pub(crate) fn advise<'a>(word: &str, names: impl IntoIterator<Item = &'a str> + Clone, there_are: &str) -> String {
    if let Some(near) = nearest(word, names.clone()) {
        return format!("did you mean `{near}`?");
    }
    let all = list(names);
    if all.is_empty() { "there are none yet".to_owned() } else { format!("{there_are} {all}") }
}

/// The nearest of some names, as advice; else what is said otherwise.
pub(crate) fn did_you_mean(word: &str, names: &[&str], else_say: &str) -> String {
    nearest(word, names.iter().copied()).map_or_else(|| else_say.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// The names as `a`, `b` and `c`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_typo_a_beginning_and_nothing_far() {
        let names = ["redis", "user-service", "order-service"];
        assert_eq!(nearest("rediss", names), Some("redis"));
        assert_eq!(nearest("user", names), Some("user-service"));
        assert_eq!(nearest("Redis", names), Some("redis"));
        assert_eq!(nearest("kafka", names), None);
    }

    #[test]
    fn lists_all_where_none_is_near() {
        assert_eq!(advise("x9", ["a-b", "c-d", "e-f"], "there are"), "there are `a-b`, `c-d` and `e-f`");
    }
}
