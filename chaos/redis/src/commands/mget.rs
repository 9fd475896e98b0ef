use super::{Call, Command, Reply};
use crate::codec::Frame;

/// `MGET key [key …]`
pub(super) const MGET: Command = Command::new("mget", -2, run);

fn run(call: &mut Call<'_>) -> Reply {
    let (store, database) = (&mut call.state.store, call.client.database);
    let keys = call.arguments.iter().skip(1);
    let values = keys.map(|key| store.get(database, key, call.now_ms).map_or(Frame::Null, Frame::Bulk));
    Ok(Frame::Array(values.collect()))
}
