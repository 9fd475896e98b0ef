//! Deadlines as options of a command: `EX seconds`, `PX milliseconds`, `EXAT` and `PXAT` a time since the Unix epoch.

use super::Refusal;
use crate::codec::parse_integer;

#[derive(Clone, Copy)]
pub(super) struct Deadline<'a> {
    pub(super) value: &'a [u8],
    pub(super) unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Ex,
    Px,
    ExAt,
    PxAt,
}

impl Unit {
    /// The unit that an option is for.
    pub(super) fn of(option: &[u8]) -> Option<Self> {
        const UNITS: [(&[u8], Unit); 4] =
            [(b"ex", Unit::Ex), (b"px", Unit::Px), (b"exat", Unit::ExAt), (b"pxat", Unit::PxAt)];
        UNITS.iter().find(|(name, _)| option.eq_ignore_ascii_case(name)).map(|(_, unit)| *unit)
    }
}

impl Deadline<'_> {
    /// In milliseconds since the Unix epoch; for `command`, which is named where it can't be.
    pub(super) fn resolve(self, now_ms: i64, command: &str) -> Result<i64, Refusal> {
        let value = parse_integer(self.value).ok_or(Refusal::NOT_AN_INTEGER)?;
        let (unit_ms, base_ms) = match self.unit {
            Unit::Ex => (1000, now_ms),
            Unit::Px => (1, now_ms),
            Unit::ExAt => (1000, 0),
            Unit::PxAt => (1, 0),
        };
        let positive = Some(value).filter(|value| *value > 0);
        let deadline_ms = positive.and_then(|value| value.checked_mul(unit_ms)?.checked_add(base_ms));
        deadline_ms.ok_or_else(|| Refusal::invalid_expire(command))
    }
}
