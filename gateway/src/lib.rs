//! The API gateway (Backend for Frontend) that aggregates users, orders and products.
