//! Prints the documentation's page of protocols.

use chaos_model::{Protocol, protocol};

fn main() {
    print!("{}", protocol::markdown(Protocol::ALL));
}
