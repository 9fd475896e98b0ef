//! Events to a terminal, to JSON lines: folds without a clock.
