//! Users of Redis's ACL, who may do what, as far as a cache's clients need them. A user is on or off, has passwords or
//! needs none, and may run all commands or some, on all keys or on those that match a pattern.
//!
//! Deliberately absent: categories of commands other than `@all`, channels (there are none; their rules are taken and
//! mean nothing), selectors, and rights of reading and writing apart.

use crate::commands::{glob, is_command};
use std::{collections::BTreeMap, sync::Arc};

/// The user of clients that name none.
pub(crate) const DEFAULT: &str = "default";

/// All users by name. `default` is always among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users(BTreeMap<Arc<str>, User>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    enabled: bool,
    /// Any password is right.
    any_password: bool,
    passwords: Vec<Vec<u8>>,
    /// True where it may run commands that are not in `except`; else those that are.
    all_commands: bool,
    except: Vec<String>,
    /// Patterns of the keys that it may use.
    keys: Vec<Vec<u8>>,
}

/// Reason for which a rule can't be used, in the words of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// The rule is none that is known.
    #[error("Syntax error")]
    Syntax,
    /// A command is named that isn't there.
    #[error("Unknown command or category name in ACL")]
    NoSuchCommand,
    /// A password that the user doesn't have was to be removed.
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
}

impl Default for Users {
    /// The user `default` alone, who needs no password and may do everything.
    fn default() -> Self {
        let everything = User { enabled: true, any_password: true, ..User::everything() };
        Self(BTreeMap::from([(Arc::from(DEFAULT), everything)]))
    }
}

impl Users {
    /// Reads users as Redis's ACL file has them, without the word `user`: a name and rules, set apart by spaces; users
    /// are set apart by `;` or line ends (`bob on >pw ~* +@all; carl on nopass ~cache:* +get`).
    ///
    /// # Errors
    /// Where a rule can't be used; the rule and why.
    pub fn parse(text: &str) -> Result<Self, (String, BadRule)> {
        let mut users = Self::default();
        for line in text.split([';', '\n']) {
            let mut words = line.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            users
                .change(name, words.map(str::as_bytes))
                .map_err(|(rule, why)| (String::from_utf8_lossy(rule).into_owned(), why))?;
        }
        Ok(users)
    }

    /// Gives `default` this password alone, or takes all away: then it needs none.
    pub(crate) fn set_password(&mut self, password: &[u8]) {
        if let Some(user) = self.0.get_mut(DEFAULT) {
            user.any_password = password.is_empty();
            user.passwords = if password.is_empty() { vec![] } else { vec![password.to_vec()] };
        }
    }

