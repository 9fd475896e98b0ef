//! The offers of all worlds of this crate, known also where one of them is not built in.

use chaos_model::{Start, effect::action::ServiceAction};
use chaos_run::{Extra, NotGiven, Offer, Runtime as _, TlsOnLinks, Unfit};

/// The offers of the worlds of this crate.
pub const OFFERS: [Offer; 3] = [crate::local::LocalRuntime::OFFER, DOCKER, crate::attach::AttachedRuntime::OFFER];

/// The offer of the world `docker`. Here, so that scenarios can name it where it is not built in.
pub(crate) const DOCKER: Offer =
    Offer { name: "docker", runs: containers_run, has: containers_have, does: containers_do, tls: TlsOnLinks::Passed };

/// Services that run as containers.
fn containers_run(start: &Start) -> Result<(), Unfit> {
    match start {
        Start::Command(_) => Err(Unfit {
            what: "runs a command, and containers run images",
            advice: "`--world local` runs it; beside `image = \"...\"`, a command is what the container runs",
        }),
        Start::Program(_) | Start::Image(_) | Start::Address(_) | Start::Compose(_) => Ok(()),
    }
}

/// Things beside their images that containers have.
fn containers_have(extra: Extra) -> Result<(), Unfit> {
    let advice = "`ready = \"GET /health\"` and `\"tcp\"` ask a container; `--world local` runs commands";
    match extra {
        Extra::Errands => Err(Unfit {
            what: "has commands for its setup or teardown, and containers run images",
            advice: "`--world local` runs them; an image can have them in its entry point",
        }),
        Extra::ReadyCommand => Err(Unfit { what: "is ready by a command, and containers run images", advice }),
        Extra::ReadyLog => Ok(()),
    }
}

/// Actions on containers: all that there are.
fn containers_do(_: ServiceAction) -> Result<(), NotGiven> {
    Ok(())
}
