//! Writes a world to a folder: `cargo run --example make_world -- demo|tiny|clean|FEE_LINES DIR`.

use std::path::PathBuf;

use yaojia_simulator::{SimError, WorldConfig, generate};

fn main() -> Result<(), SimError> {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap_or_else(|| "demo".into());
    let dir = PathBuf::from(args.next().unwrap_or_else(|| "world".into()));
    let cfg = match kind.as_str() {
        "demo" => WorldConfig::demo(),
        "tiny" => WorldConfig::tiny(7),
        "clean" => WorldConfig { noise: false, ..WorldConfig::demo() },
        seed if seed.starts_with("seed") => WorldConfig::tiny(seed[4..].parse().unwrap_or(1)),
        lines => WorldConfig::bench(7, lines.parse().unwrap_or(100_000)),
    };
    generate(&cfg)?.write(&dir).map(|_| ())
}
