//! Admission of a command: arity, authentication, rights, room in memory, in the order of Redis.

use super::{Call, Command, InTransaction, Refusal};
use crate::table::Flag;
use bytes::Bytes;

pub(super) fn check(command: &'static Command, call: &mut Call<'_>) -> Result<(), Refusal> {
    if !command.spec.takes(call.arguments.len() as u64) {
        return Err(Refusal::wrong_arity(command.name()));
    }
    if !command.spec.has(Flag::NoAuth) {
        if !call.client.authenticated && call.state.users.ask() {
            return Err(Refusal::NOT_AUTHENTICATED);
        }
        check_rights(command, call)?;
    }
    check_room(command, call)
}

fn check_rights(command: &'static Command, call: &mut Call<'_>) -> Result<(), Refusal> {
    let Some(user) = call.state.users.get(&call.client.user) else {
        // It was removed; Redis closes the connections that it had.
        call.client.closing = true;
        return Err(Refusal::NOT_AUTHENTICATED);
    };
    if !user.may_run(command.name()) {
        return Err(Refusal::no_permission(command.name()));
    }
    let word = |place: usize| call.arguments.get(place).map(|word| &word[..]);
    if !command.spec.keys_among(call.arguments.len(), word).all(|key| user.may_use(key)) {
        return Err(Refusal::NO_PERMISSION_FOR_KEY);
    }
    Ok(())
}

/// Checks the room in memory: what grows must fit, and so must all that waits in a transaction.
fn check_room(command: &'static Command, call: &mut Call<'_>) -> Result<(), Refusal> {
    let transaction = &call.client.transaction;
    let grows = match command.in_transaction {
        InTransaction::Waits | InTransaction::Runs => command.spec.has(Flag::DenyOom) || transaction.is_open(),
        InTransaction::Executes => transaction.requests().iter().any(|queued| queued.command.spec.has(Flag::DenyOom)),
        InTransaction::Ends => false,
    };
    if !grows {
        return Ok(());
    }
    let bytes = call.after(1).iter().map(Bytes::len).sum::<usize>() + transaction.bytes();
    if call.state.store.make_room(bytes, call.now_ms) { Ok(()) } else { Err(Refusal::OUT_OF_MEMORY) }
}
