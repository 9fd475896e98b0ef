//! The target of events about what passes on links.

/// The target of the events, which are at the level trace. Their fields: `link`, `connection` (its number on the link),
/// `side` (of the proxy: `client` or `service`), `up` (from the client to the service), `subject` (`GET /users/7`, `GET
/// profile:7`), `response` (`200`, `nil`, `57 bytes`) where it is one, and `arrival`, the client's request that
/// it is for (`NONCE-N-STEP`), where it says so.
///
/// An injection, told when it begins, has `link`, `fault`, `attempt` and, where they are known, `connection`, `subject`
/// and
/// `arrival`.
pub const WIRE: &str = "chaos_inject::wire";
