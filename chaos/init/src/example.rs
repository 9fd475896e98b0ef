//! The tutorial's shop and its stock, for whoever has no system at hand: two files, and the commands that start them.

/// Files of the example, each with its text.
pub const EXAMPLE: [(&str, &str); 3] = [
    ("shop.py", include_str!("example/shop.py")),
    ("stock.json", include_str!("example/stock.json")),
    ("Procfile", include_str!("example/Procfile")),
];
