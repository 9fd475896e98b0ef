//! The scenarios that ship, simulated once for all tests that look at their recordings.

use super::{Sandbox, scenarios};
use chaos_model::{Event, Record};
use chaos_report::json;
use tokio::sync::OnceCell;

/// What came of them.
pub(crate) struct Recorded {
    /// What the command printed.
    pub(crate) out: String,
    /// The recording, all runs one after the other.
    records: Vec<Record>,
}

impl Recorded {
    /// The events of each run.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[Record]> {
        self.records.chunk_by(|_, next| !matches!(next.event, Event::Begin(_)))
    }
}

/// The scenarios that ship, simulated.
pub(crate) async fn shipped() -> &'static Recorded {
    static SHIPPED: OnceCell<Recorded> = OnceCell::const_new();
    let make = async || {
        let sandbox = Sandbox::new();
        let folder = scenarios::shipped();
        let run = sandbox.chaos(&format!("run {} --world sim --json all.jsonl", folder.display())).run().await;
        let recording = std::fs::read(sandbox.path().join("all.jsonl")).expect("it was written");
        let recorded = Recorded { out: run.out, records: json::read(recording.as_slice()).expect("a recording") };
        assert!(recorded.runs().count() > 20, "{} runs", recorded.runs().count());
        recorded
    };
    SHIPPED.get_or_init(make).await
}
