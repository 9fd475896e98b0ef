//! Prints the JSON Schema of a kind of file: `cargo run -p chaos-model --example schema scenario`, or `system`,
//! `attach`,
//! `proxies`.

use chaos_model::{
    Protocol,
    language::{Known, schema},
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let schema = match std::env::args().nth(1).as_deref() {
        Some("scenario") => schema::scenario(&Known::BUILT_IN),
        Some("system") => schema::system(&Known::BUILT_IN),
        Some("attach") => schema::attach(),
        Some("proxies") => schema::proxies(Protocol::ALL),
        _ => {
            eprintln!("which: `scenario`, `system`, `attach` or `proxies`?");
            return ExitCode::from(2);
        }
    };
    println!("{schema:#}");
    ExitCode::SUCCESS
}
