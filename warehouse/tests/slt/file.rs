//! Reads a case: the directives at its top, `statement ok` and `query` records.

use std::collections::BTreeMap;

use super::Why;

/// A case as written.
#[derive(Debug, Default)]
pub struct Case {
    /// `# indicator …`, `# ask …`, `# model …`, `# parameter …`: name → what follows.
    pub directives: Vec<(String, String)>,
    /// The records, in order.
    pub steps: Vec<Step>,
}

/// One record.
#[derive(Debug, Clone)]
pub enum Step {
    /// `statement ok` with an INSERT.
    Insert {
        /// Its line.
        line: usize,
        /// The INSERT.
        sql: String,
    },
    /// A query and its expected rows.
    Query(Query),
}

/// A `query` record.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its line.
    pub line: usize,
    /// One letter a column.
    pub types: String,
    /// Whether the rows are compared in sorted order.
    pub sorted: bool,
    /// The SELECT.
    pub sql: String,
    /// The expected rows, blanks reduced to one.
    pub expected: Vec<String>,
    /// The lines of the expected rows, counted from 0: first, and one after the last.
    pub span: (usize, usize),
}

/// The directives we know.
const DIRECTIVES: [&str; 4] = ["indicator", "ask", "model", "parameter"];

impl Case {
    /// Parses the text of a case.
    pub fn parse(text: &str) -> Result<Self, Why> {
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let mut case = Self::default();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let no = at + 1;
            if line.is_empty() {
                at += 1;
            } else if let Some(comment) = line.strip_prefix('#') {
                let (word, rest) = comment.trim_start().split_once(' ').unwrap_or((comment.trim(), ""));
                if DIRECTIVES.contains(&word) && case.steps.is_empty() {
                    case.directives.push((word.to_owned(), rest.trim().to_owned()));
                }
                at += 1;
            } else if *line == "statement ok" {
                let end = until(&lines, at + 1, |line| line.is_empty());
                case.steps.push(Step::Insert { line: no, sql: joined(&lines, at + 1, end) });
                at = end;
            } else if let Some(head) = line.strip_prefix("query ") {
                let mut words = head.split_whitespace();
                let types = words.next().unwrap_or_default().to_owned();
                let sorted = match words.next() {
                    None | Some("nosort") => false,
                    Some("rowsort") => true,
                    Some(other) => return Err(format!("line {no}: `{other}` is neither nosort nor rowsort")),
                };
                let bar = until(&lines, at + 1, |line| line == "----");
                if bar == lines.len() {
                    return Err(format!("line {no}: the query has no `----`"));
                }
                let end = until(&lines, bar + 1, |line| line.is_empty());
                let expected = lines.get(bar + 1..end).unwrap_or_default().iter().map(|row| single_blanks(row)).collect();
                case.steps.push(Step::Query(Query {
                    line: no,
                    types,
                    sorted,
                    sql: joined(&lines, at + 1, bar),
                    expected,
                    span: (bar + 1, end),
                }));
                at = end;
            } else {
                return Err(format!("line {no}: `{line}` is neither `statement ok` nor `query`"));
            }
        }
        if case.queries() == 0 {
            return Err("the case has no query".to_owned());
        }
        Ok(case)
    }

    /// How many queries it has.
    pub fn queries(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Query(_))).count()
    }

    /// What follows a directive that may stand once.
    pub fn directive(&self, name: &str) -> Option<&str> {
        self.directives.iter().find(|(word, _)| word == name).map(|(_, rest)| rest.as_str())
    }

    /// The `key=value` words of a directive.
    pub fn settings(&self, name: &str) -> Result<BTreeMap<&str, &str>, Why> {
        let words = self.directives.iter().filter(|(word, _)| word == name).flat_map(|(_, rest)| rest.split_whitespace());
        words.map(|word| word.split_once('=').ok_or_else(|| format!("`# {name}`: `{word}` is no key=value"))).collect()
    }
}

/// A row with one blank between its values.
pub fn single_blanks(row: &str) -> String {
    row.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with other rows below the queries.
pub fn rewritten(text: &str, fresh: &[(Query, Vec<String>)]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    for (query, rows) in fresh {
        out.extend(lines.get(at..query.span.0).unwrap_or_default().iter().map(|line| (*line).to_owned()));
        let mut rows = rows.clone();
        if query.sorted {
            rows.sort();
        }
        out.extend(rows);
        at = query.span.1;
    }
    out.extend(lines.get(at..).unwrap_or_default().iter().map(|line| (*line).to_owned()));
    out.join("\n") + "\n"
}

fn until(lines: &[&str], from: usize, stop: impl Fn(&str) -> bool) -> usize {
    lines.iter().enumerate().skip(from).find(|(_, line)| stop(line)).map_or(lines.len(), |(at, _)| at)
}

fn joined(lines: &[&str], from: usize, to: usize) -> String {
    lines.get(from..to).unwrap_or_default().join("\n")
}
