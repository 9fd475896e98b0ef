//! The built-in programs, by name: each is a function of a host, and knows nothing of chaos.

use futures_util::future::BoxFuture;
use host::Host;

/// What a program says when it can't go on.
pub(crate) type ProgramError = Box<dyn std::error::Error + Send + Sync>;

/// A program of this binary.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Host) -> BoxFuture<'static, Result<(), ProgramError>>,
}

/// All of them.
pub(crate) const PROGRAMS: [Program; 5] = [
    Program { name: "gateway", run: |host| Box::pin(async { Ok(gateway::run(host).await?) }) },
    Program { name: "user-service", run: |host| Box::pin(async { Ok(services::user::run(host).await?) }) },
    Program { name: "order-service", run: |host| Box::pin(async { Ok(services::order::run(host).await?) }) },
    Program { name: "product-service", run: |host| Box::pin(async { Ok(services::product::run(host).await?) }) },
    Program { name: "redis", run: |host| Box::pin(async { Ok(chaos_redis::run(host).await?) }) },
];

/// The program of this name.
pub(crate) fn find(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// All of them, for a simulation. There `redis` is the built-in one.
pub(crate) fn simulated() -> chaos_sim::Programs {
    let programs = PROGRAMS.iter().fold(chaos_sim::Programs::new(), |all, program| all.with(program.name, program.run));
    programs.with("redis-built-in", |host| async { Ok(chaos_redis::run(host).await?) })
}
