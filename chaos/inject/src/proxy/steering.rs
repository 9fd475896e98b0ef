//! Carries out messages: puts faults on the link and takes them back, and says how often they fired.

use super::{
    ProxyConfig,
    shared::{ProxyState, Shared, settle},
};
use crate::{Reply, active::Active, interpreter::Interpreter};
use chaos_model::{
    Fault, Nonce, Target,
    effect::{Level, action::Accepting},
    event::Fired,
    ledger::Removed,
};
use host::{ListenMode, TurnedAway};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

/// Faults that were taken back, each with what was turned away because of it; and what to wait for.
type TakenBack = (Vec<(Arc<Active>, TurnedAway)>, Vec<CancellationToken>);

pub(super) struct Steering {
    config: ProxyConfig,
    /// Seed of the draws of faults that are yet to come.
    seed: AtomicU64,
    /// Held during a change, and taken before the shared state.
    standing: Mutex<StandingFaults>,
}

#[derive(Default)]
struct StandingFaults {
    mode: ListenMode,
    /// Connections that the listener had turned away when each fault began to, in the order of the interpreter's
    /// faults.
    since: Vec<TurnedAway>,
}

impl Steering {
    pub(super) fn new(config: ProxyConfig) -> Self {
        let seed = AtomicU64::new(config.seed);
        Self { config, seed, standing: Mutex::default() }
    }

    pub(super) fn begin_run(&self, shared: &Shared, seed: u64, nonce: Option<Nonce>) {
        self.seed.store(seed, Ordering::Relaxed);
        let mut state = shared.state();
        let interpreter = Interpreter { nonce, ..state.rules.interpreter.clone() };
        // Nobody waits for connections to hear of it: what is on its way is no request of a run that has just begun.
        drop(shared.publish(&mut state, interpreter, false));
    }

    pub(super) async fn apply(&self, shared: &Shared, fault: Fault) -> Reply {
        match self.put(shared, fault) {
            Ok((active, replaced)) => {
                settle(replaced).await;
                self.begin_counting(shared, &active);
                Reply::Done
            }
            Err(why) => Reply::Refused { why },
        }
    }

    pub(super) async fn remove(&self, shared: &Shared, name: &str) -> Reply {
        match self.take(shared, |active| active.fault.name == name) {
            Ok((removed, replaced)) => {
                settle(replaced).await;
                let was_used = shared.was_used();
                match removed.first() {
                    Some((active, away)) => {
                        let (injections, left_out) = active.ledger.read();
                        Reply::Removed(Removed { fired: fired(active, *away, was_used), injections, left_out })
                    }
                    None => Reply::Refused { why: format!("no fault called {name} is on {}", self.config.link) },
                }
            }
            Err(why) => Reply::Refused { why },
        }
    }

    pub(super) async fn clear(&self, shared: &Shared) -> Reply {
        match self.take(shared, |_| true) {
            Ok((_, replaced)) => {
                settle(replaced).await;
                Reply::Done
            }
            Err(why) => Reply::Refused { why },
        }
    }

    pub(super) fn fired(&self, shared: &Shared) -> BTreeMap<String, Fired> {
        let standing = self.standing();
        let away = shared.control.turned_away();
        let rules = Arc::clone(&shared.state().rules);
        let was_used = shared.was_used();
        let pairs = rules.interpreter.faults.iter().zip(&standing.since);
        let count = |(active, since): (&Arc<Active>, &TurnedAway)| {
            (active.fault.name.clone(), fired(active, difference(away, *since), was_used))
        };
        pairs.map(count).collect()
    }

    fn put(&self, shared: &Shared, fault: Fault) -> Result<(Arc<Active>, Vec<CancellationToken>), String> {
        let link = &self.config.link;
        if !matches!(&fault.on, Target::Link(on) if on == link) {
            return Err(format!("{} is on {}, and this is {link}", fault.name, fault.on));
        }
        self.fits(shared, &fault)?;
        let mut standing = self.standing();
        let mut state = shared.state();
        let mut interpreter = state.rules.interpreter.clone();
        if interpreter.faults.iter().any(|active| active.fault.name == fault.name) {
            return Err(format!("{} is on {link} already", fault.name));
        }
        let seed = self.seed.load(Ordering::Relaxed);
        let active = Active::new(fault, seed, link, shared.now(), state.next).over(state.open());
        let active = Arc::new(active);
        interpreter.faults.push(Arc::clone(&active));
        let since = shared.control.turned_away();
        let since = standing.since.iter().copied().chain([since]).collect();
        let replaced = self.change(shared, &mut standing, &mut state, (interpreter, since))?;
        Ok((active, replaced))
    }

