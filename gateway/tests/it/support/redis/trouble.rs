//! Troubles of one connection's replies: lost, doubled, swapped with the next, delayed.

use host::Host;
use std::time::Duration;

/// The troubles of one connection. Each is drawn from the seed, the connection and the reply's number.
pub(super) struct Trouble {
    host: Host,
    connection: u32,
    replies: u64,
    /// Comes after the next one.
    held: Option<Vec<u8>>,
}

impl Trouble {
    pub(super) fn new(host: &Host, connection: u32) -> Self {
        Self { host: host.clone(), connection, replies: 0, held: None }
    }

    /// The bytes that are sent in place of `reply`.
    pub(super) async fn befalls(&mut self, seed: u64, reply: Vec<u8>) -> Vec<u8> {
        self.replies += 1;
        let draw = host::hash(seed, &[&self.connection.to_le_bytes(), &self.replies.to_le_bytes()]);
        if draw.is_multiple_of(7) {
            self.host.sleep(Duration::from_millis(draw / 7 % 40)).await;
        }
        let held = self.held.take();
        let mut sent = match draw / 1000 % 40 {
            0 => Vec::new(),
            1 => reply.repeat(2),
            2 if held.is_none() => {
                self.held = Some(reply);
                Vec::new()
            }
            _ => reply,
        };
        sent.extend(held.unwrap_or_default());
        sent
    }
}
