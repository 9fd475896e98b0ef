//! Whatever faults do, and whenever they come and go: on each stream everything comes once and in order.

use super::{
    MUX, delay,
    filter::{END, TELL},
    frame::{Frame, Peer, Receiver, Sender},
    on,
};
use crate::{
    support::{MS, World, apply, fault, remove},
    transparency::{effect, run},
};
use chaos_inject::Proxy;
use chaos_model::{
    Fault, Protocol,
    effect::{Close, Error, Trickle},
};
use futures_util::future::join_all;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// A request of the client, on a stream of its own.
#[derive(Clone, Debug)]
struct Asked {
    /// `GET`, `SLOW`, `BIG`, `DOWN` or `HALF`: faults are for one of these each.
    command: &'static str,
    /// The frames of the response, and the bytes in each.
    frames: u8,
    size: u16,
    /// Milliseconds before the next request, and after which this one is given up, if it is.
    pause: u8,
    patience: Option<u8>,
}

impl Asked {
    fn text(&self) -> String {
        format!("{} {} {}", self.command, self.frames, self.size)
    }

    /// The response's frames, as the service sends them.
    fn response(text: &str, stream: u16) -> Vec<Frame> {
        let mut numbers = text.split(' ').skip(1).map(|word| word.parse::<usize>().unwrap());
        let (frames, size) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
        let data = |nth| if nth == 1 { "" } else { "+" };
        let text = |nth| format!("{}{nth} of {stream} {}", data(nth), "x".repeat(size));
        (1..=frames).map(|nth| Frame::new(stream, nth == frames, text(nth))).collect()
    }

    fn strategy() -> impl Strategy<Value = Self> {
        let command = prop::sample::select(vec!["GET", "GET", "SLOW", "BIG", "DOWN", "HALF"]);
        let size = prop_oneof![0..40_u16, 0..20_000_u16];
        (command, 1..5_u8, size, 0..15_u8, prop::option::weighted(0.2, 0..60_u8))
            .prop_map(|(command, frames, size, pause, patience)| Self { command, frames, size, pause, patience })
    }
}

/// Faults on messages that come and go: which, when, for how long, and by how many milliseconds or bytes.
type Visit = (u8, u8, u8, u8);

async fn steer(proxy: &Proxy, visits: Vec<Visit>, broken: Option<chaos_model::Effect>) {
    let on_messages = visits.into_iter().enumerate().map(async |(nth, (which, from, lasts, much))| {
        let made = match which % 4 {
            0 => on("SLOW", delay(u32::from(much) * MS)),
            1 => on("BIG", Trickle { bytes_per_second: 1 + u64::from(much) * 1000 }),
            2 => on("DOWN", Error { reply: "LOADING".to_owned() }),
            _ => on("HALF", Close {}),
        };
        visit(proxy, Fault { name: format!("{nth}"), ..made }, from, lasts).await;
    });
    let of_bytes = broken.into_iter().map(async |effect| visit(proxy, fault("bytes", effect), 5, 60).await);
    tokio::join!(join_all(on_messages), join_all(of_bytes));
}

async fn visit(proxy: &Proxy, fault: Fault, from: u8, lasts: u8) {
    let name = fault.name.clone();
    tokio::time::sleep(u32::from(from) * MS).await;
    apply(proxy, fault).await;
    tokio::time::sleep(u32::from(lasts) * MS).await;
    remove(proxy, &name).await;
}

/// Answers requests until the client ends: a frame of each in turn. Gives those that came.
async fn serve(mut peer: Peer) -> Vec<Frame> {
    let (mut from, mut to) = peer.split();
    let (arrivals, mut queue) = mpsc::unbounded_channel();
    let read = async {
        let mut came = Vec::new();
        while let Some(frame) = from.next().await {
            came.push(frame.clone());
            let _ = arrivals.send(frame);
        }
        drop(arrivals);
        came
    };
    let answer = async {
        let mut open: Vec<Vec<Frame>> = Vec::new();
        loop {
            let frame = if open.is_empty() { queue.recv().await } else { queue.try_recv().ok() };
            match frame {
                Some(frame) if frame.stream == 0 => {}
                Some(frame) if frame.text == "CANCEL" => open.retain(|rest| rest[0].stream != frame.stream),
                Some(frame) => open.push(Asked::response(&frame.text, frame.stream)),
                None if open.is_empty() => return to.end().await,
                None => {
                    let mut rest = open.remove(0);
                    to.send(&rest.remove(0)).await;
                    open.extend((!rest.is_empty()).then_some(rest));
                    tokio::time::sleep(MS).await;
                }
            }
        }
    };
    tokio::join!(read, answer).0
}

