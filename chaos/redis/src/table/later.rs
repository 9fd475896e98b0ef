//! Commands that Redis 7.0 does not have, and clients of later versions, of Valkey or of modules use. By hand.

use super::{Flag as F, Spec, keys::at, row};

#[rustfmt::skip]
pub(super) const ROWS: &[Spec] = &[
    row("client|no-touch", 3, &[F::NoScript, F::Loading, F::Stale], &[]),
    row("client|setinfo", 4, &[F::NoScript, F::Loading, F::Stale], &[]),
    row("cluster|myshardid", 2, &[F::Loading, F::Stale], &[]),
    row("hexpire", -6, &[F::Write, F::DenyOom, F::Fast], &[at(1)]),
    row("hexpireat", -6, &[F::Write, F::DenyOom, F::Fast], &[at(1)]),
    row("hexpiretime", -5, &[F::ReadOnly, F::Fast], &[at(1)]),
    row("hgetdel", -5, &[F::Write, F::Fast], &[at(1)]),
    row("hgetex", -5, &[F::Write, F::Fast], &[at(1)]),
    row("hpersist", -5, &[F::Write, F::Fast], &[at(1)]),
    row("hpexpire", -6, &[F::Write, F::DenyOom, F::Fast], &[at(1)]),
    row("hpexpireat", -6, &[F::Write, F::DenyOom, F::Fast], &[at(1)]),
    row("hpexpiretime", -5, &[F::ReadOnly, F::Fast], &[at(1)]),
    row("hpttl", -5, &[F::ReadOnly, F::Fast], &[at(1)]),
    row("hsetex", -6, &[F::Write, F::DenyOom, F::Fast], &[at(1)]),
    row("httl", -5, &[F::ReadOnly, F::Fast], &[at(1)]),
    row("json.get", -2, &[F::ReadOnly], &[at(1)]),
    row("waitaof", 4, &[F::Blocking], &[]),
];
