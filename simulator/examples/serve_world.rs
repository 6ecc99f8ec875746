//! Serves a world's folder by hand: `cargo run --example serve_world -- DIR PORT none|mild|hostile`.

use std::path::PathBuf;
use std::sync::Arc;

use yaojia_simulator::server::{Mode, ServerConfig, serve};
use yaojia_simulator::{SimError, load_folder};

#[tokio::main]
async fn main() -> Result<(), SimError> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().unwrap_or_else(|| "world".into()));
    let port = args.next().and_then(|p| p.parse().ok()).unwrap_or(8088);
    let mode: Mode = args.next().unwrap_or_else(|| "none".into()).parse()?;
    let config = ServerConfig { addr: ([127, 0, 0, 1], port).into(), mode, ..ServerConfig::default() };
    let server = serve(Arc::new(load_folder(&dir, None)?), config).await?;
    // Until it is interrupted, and also where interrupts cannot be heard.
    let _ = tokio::signal::ctrl_c().await;
    server.shutdown().await;
    Ok(())
}