    /// Refuses a fault that can't act here. The language has checked this already; a message from elsewhere has not been through it.
    fn fits(&self, shared: &Shared, fault: &Fault) -> Result<(), String> {
        let (effect, protocol, level) = (fault.effect.name(), self.config.protocol, fault.effect.facts().level);
        if protocol.has(level) || (level == Level::Tls && shared.layer.is_some()) {
            return Ok(());
        }
        Err(format!("`{effect}` can't act on {}, which speaks {protocol}", self.config.link))
    }

    pub(super) async fn replace(&self, shared: &Shared, fault: Fault) -> Result<(), String> {
        settle(self.exchange(shared, fault)?).await;
        Ok(())
    }

    /// Puts a fault in the place of the one that has its name, at once: in between, there is no moment without.
    fn exchange(&self, shared: &Shared, fault: Fault) -> Result<Vec<CancellationToken>, String> {
        self.fits(shared, &fault)?;
        let mut standing = self.standing();
        let mut state = shared.state();
        let mut interpreter = state.rules.interpreter.clone();
        let place = interpreter.faults.iter_mut().find(|active| active.fault.name == fault.name);
        let Some(place) = place else {
            return Err(format!("no fault called {} is on {}", fault.name, self.config.link));
        };
        *place = Arc::new(place.changed(Fault { on: place.fault.on.clone(), ..fault }));
        let since = standing.since.clone();
        self.change(shared, &mut standing, &mut state, (interpreter, since))
    }

    pub(super) fn matched(&self, shared: &Shared) -> BTreeMap<String, u64> {
        let rules = Arc::clone(&shared.state().rules);
        let accepted = shared.accepted();
        rules.interpreter.faults.iter().map(|active| (active.fault.name.clone(), active.matched(accepted))).collect()
    }

    /// Takes faults back.
    fn take(&self, shared: &Shared, which: impl Fn(&Active) -> bool) -> Result<TakenBack, String> {
        let mut standing = self.standing();
        let mut state = shared.state();
        let all = state.rules.interpreter.faults.iter().cloned().zip(standing.since.iter().copied());
        let (taken, kept) = all.partition::<Vec<_>, _>(|(active, _)| which(active));
        if taken.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (faults, since) = kept.into_iter().unzip();
        let interpreter = Interpreter { faults, ..state.rules.interpreter.clone() };
        let replaced = self.change(shared, &mut standing, &mut state, (interpreter, since))?;
        let away = shared.control.turned_away();
        Ok((taken.into_iter().map(|(active, since)| (active, difference(away, since))).collect(), replaced))
    }

    /// Lets these faults hold. The listener closes before connections learn of them, and opens after, so that no new one
    /// meets a fault that is on its way out.
    fn change(
        &self,
        shared: &Shared,
        standing: &mut StandingFaults,
        state: &mut ProxyState,
        (interpreter, since): (Interpreter, Vec<TurnedAway>),
    ) -> Result<Vec<CancellationToken>, String> {
        let failed = |error: io::Error| format!("the listener of {} can't be switched: {error}", self.config.link);
        let (before, after) = (standing.mode, interpreter.listen_mode());
        if after != ListenMode::Accept {
            shared.control.set(after).map_err(failed)?;
        }
        let replaced = shared.publish(state, interpreter, false);
        standing.since = since;
        if after == ListenMode::Accept && before != ListenMode::Accept {
            shared.control.set(after).map_err(failed)?;
        }
        standing.mode = after;
        Ok(replaced)
    }

    /// The system may count our own resets of open connections among the refused attempts: they are over now, so count
    /// from here.
    fn begin_counting(&self, shared: &Shared, active: &Arc<Active>) {
        if active.stream.accepting != Accepting::Refuse {
            return;
        }
        let mut standing = self.standing();
        let rules = Arc::clone(&shared.state().rules);
        let position = rules.interpreter.faults.iter().position(|other| Arc::ptr_eq(other, active));
        if let Some(since) = position.and_then(|index| standing.since.get_mut(index)) {
            // The kernel counts no refused connects by socket. This is the machine's count of resets, an upper bound.
            since.refused = shared.control.turned_away().refused;
        }
    }

    fn standing(&self) -> MutexGuard<'_, StandingFaults> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The count of what a fault did, given what the listener turned away meanwhile. What the system counts as refused may
/// be the whole machine's: on a link that nothing has ever used, it is somebody else's.
fn fired(active: &Active, away: TurnedAway, was_used: bool) -> Fired {
    let mut fired = active.tally.fired();
    match active.stream.accepting {
        Accepting::Refuse if was_used => fired.refused = away.refused,
        Accepting::Blackhole => fired.dropped = away.dropped,
        _ => {}
    }
    fired
}

fn difference(now: TurnedAway, since: TurnedAway) -> TurnedAway {
    TurnedAway {
        refused: now.refused.saturating_sub(since.refused),
        dropped: now.dropped.saturating_sub(since.dropped),
    }
}
