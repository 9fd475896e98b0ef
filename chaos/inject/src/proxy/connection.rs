//! The life of a connection: accepted, the service dialled, both directions pumped, ended.

use super::{
    adapter::{Adapter, Adapting},
    alarm::Alarm,
    budget::Budgets,
    discard,
    first_words::FirstWords,
    lingering_close,
    mute::Acquaintance,
    pump::{Pump, PumpState},
    shared::{OpenConnection, Rules, Shared, Target},
    unread::{Chunks, Unread},
};
use crate::{
    LayeredConnection,
    active::Active,
    ending::Ending,
    interpreter::{Interpreter, Plan},
    wire::{self, ProxySide},
};
use chaos_model::{Direction, Directions};
use futures_util::future::BoxFuture;
use host::{Halves, Host, Stream};
use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

pub(super) struct Connection {
    plan: Plan,
    budgets: Budgets,
    /// Reads along where the link's protocol is known.
    adapter: Option<Adapter>,
    unread: Unread,
    /// The words with the service, since that was reached.
    acquaintance: Acquaintance,
    first_words: FirstWords,
    up: Pump,
    down: Pump,
    alarm: Alarm,
    open: OpenConnection,
    /// The layer below the protocol; none where that is TCP itself.
    layer: Option<Arc<dyn LayeredConnection>>,
    rules: Arc<Rules>,
    /// The rules of before, kept until what the new ones ask for is done.
    replaced: Option<Arc<Rules>>,
    /// The filter has not heard yet that there are other rules.
    has_changed: bool,
    /// A fault that threw bytes away is over, and the connection ends like this.
    is_torn: Option<Ending>,
}

/// Ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// In good order.
    Closed,
    /// With a reset, on both sides.
    Reset,
    /// By a fault, before the service is dialled: the client is sent this error.
    TurnedAway(&'static str),
    /// By a fault, once all its bytes have passed in this direction.
    Spent(Ending, Directions),
    /// By the service alone, before a word: the client does not learn of it yet.
    Left(Ending),
}

