//! A Redis that does as it is told: just enough of RESP for the gateway.

use host::{Answer, Control, Host, Stream};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// Reads, and says nothing.
    Silent,
    /// Greets, then answers GET and SET with nothing; ECHO works.
    MuteForData,
    /// What it says is no RESP.
    Garbage,
    /// Ends every connection at its next command.
    Reset,
    /// Connections are refused, open ones reset.
    Refused,
    /// Answers GET and SET with this error.
    Error(&'static str),
    /// Answers SET alone with this error.
    RefusesWrites(&'static str),
    /// Answers the greeting with this error.
    RefusesGreeting(&'static str),
    /// Swallows one reply and goes on: all that follow are out of step.
    LosesOne,
    /// Answers after this time.
    Slow(Duration),
}

type Values = BTreeMap<String, (Vec<u8>, Duration)>;

pub(crate) struct FakeRedis {
    host: Host,
    control: Arc<dyn Control>,
    mood: Mutex<Mood>,
    /// Values and when they end, since the Unix epoch.
    pub(crate) values: Mutex<Values>,
    /// Every command, in order.
    pub(crate) commands: Mutex<Vec<String>>,
    pub(crate) connections: Mutex<u32>,
}

impl FakeRedis {
    pub(crate) fn start(host: &Host, mood: Mood) -> Arc<Self> {
        let mut listener = host.listen(6379).unwrap();
        let this = Arc::new(Self {
            host: host.clone(),
            control: listener.control(),
            mood: Mutex::new(Mood::Good),
            values: Mutex::default(),
            commands: Mutex::default(),
            connections: Mutex::new(0),
        });
        this.becomes(mood);
        let server = Arc::clone(&this);
        drop(host.spawn(async move {
            loop {
                let stream = listener.accept().await.unwrap();
                *server.connections.lock().unwrap() += 1;
                drop(server.host.spawn(Arc::clone(&server).serve(stream)));
            }
        }));
        this
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.control.set(if mood == Mood::Refused { Answer::Refuse } else { Answer::Accept }).unwrap();
    }

    /// How it takes connections.
    pub(crate) fn answers(&self, answer: Answer) {
        self.control.set(answer).unwrap();
    }

    pub(crate) fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    /// How often this command was sent.
    pub(crate) fn count(&self, command: &str) -> usize {
        self.commands.lock().unwrap().iter().filter(|there| *there == command).count()
    }

    async fn serve(self: Arc<Self>, mut stream: Stream) {
        let mut buffer = Vec::new();
        loop {
            while let Some((words, used)) = parse(&buffer) {
                buffer.drain(..used);
                self.commands.lock().unwrap().push(words[0].clone());
                let Some(reply) = self.reply(&words).await else {
                    stream.abort();
                    return;
                };
                if stream.write_all(&reply).await.is_err() {
                    return;
                }
            }
            // A refusal also resets what is open.
            let read = tokio::time::timeout(Duration::from_millis(5), stream.read_buf(&mut buffer)).await;
            match read {
                Err(_) if self.mood() == Mood::Refused => return stream.abort(),
                Err(_) => {}
                Ok(Ok(1..)) => {}
                Ok(_) => return,
            }
        }
    }

    /// What to write; `None` ends the connection.
    async fn reply(&self, words: &[String]) -> Option<Vec<u8>> {
        let data = matches!(words[0].as_str(), "GET" | "SET");
        match self.mood() {
            Mood::Silent => return Some(Vec::new()),
            Mood::MuteForData if data => return Some(Vec::new()),
            Mood::Garbage => return Some(b"what?\r\n".to_vec()),
            Mood::Reset | Mood::Refused => return None,
            Mood::Error(error) if data => return Some(format!("-{error}\r\n").into_bytes()),
            Mood::RefusesWrites(error) if words[0] == "SET" => return Some(format!("-{error}\r\n").into_bytes()),
            Mood::RefusesGreeting(error) if words[0] == "HELLO" => return Some(format!("-{error}\r\n").into_bytes()),
            Mood::LosesOne if data => {
                self.becomes(Mood::Good);
                return Some(Vec::new());
            }
            Mood::Slow(delay) => tokio::time::sleep(delay).await,
            _ => {}
        }
        Some(match words[0].as_str() {
            "HELLO" => b"%1\r\n+proto\r\n:3\r\n".to_vec(),
            "ECHO" => bulk(words[1].as_bytes()),
            "GET" => self.get(&words[1]),
            "SET" => self.set(&words[1..]),
            "DEL" => format!(":{}\r\n", u8::from(self.values.lock().unwrap().remove(&words[1]).is_some())).into_bytes(),
            _ => b"+OK\r\n".to_vec(),
        })
    }

    fn get(&self, key: &str) -> Vec<u8> {
        let values = self.values.lock().unwrap();
        let value = values.get(key).filter(|(_, ends)| *ends > self.host.unix_now());
        value.map_or_else(|| b"_\r\n".to_vec(), |(value, _)| bulk(value))
    }

    fn set(&self, words: &[String]) -> Vec<u8> {
        let [key, value, px, millis, rest @ ..] = words else { return b"-ERR syntax\r\n".to_vec() };
        assert_eq!(px, "PX");
        let ends = self.host.unix_now() + Duration::from_millis(millis.parse().unwrap());
        let mut values = self.values.lock().unwrap();
        if rest == ["NX"] && values.contains_key(key) {
            return b"_\r\n".to_vec();
        }
        // What the gateway writes to see whether it can is no profile.
        if key == "gateway:probe" {
            return b"+OK\r\n".to_vec();
        }
        values.insert(key.clone(), (value.clone().into_bytes(), ends));
        b"+OK\r\n".to_vec()
    }
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// One command and its length, if it is there in whole.
fn parse(buffer: &[u8]) -> Option<(Vec<String>, usize)> {
    fn line(buffer: &[u8], at: &mut usize) -> Option<usize> {
        let end = buffer[*at..].windows(2).position(|pair| pair == b"\r\n")? + *at;
        let number = std::str::from_utf8(&buffer[*at + 1..end]).unwrap().parse().unwrap();
        *at = end + 2;
        Some(number)
    }
    let mut at = 0;
    let count = line(buffer, &mut at)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = line(buffer, &mut at)?;
        words.push(String::from_utf8(buffer.get(at..at + length)?.to_vec()).unwrap());
        at += length + 2;
        buffer.get(..at)?;
    }
    Some((words, at))
}
