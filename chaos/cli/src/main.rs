//! The `chaos` command, with the programs of the bundled system (feature `bundled`) and the built-in Redis.

use chaos_cli::{Bundle, Program};
use std::process::ExitCode;

/// The allocator: a simulation asks for memory some 160 times a request, and soon gives it back.
// A simulation takes seven eighths of the time with it, and about twice the memory; it is built from C. So it can be
// left out.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The built-in programs, by name: each is a function of a host, and knows nothing of chaos.
// Redis comes with every build: the proxy's codec brings its crate anyway.
const PROGRAMS: &[Program] = &[
    #[cfg(feature = "bundled")]
    Program { name: "gateway", run: |host| Box::pin(async { Ok(gateway::run(host).await?) }) },
    #[cfg(feature = "bundled")]
    Program { name: "user-service", run: |host| Box::pin(async { Ok(services::user::run(host).await?) }) },
    #[cfg(feature = "bundled")]
    Program { name: "order-service", run: |host| Box::pin(async { Ok(services::order::run(host).await?) }) },
    #[cfg(feature = "bundled")]
    Program { name: "product-service", run: |host| Box::pin(async { Ok(services::product::run(host).await?) }) },
    Program { name: "redis", run: |host| Box::pin(async { Ok(chaos_redis::run(host).await?) }) },
];

fn main() -> ExitCode {
    chaos_cli::main(Bundle { programs: PROGRAMS, ..Bundle::NONE })
}
