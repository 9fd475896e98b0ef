//! Limits on what services may use, by updates of their containers. The engine passes over what its kernel can't do, so
//! what it has set is read back: a limit that is not there is none that was given, and one that is still there is not
//! healed.

use super::refused;
use chaos_model::effect::action::ServiceLimit;
use chaos_run::{InstanceId, WorldError};
use chaos_supervise::engine::Engine;
use std::{collections::BTreeMap, io};
use testcontainers::bollard::models::ContainerUpdateBody;

/// In which time a quota of processor time is given out, in microseconds: the kernel's own.
const PERIOD_US: i64 = 100_000;
/// No quota.
const NO_QUOTA: i64 = -1;
/// More memory than any machine has: how a limit is lifted, since an engine takes 0 for "as it is".
const ALL_MEMORY: i64 = 1 << 61;
/// The same with swap, which is the difference of the two. An engine passes no negative number on to its kernel.
const ALL_MEMORY_AND_SWAP: i64 = 1 << 62;

/// Resource that is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Cpu,
    Memory,
}

/// The limits that faults hold a service to.
#[derive(Debug, Default)]
pub(crate) struct Limited(BTreeMap<What, Held>);

/// Limits of one kind: microseconds of each [`PERIOD_US`], or bytes.
#[derive(Clone, Debug, Default)]
struct Held {
    /// The limit that the service had before any fault, if it was limited.
    before: Option<i64>,
    /// By fault.
    by: BTreeMap<String, i64>,
}

impl Held {
    // The lowest of several, so that the end of one fault does not end another.
    /// The limit that is to hold: the lowest. None: all that the machine has.
    fn wanted(&self) -> Option<i64> {
        self.by.values().chain(&self.before).min().copied()
    }
}

fn amount(limit: ServiceLimit) -> (What, i64) {
    match limit {
        ServiceLimit::Cpu { thousandths } => (What::Cpu, i64::from(thousandths) * PERIOD_US / 1000),
        ServiceLimit::Memory { bytes } => (What::Memory, i64::try_from(bytes).unwrap_or(ALL_MEMORY)),
    }
}

/// A container whose limits are changed.
pub(crate) struct LimitedContainer<'a> {
    pub(crate) engine: Engine,
    pub(crate) id: String,
    pub(crate) instance: &'a InstanceId,
    /// The limits that faults hold it to.
    pub(crate) limited: &'a mut Limited,
}

/// Limits a service. When it returns, the engine has set the limit on a container that runs.
pub(crate) async fn apply(of: LimitedContainer<'_>, (fault, limit): (&str, ServiceLimit)) -> Result<(), WorldError> {
    let (what, amount) = amount(limit);
    let mut held = of.held(what);
    let (runs, now) = look(&of.engine, &of.id, of.instance, what).await?;
    if !runs {
        return Err(WorldError::CannotGive(format!("{} can't be limited: it does not run", of.instance)));
    }
    takes_something(&of.engine, of.instance, limit).await?;
    if held.by.is_empty() {
        held.before = now;
    }
    held.by.insert(fault.to_owned(), amount);
    of.set((what, held), "limited").await
}

/// A limit that leaves a service all that its machine has is none, and a fault that is none proves nothing.
async fn takes_something(engine: &Engine, service: &InstanceId, limit: ServiceLimit) -> Result<(), WorldError> {
    let machine = engine.client().info().await.map_err(io::Error::other).map_err(refused("limited", service))?;
    let number = |known: Option<i64>| known.and_then(|number| u64::try_from(number).ok());
    let (limit, has, what) = match limit {
        ServiceLimit::Cpu { thousandths } => {
            (u64::from(thousandths), number(machine.ncpu).map(|cpus| cpus * 1000), "CPUs")
        }
        ServiceLimit::Memory { bytes } => (bytes, number(machine.mem_total), "memory"),
    };
    match has {
        Some(has) if has <= limit => {
            let shown = if what == "CPUs" { (has / 1000).to_string() } else { format!("{} MiB of", has >> 20) };
            let why = format!("the limit takes nothing from {service}: its machine has {shown} {what}");
            Err(WorldError::CannotGive(why))
        }
        _ => Ok(()),
    }
}

