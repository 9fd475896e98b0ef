//! A server with a password.

use crate::target::Target;

const NOAUTH: &str = "-NOAUTH Authentication required.\r\n";
const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

pub(crate) async fn run(target: Target) {
    let mut stranger = target.connect().await;
    for (request, reply) in [
        ("PING", NOAUTH),
        ("GET a", NOAUTH),
        ("SELECT 0", NOAUTH),
        ("CLIENT ID", NOAUTH),
        ("COMMAND", NOAUTH),
        ("INFO", NOAUTH),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"),
        ("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"),
        ("AUTH", "-ERR wrong number of arguments for 'auth' command\r\n"),
        ("AUTH a b c", "-ERR syntax error\r\n"),
        ("AUTH x", WRONG),
        ("AUTH default x", WRONG),
        ("AUTH other sesame", WRONG),
        ("HELLO 5", "-NOPROTO unsupported protocol version\r\n"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"),
        ("HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"),
        ("HELLO 3 AUTH default x", WRONG),
        ("PING", NOAUTH),
        ("AUTH sesame", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
        // A wrong password doesn't take back what was given.
        ("AUTH x", WRONG),
        ("PING", "+PONG\r\n"),
        ("CONFIG GET requirepass", "*2\r\n$11\r\nrequirepass\r\n$6\r\nsesame\r\n"),
    ] {
        assert_eq!(stranger.ask(request).await, reply, "{request}");
    }
    // Its wording changed with 7.2.
    for hello in ["HELLO", "HELLO 3", "HELLO 3 SETNAME x"] {
        let refused = target.connect().await.ask(hello).await;
        assert!(
            refused.starts_with("-NOAUTH HELLO must be called with the client already authenticated, "),
            "{refused}"
        );
    }
    let mut friend = target.connect().await;
    assert!(friend.ask("HELLO 3 AUTH default sesame SETNAME friend").await.starts_with("%7\r\n"));
    assert_eq!(friend.ask("CLIENT GETNAME").await, "$6\r\nfriend\r\n");
    strangers_must_be_brief(&target).await;
    users_have_rights(&target).await;
    passwords_can_be_changed(&target).await;
    let mut leaving = target.connect().await;
    leaving.write(b"QUIT\r\n").await;
    assert_eq!(leaving.read_to_end().await, b"+OK\r\n");
}

async fn users_have_rights(target: &Target) {
    let mut admin = target.connect().await;
    for (request, reply) in [
        ("AUTH default sesame", "+OK\r\n"),
        ("ACL", "-ERR wrong number of arguments for 'acl' command\r\n"),
        ("ACL FOO", "-ERR unknown subcommand 'FOO'. Try ACL HELP.\r\n"),
        ("ACL WHOAMI", "$7\r\ndefault\r\n"),
        ("ACL WHOAMI x", "-ERR wrong number of arguments for 'acl|whoami' command\r\n"),
        ("ACL USERS", "*1\r\n$7\r\ndefault\r\n"),
        ("ACL SETUSER", "-ERR wrong number of arguments for 'acl|setuser' command\r\n"),
        ("ACL SETUSER bob on >pw ~* &* +@all -flushall", "+OK\r\n"),
        ("ACL SETUSER bob foo", "-ERR Error in ACL SETUSER modifier 'foo': Syntax error\r\n"),
        (
            "ACL SETUSER bob off +nothing",
            "-ERR Error in ACL SETUSER modifier '+nothing': Unknown command or category name in ACL\r\n",
        ),
        (
            "ACL SETUSER bob <x",
            "-ERR Error in ACL SETUSER modifier '<x': The password you are trying to remove from the user does not exist\r\n",
        ),
        ("ACL SETUSER carl on nopass ~cache:* &* +get +ping", "+OK\r\n"),
        ("ACL SETUSER dora on >x", "+OK\r\n"),
        ("ACL SETUSER eve >x ~* +@all", "+OK\r\n"),
        ("ACL USERS", "*5\r\n$3\r\nbob\r\n$4\r\ncarl\r\n$7\r\ndefault\r\n$4\r\ndora\r\n$3\r\neve\r\n"),
        ("ACL DELUSER default", "-ERR The 'default' user cannot be removed\r\n"),
        ("ACL DELUSER nobody dora", ":1\r\n"),
        ("SET cache:1 1", "+OK\r\n"),
    ] {
        assert_eq!(admin.ask(request).await, reply, "{request}");
    }
    let mut client = target.connect().await;
    let no_command = |name: &str| format!("-NOPERM this user has no permissions to run the '{name}' command\r\n");
    let no_key = "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n".to_owned();
    let aborted = format!("-EXECABORT Transaction discarded because of: {}", &no_command("exec")[1..]);
    for (request, reply) in [
        ("ACL WHOAMI", NOAUTH.to_owned()),
        ("AUTH bob x", WRONG.to_owned()),
        ("AUTH eve x", WRONG.to_owned()),
        ("AUTH dora x", WRONG.to_owned()),
        ("AUTH bob pw", "+OK\r\n".to_owned()),
        ("ACL WHOAMI", "$3\r\nbob\r\n".to_owned()),
        ("FLUSHALL", no_command("flushall")),
        ("AUTH carl anything", "+OK\r\n".to_owned()),
        ("GET cache:1", "$1\r\n1\r\n".to_owned()),
        ("GET other", no_key),
        ("SET cache:1 1", no_command("set")),
        ("CLIENT ID", no_command("client|id")),
        ("ACL WHOAMI", no_command("acl|whoami")),
        ("MULTI", no_command("multi")),
        ("EXEC", aborted),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n".to_owned()),
        ("AUTH x", WRONG.to_owned()),
        ("PING", "+PONG\r\n".to_owned()),
        ("RESET", "+RESET\r\n".to_owned()),
        ("PING", NOAUTH.to_owned()),
        ("HELLO 2 AUTH bob x", WRONG.to_owned()),
    ] {
        assert_eq!(client.ask(request).await, reply, "{request}");
    }
    assert!(client.ask("HELLO 3 AUTH bob pw").await.starts_with("%7\r\n"));
    assert_eq!(client.ask("ACL WHOAMI").await, "$3\r\nbob\r\n");
    assert_eq!(admin.ask("ACL DELUSER bob").await, ":1\r\n");
    // Whoever was this user is no longer served.
    let _ = client.try_write(b"PING\r\n").await;
    assert!(!client.read_to_end().await.starts_with(b"+PONG"));
}

async fn passwords_can_be_changed(target: &Target) {
    let mut admin = target.connect().await;
    for (request, reply) in [
        ("AUTH sesame", "+OK\r\n"),
        ("CONFIG SET requirepass other", "+OK\r\n"),
        ("CONFIG GET requirepass", "*2\r\n$11\r\nrequirepass\r\n$5\r\nother\r\n"),
        ("PING", "+PONG\r\n"),
        ("AUTH sesame", WRONG),
    ] {
        assert_eq!(admin.ask(request).await, reply, "{request}");
    }
    let mut waiting = target.connect().await;
    assert_eq!(waiting.ask("PING").await, NOAUTH);
    assert_eq!(admin.ask("CONFIG SET requirepass ").await, "+OK\r\n");
    for (request, reply) in [
        ("PING", "+PONG\r\n"),
        ("AUTH default any", "+OK\r\n"),
        (
            "AUTH any",
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n",
        ),
        ("ACL SETUSER default off", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
    ] {
        assert_eq!(waiting.ask(request).await, reply, "{request}");
    }
    let mut late = target.connect().await;
    for (request, reply) in [("PING", NOAUTH), ("AUTH default any", WRONG)] {
        assert_eq!(late.ask(request).await, reply, "{request}");
    }
}

async fn strangers_must_be_brief(target: &Target) {
    for (sent, text) in
        [("*11\r\n", "unauthenticated multibulk length"), ("*1\r\n$16385\r\n", "unauthenticated bulk length")]
    {
        let mut stranger = target.connect().await;
        stranger.write(sent.as_bytes()).await;
        let reply = stranger.read_to_end().await;
        assert_eq!(String::from_utf8_lossy(&reply), format!("-ERR Protocol error: {text}\r\n"));
    }
}
