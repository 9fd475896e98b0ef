//! The row of bytes whose meaning is not known.

use super::{Ready, Recognised, Row};
use crate::effect::Level;

/// The facts of TCP alone.
pub(super) static ROW: Row = Row {
    name: "tcp",
    about: "bytes, whatever they mean, TLS too",
    usual_port: 7000,
    unprivileged_port: 7000,
    schemes: &[],
    programs: &[],
    ready: Ready::Connection,
    words: None,
    levels: &[Level::Connections],
    only: &[],
    alpn: &[],
    takes_password: false,
    elsewhere: &[
        ("Toxiproxy", "every proxy"),
        ("Chaos Mesh", "`NetworkChaos`, which acts on packets"),
        ("Istio", "`tcp` of a VirtualService, without faults"),
        ("k6", "no word"),
    ],
    limits: &[],
    // Every connection is one of bytes.
    recognise: |_| Recognised::Yes,
    filter: None,
};
