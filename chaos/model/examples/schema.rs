//! Prints the JSON Schema of scenarios, or of systems: `cargo run -p chaos-model --example schema scenario`.

use chaos_model::language::schema;
use std::process::ExitCode;

fn main() -> ExitCode {
    let schema = match std::env::args().nth(1).as_deref() {
        Some("scenario") => schema::scenario(),
        Some("system") => schema::system(),
        _ => {
            eprintln!("which: `scenario` or `system`?");
            return ExitCode::from(2);
        }
    };
    println!("{schema:#}");
    ExitCode::SUCCESS
}
