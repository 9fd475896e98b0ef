//! From a checked scenario to events: provision, warm up, baseline, faults on their timeline, recovery, judgement,
//! tear-down. Where the system runs is a [`World`]'s business; what people see is the reports'.

mod blame;
mod edges;
mod events;
pub mod flush;
mod fold;
mod instances;
mod judge;
mod ledger;
mod observe;
pub mod ready;
mod redis;
mod responses;
mod run;
mod shown;
mod spared;
mod world;

pub use events::Events;
pub use observe::series_on;
pub use responses::Heard;
pub use run::{Ending, Options, run};
pub use world::{
    Address, AskReady, ComposedWorld, Death, Exit, Exits, Extra, Instance, InstanceId, InstanceState, LinkAddresses,
    Links, News, NotGiven, Notice, Offer, Question, Runtime, Site, Sites, TlsOnLinks, TornDown, Unfit, World,
    WorldError,
};
