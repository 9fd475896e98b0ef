//! Draws: everything that arrival n does follows from (seed, n) alone, by pure functions that know no order.

use crate::Arrival;
use chaos_model::{
    Load, Request, RequestId, Text, Value, Values, Variable,
    load::{Think, TimeFormat},
};
use host::{Random, hash};
use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Zipf};
use std::{ops::Range, sync::Arc, time::Duration};

/// The trace id of a request (W3C trace context: 16 bytes, not all zero), by which its traces and logs are found.
#[must_use]
pub fn trace_id(seed: u64, request: RequestId) -> u128 {
    let (high, low) = (of_step(seed, b"trace high", request), of_step(seed, b"trace low", request));
    (u128::from(high) << 64 | u128::from(low)).max(1)
}

/// The id of the client's own span.
pub(crate) fn span_id(seed: u64, request: RequestId) -> u64 {
    of_step(seed, b"span", request).max(1)
}

/// A number of one step. That of the first step is the journey's own.
fn of_step(seed: u64, what: &[u8], RequestId { n, step }: RequestId) -> u64 {
    match step {
        0 => number(seed, what, n),
        step => hash(seed, &[what, &n.to_le_bytes(), &step.to_le_bytes()]),
    }
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
    /// The sums of the weights up to and including each journey, with the places of its steps.
    journeys: Vec<(u64, Range<usize>)>,
    /// The think time before each request.
    thinks: Vec<Think>,
    vars: Vec<(String, Source)>,
    /// The variables that tell the time.
    clocks: Vec<(String, TimeFormat)>,
}

/// The source of a variable's values.
enum Source {
    Zipf {
        low: u64,
        high: u64,
        ranks: Zipf<f64>,
    },
    Uniform {
        low: u64,
        high: u64,
    },
    Sequence {
        low: u64,
        high: u64,
    },
    Padded {
        of: Box<Source>,
        width: usize,
    },
    Uuid,
    OneOf(Vec<Arc<str>>),
    Random {
        length: usize,
    },
    /// The file's name, by which its row is drawn.
    Column {
        file: String,
        values: Arc<[Arc<str>]>,
    },
    N,
}

/// The variable that is the arrival's number, where none is declared by this name.
const N: &str = "n";

impl Draw {
    /// For the arrivals of this load under this seed.
    #[must_use]
    pub fn new(load: &Load, seed: u64) -> Self {
        let mut sum = 0;
        let journey = |steps: Range<usize>| {
            sum += load.requests.get(steps.start).map_or(0, |request| u64::from(request.weight));
            (sum, steps)
        };
        let journeys = load.journeys().map(journey).collect();
        let mut vars: Vec<(String, Source)> =
            load.vars.iter().filter_map(|(name, variable)| Some((name.clone(), Source::new(variable)?))).collect();
        let texts = load.requests.iter().flat_map(Request::texts);
        // Drawn for each arrival only where it is used.
        if !load.vars.contains_key(N) && texts.flat_map(Text::variables).any(|name| name == N) {
            vars.push((N.to_owned(), Source::N));
        }
        let thinks = load.requests.iter().map(|request| request.step.think).collect();
        let clock = |(name, variable): (&String, &Variable)| match variable {
            Variable::Now(format) => Some((name.clone(), *format)),
            _ => None,
        };
        let clocks = load.vars.iter().filter_map(clock).collect();
        Self { seed, journeys, thinks, vars, clocks }
    }

    /// The places of the requests that journey `n` makes, in the load.
    pub(crate) fn journey(&self, n: u64) -> Range<usize> {
        let nth = match &self.journeys[..] {
            [] => return 0..1,
            [_] => 0,
            [.., (sum, _)] => {
                let at = spread(number(self.seed, b"request", n), u128::from(*sum));
                self.journeys.iter().position(|(up_to, _)| at < *up_to).unwrap_or(0)
            }
        };
        self.journeys[nth].1.clone()
    }

    /// The place of a request among those of the load.
    pub(crate) fn place(&self, RequestId { n, step }: RequestId) -> usize {
        self.journey(n).start + usize::try_from(step).unwrap_or_default()
    }

    /// The think time before a step.
    pub(crate) fn think(&self, id: RequestId) -> Duration {
        let Think { least, most } = self.thinks.get(self.place(id)).copied().unwrap_or_default();
        if least == most {
            return least;
        }
        let nanos = u64::try_from((most - least).as_nanos()).unwrap_or(u64::MAX - 1);
        least + Duration::from_nanos(spread(of_step(self.seed, b"think", id), u128::from(nanos) + 1))
    }

