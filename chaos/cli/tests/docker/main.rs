//! The world `docker`: the whole command against a real engine. Where none answers, or the images are missing that
//! `scripts/images` makes, the tests are shown as ignored, with the reason; `CHAOS_DOCKER=require` turns that into a
//! failure.

mod attached;
mod compose;
mod conformance;
mod engine;
mod images;
mod levels;
mod limits;
mod orphans;
mod runs;
mod worlds;

#[expect(dead_code, reason = "what ends while it starts is for processes and simulations")]
#[expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#[path = "../worlds/body.rs"]
mod body;

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "../command/support/mod.rs"]
mod support;

use engine::Engine;
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::sync::{Arc, PoisonError, RwLock};

/// A test: its name, and what it does.
type Test = (&'static str, fn(Arc<Engine>) -> LocalBoxFuture<'static, ()>);

const TESTS: [Test; 30] = [
    ("redis_down: memory answers in the place of a real Redis", |engine| Box::pin(runs::redis_down(engine))),
    ("products_down: responses are partial, and complete again", |engine| Box::pin(runs::products_down(engine))),
    ("a Redis with a password is used, and forgets", |engine| Box::pin(runs::redis_with_a_password(engine))),
    ("an effect of each level does what it says", |engine| Box::pin(levels::one_of_each(engine))),
    ("a service that ends by another's hand is told of, and its log kept", |engine| {
        Box::pin(runs::a_service_dies(engine))
    }),
    ("an image is a service with proxies on its links", |engine| Box::pin(images::redis(engine))),
    ("an image listens where its port says, or where it exposes one", |engine| Box::pin(images::ports(engine))),
    ("an image that can't be a service is named, and nothing is made", |engine| Box::pin(images::refused(engine))),
    ("limits are there during their faults, and gone afterwards", |engine| Box::pin(limits::seen(engine))),
    ("a limit that can't be lifted is not said to be healed", |engine| Box::pin(limits::not_lifted(engine))),
    ("a limit that leaves a service all of its machine is refused", |engine| Box::pin(limits::none_at_all(engine))),
    ("a service that runs out of memory is told of", |engine| Box::pin(limits::out_of_memory(engine))),
    ("an image that is missing is named, and nothing is made", |engine| Box::pin(runs::no_image(engine))),
    ("a run that is killed leaves nothing after ten seconds", |engine| Box::pin(orphans::killed(engine))),
    ("a run that is killed while it starts leaves nothing", |engine| Box::pin(orphans::killed_starting(engine))),
    ("a run that is interrupted while it starts leaves nothing", |engine| Box::pin(orphans::interrupted(engine))),
    ("what a run leaves that nobody survived is found and removed", |engine| Box::pin(orphans::healed(engine))),
    ("a run whose supervisor is killed tidies by itself", |engine| Box::pin(orphans::supervisor_killed(engine))),
    ("the conformance suite of faults holds before a container", |engine| Box::pin(conformance::all(engine))),
    ("containers conform, as every runtime does", |engine| Box::pin(worlds::conform(engine))),
    ("the links of a Compose file break, and nothing of it changes", |engine| Box::pin(compose::links(engine))),
    ("the services of a Compose file are broken", |engine| Box::pin(compose::services(engine))),
    ("a killed run of a Compose file leaves nothing", |engine| Box::pin(compose::killed(engine))),
    ("a run of a Compose file that is killed while it starts leaves nothing", |engine| {
        Box::pin(compose::killed_starting(engine))
    }),
    ("a Compose file is looked at, and its first scenarios are written", |engine| {
        Box::pin(compose::initialised(engine))
    }),
    ("what can't be interposed in a Compose file is said before", |engine| Box::pin(compose::refused(engine))),
    ("attached services are broken and healed", |engine| Box::pin(attached::services_are_broken_and_healed(engine))),
    ("attached services lose nothing unless that is said", |engine| {
        Box::pin(attached::what_cannot_be_healed_needs_a_word(engine))
    }),
    ("a runner that is killed leaves no attached service broken", |engine| {
        Box::pin(attached::a_killed_runner_leaves_no_broken_service(engine))
    }),
    ("attached services are brought back without a supervisor too", |engine| {
        Box::pin(attached::without_a_supervisor(engine))
    }),
];

/// Tests that have the engine to themselves: in their runs it has to kill, stop and limit containers at the time that is asked, and
/// it is late where it starts or removes those of others.
const ALONE: [&str; 3] = [
    "an effect of each level does what it says",
    "the services of a Compose file are broken",
    "attached services are broken and healed",
];

fn main() {
    assert!(ALONE.iter().all(|alone| TESTS.iter().any(|(name, _)| name == alone)), "a test has another name");
    // Hundreds of connections, each with both of its ends here.
    host::tcp::open_as_many_as_allowed();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let engine = runtime.block_on(Engine::find()).map(Arc::new);
    #[expect(clippy::disallowed_methods, reason = "this is where the environment of these tests is read")]
    let is_required = std::env::var("CHAOS_DOCKER").is_ok_and(|value| value == "require");
    let turns = Arc::new(RwLock::new(()));
    let trial = |(name, test): Test| {
        let (engine, turns) = (engine.clone(), Arc::clone(&turns));
        Trial::ignorable_test(name, move || match engine {
            Ok(engine) => {
                // A test that failed leaves nothing half done here.
                let _alone = ALONE.contains(&name).then(|| turns.write().unwrap_or_else(PoisonError::into_inner));
                let _beside = (!ALONE.contains(&name)).then(|| turns.read().unwrap_or_else(PoisonError::into_inner));
                tokio::runtime::Runtime::new()?.block_on(test(engine));
                Ok(Completion::Completed)
            }
            Err(why) if is_required => Err(Failed::from(format!("CHAOS_DOCKER=require, and {why}"))),
            Err(why) => Ok(Completion::ignored_with(why)),
        })
    };
    libtest_mimic::run(&Arguments::from_args(), TESTS.map(trial).into()).exit();
}
