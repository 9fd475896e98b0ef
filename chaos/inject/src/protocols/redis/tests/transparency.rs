//! Whatever comes in whatever pieces, it passes as it came where nothing happens, and what happens stands in its place.

use super::wire::{CLOSE, Happens, Wire, edit};
use crate::protocol::Filter as _;
use bytes::BytesMut;
use chaos_model::{Direction, effect::action::ReplyEdit};
use chaos_redis::codec::{Frame, Protocol, Request};
use proptest::prelude::*;

/// A command and what a server says to it.
#[derive(Clone, Debug)]
struct Exchange {
    command: Vec<u8>,
    name: &'static str,
    reply: Frame,
    /// A push behind the reply.
    push: Option<Frame>,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => proptest::collection::vec(any::<u8>(), 0..12), 1 => Just(b"\r\n$1\r\n".to_vec())]
}

fn frame() -> impl Strategy<Value = Frame> {
    let leaf = prop_oneof![
        "[^\r\n]{0,8}".prop_map(|text| Frame::Simple(text.into())),
        "[^\r\n]{0,8}".prop_map(|text| Frame::Error(text.into())),
        any::<i64>().prop_map(Frame::Integer),
        bytes().prop_map(Frame::bulk),
        Just(Frame::Null),
        any::<bool>().prop_map(Frame::Boolean),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list().prop_map(Frame::Array),
            list().prop_map(Frame::Set),
            proptest::collection::vec((inner.clone(), inner), 0..3).prop_map(Frame::Map),
        ]
    })
}

const NAMES: &[&str] = &["GET", "SET", "MGET", "PING", "DEL", "BLPOP", "EVAL", "CLIENT", "HGETALL", "WHAT"];

fn exchange(protocol: Protocol) -> impl Strategy<Value = Exchange> {
    let name = proptest::sample::select(NAMES);
    let push = proptest::option::weighted(0.2, proptest::collection::vec(frame(), 0..3));
    (name, proptest::collection::vec(bytes(), 0..4), frame(), push, any::<bool>()).prop_map(
        move |(name, arguments, reply, push, small)| {
            let written = if small { name.to_lowercase() } else { name.to_owned() };
            let mut command = BytesMut::new();
            let words = std::iter::once(written.into_bytes()).chain(arguments).collect::<Vec<_>>();
            Request::encode(&words, &mut command);
            let push = push.filter(|_| protocol == Protocol::Resp3).map(Frame::Push);
            Exchange { command: command.to_vec(), name, reply, push }
        },
    )
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Resp2), Just(Protocol::Resp3)]
}

/// Sends all of both in pieces of these sizes, commands well before their replies.
fn run(wire: &mut Wire, up: &[u8], down: &[u8], cuts: &[usize]) {
    let mut cuts = cuts.iter().cycle();
    for (direction, mut rest) in [(Direction::Upstream, up), (Direction::Downstream, down)] {
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            rest = later;
            wire.send(direction, now);
        }
    }
}

fn written(frames: &[Frame], protocol: Protocol) -> Vec<u8> {
    let mut out = BytesMut::new();
    frames.iter().for_each(|frame| frame.encode(protocol, &mut out));
    out.to_vec()
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![1..6_usize, 1..200_usize], 1..30)
}

fn start(protocol: Protocol, wire: Wire) -> Wire {
    if protocol == Protocol::Resp3 { wire.in_resp3() } else { wire }
}

fn pipelines() -> impl Strategy<Value = (Protocol, Vec<Exchange>)> {
    protocol().prop_flat_map(|protocol| (Just(protocol), proptest::collection::vec(exchange(protocol), 0..8)))
}

