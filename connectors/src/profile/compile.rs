//! From the profile as written to the profile as it runs: every problem is found, not only the first.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest, Sha256};
use yaojia_models::contract::{Column, Dataset};
use yaojia_models::field::FieldType;
use yaojia_models::text;

use super::lookup::lookup;
use super::raw::{RawColumn, RawCondition, RawEncoding, RawFiles, RawFormat, RawNumber, RawProfile, RawTarget};
use super::value::{Convert, DateFormat, Lookup, exact, unit};
use super::{Condition, Profile, ProfileError, Rule, Target, Value};
use crate::export::encoding::Encoding;
use crate::export::header::plain;
use crate::export::{FileRule, Format};
use crate::kit::artifact::hex;

pub(super) fn compile(path: &Path, text: &str, datasets: &[Dataset]) -> Result<Profile, ProfileError> {
    let raw: RawProfile = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let message = line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()));
        ProfileError::Syntax { path: path.to_owned(), message }
    })?;
    let mut problems = Vec::new();
    if raw.name.is_empty() || !raw.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        problems.push(format!("`name` is `{}`: use letters, digits, `-` and `_`", raw.name));
    }
    if raw.files.paths.0.is_empty() {
        problems.push("`files.paths` is empty".to_owned());
    }
    if raw.target.is_empty() {
        problems.push("there is no `[[target]]`".to_owned());
    }
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let lookups: Vec<Lookup> = raw.lookup.iter().map(|(name, raw)| lookup(folder, name, raw, &mut problems)).collect();
    let mut layout = Layout::default();
    let mut rule = file_rule(&raw.files, &mut problems);
    let when = conditions(&raw.when, "when", &mut layout, &mut problems);
    let mut targets = Vec::new();
    for target in &raw.target {
        let Some(dataset) = datasets.iter().find(|dataset| dataset.name == target.dataset) else {
            problems.push(format!("there is no dataset `{}`", target.dataset));
            continue;
        };
        targets.push(compile_target(&raw, target, dataset, &lookups, &mut layout, &mut problems));
    }
    problems.extend(layout.unnamed(&rule.columns));
    if !problems.is_empty() {
        return Err(ProfileError::Invalid { path: path.to_owned(), problems });
    }
    rule.groups = std::mem::take(&mut layout.groups);
    Ok(Profile {
        fingerprint: fingerprint(&raw, &lookups),
        name: raw.name,
        title: raw.title,
        path: path.to_owned(),
        patterns: raw.files.paths.0,
        format: raw.files.format.map(|format| match format {
            RawFormat::Csv => Format::Csv,
            RawFormat::Txt => Format::Txt,
            RawFormat::Xlsx => Format::Xlsx,
            RawFormat::Xls => Format::Xls,
            RawFormat::Parquet => Format::Parquet,
        }),
        rule,
        layout: layout.dataset(&targets),
        when,
        targets,
        lookups,
    })
}

fn file_rule(raw: &RawFiles, problems: &mut Vec<String>) -> FileRule {
    let delimiter = raw.delimiter.as_deref().and_then(|text| match text.as_bytes() {
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => Some(*one),
        _ => {
            problems.push(format!("`files.delimiter` is `{text}`: give one ASCII character"));
            None
        }
    });
    if raw.header_row == Some(0) {
        problems.push("`files.header_row` counts from 1".to_owned());
    }
    if !raw.columns.is_empty() && raw.header_row.is_some() {
        problems.push("`files.columns` is for files without a header: leave `files.header_row` out".to_owned());
    }
    for (at, name) in raw.columns.iter().enumerate().filter(|(_, name)| !plain(name).is_empty()) {
        if raw.columns.iter().take(at).any(|other| folded(other) == folded(name)) {
            problems.push(format!("`files.columns` names `{name}` twice"));
        }
    }
    FileRule {
        encoding: raw.encoding.map(|encoding| match encoding {
            RawEncoding::Utf8 => Encoding::Utf8,
            RawEncoding::Gb18030 => Encoding::Gb18030,
        }),
        delimiter,
        header_row: raw.header_row.map(u64::from),
        sheets: raw.sheets.clone(),
        columns: raw.columns.clone(),
        int96: raw.int96,
        groups: Vec::new(),
    }
}

