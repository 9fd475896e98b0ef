use super::{
    Call, Command, Reply,
    deadline::{Deadline, Unit},
};
use crate::{codec::Frame, server::Look};

/// `SETEX key seconds value`: what client libraries still send for `SET` with `EX`.
pub(super) const SETEX: Command = Command::new("setex", |call| run(call, "setex", Unit::Ex));

/// `PSETEX key milliseconds value`
pub(super) const PSETEX: Command = Command::new("psetex", |call| run(call, "psetex", Unit::Px));

fn run(call: &mut Call<'_>, name: &str, unit: Unit) -> Reply {
    let deadline_ms = Deadline { value: call.word(2), unit }.resolve(call.now_ms, name)?;
    call.deadline_ms(call.word(1), Look::Change);
    call.state.store.set(call.client.database, call.word(1), call.word(3), Some(deadline_ms));
    Ok(Frame::OK)
}
