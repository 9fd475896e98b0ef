//! State that the dispatcher, its jobs and its workers share, and what they tell each other.

use crate::{CheckResponse, Disruptions, Marks, Outcome, cookies::Jar, draw::Draw, template::Template};
use chaos_model::{RequestId, RunKey, Values};
use host::Host;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

/// State that all workers of a run share; nothing in it changes.
pub(crate) struct Shared {
    pub(crate) host: Host,
    pub(crate) target: (String, u16),
    pub(crate) disruptions: Disruptions,
    pub(crate) key: RunKey,
    pub(crate) timeout: Duration,
    /// The beginning of the warm-up.
    pub(crate) start: Instant,
    /// Nothing is due from here on, from the beginning of the warm-up.
    pub(crate) end: Duration,
    pub(crate) draw: Draw,
    /// By request; none for what can't be sent.
    pub(crate) templates: Vec<Option<Template>>,
    pub(crate) checker: Arc<dyn CheckResponse>,
    pub(crate) outcomes: UnboundedSender<Outcome>,
    pub(crate) done: UnboundedSender<Done>,
}

/// A request that got a response.
pub(crate) struct Made {
    pub(crate) status: u16,
    pub(crate) ended: Instant,
    pub(crate) marks: Marks,
}

/// The end of a job, of which the dispatcher hears exactly once.
pub(crate) struct Done {
    /// The worker that had it; none where nobody was free.
    pub(crate) worker: Option<usize>,
    /// True if the worker waits for another job, with a connection that can be used again.
    pub(crate) idle: bool,
    /// The time from the due moment to the actual start; none if it was not made.
    pub(crate) late: Option<Duration>,
    pub(crate) at: Instant,
    /// The next step of its journey.
    pub(crate) next: Option<Next>,
}

/// A request that is going to be due.
pub(crate) struct Next {
    pub(crate) id: RequestId,
    /// From the beginning of the warm-up.
    pub(crate) due: Duration,
    pub(crate) client: Client,
}

/// The client of a journey, by what it keeps from step to step.
#[derive(Default)]
pub(crate) struct Client {
    /// The values that were captured from responses.
    pub(crate) captured: Values,
    pub(crate) cookies: Jar,
}
