//! Writes entries to Redis, off the request path, in the order in which they came.

use super::{Entry, key, link::Link};
use crate::{
    labels::{Miss, RedisAccess, RedisMode, Write},
    metrics::Metrics,
    user_id::UserId,
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use host::Host;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Writes on their way at once.
const AT_ONCE: usize = 32;

/// A write that was ordered.
pub(super) enum Order {
    Put(Arc<Entry>),
    PutIfAbsent(Arc<Entry>),
    Forget(UserId),
}

impl Order {
    /// The command that it becomes.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Put(_) | Self::PutIfAbsent(_) => "SET",
            Self::Forget(_) => "DEL",
        }
    }
}

pub(super) struct Writer {
    pub(super) host: Host,
    pub(super) link: Arc<Link>,
    pub(super) timeout: Duration,
    /// Entries stay for as long as they may be shown in need, and not only while they are fresh.
    pub(super) keeps_stale: bool,
    pub(super) metrics: Arc<Metrics>,
    /// Once cancelled, no more orders are taken; those in the queue are still carried out.
    pub(super) closing: CancellationToken,
}

impl Writer {
    pub(super) async fn run(self, mut orders: mpsc::Receiver<Order>) {
        let mut under_way = FuturesUnordered::new();
        let mut closed = false;
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled(), if !closed => {
                    closed = true;
                    orders.close();
                }
                Some(result) = under_way.next(), if !under_way.is_empty() => self.metrics.write(result),
                order = orders.recv(), if under_way.len() < AT_ONCE => match order {
                    Some(order) => under_way.push(self.write(order)),
                    None => break,
                },
            }
        }
        while let Some(result) = under_way.next().await {
            self.metrics.write(result);
        }
    }

    /// `None` for an entry that has no time left.
    fn command(&self, order: &Order) -> Option<redis::Cmd> {
        let (entry, only_if_absent) = match order {
            Order::Put(entry) => (entry, false),
            Order::PutIfAbsent(entry) => (entry, true),
            Order::Forget(user) => {
                let mut command = redis::cmd(order.operation());
                command.arg(key(*user));
                return Some(command);
            }
        };
        // The key ends with the entry: the time in the queue is part of its age.
        let ends = if self.keeps_stale { entry.stale_until() } else { entry.fresh_until() };
        let left = ends.saturating_sub(self.host.unix_now()).as_millis();
        let mut command = redis::cmd(order.operation());
        command.arg(key(entry.user)).arg(entry.encode()).arg("PX").arg(left.to_string());
        if only_if_absent {
            command.arg("NX");
        }
        (left > 0).then_some(command)
    }

    async fn write(&self, order: Order) -> Write {
        let Some(live) = self.link.current() else { return Write::Down };
        if self.link.mode(RedisAccess::Write) == RedisMode::Open {
            return Write::Down;
        }
        let Some(command) = self.command(&order) else { return Write::Expired };
        let done = match live.ask(&command, self.timeout).await {
            Ok(redis::Value::Okay) => Ok(()),
            Ok(redis::Value::Nil) if matches!(order, Order::PutIfAbsent(_)) => Ok(()),
            Ok(redis::Value::Int(_)) if matches!(order, Order::Forget(_)) => Ok(()),
            // It is the reply to something else.
            Ok(_) => {
                live.suspect();
                Err(Miss::OutOfStep)
            }
            Err(reason) => Err(reason),
        };
        let Err(reason) = done else {
            self.link.succeeded(RedisAccess::Write);
            return Write::Ok;
        };
        self.link.failed(RedisAccess::Write, &live, reason);
        match reason {
            Miss::Timeout => Write::Timeout,
            Miss::Reset | Miss::Protocol | Miss::OutOfStep => Write::Error,
            _ => Write::ServerError,
        }
    }
}