/// A title as titles are compared: in any case, with any blanks, full-width signs as ASCII.
fn folded(title: &str) -> String {
    plain(title).to_ascii_lowercase()
}

/// The file columns a profile names.
#[derive(Default)]
struct Layout {
    titles: Vec<String>,
    required: Vec<bool>,
    groups: Vec<Vec<usize>>,
}

impl Layout {
    /// The position of a title; titles that differ in case, blanks or full-width signs are one.
    fn at(&mut self, title: &str, required: bool) -> usize {
        let at = self.titles.iter().position(|held| folded(held) == folded(title)).unwrap_or_else(|| {
            self.titles.push(text::trim(title).to_owned());
            self.required.push(false);
            self.titles.len() - 1
        });
        self.required[at] |= required;
        at
    }

    /// Columns that are used, and that no position of a file without a header has.
    fn unnamed(&self, columns: &[String]) -> Vec<String> {
        let named = |at: usize| self.titles.get(at).is_some_and(|title| columns.iter().any(|name| folded(name) == folded(title)));
        let lacking = |titles: Vec<&str>| format!("`files.columns` does not name {}", titles.join(" or "));
        let title = |at: &usize| self.titles.get(*at).map(String::as_str);
        if columns.is_empty() {
            return Vec::new();
        }
        let single = self.required.iter().enumerate().filter(|(at, required)| **required && !named(*at));
        let groups = self.groups.iter().filter(|group| !group.iter().any(|at| named(*at)));
        let single = single.filter_map(|(at, _)| Some(lacking(vec![title(&at)?])));
        single.chain(groups.map(|group| lacking(group.iter().filter_map(title).collect()))).collect()
    }

    /// The layout as readers take it: a column's type is that of the contract column it feeds, so that Excel dates are read as
    /// dates and long numbers are known to have lost digits.
    fn dataset(self, targets: &[Target]) -> Dataset {
        let mut types: Vec<Option<FieldType>> = vec![None; self.titles.len()];
        for target in targets {
            for (column, rule) in target.dataset.columns.iter().zip(&target.columns) {
                let Some(rule) = rule else { continue };
                let plain = matches!(rule.source, Value::First(_)) && rule.lookup.is_none();
                let ty = if plain { column.ty } else { FieldType::Text };
                for source in rule.source.columns() {
                    if let Some(held) = types.get_mut(*source)
                        && held.is_none_or(|held| rank(ty) > rank(held))
                    {
                        *held = Some(ty);
                    }
                }
            }
        }
        let columns = self.titles.iter().zip(types).zip(&self.required);
        let columns = columns.map(|((title, ty), required)| Column::titled(title, ty.unwrap_or(FieldType::Text), *required));
        let mut layout = Dataset::layout("layout", columns.collect());
        layout.file_titles = self.titles.iter().map(|title| (title.clone(), title.clone())).collect();
        layout
    }
}

/// Of two uses of a file column the one that decides how its cells are read.
fn rank(ty: FieldType) -> u8 {
    match ty {
        FieldType::Timestamp | FieldType::Date | FieldType::Month => 2,
        FieldType::Text => 1,
        _ => 0,
    }
}

fn conditions(raw: &[RawCondition], at: &str, layout: &mut Layout, problems: &mut Vec<String>) -> Vec<Condition> {
    raw.iter()
        .map(|raw| {
            if raw.within.is_none() && raw.not_in.is_none() && raw.empty.is_none() {
                problems.push(format!("`{at}` on `{}`: give `in`, `not_in` or `empty`", raw.column));
            }
            Condition {
                column: layout.at(&raw.column, true),
                within: raw.within.as_ref().map(|words| words.iter().cloned().collect()),
                not_in: raw.not_in.iter().flatten().cloned().collect(),
                empty: raw.empty,
            }
        })
        .collect()
}

