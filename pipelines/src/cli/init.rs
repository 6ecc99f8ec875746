//! `yaojia init`: a commented yaojia.toml and its secrets.

use clap::Args;
use serde_json::json;

use super::{App, CliError, ExitStatus};
use crate::config::{Template, write_project};

/// Arguments of `init`; all of it can be changed in the file later.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Six-digit code of the prefecture
    #[arg(long, value_name = "CODE", default_value = "652800")]
    pub region: String,
    /// Its name
    #[arg(long, value_name = "NAME", default_value = "巴音郭楞蒙古自治州")]
    pub name: String,
    /// First month of which all sources are there
    #[arg(long, value_name = "yyyy-MM", default_value = "2024-01")]
    pub first_month: String,
    /// A project of files only: no platform is asked
    #[arg(long, conflicts_with_all = ["platform_url", "app_code", "auth_code", "since", "window_days"])]
    pub no_platform: bool,
    /// The platform's URL, before `/web/interface/…`
    #[arg(long, value_name = "URL", default_value = "https://platform.example/tps-local-bd")]
    pub platform_url: String,
    /// Reference to the platform's appCode
    #[arg(long, value_name = "REF", default_value = "env:YAOJIA_PLATFORM_APP_CODE")]
    pub app_code: String,
    /// Reference to the platform's authCode
    #[arg(long, value_name = "REF", default_value = "env:YAOJIA_PLATFORM_AUTH_CODE")]
    pub auth_code: String,
    /// The first day to ask the platform for
    #[arg(long, value_name = "yyyy-MM-dd", default_value = "2020-01-01")]
    pub since: String,
    /// Length of a window, days
    #[arg(long, value_name = "DAYS", default_value_t = 31)]
    pub window_days: u32,
    /// Landing root of the export files
    #[arg(long, value_name = "URL", default_value = "landing")]
    pub landing: String,
    /// JSON file of look-alike keys and titles
    #[arg(long, value_name = "FILE")]
    pub aliases: Option<String>,
}

pub(super) fn init(app: &App, args: &InitArgs) -> Result<ExitStatus, CliError> {
    let dir = app.dir();
    std::fs::create_dir_all(&dir).map_err(|error| CliError::file(&dir, &error))?;
    let template = Template {
        region_code: args.region.clone(),
        region_name: args.name.clone(),
        first_month: args.first_month.clone(),
        location: app.overrides().warehouse.unwrap_or_else(|| "warehouse".to_owned()),
        platform_url: args.platform_url.clone(),
        app_code: args.app_code.clone(),
        auth_code: args.auth_code.clone(),
        since: args.since.clone(),
        window_days: args.window_days,
        landing: args.landing.clone(),
        no_platform: args.no_platform,
        aliases_file: args.aliases.clone(),
    };
    let mut written: Vec<String> = write_project(&dir, &template, &[])?.iter().map(|path| path.display().to_string()).collect();
    if !args.landing.contains("://") {
        let landing = dir.join(&args.landing);
        if !landing.is_dir() {
            std::fs::create_dir_all(&landing).map_err(|error| CliError::file(&landing, &error))?;
            written.push(landing.display().to_string());
        }
    }
    if app.json() {
        app.printer.json("init", &json!({"written": written}))?;
    } else {
        app.printer.text(&written.join("\n"));
    }
    let codes = if args.no_platform { "" } else { ", set the platform's codes" };
    app.printer.note(&format!("next: read yaojia.toml{codes}, then `{}`", app.command("doctor")));
    app.printer
        .note("keep `secrets/personal-hash.key` for as long as the warehouse lives, and give `secrets/audit-identity.txt` to the auditor");
    Ok(ExitStatus::Done)
}
