//! A Redis that does as it is told: just enough of RESP for the gateway.

mod trouble;
mod wire;

use host::{Host, ListenMode, ListenSwitch, Stream, TaskGroup};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trouble::Trouble;
use wire::{bulk, parse};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// Reads, and says nothing.
    Silent,
    /// Greets, then answers GET and SET with nothing; ECHO works.
    MuteForData,
    /// Replies are no RESP.
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
    /// Says this to whoever connects, and closes at once without reading a word: a reset, for who writes.
    TurnsAway(&'static str),
    /// Swallows one reply and goes on: all that follow are out of step.
    LosesOne,
    /// Answers after this time.
    Slow(Duration),
    /// Packets vanish: connecting does not complete, and connections that are open stay so and are silent.
    Blackhole,
    /// Connections that are open now go nowhere any more, and nobody is told. New ones are good.
    HalfOpen,
    /// A reply to GET breaks off in its middle, and the connection is reset.
    CutsReplies,
    /// Loses, doubles, swaps and delays replies, as drawn from this seed.
    Troubled(u64),
}

type Values = BTreeMap<String, (Vec<u8>, Duration)>;

pub(crate) struct FakeRedis {
    host: Host,
    tasks: TaskGroup,
    control: Arc<dyn ListenSwitch>,
    mood: Mutex<Mood>,
    /// Profiles and when they end, since the Unix epoch.
    pub(crate) values: Mutex<Values>,
    /// All else.
    marks: Mutex<Values>,
    /// Every command, in order, with what its key is of: `GET profile`, `SET mark`, `ECHO`.
    pub(crate) commands: Mutex<Vec<String>>,
    pub(crate) connections: Mutex<u32>,
    /// Connections up to this one go nowhere.
    dead_up_to: AtomicU32,
    open: AtomicU32,
}

impl FakeRedis {
    pub(crate) fn start((host, tasks): (Host, TaskGroup), mood: Mood) -> Arc<Self> {
        let mut listener = host.listen(6379).unwrap();
        let this = Arc::new(Self {
            host: host.clone(),
            tasks,
            control: listener.control(),
            mood: Mutex::new(Mood::Good),
            values: Mutex::default(),
            marks: Mutex::default(),
            commands: Mutex::default(),
            connections: Mutex::new(0),
            dead_up_to: AtomicU32::new(0),
            open: AtomicU32::new(0),
        });
        this.becomes(mood);
        let server = Arc::clone(&this);
        drop(host.spawn(async move {
            loop {
                let stream = listener.accept().await.unwrap();
                let number = {
                    let mut connections = server.connections.lock().unwrap();
                    *connections += 1;
                    *connections
                };
                drop(server.host.spawn(Arc::clone(&server).serve(stream, number)));
            }
        }));
        this
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        if mood == Mood::HalfOpen {
            self.dead_up_to.store(*self.connections.lock().unwrap(), Relaxed);
        }
        let response = match mood {
            Mood::Refused => ListenMode::Refuse,
            Mood::Blackhole => ListenMode::Blackhole,
            _ => ListenMode::Accept,
        };
        self.control.set(response).unwrap();
    }

    /// Freezes it like SIGSTOP: connecting works, what is sent is acknowledged and kept, and nothing is answered.
    pub(crate) fn freeze(&self) {
        self.tasks.freeze();
    }

    /// Lets it go on with what has come meanwhile.
    pub(crate) fn thaw(&self) {
        self.tasks.thaw();
    }

    /// Drops all data.
    pub(crate) fn forget_all(&self) {
        self.values.lock().unwrap().clear();
        self.marks.lock().unwrap().clear();
    }

    fn values_of(&self, key: &str) -> std::sync::MutexGuard<'_, Values> {
        let values = if key.starts_with("gateway:profile:") { &self.values } else { &self.marks };
        values.lock().unwrap()
    }

    /// Attempts to connect, those that were turned away included.
    pub(crate) fn attempts(&self) -> u64 {
        let away = self.control.turned_away();
        u64::from(*self.connections.lock().unwrap()) + away.refused + away.dropped
    }

    /// Connections that its end has open just now.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Relaxed)
    }

    /// The number of reads and writes of profiles.
    pub(crate) fn asked_for_profiles(&self) -> usize {
        self.commands.lock().unwrap().iter().filter(|command| command.ends_with("profile")).count()
    }

    /// Sets the way in which it takes connections.
    pub(crate) fn listens(&self, listening: ListenMode) {
        self.control.set(listening).unwrap();
    }

    pub(crate) fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    /// The number of times that this command was sent.
    pub(crate) fn count(&self, command: &str) -> usize {
        let commands = self.commands.lock().unwrap();
        commands.iter().filter(|there| there.split(' ').next() == Some(command)).count()
    }

    async fn serve(self: Arc<Self>, stream: Stream, number: u32) {
        self.open.fetch_add(1, Relaxed);
        self.talk(stream, number).await;
        self.open.fetch_sub(1, Relaxed);
    }

    async fn talk(&self, mut stream: Stream, number: u32) {
        if let Mood::TurnsAway(error) = self.mood() {
            let _ = stream.write_all(format!("-{error}\r\n").as_bytes()).await;
            return;
        }
        let mut buffer = Vec::new();
        let mut trouble = Trouble::new(&self.host, number);
        loop {
            while let Some((words, used)) = parse(&buffer) {
                buffer.drain(..used);
                let of = words.get(1).and_then(|key| key.split(':').nth(1)).unwrap_or_default();
                self.commands.lock().unwrap().push(format!("{} {of}", words[0]).trim_end().to_owned());
                if number <= self.dead_up_to.load(Relaxed) {
                    continue;
                }
                let Some(mut reply) = self.reply(&words).await else {
                    stream.abort();
                    return;
                };
                match self.mood() {
                    Mood::CutsReplies if words[0] == "GET" => {
                        reply.truncate(reply.len() / 2);
                        let _ = stream.write_all(&reply).await;
                        tokio::task::yield_now().await;
                        return stream.abort();
                    }
                    Mood::Troubled(seed) if words[0] != "HELLO" && words[0] != "CLIENT" => {
                        reply = trouble.befalls(seed, reply).await;
                    }
                    _ => {}
                }
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

    /// The bytes to write; `None` ends the connection.
    async fn reply(&self, words: &[String]) -> Option<Vec<u8>> {
        let data = matches!(words[0].as_str(), "GET" | "SET");
        match self.mood() {
            Mood::Silent | Mood::Blackhole => return Some(Vec::new()),
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
        let values = self.values_of(key);
        let value = values.get(key).filter(|(_, ends)| *ends > self.host.unix_now());
        value.map_or_else(|| b"_\r\n".to_vec(), |(value, _)| bulk(value))
    }

    fn set(&self, words: &[String]) -> Vec<u8> {
        let [key, value, px, millis, rest @ ..] = words else { return b"-ERR syntax\r\n".to_vec() };
        assert_eq!(px, "PX");
        let ends = self.host.unix_now() + Duration::from_millis(millis.parse().unwrap());
        let mut values = self.values_of(key);
        if rest == ["NX"] && values.contains_key(key) {
            return b"_\r\n".to_vec();
        }
        values.insert(key.clone(), (value.clone().into_bytes(), ends));
        b"+OK\r\n".to_vec()
    }
}