/// Sends all requests, and gives up those that are to be; ends its half once all streams are over.
async fn send(mut to: Sender<'_>, asked: &[Asked], mut over: mpsc::Receiver<()>) {
    to.send(&Frame::new(1, true, TELL)).await;
    let (mut now, mut given_up) = (0, BTreeMap::new());
    for (stream, one) in (2..).zip(asked) {
        to.send(&Frame::new(stream, true, one.text())).await;
        given_up.extend(one.patience.map(|patience| ((now + u32::from(patience), stream), ())));
        let until = now + u32::from(one.pause);
        while now < until {
            give_up(&mut to, &mut given_up, now).await;
            tokio::time::sleep(MS).await;
            now += 1;
        }
    }
    give_up(&mut to, &mut given_up, u32::MAX).await;
    over.recv().await;
    to.end().await;
}

async fn give_up(to: &mut Sender<'_>, given_up: &mut BTreeMap<(u32, u16), ()>, now: u32) {
    while let Some(first) = given_up.first_entry().filter(|first| first.key().0 <= now) {
        let ((_, stream), ()) = first.remove_entry();
        to.send(&Frame::new(stream, true, "CANCEL")).await;
    }
}

/// All frames that come, by stream, until each has had its last.
async fn receive(mut from: Receiver<'_>, count: usize, over: mpsc::Sender<()>) -> BTreeMap<u16, Vec<Frame>> {
    let (mut got, mut left) = (BTreeMap::<u16, Vec<Frame>>::new(), count);
    while left > 0 {
        let frame = from.next().await.expect("all streams end before the connection does");
        left -= usize::from(frame.last);
        got.entry(frame.stream).or_default().push(frame);
    }
    drop(over);
    while let Some(frame) = from.next().await {
        assert_eq!(frame.stream, 0, "{frame:?} after all were over");
    }
    got
}

async fn comes_once_and_in_order(asked: Vec<Asked>, visits: Vec<Visit>, broken: Option<chaos_model::Effect>) {
    let world = World::memory();
    let proxy = world.proxy_of(Protocol::new(&MUX));
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let (client, served) = world.connect(&proxy, &mut listener).await;
    let (mut client, served) = (Peer::new(client), Peer::new(served));
    let (from, to) = client.split();
    let (over, is_over) = mpsc::channel(1);
    let (got, (), came, ()) = tokio::join!(
        receive(from, asked.len() + 1, over),
        send(to, &asked, is_over),
        serve(served),
        steer(&proxy, visits, broken),
    );
    let mut came = came.into_iter().filter(|frame| frame.stream > 1 && frame.text != "CANCEL").peekable();
    for (stream, one) in (2..).zip(&asked) {
        let (got, whole) = (&got[&stream], Asked::response(&one.text(), stream));
        let passed = came.next_if(|frame| *frame == Frame::new(stream, true, one.text())).is_some();
        let (last, before) = got.split_last().unwrap();
        let in_place = match one.command {
            "DOWN" => last.text == "LOADING",
            "HALF" => last.text == END,
            _ => false,
        };
        let given_up = one.patience.is_some() && last.text == END && whole.starts_with(before);
        let is_right = if passed { *got == whole || given_up } else { in_place && before.is_empty() };
        assert!(is_right, "{one:?} on {stream}, which passed: {passed}: {got:?}");
    }
    assert_eq!(came.next(), None, "the service gets what was asked, once and in order");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_comes_once_and_in_order(
        asked in prop::collection::vec(Asked::strategy(), 1..25),
        visits in prop::collection::vec((any::<u8>(), 0..80_u8, 0..80_u8, any::<u8>()), 0..8),
        broken in prop::option::of(effect()),
    ) {
        run(comes_once_and_in_order(asked, visits, broken));
    }
}