    /// The values of variables that tell the time, which is this since the Unix epoch. They are no draws.
    pub(crate) fn times(&self, unix_now: Duration) -> impl Iterator<Item = (String, Value)> + '_ {
        self.clocks.iter().map(move |(name, format)| {
            let value = match format {
                TimeFormat::Rfc3339 => Value::Text(host::rfc3339(unix_now).into()),
                TimeFormat::Seconds => Value::Number(unix_now.as_secs()),
                TimeFormat::Milliseconds => Value::Number(u64::try_from(unix_now.as_millis()).unwrap_or(u64::MAX)),
            };
            (name.clone(), value)
        })
    }

    /// A request that is due at `intended`, as far as it is drawn.
    #[must_use]
    pub fn arrival(&self, id: RequestId, intended: Duration) -> Arrival {
        let RequestId { n, step } = id;
        let value = |(name, source): &(String, Source)| (name.clone(), source.value(self.seed, name, n));
        let vars: Values = self.vars.iter().map(value).collect();
        Arrival { n, step, request: self.place(id), intended, vars }
    }
}

impl Source {
    /// None for one that isn't drawn.
    #[expect(clippy::cast_precision_loss, reason = "rounding doesn't matter to ranges beyond 2^52")]
    fn new(variable: &Variable) -> Option<Self> {
        Some(match *variable {
            Variable::Zipf { low, high, exponent } => {
                match Zipf::new(high.saturating_sub(low) as f64 + 1.0, exponent) {
                    Ok(ranks) => Self::Zipf { low, high, ranks },
                    // Only for an exponent below 0, which the language refuses.
                    Err(_) => Self::Uniform { low, high },
                }
            }
            Variable::Uniform { low, high } => Self::Uniform { low, high },
            Variable::Sequence { low, high } => Self::Sequence { low, high },
            Variable::Padded { ref of, width } => Self::Padded { of: Box::new(Self::new(of)?), width },
            Variable::Uuid => Self::Uuid,
            Variable::OneOf(ref texts) => Self::OneOf(texts.iter().map(|text| text.as_str().into()).collect()),
            Variable::Random { length } => Self::Random { length },
            Variable::Column { ref file, ref values, .. } => {
                Self::Column { file: file.clone(), values: Arc::clone(values) }
            }
            Variable::N => Self::N,
            Variable::Now(_) => return None,
        })
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
            Self::Column { file, values } => {
                // By the file and not by the variable, so that columns of one file are of one row.
                let row = spread(hash(seed, &[b"row", file.as_bytes(), &n.to_le_bytes()]), values.len() as u128);
                let value = usize::try_from(row).ok().and_then(|row| values.get(row));
                value.map_or(Value::Number(0), |value| Value::Text(Arc::clone(value)))
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
            Self::N | Self::Uuid | Self::OneOf(_) | Self::Random { .. } | Self::Column { .. } => n,
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
    use chaos_model::load::Step;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const COUNT: u64 = 20_000;

    fn values(variable: Variable, seed: u64) -> Vec<u64> {
        let load = Load { vars: BTreeMap::from([("user".to_owned(), variable)]), ..load() };
        let draw = Draw::new(&load, seed);
        (0..COUNT).map(|n| draw.arrival(n.into(), Duration::ZERO).vars["user"].number().unwrap()).collect()
    }

    fn texts(variable: Variable) -> Vec<String> {
        let load = Load { vars: BTreeMap::from([("user".to_owned(), variable)]), ..load() };
        let draw = Draw::new(&load, 3);
        (0..COUNT).map(|n| draw.arrival(n.into(), Duration::ZERO).vars["user"].to_string()).collect()
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
    fn columns_of_one_file_are_of_one_row() {
        let column = |file: &str, values: &[&str]| Variable::Column {
            file: file.to_owned(),
            column: String::new(),
            values: values.iter().map(|value| Arc::from(*value)).collect(),
        };
        let vars = [
            ("name", column("users.csv", &["ada", "bob", "cy"])),
            ("id", column("users.csv", &["1", "2", "3"])),
            ("item", column("items.csv", &["x", "y", "z"])),
        ];
        let vars = vars.into_iter().map(|(name, variable)| (name.to_owned(), variable)).collect();
        let draw = Draw::new(&Load { vars, ..load() }, 3);
        let mut seen = BTreeMap::new();
        for n in 0..COUNT {
            let vars = draw.arrival(n.into(), Duration::ZERO).vars;
            let row = ["name", "id", "item"].map(|name| vars[name].to_string());
            assert!([["ada", "1"], ["bob", "2"], ["cy", "3"]].contains(&[&row[0], &row[1]]), "{row:?}");
            *seen.entry(row).or_insert(0_u64) += 1;
        }
        assert_eq!(seen.len(), 9, "rows of another file are drawn by themselves");
        assert!(seen.values().all(|count| count.abs_diff(COUNT / 9) < 200), "{seen:?}");
    }

    #[test]
    fn times_are_told_in_three_ways() {
        let formats = [TimeFormat::Rfc3339, TimeFormat::Seconds, TimeFormat::Milliseconds];
        let vars = ["a", "b", "c"].map(str::to_owned).into_iter().zip(formats.map(Variable::Now)).collect();
        let draw = Draw::new(&Load { vars, ..load() }, 3);
        assert_eq!(draw.arrival(1.into(), Duration::ZERO).vars, Values::new(), "a time is no draw");
        let told: Vec<String> =
            draw.times(Duration::from_millis(1_769_860_800_250)).map(|(_, it)| it.to_string()).collect();
        assert_eq!(told, ["2026-01-31T12:00:00.250Z", "1769860800", "1769860800250"]);
    }

    #[test]
    fn the_arrivals_number_is_there_where_it_is_used() {
        let mut with = request("/", 1);
        with.path.pieces.push(chaos_model::load::TextPiece::InPath("n".to_owned()));
        let drawn = |load: &Load| Draw::new(load, 3).arrival(17.into(), Duration::ZERO).vars;
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
        (0..COUNT).for_each(|n| counts[draw.place(n.into())] += 1);
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
        let user =
            |vars| Draw::new(&Load { vars, ..load() }, 1).arrival(17.into(), Duration::ZERO).vars["user"].clone();
        assert_eq!(user(one), user(two));
    }

    #[test]
    fn trace_ids_are_pinned_and_differ() {
        // They stand in recorded runs and in traces kept elsewhere.
        let id = |seed, n: u64| trace_id(seed, n.into());
        assert_eq!(format!("{:032x}", id(42, 7)), "6a5cd0bccf615cd19c36683a1c089570");
        assert_ne!(id(42, 7), id(42, 8));
        assert_ne!(id(42, 7), id(43, 7));
        assert_ne!(id(42, 7), trace_id(42, RequestId { n: 7, step: 1 }));
    }

    /// Journeys of two steps and of three, and a request by itself.
    fn journeys() -> Load {
        let step = |path: &str, weight, nth| Request {
            step: Step { nth, think: Think { least: MS, most: 3 * MS }, ..Step::default() },
            ..request(path, weight)
        };
        let requests = vec![
            request("/alone", 2),
            step("/a", 1, 0),
            step("/a/1", 1, 1),
            step("/b", 5, 0),
            step("/b/1", 5, 1),
            step("/b/2", 5, 2),
        ];
        Load { requests, ..load() }
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn journeys_come_by_their_weights_and_have_their_steps() {
        let draw = Draw::new(&journeys(), 9);
        let mut counts = [0_u64; 6];
        for n in 0..COUNT {
            for step in 0..u32::try_from(draw.journey(n).len()).unwrap() {
                counts[draw.place(RequestId { n, step })] += 1;
            }
        }
        assert_eq!((counts[1], counts[3]), (counts[2], counts[4]), "whoever begins makes all steps");
        assert_eq!((counts[3], counts[0] + counts[1] + counts[3]), (counts[5], COUNT));
        assert!(counts[0].abs_diff(COUNT / 4) < 250 && counts[1].abs_diff(COUNT / 8) < 200, "{counts:?}");
    }

    #[test]
    fn clients_think_each_for_a_time_of_their_own() {
        let draw = Draw::new(&journeys(), 9);
        let times: Vec<Duration> = (0..COUNT).map(|n| draw.think(RequestId { n, step: 1 })).collect();
        assert!(draw.journey(0).len() > 1 || times[0] <= 3 * MS);
        assert!(times.iter().all(|time| (MS..=3 * MS).contains(time)));
        let mean = times.iter().sum::<Duration>() / u32::try_from(COUNT).unwrap();
        assert!(mean.abs_diff(2 * MS) < MS / 50, "{mean:?}");
        assert_eq!(
            draw.think(RequestId { n: 7, step: 1 }),
            Draw::new(&journeys(), 9).think(RequestId { n: 7, step: 1 })
        );
        assert_ne!(draw.think(RequestId { n: 7, step: 1 }), draw.think(RequestId { n: 7, step: 2 }));
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
                let value = Source::new(&variable).unwrap().number(5, "user", n);
                prop_assert!((low..=high).contains(&value), "{:?} gives {}", variable, value);
            }
        }
    }
}
