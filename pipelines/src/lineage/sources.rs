//! Sources, bronze and silver: what the contracts say.

use yaojia_models::contract::{CountyRule, Dataset, SourceKind, camel_case};
use yaojia_warehouse::lineage::{ColumnRef, Origin, Transform};
use yaojia_warehouse::silver::{QUARANTINE, quarantine_schema};

use super::{Inputs, Layer, TableLineage};

/// The message or the kind of file a dataset comes in: `platform.C1004`, `export.fee_list`.
pub(super) fn source_name(inputs: &Inputs<'_>, dataset: &Dataset) -> String {
    match dataset.source {
        SourceKind::Platform => match inputs.messages.get(&dataset.name) {
            Some(message) => format!("platform.{message}"),
            None => format!("platform.{}", dataset.name),
        },
        SourceKind::Export => format!("export.{}", dataset.name),
    }
}

/// All tables up to silver.
pub(super) fn tables(inputs: &Inputs<'_>) -> Vec<TableLineage> {
    let mut all = Vec::new();
    for dataset in inputs.datasets {
        let source = source(inputs, dataset);
        all.push(bronze(dataset, &source));
        all.push(source);
        all.push(silver(dataset));
    }
    all.push(quarantine(inputs));
    all
}

/// The names a column has at its source: the platform's keys, or the titles and names a file may have.
fn names(dataset: &Dataset, column: &str) -> Vec<String> {
    let aliases = match dataset.source {
        SourceKind::Platform => &dataset.json_aliases,
        SourceKind::Export => &dataset.file_titles,
    };
    let own = match dataset.source {
        SourceKind::Platform => camel_case(column),
        SourceKind::Export => column.to_owned(),
    };
    let aliases = aliases.iter().filter(|(alias, name)| name.as_str() == column && **alias != own).map(|(alias, _)| alias.clone());
    std::iter::once(own.clone()).chain(aliases).collect()
}

fn source(inputs: &Inputs<'_>, dataset: &Dataset) -> TableLineage {
    let by = match dataset.source {
        SourceKind::Platform => "the procurement platform",
        SourceKind::Export => "an export file",
    };
    let mut table = TableLineage::new(Layer::Source, source_name(inputs, dataset), &dataset.title, by);
    for column in &dataset.columns {
        for name in names(dataset, &column.name) {
            table.put(name, &column.title, "", Origin::noted("given by the source"));
        }
    }
    table
}

fn bronze(dataset: &Dataset, source: &TableLineage) -> TableLineage {
    let contract = format!("models/contracts/bronze/{}.toml", dataset.name);
    let mut table = TableLineage::new(Layer::Bronze, format!("bronze.{}", dataset.name), &dataset.title, contract);
    table.rows_of.insert(source.name.clone());
    for field in dataset.bronze_schema().fields() {
        let name = field.name();
        let kind = field.data_type().to_string();
        let origin = match dataset.column(name) {
            Some(column) => {
                let transform = if dataset.personal_hash.contains(&column.name) { Transform::Transformation } else { Transform::Identity };
                let mut origin = Origin::default();
                for key in names(dataset, &column.name) {
                    origin = origin.and(ColumnRef::new(&source.name, key), transform);
                }
                if transform == Transform::Transformation { origin.with_note("replaced by a keyed hash at the door") } else { origin }
            }
            None if name == "county" || name == "month" => Origin::noted("the partition the row was received in"),
            None if ["_extra", "_note", "_raw", "_row"].contains(&name.as_str()) => {
                Origin::of(ColumnRef::new(&source.name, "*"), Transform::Transformation)
                    .with_note("what the reader saw besides the known columns")
            }
            None => Origin::noted("given by the run that loaded it"),
        };
        let title = dataset.column(name).map(|column| column.title.as_str()).unwrap_or_default();
        table.put(name, title, kind, origin);
    }
    table
}

/// What becomes of a dataset's rows: judged, one version of a key kept, typed.
fn silver(dataset: &Dataset) -> TableLineage {
    let contract = format!("models/contracts/bronze/{}.toml", dataset.name);
    let mut table = TableLineage::new(Layer::Silver, format!("silver.{}", dataset.name), &dataset.title, contract);
    let bronze = |column: &str| ColumnRef::new(format!("bronze.{}", dataset.name), column);
    table.rows_of.insert(format!("bronze.{}", dataset.name));
    for field in dataset.silver_schema().fields() {
        let name = field.name();
        let column = dataset.columns.iter().find(|column| dataset.silver_name(&column.name) == name);
        let origin = match (column, name.as_str()) {
            (Some(column), _) => Origin::of(bronze(&column.name), Transform::Transformation),
            (None, "county") => county(dataset, &bronze),
            (None, "month") => {
                dataset.month_of.iter().fold(Origin::default(), |origin, name| origin.and(bronze(name), Transform::Transformation))
            }
            (None, "convrat") => convrat(dataset, &bronze),
            (None, "warnings") => warnings(dataset, &bronze),
            (None, other) => Origin::of(bronze(other), Transform::Identity),
        };
        let title = column.map(|column| column.title.as_str()).unwrap_or_default();
        let title = dataset.derived.iter().find(|derived| derived.name == *name).map_or(title, |derived| derived.title.as_str());
        table.put(name, title, field.data_type().to_string(), origin);
    }
    decided(dataset, &bronze, &mut table);
    table
}

