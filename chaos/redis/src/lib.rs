//! RESP codec and the built-in Redis.
