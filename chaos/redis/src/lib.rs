//! RESP codec and the built-in Redis.

pub mod codec;
