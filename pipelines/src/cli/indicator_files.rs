//! `yaojia indicator new` and `yaojia indicator pages`: files of indicators.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::doctor::sql;
use super::{App, CliError, ExitStatus};
use yaojia_models::bundle::SqlBundle;

/// Arguments of `indicator new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Its id: a capital letter and at least two digits, such as X01
    pub id: String,
    /// Its Chinese name
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Its English name; also names the folder [default: new indicator]
    #[arg(long, value_name = "NAME", default_value = "new indicator")]
    pub name_en: String,
}

/// Arguments of `indicator pages`.
#[derive(Debug, Args)]
pub struct PagesArgs {
    /// The folder that gets zh/ and en/
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Writes a folder that passes `indicator check`, into the first of the project's SQL paths.
pub(super) async fn new(app: &App, args: &NewArgs) -> Result<ExitStatus, CliError> {
    let config = app.config()?;
    let Some(root) = config.sql.paths.first().map(PathBuf::from) else {
        let hint = "set `[sql] paths = [\"sql-local\"]` in yaojia.toml: the folder is made there";
        return Err(CliError::usage("the project has no SQL folder of its own", hint));
    };
    let letters = args.id.as_bytes();
    if letters.len() < 3 || !letters.first().is_some_and(u8::is_ascii_uppercase) || !letters.iter().skip(1).all(u8::is_ascii_digit) {
        return Err(CliError::usage(format!("`{}` is no id", args.id), "a capital letter and at least two digits, such as X01"));
    }
    if args.name.trim().is_empty() || args.name.contains(['"', '\\', '\n']) || args.name_en.contains(['"', '\\', '\n']) {
        return Err(CliError::usage("the name is empty or has quotation marks", "for example --name 订单明细行数"));
    }
    let overlays: Vec<PathBuf> = crate::project::overlays(&app.dir(), &config).into_iter().filter(|path| path.is_dir()).collect();
    let before = SqlBundle::load(&overlays)?;
    if let Some(held) = before.catalogue().get(&args.id) {
        let hint = format!("take another id, or copy `sql/indicators/{}` under its own name to replace it", held.folder);
        return Err(CliError::usage(format!("there is an indicator `{}` already", args.id), hint));
    }
    let folder = format!("{}_{}", args.id, slug(&args.name_en));
    let dir = root.join("indicators").join(&folder);
    if dir.exists() {
        return Err(CliError::usage(format!("`{}` exists", dir.display()), "remove it, or take another id"));
    }
    let files = files(app, args, &folder);
    for (name, text) in &files {
        write(&dir.join(name), text)?;
    }
    // What was written must hold: a skeleton that does not check would be a defect of ours.
    let found = sql::check_indicators(&app.definitions()?).await?;
    let problems: Vec<&String> =
        found.iter().filter(|finding| finding.what.ends_with(&folder)).flat_map(|finding| &finding.problems).collect();
    if app.json() {
        app.printer.json("indicator", &json!({"folder": dir, "files": files.keys().collect::<Vec<_>>(), "problems": problems}))?;
    } else {
        app.printer.text(&format!("wrote {}: {}", dir.display(), files.keys().cloned().collect::<Vec<_>>().join(", ")));
        app.printer.text(&format!("next: edit rows.sql and indicator.toml, then `{}`", app.command("indicator check")));
        problems.iter().for_each(|problem| app.printer.warn(problem));
    }
    Ok(if problems.is_empty() { ExitStatus::Done } else { ExitStatus::Negative })
}

/// `order lines` → `order_lines`.
fn slug(name: &str) -> String {
    let words: Vec<String> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    if words.is_empty() { "new_indicator".to_owned() } else { words.join("_") }
}

fn files(app: &App, args: &NewArgs, folder: &str) -> BTreeMap<String, String> {
    let day =
        app.clock().map(|clock| crate::context::instant_text(clock.micros()).get(..10).unwrap_or_default().to_owned()).unwrap_or_default();
    let year = day.get(..4).and_then(|year| year.parse::<u32>().ok()).map_or(2000, |year| year + 1);
    // The 29th of February has no anniversary.
    let anniversary = day.get(5..).filter(|of| *of != "02-29").unwrap_or("02-28");
    let text = |template: &str| {
        let review = format!("{year}-{anniversary}");
        let given = [
            ("{{ID}}", args.id.as_str()),
            ("{{NAME}}", &args.name),
            ("{{NAME_EN}}", &args.name_en),
            ("{{DAY}}", &day),
            ("{{REVIEW}}", &review),
            ("{{FOLDER}}", folder),
        ];
        given.iter().fold(template.to_owned(), |text, (mark, with)| text.replace(mark, with))
    };
    [
        ("indicator.toml", include_str!("skeleton/indicator.toml")),
        ("rows.sql", include_str!("skeleton/rows.sql")),
        ("rules.toml", include_str!("skeleton/rules.toml")),
        ("README.md", include_str!("skeleton/README.md")),
        ("tests/lines.slt", include_str!("skeleton/lines.slt")),
    ]
    .into_iter()
    .map(|(name, template)| (name.to_owned(), text(template)))
    .collect()
}

/// Writes the pages of all indicators; those of indicators that are gone are removed.
pub(super) async fn pages(app: &App, args: &PagesArgs) -> Result<ExitStatus, CliError> {
    let lineage = super::lineage::read(app).await?;
    lineage.problems().iter().for_each(|problem| app.printer.warn(problem));
    let pages = crate::pages::pages(&app.definitions()?, &lineage);
    let mut written = 0_usize;
    for (name, text) in &pages {
        let path = args.out.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|held| held == *text) {
            continue;
        }
        write(&path, text)?;
        written += 1;
    }
    let mut removed = Vec::new();
    for tongue in crate::pages::Tongue::ALL {
        let dir = args.out.join(tongue.folder());
        for entry in std::fs::read_dir(&dir).map_err(|error| CliError::file(&dir, &error))? {
            let path = entry.map_err(|error| CliError::file(&dir, &error))?.path();
            let name = format!("{}/{}", tongue.folder(), path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default());
            // Only what we wrote: a page begins with our mark.
            let ours =
                std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with("<!-- ") && text.contains("`yaojia indicator pages`"));
            if ours && !pages.contains_key(&name) {
                std::fs::remove_file(&path).map_err(|error| CliError::file(&path, &error))?;
                removed.push(name);
            }
        }
    }
    if app.json() {
        app.printer.json("indicator", &json!({"out": args.out, "pages": pages.len(), "written": written, "removed": removed}))?;
    } else {
        app.printer.text(&format!("{} pages in {}: {written} written, {} removed", pages.len(), args.out.display(), removed.len()));
    }
    Ok(ExitStatus::Done)
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|error| CliError::file(dir, &error))?;
    }
    std::fs::write(path, text).map_err(|error| CliError::file(path, &error))
}
