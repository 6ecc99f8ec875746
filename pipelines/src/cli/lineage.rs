//! `yaojia lineage`: what a table, a column or an indicator is made from, and what is made of it.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};
use yaojia_warehouse::lineage::{ColumnRef, Influence, Origin, Transform};

use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::config::Config;
use crate::lineage::{Direction, Edge, Found, Inputs, Lineage, Target, messages};

/// Arguments of `lineage`.
#[derive(Debug, Args)]
pub struct LineageArgs {
    /// gold.fact_order, fact_order.send_time, D13, D13.main; none: all tables
    pub name: Option<String>,
    /// Only what it is made from
    #[arg(long)]
    pub up: bool,
    /// Only what is made of it
    #[arg(long)]
    pub down: bool,
    /// So many steps only
    #[arg(long, value_name = "N")]
    pub depth: Option<u32>,
    /// Of a column: also along filters, joins, groups and conditions, not only where its value goes
    #[arg(long)]
    pub influence: bool,
    /// A Mermaid flowchart
    #[arg(long, conflicts_with = "json")]
    pub mermaid: bool,
}

pub(super) async fn lineage(app: &App, args: &LineageArgs) -> Result<ExitStatus, CliError> {
    let lineage = read(app).await?;
    lineage.problems().iter().for_each(|problem| app.printer.warn(problem));
    let target = match &args.name {
        None => None,
        Some(name) => Some(lineage.target(name).map_err(|found| {
            let hint = match found.candidates.as_slice() {
                [] => format!("`{}` lists the tables", app.command("lineage")),
                some => format!("did you mean `{}`?", some.join("`, `")),
            };
            CliError::missing(format!("there is no table, column or indicator `{name}`"), hint)
        })?),
    };
    let directions: Vec<Direction> = match (args.up, args.down) {
        (true, false) => vec![Direction::Up],
        (false, true) => vec![Direction::Down],
        _ => vec![Direction::Up, Direction::Down],
    };
    let found: Vec<(Direction, Found)> = match &target {
        None => vec![(Direction::Up, whole(&lineage))],
        Some(Target::Table(table)) => directions.into_iter().map(|way| (way, lineage.walk_tables(table, way, args.depth))).collect(),
        Some(Target::Column(column)) => {
            directions.into_iter().map(|way| (way, lineage.walk_columns(column, way, args.depth, args.influence))).collect()
        }
    };
    if app.json() {
        app.printer.json("lineage", &document(&lineage, target.as_ref(), &found, args))?;
    } else if args.mermaid {
        app.printer.text(&mermaid(&lineage, &found));
    } else {
        text(app, &lineage, target.as_ref(), &found);
    }
    Ok(ExitStatus::Done)
}

/// The lineage of the project; of what is built in where there is no project.
pub(super) async fn read(app: &App) -> Result<Lineage, CliError> {
    let definitions = app.definitions()?;
    let contracts = definitions.contracts.datasets();
    let config = if app.has_project() { Some(app.config()?) } else { None };
    let datasets = config.as_ref().map(|config| config.aliases.merged(contracts)).transpose()?;
    let platform = config.as_ref().and_then(Config::platform);
    let messages = messages(platform.as_ref())?;
    let inputs = Inputs { definitions: &definitions, datasets: datasets.as_deref().unwrap_or(contracts), messages };
    Ok(Lineage::of(&inputs).await?)
}

fn whole(lineage: &Lineage) -> Found {
    let steps = lineage.tables().keys().map(|name| crate::lineage::Step { distance: 0, name: name.clone() }).collect();
    Found { steps, edges: lineage.table_edges() }
}

fn list(how: &std::collections::BTreeSet<Transform>) -> String {
    how.iter().map(|how| how.as_str().to_lowercase()).collect::<Vec<_>>().join(", ")
}

