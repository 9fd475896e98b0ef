//! `chaos supervisor` and `chaos service`: what a local run starts first, and what each of its services is before its
//! program.

use crate::{args::Service, exit::Exit};
use chaos_supervise::supervisor::{SupervisorProgram, become_service, keep};

pub(crate) fn supervisor() -> Exit {
    // One thread: the kernel ties the services' death signal to the thread that started them.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("chaos supervisor: {error}");
            return Exit::Machine;
        }
    };
    let result = runtime.block_on(keep(SupervisorProgram::this()));
    // Standard input is read on a thread that can't be interrupted.
    runtime.shutdown_background();
    match result {
        Ok(()) => Exit::Pass,
        Err(error) => {
            eprintln!("chaos supervisor: {error}");
            Exit::Machine
        }
    }
}

pub(crate) fn service(args: &Service) -> Exit {
    let error = become_service(args.supervisor, args.cgroup.as_deref(), &args.command);
    eprintln!("{}: {error}", args.command.first().map_or("", String::as_str));
    Exit::Machine
}
