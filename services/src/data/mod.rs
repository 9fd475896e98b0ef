//! The data of a made-up shop: a pure function of a seed and an id. Nothing is stored and nothing changes, so every
//! process in every world sees the same shop, and a test can say in advance what a profile holds.
//!
//! Users 1 to 1000 exist, or as many as are wanted. Most have a few orders, some have none, one in each 200 has a
//! hundred. Products p1 to p500 were sold at some time; twenty of them are gone, and old orders still name them. Lower
//! product numbers sell better.
//!
//! A change of anything in here changes what recorded runs mean: the tests pin a sample.

mod draw;
mod orders;
mod products;
mod users;
mod words;

pub use orders::Order;
pub use products::{Lookup, Product};
pub use users::User;

/// The seed where none is given.
pub const DEFAULT_SEED: u64 = 42;

/// The number of users where nothing is said: they have the numbers from 1 to this. More or fewer change nothing about
/// the others.
pub const USERS: u64 = 1000;

/// Products have the numbers from 1 to this.
pub const PRODUCTS: u32 = 500;

/// The shop's currency (ISO 4217).
const CURRENCY: &str = "EUR";

/// The shop opened on 2019-01-01: nothing is dated earlier. Seconds since the Unix epoch.
const OPENED_S: u64 = 1_546_300_800;

/// The data ends on 2026-01-01: nothing is dated later. Seconds since the Unix epoch.
const CLOSED_S: u64 = 1_767_225_600;

/// One shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shop {
    seed: u64,
    users: u64,
    about: usize,
}

impl Shop {
    /// The shop of this seed, with [`USERS`] users.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, users: USERS, about: 0 }
    }

    /// The same shop with so many users.
    #[must_use]
    pub fn with_users(self, users: u64) -> Self {
        Self { users, ..self }
    }

    /// The same shop, each of whose users has a text about themselves of so many bytes; 0: none has any.
    #[must_use]
    pub fn with_about(self, bytes: usize) -> Self {
        Self { about: bytes, ..self }
    }

    /// The seed.
    #[must_use]
    pub fn seed(self) -> u64 {
        self.seed
    }
}