impl Connection {
    /// A connection that was just accepted.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let (open, rules) = OpenConnection::enter(shared);
        let pump = |direction| Pump::new(direction, shared.epoch, &shared.pool, &shared.bytes);
        let (up, down) = (pump(Direction::Upstream), pump(Direction::Downstream));
        let alarm = Alarm::new(shared.host.clone());
        let plan = Interpreter::default().on_connection(open.connection);
        let (adapter, budgets) = (Adapter::of(shared.protocol), Budgets::default());
        let (unread, acquaintance) = (Unread::default(), Acquaintance::default());
        let first_words = FirstWords::of(shared.protocol);
        let layer = shared.layer.as_ref().map(|layer| layer.connection().into());
        let (replaced, has_changed, is_torn) = (None, false, None);
        let mut this = Self {
            plan,
            budgets,
            adapter,
            unread,
            acquaintance,
            first_words,
            up,
            down,
            alarm,
            open,
            layer,
            rules,
            replaced,
            has_changed,
            is_torn,
        };
        this.follow_rules();
        this
    }

    /// Serves it to its end.
    pub(super) async fn run(mut self, client: Stream) {
        let client = match &self.layer {
            Some(layer) => layer.client(client),
            None => client,
        };
        let mut client = self.watched(client, ProxySide::Client);
        let mut dial = None;
        let (end, upstream) = loop {
            let mut upstream = match self.dial(&mut client, dial).await {
                Ok(upstream) => self.watched(upstream, ProxySide::Service),
                Err(end) => break (end, None),
            };
            match self.pump_both(&mut client, &mut upstream).await {
                End::Left(ending) => dial = Dial::in_vain(&self.open.shared, ending),
                end => break (end, Some(upstream)),
            }
        };
        self.note_handshake();
        match end {
            End::Closed | End::Left(_) => {}
            End::TurnedAway(error) => {
                let Self { open, rules, .. } = self;
                return lingering_close::turn_away(&open, rules, client, error).await;
            }
            End::Reset => {
                client.abort();
                upstream.into_iter().for_each(Stream::abort);
            }
            End::Spent(ending, direction) => {
                let Self { open, rules, .. } = self;
                return lingering_close::end(&open, rules, (client, upstream), ending, direction).await;
            }
        }
        // Only now are the rules let go of, with `self`: a fault that resets holds when its resets are sent.
    }

    /// The stream, with what passes on it told to whoever listens.
    fn watched(&self, stream: Stream, side: ProxySide) -> Stream {
        let shared = &self.open.shared;
        wire::watch(stream, shared.protocol, &shared.link, self.open.connection.nth, side)
    }

    /// Dials the service, as soon as it is known where that is. Reads ahead meanwhile, so that a client that resets ends the
    /// dial, and gives what a filter answers in the service's place, whether that can be reached or not. `dial` is an attempt
    /// that there was before.
    async fn dial(&mut self, client: &mut Stream, mut dial: Option<Dial>) -> Result<Stream, End> {
        let mut client = client.split();
        self.acquaintance = Acquaintance::default();
        poll_fn(|cx| self.poll_dial(cx, &mut client, &mut dial)).await
    }

    fn poll_dial(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Halves<'_>,
        dial: &mut Option<Dial>,
    ) -> Poll<Result<Stream, End>> {
        loop {
            if let Poll::Ready(end) = self.poll_rules(cx) {
                return Poll::Ready(Err(end));
            }
            self.tell_of_change(cx);
            if let Some((error, fault)) = self.plan.turns_away()
                && !self.withholds(Direction::Downstream)
            {
                fault.tally.close();
                self.note_end(fault);
                return Poll::Ready(Err(End::TurnedAway(error)));
            }
            if let Poll::Ready(end) = self.poll_client(cx, client) {
                return Poll::Ready(Err(end));
            }
            let target = self.open.shared.state().target.clone();
            // Whoever is turned away reaches no service, however long a fault holds that up.
            if self.plan.turns_away().is_some() {
                *dial = None;
                ready!(self.poll_alarm(cx));
                continue;
            }
            if self.is_answered() && (self.down.chunks() > 0 || target.is_none()) {
                return Poll::Ready(Err(End::Closed));
            }
            if dial.as_ref().map(|dial| &dial.target) != target.as_ref() {
                *dial = target.map(|target| self.new_dial(target, self.up.has_bytes()));
            }
            if let Some(failing) = dial {
                match failing.poll(cx, &self.open.shared) {
                    Poll::Ready(Some(upstream)) => return Poll::Ready(Ok(upstream)),
                    // Now there is something for the service, which may live by now.
                    Poll::Ready(None) if self.may_answer() && self.up.has_bytes() && !failing.was_needed => {
                        *dial = Some(self.new_dial(failing.target.clone(), true));
                        continue;
                    }
                    Poll::Ready(None) => {
                        if let Some(end) = self.unreachable(failing.ending) {
                            return Poll::Ready(Err(end));
                        }
                    }
                    Poll::Pending => {}
                }
            }
            ready!(self.poll_alarm(cx));
        }
    }

    fn new_dial(&self, target: Target, was_needed: bool) -> Dial {
        Dial::new(&self.open.shared.host, self.layer.clone(), target, was_needed)
    }

    /// Reads ahead, and writes what a filter answers itself; ready where the client has gone, or the filter's response was the last.
    fn poll_client(&mut self, cx: &mut Context<'_>, client: &mut Halves<'_>) -> Poll<End> {
        let (interpreter, now) = (&self.rules.interpreter, self.open.shared.now());
        let (tally, other) = (&self.open.shared.tally, &mut self.down);
        let mut adapting = self.adapter.as_mut().map(|adapter| Adapting { adapter, other, interpreter, tally, now });
        let mut from = self.first_words.hears(&mut client.0, Direction::Upstream, tally);
        if self.up.poll_ahead(cx, &mut from, &self.plan, adapting.as_mut()) {
            return Poll::Ready(End::Closed);
        }
        let was_full = self.down.is_full();
        let (tally, other) = (&self.open.shared.tally, &mut self.up);
        let mut adapting = self.adapter.as_mut().map(|adapter| Adapting { adapter, other, interpreter, tally, now });
        self.down.poll_out(cx, &mut client.1, &self.plan, &mut self.budgets, adapting.as_mut());
        if was_full && !self.down.is_full() {
            cx.waker().wake_by_ref();
        }
        self.count_unread();
        if let Poll::Ready(end) = self.poll_budgets() {
            return Poll::Ready(end);
        }
        match self.down.state() {
            PumpState::Cut(ending) => Poll::Ready(End::Spent(ending, Directions::Downstream)),
            PumpState::Broken | PumpState::Reset | PumpState::Finished => Poll::Ready(End::Closed),
            PumpState::Open => Poll::Pending,
        }
    }

    /// Tells whether the client has said its last, and none of it is for the service.
    fn is_answered(&self) -> bool {
        self.up.has_end() && !self.up.has_bytes() && self.down.is_empty()
    }

    /// Tells whether a filter may answer what comes in the service's place.
    fn may_answer(&self) -> bool {
        let is_read = self.adapter.as_ref().is_some_and(|adapter| !adapter.is_over());
        is_read && self.rules.interpreter.faults.iter().any(|fault| fault.is_of_messages())
    }

    /// The end of a connection whose service can't be reached, once its client is to see that: not before what filters answer
    /// has gone, and not while they may answer all that comes.
    fn unreachable(&self, ending: Ending) -> Option<End> {
        if self.is_answered() {
            return Some(End::Closed);
        }
        // A held connection doesn't learn of it.
        let may_come = !self.down.is_empty() || (self.may_answer() && !self.up.has_bytes());
        if may_come || self.withholds(Direction::Downstream) {
            return None;
        }
        Some(End::Spent(ending, Directions::Downstream))
    }

    /// Moves bytes both ways until both have ended.
    async fn pump_both(&mut self, client: &mut Stream, upstream: &mut Stream) -> End {
        let (mut client, mut upstream) = (client.split(), upstream.split());
        poll_fn(|cx| self.poll_pump(cx, &mut client, &mut upstream)).await
    }

    fn poll_pump(&mut self, cx: &mut Context<'_>, client: &mut Halves<'_>, upstream: &mut Halves<'_>) -> Poll<End> {
        loop {
            if let Poll::Ready(end) = self.poll_rules(cx) {
                return Poll::Ready(end);
            }
            self.tell_of_change(cx);
            // A filter that is lost may hold what waits yet.
            let holds = |this: &Self| this.up.has_gates() || this.down.has_gates();
            if self.adapter.as_ref().is_some_and(Adapter::is_over) && !holds(self) {
                self.adapter = None;
            }
            self.poll_up(cx, client, upstream);
            if self.up.state() == PumpState::Broken {
                self.down.cut();
            }
            self.poll_down(cx, client, upstream);
            if let Some(ending) = self.acquaintance.left() {
                return Poll::Ready(End::Left(ending));
            }
            if self.down.state() == PumpState::Broken {
                self.up.cut();
            }
            // What came down may have let something go up, or made room for it; and that again for what comes down.
            if self.down.state() == PumpState::Broken || self.up.is_asked(&self.down) {
                self.poll_up(cx, client, upstream);
            }
            if self.down.is_asked(&self.up) {
                cx.waker().wake_by_ref();
            }
            if let Poll::Ready(end) = self.poll_budgets() {
                return Poll::Ready(end);
            }
            match (self.up.state(), self.down.state()) {
                (PumpState::Reset, _) | (_, PumpState::Reset) => return Poll::Ready(End::Reset),
                (_, PumpState::Cut(ending)) => return Poll::Ready(End::Spent(ending, Directions::Downstream)),
                (PumpState::Cut(ending), _) => return Poll::Ready(End::Spent(ending, Directions::Upstream)),
                (PumpState::Finished, PumpState::Finished) => return Poll::Ready(End::Closed),
                // What the other side sent before it reset has still been passed on.
                (PumpState::Broken, PumpState::Finished | PumpState::Broken)
                | (PumpState::Finished, PumpState::Broken) => {
                    return Poll::Ready(End::Reset);
                }
                (PumpState::Open, _) | (_, PumpState::Open) => {}
            }
            ready!(self.poll_alarm(cx));
        }
    }

    fn poll_up(&mut self, cx: &mut Context<'_>, client: &mut Halves<'_>, upstream: &mut Halves<'_>) {
        let (interpreter, now) = (&self.rules.interpreter, self.open.shared.now());
        let (tally, other) = (&self.open.shared.tally, &mut self.down);
        let mut adapting = self.adapter.as_mut().map(|adapter| Adapting { adapter, other, interpreter, tally, now });
        let from = &mut self.first_words.hears(&mut client.0, Direction::Upstream, tally);
        let to = &mut self.acquaintance.tells(&mut upstream.1);
        self.up.poll(cx, from, to, &self.plan, &mut self.budgets, adapting.as_mut());
        self.count_unread();
    }

    /// Lets the filter go by the rules that hold now: what it held for others is put into the pumps, which are polled next.
    fn tell_of_change(&mut self, cx: &mut Context<'_>) {
        let Some(adapter) = self.adapter.as_mut().filter(|_| std::mem::take(&mut self.has_changed)) else { return };
        let (interpreter, now, tally) = (&self.rules.interpreter, self.open.shared.now(), &self.open.shared.tally);
        let other = &mut self.up;
        Adapting { adapter: &mut *adapter, other, interpreter, tally, now }.changed(&mut self.down, cx, &self.plan);
        let other = &mut self.down;
        Adapting { adapter, other, interpreter, tally, now }.changed(&mut self.up, cx, &self.plan);
        self.count_unread();
    }

    /// Faults on messages count the connection where it can't be read and the client sends something.
    fn count_unread(&mut self) {
        let chunks = Chunks { up: self.up.chunks(), down: self.down.chunks() };
        if let Some((why, is_counted)) = self.adapter.as_ref().and_then(Adapter::unreadable) {
            self.unread.begin(why, is_counted, chunks);
        }
        self.unread.sent(chunks, &self.rules.interpreter);
    }

    fn poll_down(&mut self, cx: &mut Context<'_>, client: &mut Halves<'_>, upstream: &mut Halves<'_>) {
        // Nothing is under way to the service, which filters may answer for.
        let is_stood_in_for = self.may_answer() && !self.up.has_bytes();
        let (interpreter, now) = (&self.rules.interpreter, self.open.shared.now());
        let (tally, other) = (&self.open.shared.tally, &mut self.up);
        let mut adapting = self.adapter.as_mut().map(|adapter| Adapting { adapter, other, interpreter, tally, now });
        let from = self.acquaintance.hears(&mut upstream.0, is_stood_in_for);
        let (from, to) = (&mut self.first_words.hears(from, Direction::Downstream, tally), &mut client.1);
        self.down.poll(cx, from, to, &self.plan, &mut self.budgets, adapting.as_mut());
        self.count_unread();
    }

    /// Counts what faults have done while hands were shaken.
    fn note_handshake(&self) {
        if !self.layer.as_ref().is_some_and(|layer| layer.has_acted()) {
            return;
        }
        let (now, nth) = (self.open.shared.now(), self.open.connection.nth);
        for fault in self.plan.on_handshakes() {
            fault.tally.message(0);
            fault.ledger.connection(now.saturating_sub(fault.applied), nth, None);
        }
    }

    /// Goes by the rules that hold now; ready where they end the connection.
    fn poll_rules(&mut self, cx: &Context<'_>) -> Poll<End> {
        self.note_handshake();
        self.open.register(cx);
        let shared = &self.open.shared;
        if !shared.is_current(self.rules.generation) {
            let rules = Arc::clone(&shared.state().rules);
            self.replaced = Some(std::mem::replace(&mut self.rules, rules));
            self.has_changed = true;
            self.follow_rules();
        }
        if self.rules.stopped {
            return Poll::Ready(End::Closed);
        }
        match self.plan.reset() {
            Some((at, fault)) if at <= self.open.shared.now() => {
                fault.tally.reset();
                self.note_end(fault);
                Poll::Ready(End::Reset)
            }
            _ if self.is_torn.is_some() || self.plan.discarding().next().is_some() => self.poll_discarding(),
            _ => self.poll_budgets(),
        }
    }

    /// Ready where throwing bytes away ends the connection: by its time, or since it is over.
    fn poll_discarding(&self) -> Poll<End> {
        if let Some(ending) = self.is_torn {
            return Poll::Ready(End::Spent(ending, Directions::Both));
        }
        let now = self.open.shared.now();
        let due = discard::next_end(&self.plan, &self.up, &self.down).filter(|end| end.at <= now);
        let Some(discard::DueEnd { fault, ending, .. }) = due else { return self.poll_budgets() };
        self.note_end(fault);
        match ending {
            Ending::Reset => {
                fault.tally.reset();
                Poll::Ready(End::Reset)
            }
            Ending::Close => {
                fault.tally.close();
                Poll::Ready(End::Spent(ending, Directions::Both))
            }
        }
    }

    /// Takes the plan that the rules make.
    fn follow_rules(&mut self) {
        let interpreter = &self.rules.interpreter;
        let plan = interpreter.on_connection(self.open.connection);
        let known = self.plan.met();
        let now = self.open.shared.now();
        self.is_torn = self.is_torn.or_else(|| discard::torn(&self.plan, &plan, &self.up, &self.down));
        for fault in plan.met().iter().filter(|fault| !known.iter().any(|old| old.is(fault))) {
            fault.tally.connection();
            // Delays are written down chunk by chunk, ends when they come, and what messages meet with each of them.
            let later = fault.stream.delay.is_some()
                || fault.stream.tls.is_of_handshakes()
                || fault.stream.cut.is_some()
                || self.adapter.as_ref().is_some_and(Adapter::tells);
            if !later {
                fault.ledger.connection(now.saturating_sub(fault.applied), self.open.connection.nth, None);
            }
        }
        self.up.judge(&self.plan, &plan, &interpreter.faults);
        self.down.judge(&self.plan, &plan, &interpreter.faults);
        self.unread.forget(interpreter);
        self.budgets.set(&plan);
        self.plan = plan;
        if let Some(layer) = &self.layer {
            layer.act(self.plan.tls());
        }
    }

    /// Ready where a fault's bytes have all passed.
    fn poll_budgets(&self) -> Poll<End> {
        let Some((fault, ending, direction)) = self.budgets.spent() else { return Poll::Pending };
        match ending {
            Ending::Reset => fault.tally.reset(),
            Ending::Close => fault.tally.close(),
        }
        self.note_end(fault);
        Poll::Ready(End::Spent(ending, direction))
    }

    /// A fault ends the connection: the messages on it meet that.
    fn note_end(&self, fault: &Active) {
        let (at, nth) = (self.open.shared.now().saturating_sub(fault.applied), self.open.connection.nth);
        let Some(mut messages) = self.adapter.as_ref().and_then(Adapter::under_way) else {
            return fault.ledger.connection(at, nth, None);
        };
        // Messages that were answered, and whose responses wait for faults.
        for attribution in self.down.messages() {
            if !messages.contains(attribution) {
                messages.push(attribution.clone());
            }
        }
        if messages.is_empty() {
            return fault.ledger.idle(at, nth);
        }
        messages.iter().for_each(|attribution| fault.ledger.bytes(at, nth, attribution, None));
    }

    /// Tells whether nothing passes this way now.
    fn withholds(&self, direction: Direction) -> bool {
        self.plan.on(direction).holds || self.plan.opens().is_some_and(|opens| opens > self.open.shared.now())
    }

    /// Ready when it is time to look again. What the rules ask for now is done by then.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.replaced = None;
        let shared = &self.open.shared;
        let reset = self.plan.reset().map(|(at, _)| at);
        let opens = self.plan.opens().filter(|opens| *opens > shared.now());
        let discards = discard::next_end(&self.plan, &self.up, &self.down).map(|end| end.at);
        let at: Option<Duration> = [reset, opens, discards, self.up.due(), self.down.due()].into_iter().flatten().min();
        self.alarm.poll(cx, at.and_then(|at| shared.epoch.checked_add(at)))
    }
}

