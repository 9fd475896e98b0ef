use super::{Call, Command, Refusal, Reply, auth::authenticate, client::set_name, info::VERSION};
use crate::codec::{Frame, Protocol, parse_integer};

/// `HELLO [version [AUTH username password] [SETNAME name]]`: the reply is written in the version that it switches to.
pub(super) const HELLO: Command = Command::new("hello", run);

const NOT_A_VERSION: Refusal = Refusal::says("ERR Protocol version is not an integer or out of range");
const NO_SUCH_VERSION: Refusal = Refusal::says("NOPROTO unsupported protocol version");
const NOT_AUTHENTICATED: Refusal = Refusal::says(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option \
     can be used to authenticate the client and select the RESP protocol version at the same time",
);

fn run(call: &mut Call<'_>) -> Reply {
    let protocol = match call.after(1).first().map(|version| parse_integer(version)) {
        None => call.client.protocol,
        Some(None) => return Err(NOT_A_VERSION),
        Some(Some(2)) => Protocol::Resp2,
        Some(Some(3)) => Protocol::Resp3,
        Some(Some(_)) => return Err(NO_SUCH_VERSION),
    };
    // Options take effect one by one, also those before one that is refused, as in Redis.
    let mut options = call.after(2);
    while let [option, rest @ ..] = options {
        options = match rest {
            [user, password, rest @ ..] if option.eq_ignore_ascii_case(b"auth") => {
                authenticate(&call.state.users, call.client, user, password)?;
                rest
            }
            [name, rest @ ..] if option.eq_ignore_ascii_case(b"setname") => {
                set_name(call.client, name)?;
                rest
            }
            _ => return Err(Refusal::repeating("ERR Syntax error in HELLO option '", option, "'")),
        };
    }
    if !call.client.authenticated && call.state.users.ask() {
        return Err(NOT_AUTHENTICATED);
    }
    call.client.protocol = protocol;
    let id = i64::try_from(call.client.id).unwrap_or(i64::MAX);
    let fields = [
        ("server", Frame::bulk("redis")),
        ("version", Frame::bulk(VERSION)),
        ("proto", Frame::Integer(protocol.number())),
        ("id", Frame::Integer(id)),
        ("mode", Frame::bulk("standalone")),
        ("role", Frame::bulk("master")),
        ("modules", Frame::Array(vec![])),
    ];
    Ok(Frame::Map(fields.into_iter().map(|(name, value)| (Frame::bulk(name), value)).collect()))
}
