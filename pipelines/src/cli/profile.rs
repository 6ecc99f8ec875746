//! `yaojia profile check FILE`: what a mapping profile makes of a file, and everything that is wrong with it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};
use yaojia_connectors::Artifact;
use yaojia_connectors::export::{Delivery, ExportConfig, ExportSource, LandingFile, ReadError, RowPlace};
use yaojia_connectors::kit::personal::PersonalRules;
use yaojia_connectors::profile::{Mapped, MappedReport, Profile, ProfileError, Target};
use yaojia_models::contract::{Column, Dataset, Registry};
use yaojia_models::field::FieldType;
use yaojia_models::text;
use yaojia_warehouse::silver::{Alone, judge_alone};

use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::config::{Config, FILE};
use crate::load::rounding::Rounding;

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
    /// `refused`, `bad_row`, `unmatched`, `missing_key`, `bad_number`, `bad_date`, `bad_enum`, or another reason of silver; `same_key` (rows
    /// of one key and `updt_time` with other contents, of which the last one counts), `rounded` (money with more decimals than its column).
    kind: String,
    count: u64,
    /// First row with it, as an editor or Excel shows it.
    row: u64,
    /// The sheet that row stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<String>,
    /// Its value, or the words a table lacks with their counts.
    value: String,
}

impl Problem {
    fn at(self, place: &RowPlace) -> Self {
        Self { row: place.line, sheet: place.sheet.as_deref().map(str::to_owned), ..self }
    }
}

/// The keys of a target: which of them rows with other contents claim under the same `updt_time`.
#[derive(Default)]
struct Keys {
    /// By key: the greatest `updt_time`, and the contents that came with it.
    held: HashMap<u128, (i64, Vec<u128>)>,
    /// The first row that contradicts an earlier one, and its key.
    first: BTreeMap<u128, (RowPlace, String)>,
}

impl Keys {
    fn see(&mut self, row: &Alone, of: impl FnOnce() -> (RowPlace, String)) {
        let held = self.held.entry(row.key).or_insert((row.updt, Vec::new()));
        if row.updt > held.0 {
            *held = (row.updt, Vec::new());
            self.first.remove(&row.key);
        }
        if row.updt < held.0 || held.1.contains(&row.content) {
            return;
        }
        held.1.push(row.content);
        if held.1.len() == 2 {
            self.first.insert(row.key, of());
        }
    }

    /// Rows beyond the first of their key and `updt_time`; the first of them in the file.
    fn rivals(&self) -> Option<(u64, &RowPlace, &str)> {
        let count: usize = self.first.keys().filter_map(|key| self.held.get(key)).map(|(_, contents)| contents.len() - 1).sum();
        let (place, key) = self.first.values().min_by_key(|(place, _)| (place.line, place.sheet.clone()))?;
        Some((count as u64, place, key))
    }
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
    // Nothing is loaded: hashes are shown at most, and a key that nobody keeps serves as well as the project's.
    let rules = PersonalRules::passing(&export.personal)?;
    if let Err(error) = profile.check_personal(&rules) {
        if let ProfileError::Invalid { path, problems } = &error {
            broken(app, path, problems)?;
        }
        return Err(error.into());
    }
    let delivery = delivered(args, config.as_ref(), &profile).await?;
    let now = app.clock()?.micros();
    let mut seen = Seen::new(&profile, args.rows, now);
    let read = profile.read(&export, &rules, &delivery, &mut |at, mapped| seen.take(at, &mapped).map_err(|error| Box::new(error) as _));
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

/// Nothing yet, for every target.
fn first_of<T: Default>(profile: &Profile) -> Vec<T> {
    profile.targets().iter().map(|_| T::default()).collect()
}

/// What of the mapped rows is kept: the first ones, and counts.
struct Seen<'a> {
    profile: &'a Profile,
    now: i64,
    rows: usize,
    /// The first rows by target: place, cells by contract column.
    first: Vec<Vec<(RowPlace, Vec<Option<String>>)>>,
    /// By target, kind and column position: count, first row, its value.
    values: BTreeMap<(usize, &'static str, usize), (u64, RowPlace, String)>,
    /// By target, reason and column: rows that silver would reject by itself, by the first reason that applies.
    rejected: BTreeMap<(usize, String, String), (u64, RowPlace)>,
    /// By target: its keys.
    keys: Vec<Keys>,
    /// By target: money that is rounded.
    rounded: Vec<Rounding>,
    problems: Vec<Problem>,
}

impl<'a> Seen<'a> {
    fn new(profile: &'a Profile, rows: usize, now: i64) -> Self {
        let first = profile.targets().iter().map(|_| Vec::new()).collect();
        Self {
            profile,
            now,
            rows,
            first,
            values: BTreeMap::new(),
            rejected: BTreeMap::new(),
            keys: first_of(profile),
            rounded: first_of(profile),
            problems: Vec::new(),
        }
    }

