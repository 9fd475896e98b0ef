use super::{Call, Command, Refusal, Reply};
use crate::{
    codec::Frame,
    server::{Client, DEFAULT, Users},
};

/// `AUTH [username] password`
pub(super) const AUTH: Command = Command::new("auth", run);

const NO_PASSWORD: Refusal = Refusal::says(
    "ERR AUTH <password> called without any password configured for the default user. \
     Are you sure your configuration is correct?",
);

fn run(call: &mut Call<'_>) -> Reply {
    let users = &call.state.users;
    match call.after(1) {
        [_] if !users.default_has_password() => return Err(NO_PASSWORD),
        [password] => authenticate(users, call.client, DEFAULT.as_bytes(), password)?,
        [user, password] => authenticate(users, call.client, user, password)?,
        _ => return Err(Refusal::SYNTAX),
    }
    Ok(Frame::OK)
}

/// Lets the client in as `user` if there is such a one and the password is right. Else it stays who it was.
pub(super) fn authenticate(users: &Users, client: &mut Client, user: &[u8], password: &[u8]) -> Result<(), Refusal> {
    client.user = users.authenticate(user, password).ok_or(Refusal::WRONG_PASSWORD)?;
    client.authenticated = true;
    Ok(())
}
