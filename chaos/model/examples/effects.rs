//! Prints the documentation's page of effects.

fn main() {
    print!("{}", chaos_model::effect::markdown());
}
