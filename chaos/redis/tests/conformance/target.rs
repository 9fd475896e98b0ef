//! The server under test, and a client that sees the raw replies.

use bytes::{Bytes, BytesMut};
use chaos_redis::{
    Config,
    codec::{Decoder, Frame, Request},
};
use host::{Host, Stream, memory::MemoryNetwork, tcp};
use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

/// Nothing here takes so long, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    Memory,
    Tcp,
}

impl World {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Tcp => "over TCP",
        }
    }
}

/// A running server, to itself: it ends with this.
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) password: Option<&'static str>,
    address: &'static str,
    port: u16,
    _real: Option<Real>,
}

impl Target {
    pub(crate) fn built_in(world: World, password: Option<&'static str>) -> Self {
        let (server, host, address) = match world {
            World::Memory => {
                let network = MemoryNetwork::new(1);
                (network.host("redis"), network.host("client"), "redis")
            }
            World::Tcp => {
                let host = tcp::host(tcp::Config::loopback("redis")).expect("a host");
                (host.clone(), host, "127.0.0.1")
            }
        };
        let listener = server.listen(0).expect("a free port");
        let port = listener.port();
        let config = Config { password: password.map(str::to_owned), ..Config::default() };
        drop(server.spawn(chaos_redis::serve(server.clone(), listener, config)));
        Self { host, password, address, port, _real: None }
    }

    pub(crate) async fn real(password: Option<&'static str>) -> Self {
        let host = tcp::host(tcp::Config::loopback("client")).expect("a host");
        // Another program may take the port between the choice and the start.
        for _ in 0..5 {
            let port = host.listen(0).expect("a free port").port();
            let mut real = Real::start(port, password);
            if real.is_ready(&host, port).await {
                return Self { host, password, address: "127.0.0.1", port, _real: Some(real) };
            }
        }
        panic!("redis-server doesn't start");
    }

    pub(crate) async fn dial(&self) -> Stream {
        self.host.dial(self.address, self.port).await.expect("a connection")
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection { stream: self.dial().await, inbox: BytesMut::new(), decoder: Decoder::default() }
    }
}

/// A `redis-server` of our own, killed when this goes.
struct Real {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Real {
    fn start(port: u16, password: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--port").arg(port.to_string()).arg("--dir").arg(folder.path());
        if let Some(password) = password {
            command.args(["--requirepass", password]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("redis-server starts"), _folder: folder }
    }

    async fn is_ready(&mut self, host: &Host, port: u16) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            if host.dial("127.0.0.1", port).await.is_ok() {
                return true;
            }
            host.sleep(Duration::from_millis(2)).await;
        }
        false
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that shows replies as the bytes that came.
pub(crate) struct Connection {
    stream: Stream,
    inbox: BytesMut,
    decoder: Decoder,
}

impl Connection {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let written = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("the server reads in time");
        written.expect("the server reads");
    }

    /// The same where the server may have closed the connection.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The raw bytes of the next reply.
    pub(crate) async fn read(&mut self) -> Bytes {
        read(&mut self.stream, &mut self.decoder, &mut self.inbox).await
    }

    /// Writes `bytes` and reads `replies` meanwhile, as one must with more bytes than the buffers on the way hold.
    pub(crate) async fn write_and_read(&mut self, bytes: &[u8], replies: usize) -> Vec<Bytes> {
        let (mut reader, mut writer) = self.stream.split();
        let write = async { writer.write_all(bytes).await.expect("the server reads") };
        let read = async {
            let mut all = vec![];
            while all.len() < replies {
                all.push(read(&mut reader, &mut self.decoder, &mut self.inbox).await);
            }
            all
        };
        futures_util::future::join(write, read).await.1
    }

    /// Everything until the server closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = self.inbox.split().to_vec();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await;
        // A reset counts as closed too: it comes where bytes were left unread.
        let _ = read.expect("the server closes the connection");
        bytes
    }

    pub(crate) async fn ask_raw<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Bytes {
        let mut request = BytesMut::new();
        Request::encode(arguments, &mut request);
        self.write(&request).await;
        self.read().await
    }

    /// Asks with the words of `line`, which are set apart by single spaces; the reply as text.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        let reply = self.ask_raw(&line.split(' ').collect::<Vec<_>>()).await;
        String::from_utf8_lossy(&reply).into_owned()
    }

    pub(crate) async fn ask_integer(&mut self, line: &str) -> i64 {
        match Frame::parse(&self.ask_raw(&line.split(' ').collect::<Vec<_>>()).await) {
            Ok(Frame::Integer(number)) => number,
            other => panic!("{line}: {other:?}"),
        }
    }

    /// Asks for a text: a bulk or verbatim string.
    pub(crate) async fn ask_text(&mut self, line: &str) -> String {
        match Frame::parse(&self.ask_raw(&line.split(' ').collect::<Vec<_>>()).await) {
            Ok(Frame::Bulk(text) | Frame::Verbatim { text, .. }) => String::from_utf8_lossy(&text).into_owned(),
            other => panic!("{line}: {other:?}"),
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), decoder: &mut Decoder, inbox: &mut BytesMut) -> Bytes {
    loop {
        if let Some(raw) = decoder.decode_raw(inbox).expect("a reply") {
            return raw;
        }
        let read = timeout(PATIENCE, stream.read_buf(inbox)).await.expect("a reply in time");
        assert_ne!(read.expect("a reply"), 0, "the server has closed the connection");
    }
}
