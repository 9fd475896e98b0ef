use super::{Call, Command, Refusal, Reply};
use crate::{codec::Frame, codec::parse_integer, server::Client};
use bytes::Bytes;

/// `CLIENT ID | GETNAME | SETNAME | SETINFO | INFO | LIST`
pub(super) const CLIENT: Command = Command {
    subcommands: &[
        Command::new("client|id", |call| Ok(Frame::Integer(i64::try_from(call.client.id).unwrap_or(i64::MAX)))),
        Command::new("client|getname", get_name),
        Command::new("client|setname", |call| set_name(call.client, call.word(2)).map(|()| Frame::OK)),
        Command::new("client|setinfo", set_info),
        Command::new("client|info", |call| Ok(text(call.client.describe(call.now_ms)))),
        Command::new("client|list", list),
    ],
    // Never run: the word behind it is one of the above, or refused.
    ..Command::new("client", |_| Err(Refusal::SYNTAX))
};

fn get_name(call: &mut Call<'_>) -> Reply {
    let name = &call.client.name;
    Ok(if name.is_empty() { Frame::Null } else { Frame::Bulk(name.clone()) })
}

/// An empty name takes the name away.
pub(super) fn set_name(client: &mut Client, name: &[u8]) -> Result<(), Refusal> {
    if !is_plain(name) {
        return Err(Refusal::says("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    client.name = Bytes::copy_from_slice(name);
    Ok(())
}

fn set_info(call: &mut Call<'_>) -> Reply {
    let (attribute, value) = (call.word(2), call.word(3));
    let (name, field) = match attribute.to_ascii_lowercase().as_slice() {
        b"lib-name" => ("lib-name", &mut call.client.library),
        b"lib-ver" => ("lib-ver", &mut call.client.library_version),
        _ => return Err(Refusal::repeating("ERR Unrecognized option '", attribute, "'")),
    };
    if !is_plain(value) {
        return Err(Refusal::repeating(
            "ERR ",
            name.as_bytes(),
            " cannot contain spaces, newlines or special characters.",
        ));
    }
    *field = Bytes::copy_from_slice(value);
    Ok(Frame::OK)
}

fn is_plain(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

fn list(call: &mut Call<'_>) -> Reply {
    let (me, now_ms) = (&*call.client, call.now_ms);
    let live = |client: &Client| client.describe(now_ms);
    let clients = &call.state.clients;
    match call.after(2) {
        [] => Ok(text(clients.iter(me).flat_map(live).collect())),
        [option, kind] if option.eq_ignore_ascii_case(b"type") => match kind.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(text(clients.iter(me).flat_map(live).collect())),
            b"master" | b"replica" | b"slave" | b"pubsub" => Ok(text(vec![])),
            _ => Err(Refusal::repeating("ERR Unknown client type '", kind, "'")),
        },
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            let mut lines = vec![];
            for id in ids {
                let id = parse_integer(id).ok_or(Refusal::says("ERR Invalid client ID"))?;
                let client = u64::try_from(id).ok().and_then(|id| clients.get(id, me));
                lines.extend(client.map(live).unwrap_or_default());
            }
            Ok(text(lines))
        }
        _ => Err(Refusal::SYNTAX),
    }
}

/// Text for people: a verbatim string in RESP3.
pub(super) fn text(text: Vec<u8>) -> Frame {
    Frame::Verbatim { format: *b"txt", text: text.into() }
}