/// Bytes that look like the protocol often enough to get deep into it.
fn nearly_resp() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[*$%~>:+,#(=!_|-]-?[0-9]{0,2}\r\n".prop_map(String::into_bytes),
        2 => bytes(),
        2 => proptest::sample::select(&["GET a", "SUBSCRIBE a", "MULTI", "HELLO 3", "CLIENT REPLY OFF"][..])
            .prop_map(super::wire::command),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_changes_without_a_plan((protocol, all) in pipelines(), cuts in cuts(), armed: bool) {
        let (up, down) = streams(protocol, &all);
        let wire = if armed { Wire::under(|_, _| None) } else { Wire::clear() };
        let mut wire = start(protocol, wire);
        run(&mut wire, &up, &down, &cuts);
        prop_assert_eq!(wire.arrived(Direction::Upstream), &up[..]);
        prop_assert_eq!(wire.arrived(Direction::Downstream), &down[..]);
        prop_assert!(!wire.filter.is_lost());
        let asked = wire.rules.asked.iter().map(|asked| asked.split(' ').next().unwrap());
        let expected: Vec<_> = if armed { all.iter().map(|one| one.name).collect() } else { vec![] };
        prop_assert_eq!(asked.collect::<Vec<_>>(), expected);
        // It is still in step.
        wire.commands(&["PING"]).server("+PONG\r\n");
        prop_assert!(!wire.filter.is_lost());
    }

    #[test]
    fn errors_stand_in_their_places((protocol, all) in pipelines(), cuts in cuts()) {
        let is_refused = |name: &str| ["GET", "SET", "WHAT"].contains(&name);
        let asked = all.iter().filter(|one| !is_refused(one.name)).cloned().collect::<Vec<_>>();
        let (_, down) = streams(protocol, &asked);
        let up = all.iter().flat_map(|one| one.command.clone()).collect::<Vec<_>>();
        let wire = Wire::under(move |name, _| is_refused(name).then(|| edit(ReplyEdit::Error("ERR no".to_owned()))));
        let mut wire = start(protocol, wire);
        run(&mut wire, &up, &down, &cuts);
        prop_assert_eq!(wire.arrived(Direction::Upstream), &streams(protocol, &asked).0[..]);
        let expected = all.iter().map(|one| if is_refused(one.name) { Frame::error("ERR no") } else { one.reply.clone() });
        let is_push = |frame: &Frame| matches!(frame, Frame::Push(_));
        let replies = wire.read().0.into_iter().filter(|frame| !is_push(frame)).collect::<Vec<_>>();
        prop_assert_eq!(written(&replies, protocol), written(&expected.collect::<Vec<_>>(), protocol));
        prop_assert_eq!(wire.fired.len(), all.iter().filter(|one| is_refused(one.name)).count());
    }

    #[test]
    fn lost_replies_leave_the_others((protocol, all) in pipelines(), cuts in cuts()) {
        let (up, down) = streams(protocol, &all);
        let mut wire = start(protocol, Wire::editing("GET", ReplyEdit::Lose));
        run(&mut wire, &up, &down, &cuts);
        prop_assert_eq!(wire.arrived(Direction::Upstream), &up[..]);
        let kept = all.iter().flat_map(|one| [(one.name != "GET").then(|| one.reply.clone()), one.push.clone()]);
        prop_assert_eq!(wire.to_client(), &written(&kept.flatten().collect::<Vec<_>>(), protocol)[..]);
    }

    #[test]
    fn wrong_values_are_the_given_ones((protocol, all) in pipelines(), cuts in cuts()) {
        let (up, down) = streams(protocol, &all);
        let mut wire = start(protocol, Wire::editing("GET", ReplyEdit::Wrong { value: Some("wrong".to_owned()) }));
        run(&mut wire, &up, &down, &cuts);
        let read = all.iter().flat_map(|one| {
            let is_value = one.name == "GET" && matches!(one.reply, Frame::Bulk(_)) && one.command.starts_with(b"*2");
            [Some(if is_value { Frame::bulk("wrong") } else { one.reply.clone() }), one.push.clone()]
        });
        prop_assert_eq!(wire.to_client(), &written(&read.flatten().collect::<Vec<_>>(), protocol)[..]);
    }

    #[test]
    fn faults_that_are_gone_do_nothing_to_what_comes((protocol, all) in pipelines(), cuts in cuts(), which in 0..4_usize) {
        let (up, down) = streams(protocol, &all);
        let edits = [ReplyEdit::Lose.into(), CLOSE, ReplyEdit::Stale.into(), ReplyEdit::Wrong { value: None }.into()];
        let mut wire = start(protocol, Wire::editing("GET", edits[which].clone()));
        run(&mut wire, &up, &[], &cuts);
        // A part of the first reply may be held already.
        let first = all.first().map(|one| written(std::slice::from_ref(&one.reply), protocol).len()).unwrap_or_default();
        let (begun, rest) = down.split_at(if which < 2 { 0 } else { first / 2 });
        wire.server(begun);
        wire.rules.are_gone = true;
        wire.change();
        prop_assert_eq!(wire.to_client(), begun);
        run(&mut wire, &[], rest, &cuts);
        prop_assert_eq!((wire.fired.len(), wire.to_client()), (0, &down[..]));
    }

    #[test]
    fn no_bytes_make_it_panic_and_all_of_them_pass(
        pieces in proptest::collection::vec((any::<bool>(), nearly_resp()), 0..12),
        armed: bool,
    ) {
        let mut wire = if armed { Wire::under(|_, _| None) } else { Wire::clear() };
        let mut sent = (vec![], vec![]);
        for (up, bytes) in &pieces {
            if *up { sent.0.extend_from_slice(bytes) } else { sent.1.extend_from_slice(bytes) }
            wire.send(if *up { Direction::Upstream } else { Direction::Downstream }, bytes);
        }
        wire.end(Direction::Upstream).end(Direction::Downstream);
        prop_assert_eq!(wire.arrived(Direction::Upstream), &sent.0[..]);
        prop_assert_eq!(wire.arrived(Direction::Downstream), &sent.1[..]);
    }

    #[test]
    fn no_bytes_make_it_panic_under_any_edit(
        pieces in proptest::collection::vec((any::<bool>(), nearly_resp()), 0..12),
        which in 0..6_usize,
    ) {
        let part = chaos_model::effect::action::Part::PerMillion(300_000);
        let all = [
            Happens::Edit(ReplyEdit::Lose),
            CLOSE,
            ReplyEdit::Miss.into(),
            Happens::Truncate(part),
            ReplyEdit::Stale.into(),
            ReplyEdit::Wrong { value: None }.into(),
        ];
        let (edited, values) = (all[which].clone(), std::sync::Arc::default());
        let mut wire = Wire::under(move |_, _| Some(super::wire::with(&values, edit(edited.clone()))));
        for (up, bytes) in &pieces {
            wire.send(if *up { Direction::Upstream } else { Direction::Downstream }, bytes);
        }
        wire.end(Direction::Upstream).end(Direction::Downstream);
    }
}

/// The streams of client and server.
fn streams(protocol: Protocol, all: &[Exchange]) -> (Vec<u8>, Vec<u8>) {
    let up = all.iter().flat_map(|one| one.command.clone()).collect();
    let frames = all.iter().flat_map(|one| [Some(one.reply.clone()), one.push.clone()]).flatten().collect::<Vec<_>>();
    (up, written(&frames, protocol))
}
