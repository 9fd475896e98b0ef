//! The user, order and product services behind the gateway.
