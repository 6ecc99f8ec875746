//! The demo's world and project on disk; what is there is used again.

use std::path::{Path, PathBuf};

use chrono::{Duration, NaiveDateTime};
use yaojia_models::value::Month;
use yaojia_simulator::server::ServerConfig;
use yaojia_simulator::{WorldConfig, generate};

use super::super::CliError;
use crate::clock::parse_instant;
use crate::config::{FILE, Template, write_project};

/// Written last, so that a world without it is half a world.
const WHOLE: &str = "expected_silver.json";

/// Lays out world and project below `dir`; gives the world's folder and the night to play: two hours into the first day behind it.
pub(super) fn prepare(dir: &Path) -> Result<(PathBuf, NaiveDateTime), CliError> {
    let recipe = WorldConfig::demo();
    let world = dir.join("world");
    if !world.join(WHOLE).exists() {
        let partial = dir.join("world.partial");
        for leftover in [&world, &partial] {
            if leftover.exists() {
                std::fs::remove_dir_all(leftover).map_err(|error| CliError::file(leftover, &error))?;
            }
        }
        generate(&recipe)?.write(&partial)?;
        std::fs::rename(&partial, &world).map_err(|error| CliError::file(&world, &error))?;
    }
    if !dir.join(FILE).exists() {
        let server = ServerConfig::default();
        let template = Template {
            region_code: recipe.region.clone(),
            first_month: recipe.first_month.clone(),
            location: ".".to_owned(),
            platform_url: "http://127.0.0.1:8088/tps-local-bd".to_owned(),
            app_code: "file:secrets/platform-app-code".to_owned(),
            auth_code: "file:secrets/platform-auth-code".to_owned(),
            // Listings and reference prices are older than the first month.
            since: "2022-01-01".to_owned(),
            window_days: 366,
            landing: "world/exports".to_owned(),
            aliases_file: Some("world/aliases.json".to_owned()),
            ..Template::default()
        };
        let secrets = [("secrets/platform-app-code", server.app_code.as_str()), ("secrets/platform-auth-code", server.auth_code.as_str())];
        write_project(dir, &template, &secrets)?;
    }
    Ok((world, behind(&recipe)?))
}

fn behind(recipe: &WorldConfig) -> Result<NaiveDateTime, CliError> {
    let wrong = |why: String| CliError::usage(why, "this is the demo's own recipe: report it");
    let first = Month::parse(&recipe.first_month).map_err(|error| wrong(error.to_string()))?;
    let month = first.plus(i32::try_from(recipe.months).unwrap_or(i32::MAX));
    Ok(parse_instant(&format!("{month}-01")).map_err(wrong)? + Duration::hours(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};

    #[test]
    fn the_night_lies_behind_the_world() {
        assert_eq!(behind(&WorldConfig::demo()).unwrap(), parse_instant("2024-07-01T02:00:00").unwrap());
    }

    #[test]
    fn a_demo_is_laid_out_once() {
        let dir = tempfile::tempdir().unwrap();
        let (world, _) = prepare(dir.path()).unwrap();
        let before = std::fs::read(dir.path().join(FILE)).unwrap();
        let config = Config::load(dir.path(), &Overrides::default()).unwrap();
        assert!(world.join("exports/fee_list").is_dir() && config.platform.unwrap().app_code.resolve().is_ok());
        assert_eq!(Path::new(&config.warehouse.location), dir.path());
        std::fs::write(world.join("kept"), "x").unwrap();
        prepare(dir.path()).unwrap();
        assert!(world.join("kept").exists());
        assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), before);
    }
}
