//! The frames of `mux`, and an end of a connection that sends and reads them.

use host::Stream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The bytes before a payload: stream, whether it is the stream's last, number, length.
pub(super) const HEAD: usize = 2 + 1 + 4 + 4;

/// A frame, apart from its number: the count of those before it in its direction, however the others wait. Data have
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) stream: u16,
    /// No more comes on its stream in this direction, until a request opens it anew.
    pub(super) last: bool,
    pub(super) text: String,
}

impl Frame {
    pub(super) fn new(stream: u16, last: bool, text: impl Into<String>) -> Self {
        Self { stream, last, text: text.into() }
    }

    /// Tells whether it is data: a further part of a response, which may be overtaken.
    pub(super) fn is_data(&self) -> bool {
        self.text.starts_with('+')
    }

    /// The frame, which takes the next number unless it is data.
    pub(super) fn encode(&self, next: &mut u32) -> Vec<u8> {
        let number = if self.is_data() { 0 } else { *next };
        *next += u32::from(!self.is_data());
        let mut bytes = Vec::with_capacity(HEAD + self.text.len());
        bytes.extend(self.stream.to_be_bytes());
        bytes.push(u8::from(self.last));
        bytes.extend(number.to_be_bytes());
        bytes.extend(u32::try_from(self.text.len()).unwrap().to_be_bytes());
        bytes.extend(self.text.as_bytes());
        bytes
    }

    /// The first frame of these bytes, with its number and its length with the head; nothing where it has not come whole.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Self, u32, usize)> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let number = |from: usize| u32::from_be_bytes(head[from..from + 4].try_into().unwrap());
        let length = number(7) as usize;
        let text = String::from_utf8(rest.get(..length)?.to_vec()).unwrap();
        let stream = u16::from_be_bytes([head[0], head[1]]);
        Some((Self { stream, last: head[2] == 1, text }, number(3), HEAD + length))
    }
}

/// An end of a connection. It numbers what it sends, and expects what comes to be numbered without a gap, whoever sent
/// it.
pub(super) struct Peer {
    stream: Stream,
    sent: u32,
    received: u32,
}

impl Peer {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, sent: 0, received: 0 }
    }

    /// Both directions, to be used at once.
    pub(super) fn split(&mut self) -> (Receiver<'_>, Sender<'_>) {
        let (read, write) = self.stream.split();
        (Receiver { read, count: &mut self.received }, Sender { write, count: &mut self.sent })
    }

    pub(super) async fn send(&mut self, stream: u16, last: bool, text: &str) {
        self.split().1.send(&Frame::new(stream, last, text)).await;
    }

    /// The next frame; nothing at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        self.split().0.next().await
    }

    /// The next frame, which is this one.
    pub(super) async fn expect(&mut self, stream: u16, last: bool, text: &str) {
        assert_eq!(self.next().await, Some(Frame::new(stream, last, text)));
    }
}

/// What a peer receives.
pub(super) struct Receiver<'a> {
    read: Box<dyn AsyncRead + Send + Unpin + 'a>,
    count: &'a mut u32,
}

impl Receiver<'_> {
    pub(super) async fn next(&mut self) -> Option<Frame> {
        let mut bytes = vec![0; HEAD];
        let first = self.read.read(&mut bytes).await.unwrap();
        if first == 0 {
            return None;
        }
        self.read.read_exact(&mut bytes[first..]).await.unwrap();
        let length = u32::from_be_bytes(bytes[7..].try_into().unwrap()) as usize;
        bytes.resize(HEAD + length, 0);
        self.read.read_exact(&mut bytes[HEAD..]).await.unwrap();
        let (frame, number, _) = Frame::decode(&bytes).unwrap();
        let expected = if frame.is_data() { 0 } else { *self.count };
        assert_eq!(number, expected, "the number of {frame:?}");
        *self.count += u32::from(!frame.is_data());
        Some(frame)
    }
}

/// What a peer sends.
pub(super) struct Sender<'a> {
    write: Box<dyn AsyncWrite + Send + Unpin + 'a>,
    count: &'a mut u32,
}

impl Sender<'_> {
    pub(super) async fn send(&mut self, frame: &Frame) {
        let bytes = frame.encode(self.count);
        self.write.write_all(&bytes).await.unwrap();
    }

    pub(super) async fn end(&mut self) {
        self.write.shutdown().await.unwrap();
    }
}
