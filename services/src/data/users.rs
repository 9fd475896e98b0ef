use super::{
    CLOSED_S, OPENED_S, Shop,
    draw::Draw,
    words::{CITIES, FIRST_NAMES, LAST_NAMES},
};
use crate::id::UserId;
use serde::Serialize;
use std::time::Duration;

/// A customer, as the user service answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// First and last name.
    pub name: String,
    /// An address at a domain that is reserved for examples (RFC 2606).
    pub email: String,
    /// The city that they live in.
    pub city: &'static str,
    /// The city's country (ISO 3166-1 alpha-2).
    pub country: &'static str,
    /// The day of their first visit, as `2021-03-04`.
    pub member_since: String,
    /// A text about themselves, where the shop has such texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Said again and again.
const ABOUT: &str = "They like long walks, and short queues. ";

/// A text of so many bytes about anybody.
fn about(bytes: usize) -> String {
    let mut text = ABOUT.repeat(bytes / ABOUT.len() + 1);
    text.truncate(bytes);
    text
}

const DAY_S: u64 = 24 * 60 * 60;

impl Shop {
    /// The user with this id; none where there is no such user.
    #[must_use]
    pub fn user(self, id: UserId) -> Option<User> {
        if !self.has_user(id) {
            return None;
        }
        let draw = Draw::new(self.seed(), "user", id.0);
        let (first, address) = draw.pick("first name", FIRST_NAMES);
        let last = draw.pick("last name", LAST_NAMES);
        let (city, country) = draw.pick("city", CITIES);
        let mut member_since = host::rfc3339(Duration::from_secs(self.joined_s(id)));
        member_since.truncate("2021-03-04".len());
        Some(User {
            id,
            name: format!("{first} {last}"),
            email: format!("{address}.{id}@example.com"),
            city,
            country,
            member_since,
            about: (self.about > 0).then(|| about(self.about)),
        })
    }

    /// Tells if there is such a user, which the seed doesn't change.
    #[must_use]
    pub fn has_user(self, id: UserId) -> bool {
        (1..=self.users).contains(&id.0)
    }

    /// Midnight of the day on which a user joined, at least a year before the data ends.
    pub(super) fn joined_s(self, id: UserId) -> u64 {
        let days = (CLOSED_S - OPENED_S) / DAY_S - 365;
        OPENED_S + Draw::new(self.seed(), "user", id.0).below("joined", days) * DAY_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DEFAULT_SEED, USERS};
    use std::collections::BTreeSet;

    #[test]
    fn users_1_to_1000_exist_and_no_others() {
        let shop = Shop::new(DEFAULT_SEED);
        assert!((1..=USERS).all(|number| shop.user(UserId(number)).is_some_and(|user| user.id.0 == number)));
        assert_eq!(shop.user(UserId(0)), None);
        assert_eq!(shop.user(UserId(1001)), None);
    }

    #[test]
    fn more_users_change_nothing_about_the_others() {
        let (shop, large) = (Shop::new(DEFAULT_SEED), Shop::new(DEFAULT_SEED).with_users(20_000));
        for id in (1..=USERS).map(UserId) {
            assert_eq!((shop.user(id), shop.orders(id)), (large.user(id), large.orders(id)));
        }
        let emails: BTreeSet<_> = (1..=20_000).map(|number| large.user(UserId(number)).unwrap().email).collect();
        assert_eq!(emails.len(), 20_000);
        let orders = |id: u64| large.orders(UserId(id)).unwrap().len();
        assert_eq!((1..=20_000).filter(|id| orders(*id) == 100).count(), 100);
        assert_eq!(large.user(UserId(20_001)), None);
        assert_eq!(shop.with_users(1).user(UserId(2)), None);
    }

    #[test]
    fn a_text_about_themselves_is_as_long_as_is_wanted() {
        let shop = Shop::new(DEFAULT_SEED);
        let user = shop.user(UserId(1)).unwrap();
        assert_eq!(user.about, None);
        let about = shop.with_about(100_000).user(UserId(1)).unwrap().about.unwrap();
        assert_eq!(about.len(), 100_000);
        assert_eq!(shop.with_about(1).user(UserId(1)), Some(User { about: Some("T".to_owned()), ..user }));
    }

    #[test]
    fn addresses_are_ascii_and_unique() {
        let shop = Shop::new(DEFAULT_SEED);
        let emails: BTreeSet<_> = (1..=USERS).filter_map(|number| shop.user(UserId(number))).map(|u| u.email).collect();
        assert_eq!(emails.len(), 1000);
        assert!(emails.iter().all(|email| email.is_ascii() && email.ends_with("@example.com")));
    }

    #[test]
    fn names_and_cities_are_spread_out() {
        let shop = Shop::new(DEFAULT_SEED);
        let users: Vec<_> = (1..=USERS).filter_map(|number| shop.user(UserId(number))).collect();
        let names: BTreeSet<_> = users.iter().map(|user| &user.name).collect();
        let cities: BTreeSet<_> = users.iter().map(|user| user.city).collect();
        assert!(names.len() > 700, "{}", names.len());
        assert_eq!(cities.len(), CITIES.len());
    }
}
