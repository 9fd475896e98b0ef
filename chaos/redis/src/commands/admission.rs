//! Admission of a command: arity, authentication, rights, room in memory, in the order of Redis.

use super::{Access, Call, Command, InTransaction, Refusal};
use bytes::Bytes;

pub(super) fn check(command: &'static Command, call: &mut Call<'_>) -> Result<(), Refusal> {
    if !command.takes(call.arguments.len()) {
        return Err(Refusal::wrong_arity(command.name));
    }
    if command.access != Access::Anyone {
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
    if !user.may_run(command.name) {
        return Err(Refusal::no_permission(command.name));
    }
    if !command.keys(call.arguments).all(|key| user.may_use(key)) {
        return Err(Refusal::NO_PERMISSION_FOR_KEY);
    }
    Ok(())
}

/// Checks the room in memory: what grows must fit, and so must all that waits in a transaction.
fn check_room(command: &'static Command, call: &mut Call<'_>) -> Result<(), Refusal> {
    let transaction = &call.client.transaction;
    let grows = match command.in_transaction {
        InTransaction::Waits | InTransaction::Runs => command.access == Access::Grows || transaction.is_open(),
        InTransaction::Executes => transaction.requests().iter().any(|queued| queued.command.access == Access::Grows),
        InTransaction::Ends => false,
    };
    if !grows {
        return Ok(());
    }
    let bytes = call.after(1).iter().map(Bytes::len).sum::<usize>() + transaction.bytes();
    if call.state.store.make_room(bytes, call.now_ms) { Ok(()) } else { Err(Refusal::OUT_OF_MEMORY) }
}
