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
    let mut leaving = target.connect().await;
    leaving.write(b"QUIT\r\n").await;
    assert_eq!(leaving.read_to_end().await, b"+OK\r\n");
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
