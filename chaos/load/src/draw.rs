//! Draws: everything that arrival n does follows from (seed, n) alone, by pure functions that know no order.

use crate::Arrival;
use chaos_model::{Load, Text, Value, Values, Variable};
use host::{Random, hash};
use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Zipf};
use std::{sync::Arc, time::Duration};

/// The trace id of arrival `n` (W3C trace context: 16 bytes, not all zero), by which its traces and logs are found.
#[must_use]
pub fn trace_id(seed: u64, n: u64) -> u128 {
    let (high, low) = (number(seed, b"trace high", n), number(seed, b"trace low", n));
    (u128::from(high) << 64 | u128::from(low)).max(1)
}

/// The id of the client's own span.
pub(crate) fn span_id(seed: u64, n: u64) -> u64 {
    number(seed, b"span", n).max(1)
}

/// A number in (0, 1], of 53 random bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
pub(crate) fn unit(seed: u64, what: &[u8], n: u64) -> f64 {
    ((number(seed, what, n) >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

fn number(seed: u64, what: &[u8], n: u64) -> u64 {
    hash(seed, &[what, &n.to_le_bytes()])
}

/// `bits` spread over 0..`count`.
fn spread(bits: u64, count: u128) -> u64 {
    let product = u128::from(bits) * count;
    u64::try_from(product >> 64).expect("less than the count, which is at most 2^64")
}

/// Draws the arrivals of one load.
pub struct Draw {
    seed: u64,
    /// The sums of the weights up to and including each request.
    weights: Vec<u64>,
    vars: Vec<(String, Source)>,
}

/// The source of a variable's values.
enum Source {
    Zipf { low: u64, high: u64, ranks: Zipf<f64> },
    Uniform { low: u64, high: u64 },
    Sequence { low: u64, high: u64 },
    Padded { of: Box<Source>, width: usize },
    Uuid,
    OneOf(Vec<Arc<str>>),
    Random { length: usize },
    N,
}

/// The variable that is the arrival's number, where none is declared by this name.
const N: &str = "n";

impl Draw {
    /// For the arrivals of this load under this seed.
    #[must_use]
    pub fn new(load: &Load, seed: u64) -> Self {
        let mut sum = 0;
        let up_to = |weight: u32| {
            sum += u64::from(weight);
            sum
        };
        let mut vars: Vec<(String, Source)> =
            load.vars.iter().map(|(name, variable)| (name.clone(), Source::new(variable))).collect();
        let texts = load
            .requests
            .iter()
            .flat_map(|request| [&request.path].into_iter().chain(request.headers.values()).chain(&request.body));
        // Drawn for each arrival only where it is used.
        if !load.vars.contains_key(N) && texts.flat_map(Text::variables).any(|name| name == N) {
            vars.push((N.to_owned(), Source::N));
        }
        Self { seed, weights: load.requests.iter().map(|request| request.weight).map(up_to).collect(), vars }
    }

    /// The request that arrival `n` makes, as its place in the load.
    pub(crate) fn request(&self, n: u64) -> usize {
        if self.weights.len() < 2 {
            return 0;
        }
        let sum = self.weights.last().copied().unwrap_or(0);
        let at = spread(number(self.seed, b"request", n), u128::from(sum));
        self.weights.iter().position(|up_to| at < *up_to).unwrap_or(0)
    }

    /// Arrival `n`, due at `intended`.
    #[must_use]
    pub fn arrival(&self, n: u64, intended: Duration) -> Arrival {
        let value = |(name, source): &(String, Source)| (name.clone(), source.value(self.seed, name, n));
        let vars: Values = self.vars.iter().map(value).collect();
        Arrival { n, request: self.request(n), intended, vars }
    }
}

impl Source {
    #[expect(clippy::cast_precision_loss, reason = "rounding doesn't matter to ranges beyond 2^52")]
    fn new(variable: &Variable) -> Self {
        match *variable {
            Variable::Zipf { low, high, exponent } => {
                match Zipf::new(high.saturating_sub(low) as f64 + 1.0, exponent) {
                    Ok(ranks) => Self::Zipf { low, high, ranks },
                    // Only for an exponent below 0, which the language refuses.
                    Err(_) => Self::Uniform { low, high },
                }
            }
            Variable::Uniform { low, high } => Self::Uniform { low, high },
            Variable::Sequence { low, high } => Self::Sequence { low, high },
            Variable::Padded { ref of, width } => Self::Padded { of: Box::new(Self::new(of)), width },
            Variable::Uuid => Self::Uuid,
            Variable::OneOf(ref texts) => Self::OneOf(texts.iter().map(|text| text.as_str().into()).collect()),
            Variable::Random { length } => Self::Random { length },
            Variable::N => Self::N,
        }
    }

    fn value(&self, seed: u64, name: &str, n: u64) -> Value {
        let bits = |part: u64| hash(seed, &[b"text", name.as_bytes(), &n.to_le_bytes(), &part.to_le_bytes()]);
        match self {
            Self::Padded { of, width } => Value::Text(format!("{:0width$}", of.number(seed, name, n)).into()),
            Self::Uuid => Value::Text(uuid(bits(0), bits(1)).into()),
            Self::OneOf(texts) => {
                let nth = usize::try_from(spread(bits(0), texts.len() as u128)).unwrap_or(0);
                texts.get(nth).map_or(Value::Number(0), |text| Value::Text(Arc::clone(text)))
            }
            Self::Random { length } => {
                let letter = |nth: usize| char::from(LETTERS[nth % LETTERS.len()]);
                let part = |at: usize| spread(bits(at as u64), LETTERS.len() as u128);
                let text: String = (0..*length).map(|at| letter(usize::try_from(part(at)).unwrap_or(0))).collect();
                Value::Text(text.into())
            }
            Self::Zipf { .. } | Self::Uniform { .. } | Self::Sequence { .. } | Self::N => {
                Value::Number(self.number(seed, name, n))
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are from 1 to the range's size")]
    fn number(&self, seed: u64, name: &str, n: u64) -> u64 {
        let bits = || hash(seed, &[b"variable", name.as_bytes(), &n.to_le_bytes()]);
        match self {
            Self::Zipf { low, high, ranks } => {
                let rank = ranks.sample(&mut Random::seed_from_u64(bits())) as u64;
                low.saturating_add(rank.saturating_sub(1)).min(*high)
            }
            Self::Uniform { low, high } => low.saturating_add(spread(bits(), size(*low, *high))),
            Self::Sequence { low, high } => {
                let step = u64::try_from(u128::from(n) % size(*low, *high)).expect("at most n");
                low.saturating_add(step)
            }
            Self::Padded { of, .. } => of.number(seed, name, n),
            Self::N | Self::Uuid | Self::OneOf(_) | Self::Random { .. } => n,
        }
    }
}

/// The letters and digits of random texts.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A UUID of version 4 (RFC 9562, 5.4) of these bits, but for those that say so.
fn uuid(high: u64, low: u64) -> String {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// The count of numbers from `low` to `high`, both included; at least one.
fn size(low: u64, high: u64) -> u128 {
    u128::from(high.saturating_sub(low)) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{load, request};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const COUNT: u64 = 20_000;

    fn values(variable: Variable, seed: u64) -> Vec<u64> {
        let load = Load { vars: BTreeMap::from([("user".to_owned(), variable)]), ..load() };
        let draw = Draw::new(&load, seed);
        (0..COUNT).map(|n| draw.arrival(n, Duration::ZERO).vars["user"].number().unwrap()).collect()
    }

    fn texts(variable: Variable) -> Vec<String> {
        let load = Load { vars: BTreeMap::from([("user".to_owned(), variable)]), ..load() };
        let draw = Draw::new(&load, 3);
        (0..COUNT).map(|n| draw.arrival(n, Duration::ZERO).vars["user"].to_string()).collect()
    }

    #[test]
    fn ids_need_not_be_numbers() {
        let uuids = texts(Variable::Uuid);
        assert_eq!(uuids.iter().collect::<BTreeSet<_>>().len(), uuids.len(), "no two are the same");
        for uuid in &uuids {
            let parts: Vec<&str> = uuid.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uuid}");
            assert!(uuid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{uuid}");
            assert!(parts[2].starts_with('4') && matches!(parts[3].as_bytes()[0], b'8' | b'9' | b'a' | b'b'), "{uuid}");
        }
        let names = ["alice", "bob", "carol"].map(str::to_owned);
        let drawn = texts(Variable::OneOf(names.to_vec()));
        for name in &names {
            let share = drawn.iter().filter(|one| *one == name).count() as f64 / drawn.len() as f64;
            assert!((share - 1.0 / 3.0).abs() < 0.02, "{name}: {share}");
        }
        let padded = Variable::Padded { of: Box::new(Variable::Sequence { low: 7, high: 500 }), width: 4 };
        assert_eq!(texts(padded)[..2], ["0007", "0008"]);
        let random = texts(Variable::Random { length: 12 });
        assert!(random.iter().all(|text| text.len() == 12 && text.bytes().all(|byte| LETTERS.contains(&byte))));
        assert_eq!(random.iter().collect::<BTreeSet<_>>().len(), random.len());
    }

    #[test]
    fn the_arrivals_number_is_there_where_it_is_used() {
        let mut with = request("/", 1);
        with.path.pieces.push(chaos_model::load::TextPiece::InPath("n".to_owned()));
        let drawn = |load: &Load| Draw::new(load, 3).arrival(17, Duration::ZERO).vars;
        assert_eq!(
            drawn(&Load { requests: vec![with.clone()], ..load() }),
            Values::from([("n".to_owned(), Value::Number(17))])
        );
        assert_eq!(drawn(&load()), Values::new());
        let own = BTreeMap::from([("n".to_owned(), Variable::Sequence { low: 5, high: 5 })]);
        assert_eq!(
            drawn(&Load { requests: vec![with], vars: own, ..load() })["n"],
            Value::Number(5),
            "declared by this name"
        );
    }

    fn share_of(values: &[u64], value: u64) -> f64 {
        values.iter().filter(|seen| **seen == value).count() as f64 / values.len() as f64
    }

    #[test]
    fn zipf_ranks_fall_off_as_their_rank() {
        let values = values(Variable::Zipf { low: 11, high: 110, exponent: 1.0 }, 3);
        assert!(values.iter().all(|value| (11..=110).contains(value)));
        let harmonic: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [1, 2, 5, 10] {
            let expected = 1.0 / (rank as f64 * harmonic);
            let seen = share_of(&values, 10 + rank);
            assert!((seen / expected - 1.0).abs() < 0.15, "rank {rank}: {seen} for {expected}");
        }
    }

    #[test]
    fn an_exponent_of_zero_is_uniform() {
        for variable in [Variable::Zipf { low: 1, high: 10, exponent: 0.0 }, Variable::Uniform { low: 1, high: 10 }] {
            let values = values(variable.clone(), 3);
            assert!(values.iter().all(|value| (1..=10).contains(value)));
            for value in 1..=10 {
                let seen = share_of(&values, value);
                assert!((seen - 0.1).abs() < 0.01, "{variable:?}: {value} has {seen}");
            }
        }
    }

    #[test]
    fn a_sequence_goes_round() {
        let values = values(Variable::Sequence { low: 5, high: 7 }, 3);
        assert_eq!(values[..7], [5, 6, 7, 5, 6, 7, 5]);
    }

    #[test]
    fn requests_come_by_their_weights() {
        let requests = vec![request("/a", 1), request("/never", 0), request("/b", 3)];
        let draw = Draw::new(&Load { requests, ..load() }, 9);
        let mut counts = [0_u64; 3];
        (0..COUNT).for_each(|n| counts[draw.request(n)] += 1);
        assert_eq!(counts[1], 0);
        assert!(counts[0].abs_diff(COUNT / 4) < 250, "{counts:?}");
    }

    #[test]
    fn an_arrival_depends_on_seed_and_number_alone() {
        let variable = Variable::Uniform { low: 0, high: u64::MAX };
        assert_eq!(values(variable.clone(), 1), values(variable.clone(), 1));
        assert_ne!(values(variable.clone(), 1), values(variable.clone(), 2));
        // A further variable changes no other's values.
        let one = BTreeMap::from([("user".to_owned(), variable.clone())]);
        let mut two = one.clone();
        two.insert("page".to_owned(), variable);
        let user = |vars| Draw::new(&Load { vars, ..load() }, 1).arrival(17, Duration::ZERO).vars["user"].clone();
        assert_eq!(user(one), user(two));
    }

    #[test]
    fn trace_ids_are_pinned_and_differ() {
        // They stand in recorded runs and in traces kept elsewhere.
        assert_eq!(format!("{:032x}", trace_id(42, 7)), "6a5cd0bccf615cd19c36683a1c089570");
        assert_ne!(trace_id(42, 7), trace_id(42, 8));
        assert_ne!(trace_id(42, 7), trace_id(43, 7));
    }

    proptest! {
        #[test]
        fn values_stay_in_their_range(low: u64, high: u64, exponent in 0.0_f64..4.0, n: u64) {
            let (low, high) = (low.min(high), low.max(high));
            for variable in [
                Variable::Zipf { low, high, exponent },
                Variable::Uniform { low, high },
                Variable::Sequence { low, high },
            ] {
                let value = Source::new(&variable).number(5, "user", n);
                prop_assert!((low..=high).contains(&value), "{:?} gives {}", variable, value);
            }
        }
    }
}
