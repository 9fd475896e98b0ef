//! Proxies with faults, on a network in memory: whatever comes, nothing panics, and what is held is let go in the end.

use super::{
    Subject, Target, file,
    script::{self, conversations, pieces},
};
use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::{
    Direction, Effect, Fault, Link, Nonce, Protocol, Target as On,
    effect::{Facts, Level},
    language,
};
use host::{Host, Settings, Stream, memory::MemoryNetwork};
use std::{io, path::Path, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(super) const HTTP: Target = Target {
    name: "http-faults",
    about: "a proxy of HTTP with faults",
    seeds: || each_with_faults(conversations(script::HTTP), Protocol::HTTP),
    words: script::HTTP_WORDS,
    start: || start(Protocol::HTTP),
};

pub(super) const REDIS: Target = Target {
    name: "redis-faults",
    about: "a proxy of Redis with faults",
    seeds: || each_with_faults(conversations(script::REDIS), Protocol::REDIS),
    words: script::REDIS_WORDS,
    start: || start(Protocol::REDIS),
};

/// Time, on the paused clock, after which faults are taken back.
const FAULTS: Duration = Duration::from_secs(30);
/// Time in which all has to be over.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Each conversation with each fault: the first byte says which, the second is for one more.
fn each_with_faults(conversations: Vec<Vec<u8>>, protocol: Protocol) -> Vec<Vec<u8>> {
    let faults = u8::try_from(faults(protocol).len()).expect("they are few");
    let with = |fault: u8, conversation: &Vec<u8>| [&[fault, u8::MAX][..], conversation.as_slice()].concat();
    conversations.iter().flat_map(|conversation| (0..faults).map(move |fault| with(fault, conversation))).collect()
}

/// A fault of each effect that acts on such a link, as its example has it.
fn faults(protocol: Protocol) -> Vec<Fault> {
    let acts = |facts: &&Facts| match facts.level {
        Level::Connections | Level::Messages => true,
        Level::Requests => protocol == Protocol::HTTP,
        Level::Commands => protocol == Protocol::REDIS,
        Level::Tls | Level::Services => false,
    };
    Effect::ALL.iter().filter(acts).map(|facts| fault(facts, protocol)).collect()
}

fn fault(facts: &Facts, protocol: Protocol) -> Fault {
    let to = if protocol == Protocol::HTTP { "gateway -> user-service" } else { "gateway -> redis" };
    let text = format!(
        "title = \"a\"\n[load]\nrequest = \"GET /\"\nrate = \"10/s\"\nduration = \"9s\"\n[[fault]]\nname = \"f\"\non = \"{to}\"\n{}\n\
         at = \"1s\"\nfor = \"2s\"\n[[expect]]\nthat = \"it is so\"\nduring = \"f\"\nstatus.200 = \"> 1%\"\n",
        facts.example
    );
    let read = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("fuzz.toml") => Ok(text.clone()),
        Some("system.toml") => std::fs::read_to_string(file("scenarios/system.toml")),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let mut scenario = language::load(Path::new("fuzz.toml"), &[], &read)
        .unwrap_or_else(|wrong| panic!("{}: {}", facts.name, wrong.render(false, 100)));
    scenario.faults.remove(0)
}

fn start(protocol: Protocol) -> Subject {
    let faults = faults(protocol);
    Box::new(move |input| {
        let (chosen, conversation) = input.split_at(input.len().min(2));
        let chosen: Vec<&Fault> = chosen.iter().filter_map(|nth| faults.get(usize::from(*nth))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let talked = tokio::time::timeout(PATIENCE, talk(protocol, &chosen, conversation));
            talked.await.expect("it comes to an end");
        });
    })
}

/// The link that a fault is on.
fn link(fault: Option<&&Fault>) -> Link {
    match fault.map(|fault| &fault.on) {
        Some(On::Link(link)) => link.clone(),
        _ => Link { from: chaos_model::Endpoint::Client, to: "service".to_owned(), label: None },
    }
}

async fn talk(protocol: Protocol, faults: &[&Fault], conversation: &[u8]) {
    let network = MemoryNetwork::new(1);
    let (proxies, _) = network.node("proxy", Settings::default());
    let config =
        ProxyConfig { link: link(faults.first()), protocol, seed: 1, nonce: Some(Nonce(0xab)), most_connections: None };
    let proxy = Proxy::start(&proxies, proxies.listen(80).expect("it is free"), config);
    let service = network.host("service");
    let mut listener = service.listen(80).expect("it is free");
    proxy.point_at("service", 80);
    for (nth, fault) in faults.iter().enumerate() {
        let fault = Fault { name: format!("f{nth}"), ..(*fault).clone() };
        let reply = proxy.send(Message::Apply(Box::new(fault))).await;
        assert_eq!(reply, Reply::Done, "a fault on this link");
    }
    let of = |wanted: Direction| -> Vec<Vec<u8>> {
        let own = pieces(conversation).filter(|(direction, _)| *direction == wanted);
        own.map(|(_, bytes)| bytes.to_vec()).collect()
    };
    let (asked, answered) = (of(Direction::Upstream), of(Direction::Downstream));
    // Faults on connections may have several of them dialled, or none.
    let serving = service.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            say_and_hear(stream, &answered).await;
        }
    });
    let client = network.host("client");
    let talking = async {
        if let Ok(stream) = dial(&client).await {
            say_and_hear(stream, &asked).await;
        }
    };
    let healing = async {
        tokio::time::sleep(FAULTS).await;
        let _ = (proxy.send(Message::Fired).await, proxy.send(Message::Clear).await);
    };
    tokio::join!(talking, healing);
    let _ = (proxy.fired(), proxy.counts());
    serving.abort();
}

async fn dial(client: &Host) -> io::Result<Stream> {
    tokio::time::timeout(FAULTS * 4, client.dial("proxy", 80)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// Writes the pieces, each when the one before is on its way, then the end; and reads all that comes.
async fn say_and_hear(mut stream: Stream, pieces: &[Vec<u8>]) {
    let (mut read, mut write) = stream.split();
    let saying = async {
        for piece in pieces {
            if write.write_all(piece).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let _ = write.shutdown().await;
    };
    let mut come = [0; 4096];
    let hearing = async { while let Ok(1..) = read.read(&mut come).await {} };
    // Nobody waits for ever, a half-closed connection included.
    let _ = tokio::time::timeout(FAULTS * 2, async { tokio::join!(saying, hearing) }).await;
}
