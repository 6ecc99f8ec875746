//! `yaojia simulate`: the procurement platform, as badly behaved as wished, over a made world or a folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;
use yaojia_connectors::kit::secret::SecretRef;
use yaojia_simulator::server::{Dialect, Mode, ServerConfig, Signing, serve};
use yaojia_simulator::{PlatformData, WorldConfig, generate, load_folder};

use super::{App, CliError, ExitStatus};
use crate::clock::parse_instant;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Serve this folder (platform/*.jsonl, aliases.json) in place of a made world
    #[arg(long, value_name = "DIR", conflicts_with_all = ["write", "world_seed", "months", "size"])]
    pub world: Option<PathBuf>,
    /// Rows published later do not exist yet
    #[arg(long, value_name = "INSTANT")]
    pub until: Option<String>,
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8088")]
    pub addr: SocketAddr,
    /// What it speaks; zj is always signed
    #[arg(long, value_enum, default_value = "tps")]
    pub dialect: DialectArg,
    /// How badly it behaves
    #[arg(long, value_enum, default_value = "none")]
    pub mode: Behaviour,
    /// Rows a page; in zj the most a caller may ask for
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub page_size: usize,
    /// The longest window it answers, in days
    #[arg(long, value_name = "N")]
    pub max_window_days: Option<u32>,
    /// The last page it gives of a window
    #[arg(long, value_name = "N")]
    pub max_pages: Option<usize>,
    /// How calls of dialect tps must be signed
    #[arg(long, value_enum, default_value = "none")]
    pub signing: SigningArg,
    /// The account that signs: x-tif-paasid, or x-ca-key in zj
    #[arg(long, value_name = "ID", default_value = "yaojia")]
    pub paasid: String,
    /// The secret of signatures, `env:NAME` or `file:PATH` [default: the word yaojia-demo-secret]
    #[arg(long, value_name = "REF")]
    pub secret: Option<String>,
    /// Bad behaviour follows from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub mode_seed: u64,
    /// Write the made world to this folder too (platform/, exports/, aliases.json, expected_silver.json)
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Only write it, serve nothing
    #[arg(long, requires = "write")]
    pub no_serve: bool,
    /// The made world follows from this number
    #[arg(long = "seed", value_name = "N")]
    pub world_seed: Option<u64>,
    /// Months of the made world
    #[arg(long, value_name = "N")]
    pub months: Option<u32>,
    /// First month of the made world
    #[arg(long, value_name = "yyyy-MM")]
    pub first_month: Option<String>,
    /// Size of the made world
    #[arg(long, value_enum)]
    pub size: Option<Size>,
    /// Fee lines of a world of size bench
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub fee_lines: u64,
    /// A made world without dirt
    #[arg(long)]
    pub clean: bool,
}

/// What the platform speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DialectArg {
    /// The provincial platform: token in the body, page size of its own
    Tps,
    /// 两定平台: HMAC-SM3 headers, current and size, a result per line
    Zj,
}

/// How badly the platform behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Behaviour {
    /// Not at all
    None,
    /// A fault now and then
    Mild,
    /// Faults all the time
    Hostile,
}

/// How calls must be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SigningArg {
    /// Not at all
    None,
    /// The gateway's x-tif-* headers
    Tif,
}

/// Size of a made world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// Two counties, three months
    Tiny,
    /// Nine counties, six months
    Demo,
    /// Nine counties, one month, as many fee lines as wished
    Bench,
}

impl SimulateArgs {
    /// The recipe of the made world.
    fn recipe(&self) -> WorldConfig {
        let mut recipe = match self.size.unwrap_or(Size::Demo) {
            Size::Tiny => WorldConfig::tiny(7),
            Size::Demo => WorldConfig::demo(),
            Size::Bench => WorldConfig::bench(7, self.fee_lines),
        };
        recipe.seed = self.world_seed.unwrap_or(recipe.seed);
        recipe.months = self.months.unwrap_or(recipe.months);
        if let Some(month) = &self.first_month {
            recipe.first_month.clone_from(month);
        }
        recipe.noise &= !self.clean;
        recipe
    }

    fn server(&self) -> Result<ServerConfig, CliError> {
        let until = self
            .until
            .as_deref()
            .map(parse_instant)
            .transpose()
            .map_err(|why| CliError::usage(format!("`--until`: {why}"), "for example --until 2024-07-03T02:00:00"))?;
        let secret = || match &self.secret {
            Some(reference) => Ok(SecretRef::parse(reference)?.resolve()?.expose().to_owned()),
            None => Ok::<_, CliError>("yaojia-demo-secret".to_owned()),
        };
        let (base, signing) = match (self.dialect, self.signing) {
            (DialectArg::Tps, SigningArg::None) => (ServerConfig::default(), Signing::None),
            (DialectArg::Tps, SigningArg::Tif) => {
                (ServerConfig::default(), Signing::Tif { paasid: self.paasid.clone(), secret: secret()? })
            }
            (DialectArg::Zj, SigningArg::None) => (ServerConfig::zj(), Signing::HmacSm3 { ca_key: self.paasid.clone(), secret: secret()? }),
            (DialectArg::Zj, SigningArg::Tif) => {
                return Err(CliError::usage("`--signing tif` belongs to dialect tps", "leave it out: zj is always signed with HMAC-SM3"));
            }
        };
        let mode = match self.mode {
            Behaviour::None => Mode::None,
            Behaviour::Mild => Mode::Mild,
            Behaviour::Hostile => Mode::Hostile,
        };
        Ok(ServerConfig {
            addr: self.addr,
            mode,
            page_size: self.page_size.max(1),
            max_window_days: self.max_window_days,
            max_pages: self.max_pages,
            signing,
            until,
            seed: self.mode_seed,
            ..base
        })
    }
}

pub(super) async fn simulate(app: &App, args: &SimulateArgs) -> Result<ExitStatus, CliError> {
    let config = args.server()?;
    let (world, recipe, write, until) = (args.world.clone(), args.recipe(), args.write.clone(), config.until);
    app.printer.detail("making the world");
    let made = tokio::task::spawn_blocking(move || make(world, &recipe, write, until)).await;
    let data = made.map_err(|error| CliError::layout(&error))??;
    if args.no_serve {
        return written(app, args);
    }
    let (app_code, auth_code) = (config.app_code.clone(), config.auth_code.clone());
    let uris = (config.dialect == Dialect::Zj).then(|| (config.service_uri.clone(), config.token_uri.clone()));
    let server = serve(Arc::new(data), config).await?;
    let url = server.base_url();
    if app.json() {
        let mut document = json!({"base_url": url, "app_code": app_code, "auth_code": auth_code, "write": args.write, "world": args.world});
        if let Some((service, token)) = &uris {
            document["service_uri"] = json!(service);
            document["token_uri"] = json!(token);
        }
        app.printer.json("simulate", &document)?;
    } else {
        app.printer.text(&url);
    }
    let paths =
        uris.map(|(service, token)| format!(", service_uri {service}, token_uri {token}, ca_key {}", args.paasid)).unwrap_or_default();
    app.printer.note(&format!("appCode {app_code}, authCode {auth_code}{paths}; until stopped (Ctrl-C)"));
    app.stop.asked().await;
    let stats = server.stats();
    server.shutdown().await;
    app.printer.note(&format!("{} messages, {} pages, {} faults", stats.messages, stats.pages, stats.faults));
    Ok(ExitStatus::Done)
}

fn written(app: &App, args: &SimulateArgs) -> Result<ExitStatus, CliError> {
    let folder = args.write.as_deref().unwrap_or_else(|| std::path::Path::new("."));
    if app.json() {
        app.printer.json("simulate", &json!({"write": folder}))?;
    } else {
        app.printer.text(&folder.display().to_string());
    }
    Ok(ExitStatus::Done)
}

/// Reads or makes the world; blocking.
fn make(
    world: Option<PathBuf>,
    recipe: &WorldConfig,
    write: Option<PathBuf>,
    until: Option<chrono::NaiveDateTime>,
) -> Result<PlatformData, CliError> {
    if let Some(folder) = world {
        return Ok(load_folder(&folder, until)?);
    }
    let world = generate(recipe)?;
    if let Some(folder) = write {
        empty(&folder)?;
        world.write(&folder)?;
    }
    Ok(world.platform_data())
}

/// A world is laid out in an empty folder: leftovers would be served as part of it.
fn empty(folder: &std::path::Path) -> Result<(), CliError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CliError::usage(format!("`{}` is not empty", folder.display()), "give a new folder to `--write`")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CliError::file(folder, &error)),
    }
}