    /// Changes a user by rules, or none of it where one is refused; one that isn't there is made first.
    pub(crate) fn change<'a>(
        &mut self,
        name: &str,
        rules: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), (&'a [u8], BadRule)> {
        let mut user = self.0.get(name).cloned().unwrap_or(User::NOTHING);
        for rule in rules {
            user.apply(rule).map_err(|why| (rule, why))?;
        }
        self.0.insert(name.into(), user);
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&User> {
        self.0.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    /// Tells whether clients have to say who they are.
    pub(crate) fn ask(&self) -> bool {
        self.0.get(DEFAULT).is_none_or(|user| !user.any_password || !user.enabled)
    }

    /// Tells whether clients may give a password and no name.
    pub(crate) fn default_has_password(&self) -> bool {
        self.0.get(DEFAULT).is_some_and(|user| !user.any_password)
    }

    /// The user of this name, if it is on and the password is right.
    pub(crate) fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<Arc<str>> {
        let (name, user) = self.0.get_key_value(std::str::from_utf8(name).ok()?)?;
        let right = user.any_password || user.passwords.iter().any(|known| known == password);
        (user.enabled && right).then(|| Arc::clone(name))
    }
}

impl User {
    const NOTHING: Self = Self {
        enabled: false,
        any_password: false,
        passwords: vec![],
        all_commands: false,
        except: vec![],
        keys: vec![],
    };

    fn everything() -> Self {
        Self { all_commands: true, keys: vec![b"*".to_vec()], ..Self::NOTHING }
    }

    /// Tells whether it may run a command, named as in the table; the right to a command is one to its subcommands too.
    pub(crate) fn may_run(&self, command: &str) -> bool {
        if self.except.is_empty() {
            return self.all_commands;
        }
        let container = command.split_once('|').map_or(command, |(container, _)| container);
        let is_excepted = self.except.iter().any(|except| except == command || except == container);
        self.all_commands != is_excepted
    }

    pub(crate) fn may_use(&self, key: &[u8]) -> bool {
        self.keys.iter().any(|pattern| pattern == b"*" || glob(pattern, key))
    }

    fn apply(&mut self, rule: &[u8]) -> Result<(), BadRule> {
        match rule.to_ascii_lowercase().as_slice() {
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => (self.any_password, self.passwords) = (true, vec![]),
            b"resetpass" => (self.any_password, self.passwords) = (false, vec![]),
            b"allkeys" => self.keys = vec![b"*".to_vec()],
            b"resetkeys" => self.keys.clear(),
            b"allcommands" | b"+@all" => (self.all_commands, self.except) = (true, vec![]),
            b"nocommands" | b"-@all" => (self.all_commands, self.except) = (false, vec![]),
            b"allchannels" | b"resetchannels" => {}
            b"reset" => *self = Self::NOTHING,
            lower => match (rule, lower) {
                ([b'>', password @ ..], _) => self.add_password(password),
                ([b'<', password @ ..], _) => self.remove_password(password)?,
                ([b'~', pattern @ ..], _) => self.keys.push(pattern.to_vec()),
                ([b'&', ..], _) => {}
                (_, [b'+', command @ ..]) => self.allow(command, true)?,
                (_, [b'-', command @ ..]) => self.allow(command, false)?,
                _ => return Err(BadRule::Syntax),
            },
        }
        Ok(())
    }

    fn add_password(&mut self, password: &[u8]) {
        self.any_password = false;
        if !self.passwords.iter().any(|known| known == password) {
            self.passwords.push(password.to_vec());
        }
    }

    fn remove_password(&mut self, password: &[u8]) -> Result<(), BadRule> {
        let place = self.passwords.iter().position(|known| known == password).ok_or(BadRule::NoSuchPassword)?;
        self.passwords.remove(place);
        Ok(())
    }

    fn allow(&mut self, command: &[u8], allowed: bool) -> Result<(), BadRule> {
        let name = std::str::from_utf8(command).ok().filter(|name| is_command(name)).ok_or(BadRule::NoSuchCommand)?;
        self.except.retain(|except| except != name);
        if allowed != self.all_commands {
            self.except.push(name.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_rules() {
        let users =
            Users::parse("bob on >pw ~* +@all -set;carl on nopass ~cache:* +get +client\n\n eve >x +@all").unwrap();
        assert_eq!(users.names().map(|name| &**name).collect::<Vec<_>>(), ["bob", "carl", "default", "eve"]);
        let (bob, carl) = (users.get("bob").unwrap(), users.get("carl").unwrap());
        assert!(bob.may_run("get") && !bob.may_run("set") && bob.may_use(b"any"));
        assert!(carl.may_run("get") && carl.may_run("client|id") && !carl.may_run("set"));
        assert!(carl.may_use(b"cache:1") && !carl.may_use(b"other"));
        assert!(users.authenticate(b"bob", b"pw").is_some() && users.authenticate(b"bob", b"x").is_none());
        assert!(users.authenticate(b"carl", b"any").is_some());
        // It is off, as new users are.
        assert!(users.authenticate(b"eve", b"x").is_none());
        assert!(!users.ask());
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, rule, why) in [
            ("bob on what", "what", BadRule::Syntax),
            ("bob +nothing", "+nothing", BadRule::NoSuchCommand),
            ("bob +@read", "+@read", BadRule::NoSuchCommand),
            ("bob <x", "<x", BadRule::NoSuchPassword),
        ] {
            assert_eq!(Users::parse(text), Err((rule.to_owned(), why)), "{text}");
        }
    }
}
