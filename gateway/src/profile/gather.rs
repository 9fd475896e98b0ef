//! Gathers a profile: user and orders at once, then the products of those orders. It fails nowhere: what failed is in
//! what it returns.

use crate::{
    context::RequestContext,
    labels::{Code, Service},
    metrics::Metrics,
    planted::{Mistake, Planted},
    settings::Settings,
    upstream::{
        CallError, Target, Upstream,
        services::{self, BATCH_LIMIT, Batch, Json, Orders},
    },
    user_id::UserId,
};
use futures_util::{StreamExt as _, future, stream};
use host::Host;
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Batches of one response that are asked for at once.
const BATCHES_AT_ONCE: usize = 4;

/// The three services.
pub(crate) struct Upstreams {
    pub(crate) user: Arc<Upstream>,
    pub(crate) order: Arc<Upstream>,
    pub(crate) product: Arc<Upstream>,
    planted: Planted,
}

impl Upstreams {
    /// The services of the settings.
    pub(crate) fn new(host: &Host, settings: &Settings, metrics: &Arc<Metrics>, planted: &Planted) -> Self {
        let make = |service: Service| {
            let (base, timeout) = match service {
                Service::User => (settings.user_service_url.clone(), settings.user_timeout),
                Service::Order => (settings.order_service_url.clone(), settings.order_timeout),
                Service::Product => (settings.product_service_url.clone(), settings.product_timeout),
            };
            let target = Target { service, base, timeout, body_limit: settings.upstream_body_limit };
            Arc::new(Upstream::new(host, (target, planted), &settings.upstream, Arc::clone(metrics)))
        };
        let (user, order, product) = (make(Service::User), make(Service::Order), make(Service::Product));
        Self { user, order, product, planted: planted.clone() }
    }

    /// The upstream of `service`.
    pub(crate) fn of(&self, service: Service) -> &Arc<Upstream> {
        match service {
            Service::User => &self.user,
            Service::Order => &self.order,
            Service::Product => &self.product,
        }
    }
}

/// A value and how long it took.
#[derive(Debug)]
pub(crate) struct Timed<T> {
    pub(crate) value: T,
    pub(crate) took: Duration,
}

/// The parts that have come.
#[derive(Debug)]
pub(crate) enum Gathered {
    /// The user service knows that there is no such user.
    NoSuchUser {
        took: Duration,
    },
    Parts(Box<Parts>),
}

/// The parts, each with its own fate.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) user: Timed<Result<Json, CallError>>,
    pub(crate) orders: Timed<Result<Orders, CallError>>,
    /// The order service knows no such user: that is why there are none.
    pub(crate) orders_unknown: bool,
    /// `None` where there were no orders to ask for.
    pub(crate) products: Option<Timed<Products>>,
}

/// The products of all batches.
#[derive(Debug, Default)]
pub(crate) struct Products {
    pub(crate) found: Vec<Box<RawValue>>,
    /// Known to be missing.
    pub(crate) gone: Vec<String>,
    /// Asked for, and not spoken of in a good response.
    pub(crate) unanswered: Vec<String>,
    /// Batches that failed, with the ids that they asked for.
    pub(crate) failed: Vec<(CallError, Vec<String>)>,
    /// True where any batch was answered, or none was needed.
    pub(crate) answered: bool,
}

impl Gathered {
    /// Nothing has come, and time is over.
    pub(crate) fn late(after: Duration) -> Self {
        let late = |service| CallError { service, code: Code::DeadlineExceeded, attempts: 1, after };
        Self::Parts(Box::new(Parts {
            user: Timed { value: Err(late(Service::User)), took: after },
            orders: Timed { value: Err(late(Service::Order)), took: after },
            orders_unknown: false,
            products: None,
        }))
    }