fn compile_target(
    profile: &RawProfile,
    raw: &RawTarget,
    dataset: &Dataset,
    lookups: &[Lookup],
    layout: &mut Layout,
    problems: &mut Vec<String>,
) -> Target {
    let unknown: Vec<&str> = raw.columns.keys().map(String::as_str).filter(|name| dataset.column(name).is_none()).collect();
    if !unknown.is_empty() {
        problems.push(format!("target `{}`: the contract has no columns {}", dataset.name, unknown.join(", ")));
    }
    let lacking: Vec<&str> = dataset
        .columns
        .iter()
        .filter(|column| column.required && !raw.columns.contains_key(&column.name))
        .map(|column| column.name.as_str())
        .collect();
    if !lacking.is_empty() {
        problems.push(format!("target `{}`: required columns are neither mapped nor constant: {}", dataset.name, lacking.join(", ")));
    }
    let columns = dataset
        .columns
        .iter()
        .map(|column| {
            let raw = raw.columns.get(&column.name)?;
            let mut found = Vec::new();
            let rule = compile_rule(profile, raw, column, lookups, layout, &mut found);
            problems.extend(found.into_iter().map(|problem| format!("`{}.{}`: {problem}", dataset.name, column.name)));
            rule
        })
        .collect();
    let when = conditions(&raw.when, &format!("target `{}` when", dataset.name), layout, problems);
    Target { dataset: dataset.clone(), when, columns }
}

fn compile_rule(
    profile: &RawProfile,
    raw: &RawColumn,
    column: &Column,
    lookups: &[Lookup],
    layout: &mut Layout,
    problems: &mut Vec<String>,
) -> Option<Rule> {
    let source = match (&raw.from, &raw.join, &raw.constant) {
        (Some(from), None, None) => match from.0.as_slice() {
            [] => {
                problems.push("`from` is empty".to_owned());
                return None;
            }
            [one] => Value::First(vec![layout.at(one, !raw.optional)]),
            many => {
                let columns: Vec<usize> = many.iter().map(|title| layout.at(title, false)).collect();
                if !raw.optional {
                    layout.groups.push(columns.clone());
                }
                Value::First(columns)
            }
        },
        (None, Some(join), None) if join.len() > 1 => {
            let columns = join.iter().map(|title| layout.at(title, !raw.optional)).collect();
            Value::Join(columns, raw.separator.clone().unwrap_or_else(|| "-".to_owned()))
        }
        (None, Some(_), None) => {
            problems.push("`join` needs two columns or more".to_owned());
            return None;
        }
        (None, None, Some(constant)) => Value::Const(constant.clone()),
        _ => {
            problems.push("give exactly one of `from`, `join`, `const`".to_owned());
            return None;
        }
    };
    if raw.separator.is_some() && raw.join.is_none() {
        problems.push("`separator` goes with `join`".to_owned());
    }
    if let Value::Const(constant) = &source {
        let more = [
            raw.number.is_some(),
            raw.lookup.is_some(),
            raw.date.is_some(),
            raw.factor.is_some(),
            raw.unit.is_some(),
            raw.prefix.is_some(),
        ];
        let more = more.contains(&true) || raw.suffix.is_some() || raw.optional || !raw.null.is_empty() || !raw.strip.is_empty();
        if more {
            problems.push("`const` stands alone".to_owned());
        }
        if !fits(column, constant) {
            problems.push(format!("the constant `{constant}` is no value of this column"));
        }
    }
    let lookup = raw.lookup.as_ref().and_then(|name| {
        let found = lookups.iter().position(|lookup| &lookup.name == name);
        if found.is_none() {
            problems.push(format!("there is no `[lookup.{name}]`"));
        }
        found
    });
    Some(Rule {
        convert: convert(raw, column, problems),
        scientific: scientific(raw, column, problems),
        source,
        null: profile.null.iter().chain(&raw.null).map(|word| text::trim(word).to_owned()).collect(),
        strip: raw.strip.iter().filter(|text| !text.is_empty()).cloned().collect(),
        lookup,
        prefix: raw.prefix.clone().unwrap_or_default(),
        suffix: raw.suffix.clone().unwrap_or_default(),
    })
}

