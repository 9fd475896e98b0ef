use super::{Call, Command, Refusal, Reply};
use crate::{
    codec::{Frame, parse_integer},
    server::DATABASES,
};

/// `SELECT index`
pub(super) const SELECT: Command = Command::new("select", run);

fn run(call: &mut Call<'_>) -> Reply {
    let index = parse_integer(call.word(1)).ok_or(Refusal::NOT_AN_INTEGER)?;
    let index = i32::try_from(index).map_err(|_| Refusal::NOT_AN_INT)?;
    let database = u8::try_from(index).ok().filter(|database| *database < DATABASES);
    call.client.database = database.ok_or(Refusal::NO_SUCH_DATABASE)?;
    Ok(Frame::OK)
}