    /// Failures that only show once all parts are there: no call counted them. An order service that knows no such user
    /// has failed only if the user service knows one, or can't say; a product service that says nothing of some ids has
    /// answered all the same.
    pub(crate) fn found_out_late(&self) -> Vec<(Service, Code)> {
        let Self::Parts(parts) = self else { return Vec::new() };
        let holes = parts.products.as_ref().is_some_and(|products| !products.value.unanswered.is_empty());
        let orders = parts.orders_unknown.then_some((Service::Order, Code::Status4xx));
        orders.into_iter().chain(holes.then_some((Service::Product, Code::BadPayload))).collect()
    }
}

/// Gathers the profile of `id` until `deadline`.
pub(crate) async fn gather(upstreams: &Upstreams, context: &RequestContext, deadline: Instant, id: UserId) -> Gathered {
    let started = Instant::now();
    // That there is no such user ends it at once: whatever else is under way is dropped.
    let user = async {
        let timed = timed(services::user(&upstreams.user, context, deadline, id)).await;
        match timed.value {
            Ok(None) => Err(()),
            Ok(Some(user)) => Ok(Timed { value: Ok(user), took: timed.took }),
            Err(_) if upstreams.planted.has(Mistake::SwallowedError) => {
                Ok(Timed { value: Ok(services::json_of("{}")), took: timed.took })
            }
            Err(error) => Ok(Timed { value: Err(error), took: timed.took }),
        }
    };
    let rest = async {
        let Timed { value, took } = {
            let _turn = upstreams.planted.turn().await;
            timed(services::orders(&upstreams.order, context, deadline, id)).await
        };
        let unknown = matches!(value, Ok(None));
        let missing = CallError { service: Service::Order, code: Code::Status4xx, attempts: 1, after: took };
        let orders = Timed { value: value.and_then(|orders| orders.ok_or(missing)), took };
        let products = match &orders.value {
            Ok(orders) => Some(timed(products(&upstreams.product, context, deadline, &orders.product_ids)).await),
            Err(_) => None,
        };
        Ok((orders, unknown, products))
    };
    match future::try_join(user, rest).await {
        Ok((user, (orders, orders_unknown, products))) => {
            Gathered::Parts(Box::new(Parts { user, orders, orders_unknown, products }))
        }
        Err(()) => Gathered::NoSuchUser { took: started.elapsed() },
    }
}

async fn timed<F: Future>(future: F) -> Timed<F::Output> {
    let started = Instant::now();
    Timed { value: future.await, took: started.elapsed() }
}

async fn products(
    upstream: &Arc<Upstream>,
    context: &RequestContext,
    deadline: Instant,
    ids: &Arc<[String]>,
) -> Products {
    let asked = batches(ids);
    let calls: Vec<_> =
        asked.iter().map(|ids| services::products(upstream, context, deadline, Arc::clone(ids))).collect();
    let answers: Vec<Result<Batch, CallError>> = stream::iter(calls).buffered(BATCHES_AT_ONCE).collect().await;
    Products::of(asked.iter().map(|ids| &**ids).zip(answers))
}

/// The ids in batches that the product service takes; nearly always it is one.
fn batches(ids: &Arc<[String]>) -> Vec<Arc<[String]>> {
    match ids.len() {
        0 => Vec::new(),
        1..=BATCH_LIMIT => vec![Arc::clone(ids)],
        _ => ids.chunks(BATCH_LIMIT).map(Arc::from).collect(),
    }
}

impl Products {
    /// Joins the results of all batches, each with the ids that it asked for.
    pub(super) fn of<'a>(batches: impl ExactSizeIterator<Item = (&'a [String], Result<Batch, CallError>)>) -> Self {
        let mut all = Self { answered: batches.len() == 0, ..Self::default() };
        for (ids, batch) in batches {
            match batch {
                Ok(batch) => {
                    all.answered = true;
                    all.found.extend(batch.found);
                    all.gone.extend(batch.gone);
                    all.unanswered.extend(batch.unanswered);
                }
                Err(error) => all.failed.push((error, ids.to_vec())),
            }
        }
        all
    }
}