    fn take(&mut self, at: usize, mapped: &Mapped) -> Result<(), yaojia_warehouse::WarehouseError> {
        let Some(dataset) = self.profile.targets().get(at).map(Target::dataset) else { return Ok(()) };
        let batch = &mapped.batch;
        let stands = |row: usize| mapped.places.get(row).cloned().unwrap_or_default();
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
                        self.values.entry((at, kind, place)).or_insert_with(|| (0, stands(row), value.unwrap_or_default().to_owned()));
                    entry.0 += 1;
                }
            }
            if let Some(first) = self.first.get_mut(at).filter(|first| first.len() < self.rows) {
                first.push((stands(row), (0..columns.len()).map(|place| cell(place).map(str::to_owned)).collect()));
            }
        }
        for (row, alone) in judge_alone(dataset, batch, self.now)?.into_iter().enumerate() {
            if let Some((reason, column)) = alone.verdict {
                let key = (at, reason.as_str().to_owned(), column.unwrap_or_default());
                self.rejected.entry(key).or_insert_with(|| (0, stands(row))).0 += 1;
            } else if let Some(keys) = self.keys.get_mut(at) {
                let texts = || {
                    let cell = |name: &String| batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
                    let texts = dataset.key.iter().filter_map(cell).map(|array| if array.is_null(row) { "" } else { array.value(row) });
                    texts.collect::<Vec<_>>().join("|")
                };
                keys.see(&alone, || (stands(row), texts()));
            }
        }
        if let Some(rounded) = self.rounded.get_mut(at) {
            rounded.see(dataset, batch);
        }
        Ok(())
    }

    /// Every problem: the file's, then by target those of columns, then what silver would reject for other reasons.
    fn finish(&self, report: &MappedReport) -> Vec<Problem> {
        let mut problems = self.problems.clone();
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
                problems.push(Problem { count: unmatched.count, value, ..of(column, "unmatched") }.at(&unmatched.place));
            }
            for ((_, kind, place), (count, first, value)) in self.values.range((at, "", 0)..(at + 1, "", 0)) {
                let column = dataset.columns.get(*place).map_or("", |column| column.name.as_str());
                problems.push(Problem { count: *count, value: value.clone(), ..of(column, kind) }.at(first));
            }
            for ((_, reason, column), (count, first)) in
                self.rejected.range((at, String::new(), String::new())..(at + 1, String::new(), String::new()))
            {
                if !matches!(reason.as_str(), "missing_key" | "bad_number" | "bad_date" | "bad_enum") {
                    problems.push(Problem { count: *count, ..of(column, reason) }.at(first));
                }
            }
            if let Some((count, place, key)) = self.keys.get(at).and_then(Keys::rivals) {
                let value = format!("{key}: other contents under the same updt_time; the last one counts, the others are superseded");
                problems.push(Problem { count, value, ..of(&dataset.key.join(", "), "same_key") }.at(place));
            }
            for (column, rounded) in self.rounded.get(at).into_iter().flat_map(Rounding::columns) {
                problems.push(Problem { count: rounded.values, value: rounded.to_string(), ..of(column, "rounded") });
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
                    object.insert("_row".to_owned(), row.line.into());
                    if let Some(sheet) = &row.sheet {
                        object.insert("_sheet".to_owned(), sheet.as_ref().into());
                    }
                    Value::Object(object)
                }).collect();
                let rejected: Vec<Value> = self.seen.rejected.iter().filter(|((of, ..), _)| *of == at)
                    .map(|((_, reason, column), (count, row))| {
                        json!({"reason": reason, "column": column, "count": count, "row": row.line, "sheet": row.sheet.as_deref()})
                    })
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
                "sheets": self.report.sheets,
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
        lines.extend(report.sheets.iter().map(ToString::to_string));
        app.printer.text(&lines.iter().map(|line| super::table::printable(line)).collect::<Vec<_>>().join("\n"));
        for (at, target) in self.profile.targets().iter().enumerate() {
            let Some(found) = report.targets.get(at) else { continue };
            let first = self.seen.first.get(at).map(Vec::as_slice).unwrap_or_default();
            let headers = ["column", "title", "made of"].into_iter().map(str::to_owned);
            let mut table = Table::new(headers.chain(first.iter().map(|(place, _)| place.to_string())));
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
                problem.sheet.as_ref().map_or_else(|| problem.row.to_string(), |sheet| format!("{sheet}, row {}", problem.row)),
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
