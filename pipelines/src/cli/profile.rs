//! `yaojia profile check FILE`: what a mapping profile makes of a file, and everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};
use yaojia_connectors::Artifact;
use yaojia_connectors::export::{Delivery, ExportConfig, ExportSource, LandingFile, ReadError};
use yaojia_connectors::kit::personal::PersonalRules;
use yaojia_connectors::profile::{MappedReport, Profile, ProfileError, Target};
use yaojia_models::contract::{Column, Dataset, Registry};
use yaojia_models::field::FieldType;
use yaojia_models::text;
use yaojia_warehouse::silver::judge_alone;

use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::config::{Config, FILE};

/// Arguments of `profile`.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Map a file without loading it: the first rows, and every problem
    Check(Check),
}

/// Arguments of `profile check`.
#[derive(Debug, Args)]
pub struct Check {
    /// A file, or its path below the landing root
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Profile: its name in the project, or a TOML file [default: the one whose `files.paths` match]
    #[arg(long, value_name = "NAME|TOML")]
    pub profile: Option<String>,
    /// Mapped rows shown per target
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub rows: usize,
}

/// Something wrong with a file under its profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Problem {
    /// Dataset fed; empty: the file as a whole.
    target: String,
    column: String,
    /// `refused`, `bad_row`, `unmatched`, `missing_key`, `bad_number`, `bad_date`, `bad_enum`, or another reason of silver.
    kind: String,
    count: u64,
    /// First row with it.
    row: u64,
    /// Its value, or the words a table lacks with their counts.
    value: String,
}

pub(super) async fn profile(app: &App, args: &ProfileArgs) -> Result<ExitStatus, CliError> {
    match &args.what {
        What::Check(args) => check(app, args).await,
    }
}

async fn check(app: &App, args: &Check) -> Result<ExitStatus, CliError> {
    // A profile given as a file needs no project.
    let config = if app.dir().join(FILE).exists() { Some(app.config()?) } else { None };
    let registry = Registry::embedded()?;
    let datasets = match &config {
        Some(config) => config.aliases.merged(registry.datasets())?,
        None => registry.datasets().to_vec(),
    };
    let found = choose(args, config.as_ref(), &datasets);
    let profile = match found {
        Ok(profile) => profile,
        Err(error) => {
            if let ProfileError::Invalid { path, problems } = &error {
                broken(app, path, problems)?;
            }
            return Err(error.into());
        }
    };
    let export = config.as_ref().and_then(Config::export).unwrap_or_else(|| ExportConfig::new("."));
    let rules = PersonalRules::new(&export.personal)?;
    if let Err(error) = profile.check_personal(&rules) {
        if let ProfileError::Invalid { path, problems } = &error {
            broken(app, path, problems)?;
        }
        return Err(error.into());
    }
    let delivery = delivered(args, config.as_ref(), &profile).await?;
    let now = app.clock()?.micros();
    let mut seen = Seen::new(&profile, args.rows, now);
    let read = profile.read(&export, &rules, &delivery, &mut |at, batch| seen.take(at, &batch).map_err(|error| Box::new(error) as _));
    let report = match read {
        Ok(report) => report,
        Err(ReadError::Refused(refused)) => {
            let kind = format!("refused: {}", refused.reason);
            seen.problems.push(Problem { kind, value: refused.detail.clone(), ..Problem::default() });
            MappedReport::default()
        }
        Err(ReadError::Failed(error)) => return Err(error.into()),
    };
    let problems = seen.finish(&report);
    let shown = Shown { profile: &profile, file: &delivery.file.path, report: &report, seen: &seen, problems: &problems };
    if app.json() {
        app.printer.json("profile", &shown.json())?
    } else {
        shown.text(app)
    }
    Ok(if problems.is_empty() { ExitStatus::Done } else { ExitStatus::Negative })
}

