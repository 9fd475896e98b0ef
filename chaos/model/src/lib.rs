//! Vocabulary and language: a TOML file becomes a checked scenario, or diagnostics.
