use super::{Call, Command, Refusal, Reply};
use crate::{codec::Frame, server::DEFAULT};

/// `ACL WHOAMI | USERS | SETUSER | DELUSER`
pub(super) const ACL: Command = Command {
    subcommands: &[
        Command::new("acl|whoami", |call| Ok(Frame::bulk(&*call.client.user))),
        Command::new("acl|users", |call| {
            Ok(Frame::Array(call.state.users.names().map(|name| Frame::bulk(&**name)).collect()))
        }),
        Command::new("acl|setuser", set_user),
        Command::new("acl|deluser", delete_users),
    ],
    // Never run: the word behind it is one of the above, or refused.
    ..Command::new("acl", |_| Err(Refusal::SYNTAX))
};

fn set_user(call: &mut Call<'_>) -> Reply {
    let name = std::str::from_utf8(call.word(2)).ok().filter(|name| name.bytes().all(|byte| byte.is_ascii_graphic()));
    let name = name.ok_or(Refusal::says("ERR Usernames can't contain spaces or null characters"))?;
    call.state
        .users
        .change(name, call.after(3).iter().map(AsRef::as_ref))
        .map_err(|(rule, why)| Refusal::repeating("ERR Error in ACL SETUSER modifier '", rule, &format!("': {why}")))?;
    Ok(Frame::OK)
}

fn delete_users(call: &mut Call<'_>) -> Reply {
    let names = call.after(2);
    if names.iter().any(|name| name == DEFAULT) {
        return Err(Refusal::says("ERR The 'default' user cannot be removed"));
    }
    let users = &mut call.state.users;
    let mut is_removed = |name: &[u8]| std::str::from_utf8(name).is_ok_and(|name| users.remove(name));
    Ok(Frame::count(names.iter().filter(|name| is_removed(name)).count()))
}
