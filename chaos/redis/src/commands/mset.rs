use super::{Call, Command, Refusal, Reply};
use crate::{codec::Frame, server::Look};

/// `MSET key value [key value …]`
pub(super) const MSET: Command = Command::new("mset", run);

fn run(call: &mut Call<'_>) -> Reply {
    let (pairs, odd) = call.after(1).as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Refusal::wrong_arity("mset"));
    }
    for [key, value] in pairs {
        call.deadline_ms(key, Look::Change);
        call.state.store.set(call.client.database, key, value, None);
    }
    Ok(Frame::OK)
}
