//! Prints the documentation's page of checks.

fn main() {
    print!("{}", chaos_model::check::markdown(chaos_model::check::CHECKS));
}
