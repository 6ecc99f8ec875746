//! What a run made of what, as OpenLineage run events (spec 2-0-2): one JSON object a line.
//!
//! A pair START and COMPLETE (or FAIL) for the run, and within it a pair for every table that was written. The same run over the same
//! data gives the same bytes: ids are hashes, times are the run's instant, and no row's value is in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use yaojia_models::digest::sha256_hex;
use yaojia_warehouse::lineage::{ColumnRef, Influence, Transform};

use super::{Lineage, TableLineage};

/// The schema of an event.
pub const SCHEMA_URL: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// Who says it.
const PRODUCER: &str = concat!("https://github.com/yaojia/yaojia/tree/v", env!("CARGO_PKG_VERSION"));

/// What is said of a run.
#[derive(Debug, Clone)]
pub struct RunFacts<'a> {
    /// The run's id.
    pub run_id: &'a str,
    /// Its verb.
    pub verb: &'a str,
    /// The region's code.
    pub region: &'a str,
    /// Its instant, `yyyy-MM-ddTHH:mm:ss`, Asia/Shanghai.
    pub instant: &'a str,
    /// Its data instant, in the same form.
    pub as_of: &'a str,
    /// The tables it wrote, with the number of cells replaced or rows appended.
    pub written: &'a BTreeMap<String, u64>,
    /// The code of the error it ended with.
    pub error: Option<&'a str>,
}

/// The events of a run, as JSON lines.
#[must_use]
pub fn events(lineage: &Lineage, run: &RunFacts<'_>) -> String {
    let namespace = format!("yaojia/{}", run.region);
    let id = uuid(&format!("{namespace} {}", run.run_id));
    let mut facets = Map::new();
    facets.insert(
        "nominalTime".to_owned(),
        facet("facets/1-0-1/NominalTimeRunFacet", "NominalTimeRunFacet", json!({"nominalStartTime": zoned(run.as_of)})),
    );
    let mut ended = facets.clone();
    if let Some(code) = run.error {
        let body = json!({"message": code, "programmingLanguage": "Rust"});
        ended.insert("errorMessage".to_owned(), facet("facets/1-0-1/ErrorMessageRunFacet", "ErrorMessageRunFacet", body));
    }
    let whole = Job { namespace: &namespace, name: run.verb, run: &id, facets: Value::Object(facets), time: run.instant };
    let mut lines = vec![whole.event("START", Vec::new(), Vec::new())];
    let parent = facet(
        "facets/1-0-1/ParentRunFacet",
        "ParentRunFacet",
        json!({"run": {"runId": id}, "job": {"namespace": namespace, "name": run.verb}}),
    );
    for (name, count) in run.written {
        let Some(table) = lineage.tables().get(name) else { continue };
        let own = uuid(&format!("{namespace} {} {name}", run.run_id));
        let job = Job { namespace: &namespace, name, run: &own, facets: json!({"parent": parent}), time: run.instant };
        let inputs: Vec<Value> =
            table.reads().into_iter().filter_map(|read| lineage.tables().get(read)).map(|read| dataset(&namespace, read, None)).collect();
        lines.push(job.event("START", inputs.clone(), vec![dataset(&namespace, table, None)]));
        lines.push(job.event("COMPLETE", inputs, vec![dataset(&namespace, table, Some(*count))]));
    }
    let last = Job { facets: Value::Object(ended), ..whole };
    lines.push(last.event(if run.error.is_some() { "FAIL" } else { "COMPLETE" }, Vec::new(), Vec::new()));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A job's run.
#[derive(Clone)]
struct Job<'a> {
    namespace: &'a str,
    name: &'a str,
    run: &'a str,
    facets: Value,
    time: &'a str,
}

impl Job<'_> {
    fn event(&self, kind: &str, inputs: Vec<Value>, outputs: Vec<Value>) -> Value {
        json!({
            "eventType": kind,
            "eventTime": zoned(self.time),
            "run": {"runId": self.run, "facets": self.facets},
            "job": {"namespace": self.namespace, "name": self.name},
            "inputs": inputs,
            "outputs": outputs,
            "producer": PRODUCER,
            "schemaURL": SCHEMA_URL,
        })
    }
}