/// An attempt to reach the service.
struct Dial {
    target: Target,
    /// There was something for the service when it began.
    was_needed: bool,
    /// None once it has failed.
    attempt: Option<BoxFuture<'static, io::Result<Stream>>>,
    /// The end that the client sees where it fails: as if refused, though the kernel has shaken hands already.
    ending: Ending,
}

impl Dial {
    fn new(host: &Host, layer: Option<Arc<dyn LayeredConnection>>, target: Target, was_needed: bool) -> Self {
        let (host, Target { host: name, port }) = (host.clone(), target.clone());
        let attempt: BoxFuture<'static, _> = Box::pin(async move {
            let stream = host.dial(&name, port).await?;
            match layer {
                Some(layer) => layer.service(stream).await,
                None => Ok(stream),
            }
        });
        Self { target, was_needed, attempt: Some(attempt), ending: Ending::Reset }
    }

    /// One of a service that was reached and has left like this, with nothing for it under way.
    fn in_vain(shared: &Shared, ending: Ending) -> Option<Self> {
        let target = shared.state().target.clone()?;
        shared.tell_unreachable(&target, &io::Error::other("it ended the connection before a word was said"));
        Some(Self { target, was_needed: false, attempt: None, ending })
    }

    /// Ready with nothing where the service can't be reached; it may be asked again.
    fn poll(&mut self, cx: &mut Context<'_>, shared: &Shared) -> Poll<Option<Stream>> {
        let Some(attempt) = &mut self.attempt else { return Poll::Ready(None) };
        let result = ready!(attempt.as_mut().poll(cx));
        self.attempt = None;
        if let Err(error) = &result {
            shared.tell_unreachable(&self.target, error);
        }
        Poll::Ready(result.ok())
    }
}
