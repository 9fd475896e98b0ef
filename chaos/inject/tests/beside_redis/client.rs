//! A client that shows what came as it came.

use bytes::BytesMut;
use chaos_redis::codec::{Decoder, Request};
use host::Stream;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: Stream,
    inbox: BytesMut,
    decoder: Decoder,
}

impl Client {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, inbox: BytesMut::new(), decoder: Decoder::default() }
    }

    /// Sends lines, each a command whose words are set apart by single spaces. The server may have closed the connection.
    pub(crate) async fn send(&mut self, lines: &[String]) {
        let mut bytes = BytesMut::new();
        lines.iter().for_each(|line| Request::encode(&line.split(' ').collect::<Vec<_>>(), &mut bytes));
        let _ = timeout(PATIENCE, self.stream.write_all(&bytes)).await.expect("it is read in time");
    }

    /// Asks, and gives the bytes of the first reply; none where the connection ends before that.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.send(&[line.to_owned()]).await;
        self.next().await
    }

    async fn next(&mut self) -> String {
        loop {
            if let Some(raw) = self.decoder.decode_raw(&mut self.inbox).expect("a reply") {
                return String::from_utf8_lossy(&raw).into_owned();
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.inbox)).await.expect("a reply in time");
            if matches!(read, Ok(0) | Err(_)) {
                return String::new();
            }
        }
    }

    /// All that comes up to these bytes, which are included.
    pub(crate) async fn read_to(&mut self, end: &str) -> String {
        loop {
            let found = self.inbox.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(place) = found {
                return String::from_utf8_lossy(&self.inbox.split_to(place + end.len())).into_owned();
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.inbox)).await;
            let read = read.unwrap_or_else(|_| panic!("{end:?} comes in time behind {:?}", self.inbox));
            assert!(matches!(read, Ok(1..)), "the connection ended behind {:?}", self.inbox);
        }
    }

    /// All that comes until the connection ends.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut bytes = self.inbox.split().to_vec();
        // A reset counts as an end too.
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await.expect("the connection ends");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