/// Gives a service what it had, or what other faults leave of it. When it returns, the engine has.
pub(crate) async fn remove(of: LimitedContainer<'_>, (fault, limit): (&str, ServiceLimit)) -> Result<(), WorldError> {
    let (what, _) = amount(limit);
    let mut held = of.held(what);
    held.by.remove(fault);
    of.set((what, held), "given back what it had").await
}

impl LimitedContainer<'_> {
    fn held(&self, what: What) -> Held {
        self.limited.0.get(&what).cloned().unwrap_or_default()
    }

    /// Has the engine set what is to hold now. `so` says for people what the service can't be where that fails.
    async fn set(self, (what, held): (What, Held), so: &str) -> Result<(), WorldError> {
        let (wanted, service) = (held.wanted(), self.instance);
        self.engine
            .client()
            .update_container(&self.id, update(what, wanted))
            .await
            .map_err(io::Error::other)
            .map_err(refused(so, service))?;
        // Read back: an engine answers yes to what its kernel can't do, and warns at most.
        let (_, now) = look(&self.engine, &self.id, service, what).await?;
        if now != wanted {
            let show = |limit: Option<i64>| limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
            let why = format!(
                "the engine took a change of the limits of {service} and did not make it ({what:?}: asked for {}, it has \
                 {}): its kernel may be without such limits",
                show(wanted),
                show(now)
            );
            return Err(WorldError::CannotGive(why));
        }
        self.limited.0.insert(what, held);
        Ok(())
    }
}

/// The update to ask of the engine. Swap goes with memory: a service that could swap would be slower, and not short of
/// memory.
fn update(what: What, limit: Option<i64>) -> ContainerUpdateBody {
    match what {
        What::Cpu => ContainerUpdateBody {
            cpu_period: Some(PERIOD_US),
            cpu_quota: Some(limit.unwrap_or(NO_QUOTA)),
            ..ContainerUpdateBody::default()
        },
        What::Memory => ContainerUpdateBody {
            memory: Some(limit.unwrap_or(ALL_MEMORY)),
            memory_swap: Some(limit.unwrap_or(ALL_MEMORY_AND_SWAP)),
            ..ContainerUpdateBody::default()
        },
    }
}

/// State of the container: true where it runs, and its limit.
async fn look(engine: &Engine, id: &str, service: &InstanceId, what: What) -> Result<(bool, Option<i64>), WorldError> {
    let container = engine
        .client()
        .inspect_container(id, None)
        .await
        .map_err(io::Error::other)
        .map_err(refused("looked at", service))?;
    let runs = container.state.and_then(|state| state.running).unwrap_or_default();
    let config = container.host_config.unwrap_or_default();
    let limit = match what {
        What::Cpu => config.cpu_quota.filter(|quota| *quota > 0),
        What::Memory => config.memory.filter(|bytes| *bytes > 0 && *bytes < ALL_MEMORY),
    };
    Ok((runs, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_holds_and_what_was_before_comes_back() {
        let mut held = Held::default();
        assert_eq!(held.wanted(), None);
        for (fault, limit) in [("a", 20), ("b", 10), ("c", 30)] {
            held.by.insert(fault.to_owned(), limit);
        }
        assert_eq!(held.wanted(), Some(10));
        held.by.remove("b");
        assert_eq!(held.wanted(), Some(20));
        held.before = Some(15);
        assert_eq!(held.wanted(), Some(15));
        held.by.clear();
        assert_eq!(held.wanted(), Some(15));
    }

    #[test]
    fn amounts_are_the_engines() {
        assert_eq!(amount(ServiceLimit::Cpu { thousandths: 250 }), (What::Cpu, 25_000));
        assert_eq!(amount(ServiceLimit::Memory { bytes: 64 << 20 }), (What::Memory, 64 << 20));
        let lifted = update(What::Memory, None);
        let wanted = (Some(ALL_MEMORY), Some(ALL_MEMORY_AND_SWAP), None);
        assert_eq!((lifted.memory, lifted.memory_swap, lifted.cpu_quota), wanted);
    }
}