/// A table with its schema; with `made`, the number of what was written, also where its columns come from.
fn dataset(namespace: &str, table: &TableLineage, made: Option<u64>) -> Value {
    let fields: Vec<Value> = table
        .columns
        .iter()
        .map(|(name, column)| {
            let mut field = Map::new();
            field.insert("name".to_owned(), name.as_str().into());
            if !column.kind.is_empty() {
                field.insert("type".to_owned(), column.kind.as_str().into());
            }
            if !column.title.is_empty() {
                field.insert("description".to_owned(), column.title.as_str().into());
            }
            Value::Object(field)
        })
        .collect();
    let mut facets = Map::new();
    facets.insert("schema".to_owned(), facet("facets/1-1-1/SchemaDatasetFacet", "SchemaDatasetFacet", json!({"fields": fields})));
    let mut all = json!({"namespace": namespace, "name": table.name});
    if let (Some(made), Some(object)) = (made, all.as_object_mut()) {
        let fields: Map<String, Value> = table
            .columns
            .iter()
            .map(|(name, column)| (name.clone(), json!({"inputFields": inputs(namespace, &column.origin.from)})))
            .collect();
        let body = json!({"fields": fields, "dataset": inputs(namespace, &table.influence)});
        facets.insert("columnLineage".to_owned(), facet("facets/1-2-0/ColumnLineageDatasetFacet", "ColumnLineageDatasetFacet", body));
        let counted = if table.name.starts_with("bronze.") { "rows appended" } else { "cells replaced" };
        object.insert(
            "outputFacets".to_owned(),
            json!({"yaojia_written": {"_producer": PRODUCER, "_schemaURL": WRITTEN, "count": made, "of": counted}}),
        );
    }
    if let Some(object) = all.as_object_mut() {
        object.insert("facets".to_owned(), Value::Object(facets));
    }
    all
}

/// Where our own facet is described.
const WRITTEN: &str = "https://github.com/yaojia/yaojia/blob/main/docs/lineage.md#yaojia_written";

/// Columns that have a part; a table's rows as such (`*`) are in `inputs`, not here.
fn inputs(namespace: &str, from: &Influence) -> Vec<Value> {
    from.iter()
        .filter(|(column, _)| column.column != "*")
        .map(|(ColumnRef { table, column }, how)| {
            let transformations: Vec<Value> = how.iter().map(|how| transformation(*how)).collect();
            json!({"namespace": namespace, "name": table, "field": column, "transformations": transformations})
        })
        .collect()
}

fn transformation(how: Transform) -> Value {
    let kind = if how.is_direct() { "DIRECT" } else { "INDIRECT" };
    json!({"type": kind, "subtype": how.as_str(), "description": "", "masking": false})
}

fn facet(path: &str, name: &str, body: Value) -> Value {
    // `facets/1-0-1/ParentRunFacet` → `…/spec/facets/1-0-1/ParentRunFacet.json#/$defs/ParentRunFacet`
    let mut all = Map::new();
    all.insert("_producer".to_owned(), PRODUCER.into());
    all.insert("_schemaURL".to_owned(), format!("https://openlineage.io/spec/{path}.json#/$defs/{name}").into());
    if let Value::Object(fields) = body {
        all.extend(fields);
    }
    Value::Object(all)
}

/// Asia/Shanghai is UTC+8 without summer time.
fn zoned(instant: &str) -> String {
    format!("{instant}+08:00")
}

/// A UUID of version 8 (RFC 9562: of one's own making) from a hash.
fn uuid(name: &str) -> String {
    let hash = sha256_hex(name.as_bytes());
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    let variant = match part(16, 17) {
        "0" | "4" | "8" | "c" => "8",
        "1" | "5" | "9" | "d" => "9",
        "2" | "6" | "a" | "e" => "a",
        _ => "b",
    };
    format!("{}-{}-8{}-{variant}{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_stay_the_same() {
        let id = uuid("yaojia/652800 r000001-20240416T020000");
        assert_eq!(id, uuid("yaojia/652800 r000001-20240416T020000"));
        assert_ne!(id, uuid("yaojia/652800 r000002-20240416T020000"));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(id.split('-').nth(2).unwrap().starts_with('8') && "89ab".contains(&id.split('-').nth(3).unwrap()[..1]));
    }
}
