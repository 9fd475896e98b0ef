//! Requests of `mux`, and what faults do to them.

use super::filter::END;
use chaos_inject::protocol::{Decision, Injected, Key, Message, Rate, Wait};
use chaos_model::{
    KeyKind, Only,
    effect::{
        Action, MessageEnding,
        action::{BodyEdit, ReplyEdit},
    },
};

/// A request: a word, and what is meant.
pub(super) struct Request {
    kind: String,
    text: String,
}

impl Request {
    pub(super) fn of(text: &str) -> Self {
        let kind = text.split(' ').next().unwrap_or_default().to_owned();
        Self { kind, text: text.to_owned() }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }
}

impl Message for Request {
    fn matches(&self, action: &Action, only: &Only) -> bool {
        action.is_of_messages() && (only.commands.is_empty() || only.commands.contains(&self.kind))
    }

    fn key(&self) -> Key {
        Key::new(KeyKind::Message, &[b"mux", self.text.as_bytes()])
    }

    fn subject(&self) -> String {
        self.text.clone()
    }
}

/// The plan for a request and its response: what all faults that take it do, together.
#[derive(Default)]
pub(super) struct MuxPlan {
    /// The response comes this much later.
    pub(super) delay: Option<Wait>,
    /// The service is not asked, and this is the response: an error, or the end of the stream.
    pub(super) answer: Option<String>,
    /// The connection ends in the response's place.
    pub(super) hangs_up: bool,
    /// The rate of the response.
    pub(super) rate: Option<Rate>,
    pub(super) injected: Vec<Injected>,
}

impl MuxPlan {
    pub(super) fn of(decision: &Decision) -> Self {
        let mut plan = Self { delay: decision.wait(), injected: decision.injected(), ..Self::default() };
        for drawn in decision.iter() {
            let action = drawn.action();
            match action.message.and_then(|message| message.ending) {
                Some(MessageEnding::Instead) => plan.answer = Some(END.to_owned()),
                Some(MessageEnding::In(_)) => plan.hangs_up = true,
                None => {}
            }
            if let Some(ReplyEdit::Error(text)) = action.redis.as_ref().and_then(|redis| redis.reply.clone()) {
                plan.answer = Some(text);
            }
            if let Some(BodyEdit::Trickle(rate)) = action.http.as_ref().and_then(|http| http.body.clone()) {
                plan.rate = Some(decision.rate(rate));
            }
        }
        plan
    }
}