/// Whether numbers in scientific notation are read; of a code they have lost digits.
fn scientific(raw: &RawColumn, column: &Column, problems: &mut Vec<String>) -> bool {
    let Some(RawNumber::Scientific) = raw.number else { return false };
    if column.ty != FieldType::Int && column.ty.decimal().is_none() {
        problems.push("`number` is for numbers: a code or a date in scientific notation has lost its digits".to_owned());
    }
    true
}

fn convert(raw: &RawColumn, column: &Column, problems: &mut Vec<String>) -> Convert {
    let temporal = matches!(column.ty, FieldType::Timestamp | FieldType::Date | FieldType::Month);
    let factor = match (&raw.factor, &raw.unit) {
        (Some(_), Some(_)) => {
            problems.push("give `factor` or `unit`, not both".to_owned());
            None
        }
        (Some(factor), None) => {
            let parsed = exact(factor);
            if parsed.is_none() {
                problems.push(format!("the factor `{factor}` is no decimal"));
            }
            parsed
        }
        (None, Some(name)) => {
            let parsed = unit(name).and_then(exact);
            if parsed.is_none() {
                problems.push(format!("the unit `{name}` is not known: give `factor`"));
            }
            if !matches!(column.ty, FieldType::Money | FieldType::UnitPrice) {
                problems.push("`unit` is for money and prices: give `factor`".to_owned());
            }
            parsed
        }
        (None, None) => None,
    };
    if (raw.factor.is_some() || raw.unit.is_some()) && column.ty.decimal().is_none() {
        problems.push("`factor` and `unit` are for numbers".to_owned());
    }
    let Some(formats) = &raw.date else {
        return factor.map_or(Convert::AsIs, |(factor, scale)| Convert::Factor(factor, scale));
    };
    if !temporal {
        problems.push("`date` is for dates, times and months".to_owned());
    }
    let formats = formats
        .0
        .iter()
        .filter_map(|text| {
            let format = DateFormat::new(text);
            match &format {
                None => problems.push(format!("`{text}` is no date format")),
                Some(format) => {
                    if let Some(lacking) = format.lacks(column.ty) {
                        problems.push(format!("the format `{text}` has no {lacking}"));
                    }
                }
            }
            format
        })
        .collect();
    Convert::Date(formats, column.ty)
}

/// Whether a constant is a value of its column.
fn fits(column: &Column, constant: &str) -> bool {
    let Some(value) = text::clean(constant) else { return false };
    let listed = column.values.as_ref().is_none_or(|values| values.iter().any(|listed| listed == value));
    let parses = match column.ty {
        FieldType::Timestamp | FieldType::Date => text::parse_timestamp(value).is_ok(),
        FieldType::Month => text::parse_month(value).is_ok(),
        FieldType::Int => text::parse_decimal(value, 18, 0).is_ok(),
        ty => ty.decimal().is_none_or(|(precision, scale)| text::parse_decimal(value, precision, scale).is_ok()),
    };
    listed && parses
}

/// SHA-256 of what the profile says, keys sorted, with its tables.
fn fingerprint(raw: &RawProfile, lookups: &[Lookup]) -> String {
    let mut hash = Sha256::new();
    let value = serde_json::to_value(raw).unwrap_or_default();
    canonical(&value, &mut hash);
    let names: BTreeSet<&str> = lookups.iter().map(|lookup| lookup.name.as_str()).collect();
    for name in names {
        for lookup in lookups.iter().filter(|lookup| lookup.name == name) {
            put(&mut hash, b'l', name);
            for (word, found) in &lookup.words {
                put(&mut hash, b'w', word);
                put(&mut hash, b'=', found);
            }
        }
    }
    hex(&hash.finalize())
}

fn put(hash: &mut Sha256, mark: u8, text: &str) {
    hash.update([mark]);
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

fn canonical(value: &serde_json::Value, hash: &mut Sha256) {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(_, value)| !value.is_null()).collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            put(hash, b'{', &fields.len().to_string());
            for (name, value) in fields {
                put(hash, b'k', name);
                canonical(value, hash);
            }
        }
        serde_json::Value::Array(items) => {
            put(hash, b'[', &items.len().to_string());
            items.iter().for_each(|item| canonical(item, hash));
        }
        other => put(hash, b'v', &other.to_string()),
    }
}