/// Says what is wrong with a profile, a line a problem.
fn broken(app: &App, path: &Path, problems: &[String]) -> Result<(), CliError> {
    if app.json() {
        return app.printer.json("profile", &json!({"ok": false, "profile": {"path": path.display().to_string()}, "broken": problems}));
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", path.display())).collect();
    app.printer.text(&lines.join("\n"));
    Ok(())
}

/// The profile asked for, or the one whose paths match the file.
fn choose(args: &Check, config: Option<&Config>, datasets: &[Dataset]) -> Result<Profile, ProfileError> {
    let paths = config.map(|config| config.profiles.paths.as_slice()).unwrap_or_default();
    if let Some(wanted) = &args.profile {
        if Path::new(wanted).is_file() {
            return Profile::load(Path::new(wanted), datasets);
        }
        let profiles = crate::profiles::load(paths, datasets)?;
        let names: Vec<String> = profiles.iter().map(|profile| format!("`{}`", profile.name())).collect();
        let found = profiles.into_iter().find(|profile| profile.name() == wanted);
        let none = || {
            format!(
                "there is no profile `{wanted}`; the project has {}",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            )
        };
        return found.ok_or_else(|| ProfileError::Ambiguous(none()));
    }
    let profiles = crate::profiles::load(paths, datasets)?;
    let below = config.and_then(|config| below_landing(config, &args.file)).unwrap_or_else(|| args.file.clone());
    let name = below.rsplit('/').next().unwrap_or(&below).to_owned();
    let by_path = profiles.iter().filter(|profile| profile.matches(&below)).count();
    let matching: Vec<Profile> =
        profiles.into_iter().filter(|profile| if by_path > 0 { profile.matches(&below) } else { profile.matches_name(&name) }).collect();
    let names: Vec<&str> = matching.iter().map(Profile::name).collect();
    if names.len() > 1 {
        return Err(ProfileError::Ambiguous(format!(
            "`{}` is matched by the profiles {}; say which with `--profile`",
            args.file,
            names.join(", ")
        )));
    }
    let none = format!("no profile matches `{}`; say which with `--profile`", args.file);
    matching.into_iter().next().ok_or(ProfileError::Ambiguous(none))
}

/// A local file's path below a local landing root.
fn below_landing(config: &Config, file: &str) -> Option<String> {
    let root = config.export()?.root;
    let root = std::fs::canonicalize(root).ok()?;
    let path = std::fs::canonicalize(file).ok()?;
    let parts: Vec<String> =
        path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    Some(parts.join("/"))
}

/// The file with its control file: a local one, or one of the landing root.
async fn delivered(args: &Check, config: Option<&Config>, profile: &Profile) -> Result<Delivery, CliError> {
    let local = PathBuf::from(&args.file);
    let unknown = || CliError::usage(format!("`{}` is of no known kind", args.file), "give `files.format` in the profile");
    if local.is_file() {
        let failed = |error: std::io::Error| CliError::file(&local, &error);
        let artifact = Artifact::from_file(args.file.clone(), &local, profile.is_personal()).map_err(failed)?;
        let file = profile.files(&args.file, artifact.size).into_iter().next().ok_or_else(unknown)?;
        let control = file.control_paths().into_iter().find(|path| Path::new(path).is_file());
        let control = control.map(|path| Artifact::from_file(path.clone(), Path::new(&path), false)).transpose().map_err(failed)?;
        return Ok(Delivery { file, artifact, control });
    }
    let missing = || CliError::missing(format!("there is no file `{}`", args.file), "give a file, or a path below the landing root");
    let export = config.and_then(Config::export).ok_or_else(missing)?;
    let source = ExportSource::open(export)?.with_profiles(vec![profile.clone()])?;
    let file: LandingFile =
        source.list().await?.files.into_iter().find(|file| file.path == args.file && file.profile.is_some()).ok_or_else(missing)?;
    let dataset = profile.targets().iter().map(Target::dataset).find(|dataset| dataset.name == file.dataset).ok_or_else(missing)?;
    Ok(source.fetch(dataset, &file).await?)
}

/// What of the mapped rows is kept: the first ones, and counts.
struct Seen<'a> {
    profile: &'a Profile,
    now: i64,
    rows: usize,
    /// The first rows by target: row number, cells by contract column.
    first: Vec<Vec<(i64, Vec<Option<String>>)>>,
    /// By target, kind and column position: count, first row, its value.
    values: BTreeMap<(usize, &'static str, usize), (u64, i64, String)>,
    /// By target, reason and column: rows that silver would reject by itself, by the first reason that applies.
    rejected: BTreeMap<(usize, String, String), (u64, i64)>,
    problems: Vec<Problem>,
}

impl<'a> Seen<'a> {
    fn new(profile: &'a Profile, rows: usize, now: i64) -> Self {
        let first = profile.targets().iter().map(|_| Vec::new()).collect();
        Self { profile, now, rows, first, values: BTreeMap::new(), rejected: BTreeMap::new(), problems: Vec::new() }
    }

    fn take(&mut self, at: usize, batch: &RecordBatch) -> Result<(), yaojia_warehouse::WarehouseError> {
        let Some(dataset) = self.profile.targets().get(at).map(Target::dataset) else { return Ok(()) };
        let numbers = batch.column_by_name("_row").and_then(|column| column.as_primitive_opt::<Int64Type>().cloned());
        let number = |row: usize| numbers.as_ref().map_or(0, |numbers| numbers.value(row));
        let split = batch.column_by_name("_note").and_then(|column| column.as_string_opt::<i32>());
        let columns: Vec<_> = dataset
            .columns
            .iter()
            .map(|column| batch.column_by_name(&column.name).and_then(|array| array.as_string_opt::<i32>()))
            .collect();
        for row in 0..batch.num_rows() {
            if split.is_some_and(|notes| !notes.is_null(row) && notes.value(row) == "bad_row") {
                continue;
            }
            let cell = |at: usize| columns.get(at).copied().flatten().filter(|array| !array.is_null(row)).map(|array| array.value(row));
            for (place, column) in dataset.columns.iter().enumerate() {
                let value = cell(place).and_then(text::clean);
                if let Some(kind) = wrong(column, value) {
                    let entry =
                        self.values.entry((at, kind, place)).or_insert_with(|| (0, number(row), value.unwrap_or_default().to_owned()));
                    entry.0 += 1;
                }
            }
            if let Some(first) = self.first.get_mut(at).filter(|first| first.len() < self.rows) {
                first.push((number(row), (0..columns.len()).map(|place| cell(place).map(str::to_owned)).collect()));
            }
        }
        for (row, verdict) in judge_alone(dataset, batch, self.now)?.into_iter().enumerate() {
            if let Some((reason, column)) = verdict {
                let key = (at, reason.as_str().to_owned(), column.unwrap_or_default());
                self.rejected.entry(key).or_insert((0, number(row))).0 += 1;
            }
        }
        Ok(())
    }

    /// Every problem: the file's, then by target those of columns, then what silver would reject for other reasons.
    fn finish(&self, report: &MappedReport) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        let row = |row: i64| u64::try_from(row).unwrap_or_default();
        for (at, target) in self.profile.targets().iter().enumerate() {
            let dataset = target.dataset();
            let of = |column: &str, kind: &str| Problem {
                target: dataset.name.clone(),
                column: column.to_owned(),
                kind: kind.to_owned(),
                ..Problem::default()
            };
            for (column, unmatched) in report.targets.get(at).into_iter().flat_map(|target| &target.unmatched) {
                let mut words: Vec<(&String, &u64)> = unmatched.words.iter().collect();
                words.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
                let words: Vec<String> = words.iter().take(20).map(|(word, count)| format!("`{word}` {count}")).collect();
                let value = format!("not in {}: {}", unmatched.table, words.join(", "));
                problems.push(Problem { count: unmatched.count, row: unmatched.row, value, ..of(column, "unmatched") });
            }
            for ((_, kind, place), (count, first, value)) in self.values.range((at, "", 0)..(at + 1, "", 0)) {
                let column = dataset.columns.get(*place).map_or("", |column| column.name.as_str());
                problems.push(Problem { count: *count, row: row(*first), value: value.clone(), ..of(column, kind) });
            }
            for ((_, reason, column), (count, first)) in
                self.rejected.range((at, String::new(), String::new())..(at + 1, String::new(), String::new()))
            {
                if !matches!(reason.as_str(), "missing_key" | "bad_number" | "bad_date" | "bad_enum") {
                    problems.push(Problem { count: *count, row: row(*first), ..of(column, reason) });
                }
            }
        }
        problems
    }
}

