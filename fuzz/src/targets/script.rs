//! Bytes of both directions of a connection, in one input.

use chaos_model::Direction;

/// The byte behind which all goes in the other direction.
pub(super) const TURN: u8 = 0x1e;
/// The byte behind which another piece begins.
pub(super) const PIECE: u8 = 0x1f;

/// The pieces of an input, in order. The first goes upstream.
pub(super) fn pieces(input: &[u8]) -> impl Iterator<Item = (Direction, &[u8])> {
    let directions = [Direction::Upstream, Direction::Downstream].into_iter().cycle();
    let turns = input.split(|byte| *byte == TURN).zip(directions);
    turns.flat_map(|(bytes, direction)| bytes.split(|byte| *byte == PIECE).map(move |piece| (direction, piece)))
}

/// Conversations, as inputs: what is asked, and what is answered.
pub(super) fn conversations(all: &[&[(&str, &str)]]) -> Vec<Vec<u8>> {
    let turn = char::from(TURN);
    let input = |pairs: &&[(&str, &str)]| {
        let turns: Vec<String> = pairs.iter().map(|(ask, answer)| format!("{ask}{turn}{answer}")).collect();
        turns.join(&turn.to_string()).into_bytes()
    };
    all.iter().map(input).collect()
}

/// Requests and responses of HTTP.
pub(super) const HTTP: &[&[(&str, &str)]] = &[
    &[(
        "GET /orders/user/42?full=1 HTTP/1.1\r\nHost: a:8002\r\nbaggage: chaos.request=00000000000000ab-7-0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\nETag: \"a\"\r\n\r\n{\"id\":\"o1\"}",
    )],
    &[
        (
            "POST /products/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n{\"ids\":[\"p1\"]}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n, w\r\n0\r\nTrailer: 1\r\n\r\n",
        ),
        ("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
    ],
    &[(
        "PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1}\u{2}",
    )],
    &[("GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil it closes")],
    &[(
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\ncontent-length : 1\n\nxHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    )],
    &[(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{2}abc",
    )],
    &[("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nanything")],
];

/// Words of HTTP.
pub(super) const HTTP_WORDS: &[&str] = &[
    "\u{1e}",
    "\u{1f}",
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    ":",
    "\t",
    "GET / HTTP/1.1\r\n",
    "HEAD ",
    "CONNECT ",
    "POST ",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 101 .\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.0 ",
    "HTTP/2.0",
    "Host: a\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 3, 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Content-Encoding: gzip\r\n",
    "Content-Encoding: br\r\n",
    "Content-Range: bytes 0-1/9\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Upgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
    "ETag: W/\"1\"\r\n",
    "0\r\n\r\n",
    "3\r\nabc\r\n",
    "ffffffffffffffff\r\n",
    ";x=\"",
    "baggage: chaos.request=00000000000000ab-1-0\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u{16}\u{3}\u{1}",
    "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
    "\u{0}",
    "\u{e9}",
];

/// Commands and replies of Redis.
pub(super) const REDIS: &[&[(&str, &str)]] = &[
    &[("*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "$5\r\nhello\r\n"), ("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n", "+OK\r\n")],
    &[(
        "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n",
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n$-1\r\n",
    )],
    &[(
        "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n*2\r\n$11\r\nUNSUBSCRIBE\r\n$1\r\nc\r\n*1\r\n$4\r\nPING\r\n",
        "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n+PONG\r\n",
    )],
    &[(
        "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n",
        "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n:7\r\n",
    )],
    &[("PING\r\nGET a\r\n\r\nSET \"a b\" 'c'\r\n", "+PONG\r\n$-1\r\n-ERR no\r\n")],
    &[(
        "*5\r\n$7\r\nEVALSHA\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\nk\r\n$1\r\nv\r\n*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n",
        "_\r\n*2\r\n$-1\r\n,1.5\r\n",
    )],
    &[
        ("*1\r\n$7\r\nMONITOR\r\n", "+OK\r\n+1.2 [0 a:1] \"GET\" \"a\"\r\n"),
        (
            "*1\r\n$5\r\nRESET\r\n",
            "+RESET\r\n>2\r\n+a\r\n+b\r\n#t\r\n(123\r\n=7\r\ntxt:abc\r\n|1\r\n+k\r\n+v\r\n~1\r\n:1\r\n",
        ),
    ],
];

/// Words of Redis.
pub(super) const REDIS_WORDS: &[&str] = &[
    "\u{1e}",
    "\u{1f}",
    "\r\n",
    "\r",
    "\n",
    "*1\r\n",
    "*0\r\n",
    "*-1\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "$3\r\nGET\r\n",
    "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
    "*1\r\n$5\r\nMULTI\r\n",
    "*1\r\n$4\r\nEXEC\r\n",
    "*1\r\n$7\r\nDISCARD\r\n",
    "*2\r\n$5\r\nWATCH\r\n$1\r\na\r\n",
    "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n",
    "*1\r\n$11\r\nUNSUBSCRIBE\r\n",
    "*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n",
    "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n",
    "*1\r\n$5\r\nRESET\r\n",
    "*1\r\n$4\r\nQUIT\r\n",
    "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n",
    "*3\r\n$5\r\nBLPOP\r\n$1\r\na\r\n$1\r\n0\r\n",
    "+OK\r\n",
    "+QUEUED\r\n",
    "-ERR x\r\n",
    ":1\r\n",
    "_\r\n",
    ",inf\r\n",
    "#t\r\n",
    "(1\r\n",
    "=4\r\ntxt:\r\n",
    ">3\r\n",
    "%1\r\n",
    "~1\r\n",
    "|1\r\n",
    "PING\r\n",
    "\"",
    "'",
    "$536870913\r\n",
    "*1048577\r\n",
];