/// Everything about an origin that is no column.
fn besides(origin: &Origin) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !origin.constants.is_empty() {
        parts.push(format!("constant {}", origin.constants.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    if !origin.parameters.is_empty() {
        parts.push(format!("parameter {}", origin.parameters.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ")));
    }
    parts.extend(origin.note.clone());
    parts.join("; ")
}

fn text(app: &App, lineage: &Lineage, target: Option<&Target>, found: &[(Direction, Found)]) {
    let Some(target) = target else {
        let mut table = Table::new(["table", "title", "made by", "made from"]);
        for of in lineage.tables().values() {
            let reads: Vec<&str> = of.reads().into_iter().collect();
            table.push([of.name.clone(), of.title.clone(), of.made_by.clone(), shortened(&reads)]);
        }
        return app.printer.table("", &table);
    };
    let name = name_of(target);
    let title = lineage.title_of(&name);
    let made_by = lineage.table_of(&name).map(|table| table.made_by.as_str()).unwrap_or_default();
    app.printer.text(format!("{name} {title}").trim_end());
    app.printer.text(&format!("made by {made_by}"));
    match target {
        Target::Table(table) => columns(app, lineage, table, found),
        Target::Column(column) => {
            if let Some(of) = lineage.column(column) {
                let besides = besides(&of.origin);
                if !besides.is_empty() {
                    app.printer.text(&format!("also {besides}"));
                }
            }
        }
    }
    for (direction, found) in found {
        if found.steps.len() < 2 {
            app.printer.text(&format!("\n{}: nothing", direction.as_str()));
            continue;
        }
        steps(app, lineage, *direction, found, matches!(target, Target::Column(_)));
    }
    if let Target::Column(column) = target
        && found.iter().any(|(direction, _)| *direction == Direction::Up)
    {
        decided(app, lineage, column);
    }
}

/// A table's columns with what each is made from at the first step.
fn columns(app: &App, lineage: &Lineage, name: &str, found: &[(Direction, Found)]) {
    let Some(of) = lineage.tables().get(name).filter(|_| found.iter().any(|(direction, _)| *direction == Direction::Up)) else { return };
    let mut table = Table::new(["column", "title", "made from"]);
    for (column, lineage) in &of.columns {
        let direct: Vec<String> =
            lineage.origin.from.iter().filter(|(_, how)| how.iter().any(|how| how.is_direct())).map(|(c, _)| c.to_string()).collect();
        let deciding: Vec<String> = lineage.origin.from.keys().map(ToString::to_string).collect();
        let from = if direct.is_empty() { &deciding } else { &direct };
        let mut made = shortened(&from.iter().map(String::as_str).collect::<Vec<_>>());
        let besides = besides(&lineage.origin);
        if !besides.is_empty() {
            made = if made.is_empty() { besides } else { format!("{made}; {besides}") };
        }
        table.push([column.clone(), lineage.title.clone(), made]);
    }
    app.printer.table("\ncolumns", &table);
    influence(app, "\nwhich rows there are is decided by", &of.influence);
}

fn shortened(names: &[&str]) -> String {
    match names {
        [one, two, three, four, rest @ ..] if rest.len() > 1 => format!("{one}, {two}, {three}, {four} and {} more", rest.len()),
        few => few.join(", "),
    }
}

fn steps(app: &App, lineage: &Lineage, direction: Direction, found: &Found, columns: bool) {
    let how: BTreeMap<&str, std::collections::BTreeSet<Transform>> = found.edges.iter().fold(BTreeMap::new(), |mut all, edge| {
        let node = if direction == Direction::Up { &edge.from } else { &edge.to };
        all.entry(node.as_str()).or_insert_with(std::collections::BTreeSet::new).extend(edge.how.iter().copied());
        all
    });
    let mut table =
        if columns { Table::new(["step", "column", "how", "title"]) } else { Table::new(["step", "table", "made by", "title"]) };
    for step in found.steps.iter().filter(|step| step.distance > 0) {
        let middle = if columns {
            how.get(step.name.as_str()).map(list).unwrap_or_default()
        } else {
            lineage.table_of(&step.name).map(|table| table.made_by.clone()).unwrap_or_default()
        };
        table.push([step.distance.to_string(), step.name.clone(), middle, lineage.title_of(&step.name).to_owned()]);
    }
    app.printer.table(&format!("\n{}", direction.as_str()), &table);
}

/// What has a say in a column, or in those of its table that it is made of, without being a value of it: a measure's is in its parts.
fn decided(app: &App, lineage: &Lineage, column: &ColumnRef) {
    let Some(table) = lineage.tables().get(&column.table) else { return };
    let mut all: Influence = Influence::new();
    let mut add = |from: &Influence| {
        for (from, how) in from {
            let how: Vec<Transform> = how.iter().copied().filter(|how| !how.is_direct()).collect();
            if !how.is_empty() {
                all.entry(from.clone()).or_default().extend(how);
            }
        }
    };
    add(&table.influence);
    for (name, of) in &table.columns {
        let part = ColumnRef::new(&table.name, name);
        let own = lineage.column(column).is_some_and(|of| of.origin.from.contains_key(&part));
        if own || part == *column {
            add(&of.origin.from);
        }
    }
    influence(app, "\ndecided by (condition, filter, join, grouping, order)", &all);
}

fn influence(app: &App, heading: &str, of: &Influence) {
    if of.is_empty() {
        return;
    }
    let mut table = Table::new(["column", "how"]);
    of.iter().for_each(|(column, how)| table.push([column.to_string(), list(how)]));
    app.printer.table(heading, &table);
}

fn name_of(target: &Target) -> String {
    match target {
        Target::Table(table) => table.clone(),
        Target::Column(column) => column.to_string(),
    }
}

fn json_of(influence: &Influence) -> Vec<Value> {
    let one = |(column, how): (&ColumnRef, &std::collections::BTreeSet<Transform>)| json!({"table": column.table, "column": column.column, "how": how.iter().map(|how| how.as_str()).collect::<Vec<_>>()});
    influence.iter().map(one).collect()
}

fn document(lineage: &Lineage, target: Option<&Target>, found: &[(Direction, Found)], args: &LineageArgs) -> Value {
    let node = |name: &str, distance: u32| {
        let table = lineage.table_of(name);
        let column = table.and_then(|table| table.columns.get(name.get(table.name.len() + 1..)?));
        json!({
            "name": name,
            "step": distance,
            "layer": table.map(|table| table.layer.as_str()),
            "title": lineage.title_of(name),
            "made_by": table.map(|table| table.made_by.as_str()),
            "constants": column.map(|column| &column.origin.constants),
            "parameters": column.map(|column| &column.origin.parameters),
            "note": column.and_then(|column| column.origin.note.as_deref()),
        })
    };
    let edge = |edge: &Edge| json!({"from": edge.from, "to": edge.to, "how": edge.how.iter().map(|how| how.as_str()).collect::<Vec<_>>()});
    let mut all = serde_json::Map::new();
    all.insert("subject".to_owned(), target.map(name_of).into());
    let kind = match target {
        None => "project",
        Some(Target::Table(_)) => "table",
        Some(Target::Column(_)) => "column",
    };
    all.insert("kind".to_owned(), kind.into());
    all.insert("depth".to_owned(), args.depth.into());
    for (direction, found) in found {
        let name = if target.is_none() { "graph" } else { direction.as_str() };
        let nodes: Vec<Value> = found.steps.iter().map(|step| node(&step.name, step.distance)).collect();
        all.insert(name.to_owned(), json!({"nodes": nodes, "edges": found.edges.iter().map(edge).collect::<Vec<_>>()}));
    }
    let table = target.and_then(|target| lineage.table_of(&name_of(target)));
    if let Some(table) = table {
        all.insert("rows_decided_by".to_owned(), json_of(&table.influence).into());
    }
    match (target, table) {
        (Some(Target::Table(_)), Some(table)) => {
            let columns = table.columns.iter().map(|(name, column)| column_json(name, &column.title, &column.origin));
            all.insert("columns".to_owned(), columns.collect());
        }
        (Some(Target::Column(column)), Some(table)) => {
            if let Some(of) = table.columns.get(&column.column) {
                all.insert("column".to_owned(), column_json(&column.column, &of.title, &of.origin));
            }
        }
        _ => {}
    }
    Value::Object(all)
}

fn column_json(name: &str, title: &str, origin: &Origin) -> Value {
    json!({
        "name": name,
        "title": title,
        "from": json_of(&origin.from),
        "constants": origin.constants,
        "parameters": origin.parameters,
        "note": origin.note,
    })
}

/// A flowchart: full arrows where values go, dotted where something only decides.
fn mermaid(lineage: &Lineage, found: &[(Direction, Found)]) -> String {
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let mut out = "flowchart LR\n".to_owned();
    let steps = found.iter().flat_map(|(_, found)| &found.steps);
    for name in steps.map(|step| step.name.as_str()).collect::<std::collections::BTreeSet<_>>() {
        let id = format!("n{}", ids.len());
        let title = lineage.title_of(name).replace('"', "'");
        let label = if title.is_empty() { name.to_owned() } else { format!("{name}<br/>{title}") };
        out.push_str(&format!("    {id}[\"{label}\"]\n"));
        ids.insert(name, id);
    }
    let edges: std::collections::BTreeSet<&Edge> = found.iter().flat_map(|(_, found)| &found.edges).collect();
    for edge in edges {
        let (Some(from), Some(to)) = (ids.get(edge.from.as_str()), ids.get(edge.to.as_str())) else { continue };
        let direct = edge.how.is_empty() || edge.how.iter().any(|how| how.is_direct());
        out.push_str(&format!("    {from} {} {to}\n", if direct { "-->" } else { "-.->" }));
    }
    out
}