/// What is wrong with a value by itself, in silver's words; a row may have several.
fn wrong(column: &Column, value: Option<&str>) -> Option<&'static str> {
    let Some(value) = value else { return column.required.then_some("missing_key") };
    let temporal = match column.ty {
        FieldType::Timestamp | FieldType::Date => Some(text::parse_timestamp(value).map(|time| time.is_some())),
        FieldType::Month => Some(text::parse_month(value).map(|month| month.is_some())),
        _ => None,
    };
    match temporal {
        Some(Err(_)) => return Some("bad_date"),
        Some(Ok(there)) => return (!there && column.required).then_some("bad_date"),
        None => {}
    }
    let decimal = if column.ty == FieldType::Int { Some((18, 0)) } else { column.ty.decimal() };
    if decimal.is_some_and(|(precision, scale)| text::parse_decimal(value, precision, scale).is_err()) {
        return Some("bad_number");
    }
    column.values.as_ref().is_some_and(|values| !values.iter().any(|listed| listed == value)).then_some("bad_enum")
}

/// All that is shown.
struct Shown<'a> {
    profile: &'a Profile,
    file: &'a str,
    report: &'a MappedReport,
    seen: &'a Seen<'a>,
    problems: &'a [Problem],
}

impl Shown<'_> {
    /// Rows of a target that silver would reject by themselves, each by its first reason.
    fn rejected(&self, at: usize) -> u64 {
        self.seen.rejected.iter().filter(|((target, ..), _)| *target == at).map(|(_, (count, _))| count).sum()
    }

    fn json(&self) -> Value {
        let targets: Vec<Value> = self
            .profile
            .targets()
            .iter()
            .enumerate()
            .map(|(at, target)| {
                let columns = &target.dataset().columns;
                let found = self.report.targets.get(at).cloned().unwrap_or_default();
                let made: Map<String, Value> = columns
                    .iter()
                    .enumerate()
                    .filter_map(|(place, column)| Some((column.name.clone(), self.profile.made_of(target, place)?.into())))
                    .collect();
                let first: Vec<Value> = self.seen.first.get(at).into_iter().flatten().map(|(row, cells)| {
                    let named = columns.iter().zip(cells).filter_map(|(column, cell)| Some((column.name.clone(), cell.clone()?.into())));
                    let mut object: Map<String, Value> = named.collect();
                    object.insert("_row".to_owned(), (*row).into());
                    Value::Object(object)
                }).collect();
                let rejected: Vec<Value> = self.seen.rejected.iter().filter(|((of, ..), _)| *of == at)
                    .map(|((_, reason, column), (count, row))| json!({"reason": reason, "column": column, "count": count, "row": row}))
                    .collect();
                json!({"dataset": target.dataset().name, "rows": found.rows, "filtered": found.filtered, "made_of": made, "first": first, "rejected": rejected})
            })
            .collect();
        let header: Vec<Value> = self.report.header.iter().map(|(name, is)| json!({"name": name, "is": is})).collect();
        json!({
            "ok": self.problems.is_empty(),
            "profile": {
                "name": self.profile.name(), "title": self.profile.title(),
                "path": self.profile.path().display().to_string(), "fingerprint": self.profile.fingerprint(),
            },
            "file": {
                "path": self.file, "rows": self.report.rows, "skipped": self.report.skipped,
                "bad_rows": self.report.bad_rows, "personal": self.report.personal,
            },
            "header": header,
            "targets": targets,
            "problems": self.problems,
        })
    }

    fn text(&self, app: &App) {
        let title = if self.profile.title().is_empty() { String::new() } else { format!(" ({})", self.profile.title()) };
        let print = self.profile.fingerprint().get(..12).unwrap_or_default();
        let report = self.report;
        let mut lines = vec![
            format!("profile {}{title}, {}, fingerprint {print}…", self.profile.name(), self.profile.path().display()),
            format!(
                "file {}: {} rows, {} of them no data, {} that cannot be split",
                self.file, report.rows, report.skipped, report.bad_rows
            ),
        ];
        for (what, label) in [("mapped", "mapped"), ("extra", "kept unmapped"), ("dropped", "dropped, personal")] {
            let names: Vec<&str> = report.header.iter().filter(|(_, is)| *is == what).map(|(name, _)| name.as_str()).collect();
            if !names.is_empty() {
                lines.push(format!("{label}: {}", names.join(", ")));
            }
        }
        app.printer.text(&lines.iter().map(|line| super::table::printable(line)).collect::<Vec<_>>().join("\n"));
        for (at, target) in self.profile.targets().iter().enumerate() {
            let Some(found) = report.targets.get(at) else { continue };
            let first = self.seen.first.get(at).map(Vec::as_slice).unwrap_or_default();
            let headers = ["column", "title", "made of"].into_iter().map(str::to_owned);
            let mut table = Table::new(headers.chain(first.iter().map(|(row, _)| format!("row {row}"))));
            for (place, column) in target.dataset().columns.iter().enumerate() {
                let Some(made) = self.profile.made_of(target, place) else { continue };
                let cells = first.iter().map(|(_, cells)| cells.get(place).cloned().flatten().unwrap_or_else(|| "–".to_owned()));
                table.push([column.name.clone(), column.title.clone(), made].into_iter().chain(cells).map(|cell| short(&cell)));
            }
            let heading = format!(
                "\n{}: {} rows, {} do not concern it, {} that silver would reject by themselves",
                target.dataset().name,
                found.rows,
                found.filtered,
                self.rejected(at)
            );
            app.printer.table(&heading, &table);
        }
        if self.problems.is_empty() {
            app.printer.text("\nno problem");
            return;
        }
        let mut table = Table::new(["target", "column", "problem", "values", "first row", "example"]);
        for problem in self.problems {
            table.push([
                problem.target.clone(),
                problem.column.clone(),
                problem.kind.clone(),
                problem.count.to_string(),
                problem.row.to_string(),
                problem.value.clone(),
            ]);
        }
        app.printer.table("\nproblems", &table);
    }
}

/// A cell that fits beside others.
fn short(text: &str) -> String {
    const WIDE: usize = 32;
    if text.chars().count() <= WIDE { text.to_owned() } else { text.chars().take(WIDE - 1).chain(['…']).collect() }
}
