//! The world of `examples/world.rs` is one: it runs a scenario, and its faults are given.

#[path = "../examples/world.rs"]
mod world;

#[test]
fn a_world_of_ones_own_runs_a_scenario() {
    world::main().unwrap();
}
