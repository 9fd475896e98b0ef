use super::{Access, Call, Command, Refusal, Reply};
use crate::{
    codec::Frame,
    server::{Client, Config},
};

/// `AUTH [username] password`
pub(super) const AUTH: Command = Command { access: Access::Anyone, ..Command::new("auth", -2, run) };

const NO_PASSWORD: Refusal = Refusal::says(
    "ERR AUTH <password> called without any password configured for the default user. \
     Are you sure your configuration is correct?",
);

fn run(call: &mut Call<'_>) -> Reply {
    let config = &call.state.config;
    match call.after(1) {
        [_] if config.password.is_none() => return Err(NO_PASSWORD),
        [password] => authenticate(config, call.client, b"default", password)?,
        [user, password] => authenticate(config, call.client, user, password)?,
        _ => return Err(Refusal::SYNTAX),
    }
    Ok(Frame::OK)
}

/// Lets the client in if user and password are right. The only user is `default`; without a password, any is right.
pub(super) fn authenticate(config: &Config, client: &mut Client, user: &[u8], password: &[u8]) -> Result<(), Refusal> {
    let right = config.password.as_ref().is_none_or(|expected| expected.as_bytes() == password);
    if user != b"default" || !right {
        return Err(Refusal::WRONG_PASSWORD);
    }
    client.authenticated = true;
    Ok(())
}
