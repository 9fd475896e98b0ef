//! Attribution: the message that bytes belong to.

use chaos_model::ArrivalId;
use std::sync::Arc;

/// The message that bytes belong to, as far as it is known: for the ledger of faults on connections, and for traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// Subject of the message, as people read it; none where it came before anybody wanted to know.
    pub subject: Option<Arc<str>>,
    /// The arrival that it belongs to, where it says so: of whatever run.
    pub arrival: Option<ArrivalId>,
}