/// Which rows become silver: valid ones, of each key the newest, not void, whose references lead somewhere.
fn decided(dataset: &Dataset, bronze: &dyn Fn(&str) -> ColumnRef, table: &mut TableLineage) {
    let mut by = |column: ColumnRef, transform: Transform| {
        table.influence.entry(column).or_default().insert(transform);
    };
    dataset.key.iter().for_each(|key| by(bronze(key), Transform::GroupBy));
    if dataset.column("updt_time").is_some() {
        by(bronze("updt_time"), Transform::Sort);
    }
    ["_run_seq", "_part", "_row"].iter().for_each(|order| by(bronze(order), Transform::Sort));
    by(bronze("_note"), Transform::Filter);
    dataset.void.iter().for_each(|flag| by(bronze(flag), Transform::Filter));
    let required = dataset.columns.iter().filter(|column| column.required || column.required_when.is_some() || column.values.is_some());
    required.for_each(|column| by(bronze(&column.name), Transform::Filter));
    dataset.event.iter().for_each(|event| by(bronze(event), Transform::Filter));
    for reference in &dataset.references {
        reference.columns.iter().for_each(|column| by(bronze(column), Transform::Filter));
        for target in &reference.to {
            by(ColumnRef::new(format!("silver.{}", target.dataset), &target.column), Transform::Filter);
        }
    }
}

fn county(dataset: &Dataset, bronze: &dyn Fn(&str) -> ColumnRef) -> Origin {
    match &dataset.county {
        CountyRule::Org(column) => Origin::of(ColumnRef::new("silver.institution", "admdvs"), Transform::Identity)
            .and(ColumnRef::new("silver.institution", "org_code"), Transform::Join)
            .and(bronze(column), Transform::Join),
        CountyRule::Parent { dataset: parent, via } => {
            Origin::of(ColumnRef::new(format!("silver.{parent}"), "county"), Transform::Identity).and(bronze(via), Transform::Join)
        }
        CountyRule::Column(column) => Origin::of(bronze(column), Transform::Transformation),
        CountyRule::Region => Origin { parameters: std::iter::once("region".to_owned()).collect(), ..Origin::default() },
    }
}

/// The fee lines' ratio of the institution's own code, from its mapping; 1 where there is none, and of services.
fn convrat(dataset: &Dataset, bronze: &dyn Fn(&str) -> ColumnRef) -> Origin {
    let mapped = |column: &str| ColumnRef::new("silver.list_map", column);
    let mut origin = Origin::of(mapped("convrat"), Transform::Identity);
    origin = origin.and(mapped("fixmedins_code"), Transform::Join).and(mapped("medins_list_codg"), Transform::Join);
    for column in ["fixmedins_code", "medins_list_codg"].iter().filter(|column| dataset.column(column).is_some()) {
        origin = origin.and(bronze(column), Transform::Join);
    }
    if dataset.column("list_type").is_some() {
        origin = origin.and(bronze("list_type"), Transform::Conditional);
    }
    origin.constants.insert("1".to_owned());
    origin
}

fn warnings(dataset: &Dataset, bronze: &dyn Fn(&str) -> ColumnRef) -> Origin {
    let mut origin = Origin::noted("the judging of accepted rows");
    if let Some(check) = &dataset.amount_check {
        for column in [&check.amount, &check.count, &check.price] {
            origin = origin.and(bronze(column), Transform::Transformation);
        }
    }
    if dataset.warnings.iter().any(|warning| warning == "unit_assumed") {
        origin = origin.and(ColumnRef::new("silver.list_map", "medins_list_codg"), Transform::Conditional);
    }
    if dataset.warnings.iter().any(|warning| warning == "unknown_product") {
        for listing in ["silver.drug_listing", "silver.mcs_listing"] {
            origin = origin.and(ColumnRef::new(listing, "prod_code"), Transform::Conditional);
        }
    }
    origin
}

/// The quarantine takes rows of every dataset.
fn quarantine(inputs: &Inputs<'_>) -> TableLineage {
    let mut table = TableLineage::new(Layer::Silver, format!("silver.{QUARANTINE}"), "隔离区", "the judging of rows");
    for field in quarantine_schema().fields() {
        let name = field.name();
        let origin = if name.starts_with('_') {
            inputs.datasets.iter().fold(Origin::default(), |origin, dataset| {
                origin.and(ColumnRef::new(format!("bronze.{}", dataset.name), name), Transform::Identity)
            })
        } else {
            Origin::noted("the judging of a row that cannot be used, and the row as received")
        };
        let title = field.metadata().get("comment").cloned().unwrap_or_default();
        table.put(name, title, field.data_type().to_string(), origin);
    }
    table.rows_of.extend(inputs.datasets.iter().map(|dataset| format!("bronze.{}", dataset.name)));
    table
}
