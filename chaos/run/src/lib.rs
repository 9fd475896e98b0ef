//! Runs a scenario in a world: phases, faults, load, observation, expectations, verdict.
