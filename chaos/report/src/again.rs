//! The command that makes a run once more.

use crate::text::clean;
use chaos_model::event::Begin;

/// The command that makes the same run: what it was made with is in its first event. It stands whole, to be copied. None for
/// a guard's run or a control, which can't be had by this command alone.
pub(crate) fn command(begin: &Begin) -> Option<String> {
    if begin.control || begin.without.is_some() {
        return None;
    }
    let mut command = format!("chaos run {} --seed {}", quoted(&clean(&begin.file)), begin.seed);
    if begin.world != "local" {
        command += &format!(" --world {}", quoted(&clean(&begin.world)));
    }
    let options = begin.sets.iter().map(|set| ("--set", set)).chain(begin.only.iter().map(|that| ("-e", that)));
    for (option, value) in options {
        command += &format!(" {option} {}", quoted(&clean(value)));
    }
    Some(command)
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%:=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("scenarios/redis_down.toml"), "scenarios/redis_down.toml");
        assert_eq!(quoted("my runs/it's.toml"), r"'my runs/it'\''s.toml'");
    }

    #[test]
    fn what_a_run_was_made_with_is_in_its_command() {
        let begin = Begin {
            file: "a.toml".to_owned(),
            world: "sim".to_owned(),
            seed: 7,
            sets: vec!["load.rate=500/s".to_owned()],
            only: vec!["it's fast".to_owned()],
            ..Begin::default()
        };
        let words = r"chaos run a.toml --seed 7 --world sim --set load.rate=500/s -e 'it'\''s fast'";
        assert_eq!(command(&begin).as_deref(), Some(words));
        let strange = command(&Begin { world: "sim; rm x".to_owned(), ..begin.clone() });
        assert!(strange.is_some_and(|command| command.contains(" --world 'sim; rm x' ")), "it is one word");
        assert_eq!(command(&Begin { control: true, ..begin.clone() }), None);
        assert_eq!(command(&Begin { without: Some("the cache".to_owned()), ..begin }), None);
    }
}
