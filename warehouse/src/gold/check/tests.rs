//! Every kind of check, failing and passing, on a table of two columns and its source.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Registry;

use super::Candidate;
use crate::delta::{Cell, CellRows, Change, Table, canonical, file_schema, write_cell};
use crate::error::WarehouseError;
use crate::gold::Session;
use crate::ledger::{Refused, RunStamp};
use crate::store::Root;

const FIELDS: &str = "[k]\ntype = 'text'\ntitle = '键'\n[org]\ntype = 'text'\ntitle = '机构'\n[amt]\ntype = 'money'\ntitle = '金额'\n[updt_time]\ntype = 'timestamp'\ntitle = '时间'\n";
const SOURCE: &str = "name = 's'\ntitle = '源'\nsource = 'export'\nkey = ['k']\nevent = ['updt_time']\ncounty = { region = true }\n[columns]\nk = { required = true }\norg = {}\namt = {}\nupdt_time = { required = true }\n";
const ORG: &str = "name = 'd'\ntitle = '机构'\ngrain = ['org']\n[columns]\norg = {}\n";
const FACT: &str = "name = 'f'\ntitle = '事实'\ngrain = ['k']\nreads = { 'silver.s' = '0' }\n[columns]\nk = { values = { 'a' = '甲', 'b' = '乙', 'c' = '丙' } }\norg = { ref = 'd' }\namt = { min = '0', max = '100.50' }\n[[reconcile]]\nwith = 'silver.s'\nwhere = \"theirs.k <> 'x'\"\nequal = { 'COUNT(*)' = 'COUNT(*)', 'SUM(amt)' = 'SUM(amt)' }\n";

type Row<'a> = (Option<&'a str>, &'a str, i128);

fn registry(dir: &Path, fact: &str) -> Registry {
    for (path, text) in
        [("fields.toml", FIELDS), ("contracts/bronze/s.toml", SOURCE), ("contracts/gold/d.toml", ORG), ("contracts/gold/f.toml", fact)]
    {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Registry::load(dir).unwrap()
}

fn rows(registry: &Registry, table: &str, rows: &[Row<'_>]) -> CellRows {
    let (schema, grain) = if table == "s" {
        (registry.dataset("s").unwrap().silver_schema(), vec!["k".to_string()])
    } else {
        let contract = registry.gold_table(table).unwrap();
        (contract.arrow_schema(), contract.grain.clone())
    };
    let schema = file_schema(&schema);
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "k" => Arc::new(rows.iter().map(|r| r.0).collect::<StringArray>()),
            "org" => Arc::new(rows.iter().map(|r| Some(r.1)).collect::<StringArray>()),
            "amt" => Arc::new(rows.iter().map(|r| Some(r.2)).collect::<Decimal128Array>().with_precision_and_scale(18, 2).unwrap()),
            "updt_time" => Arc::new(TimestampMicrosecondArray::from(vec![0; rows.len()])),
            _ => new_null_array(field.data_type(), rows.len()),
        }
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    canonical(table, &schema, &grain, &[], &[batch]).unwrap()
}

async fn put(root: &Root, registry: &Registry, layer: &str, table: &str, cells: &[(&str, &[Row<'_>])]) {
    let schema = if layer == "silver" {
        registry.dataset(table).unwrap().silver_schema()
    } else {
        registry.gold_table(table).unwrap().arrow_schema()
    };
    let mut open = Table::open_or_create(root, layer, table, &schema, &["county", "month"], "t").await.unwrap();
    let mut change = Change::default();
    for (month, list) in cells {
        let partition = vec![("county".to_string(), "652801".to_string()), ("month".to_string(), (*month).to_string())];
        change.add.push(write_cell(&open.store(), table, partition, rows(registry, table, list), 1).await.unwrap());
    }
    open.commit(change).await.unwrap();
}

struct Place {
    dir: tempfile::TempDir,
    root: Root,
    registry: Registry,
}

/// Silver with two rows in January and one in February, and the organisations `o` and `p`.
async fn place(fact: &str) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(&dir.path().join("models"), fact);
    let root = Root::open(dir.path().join("warehouse").to_str().unwrap(), HashMap::new()).unwrap();
    let january: &[Row<'_>] = &[(Some("a"), "o", 100), (Some("b"), "p", 250), (Some("x"), "o", 1)];
    put(&root, &registry, "silver", "s", &[("2024-01", january), ("2024-02", &[(Some("c"), "o", 700)])]).await;
    put(&root, &registry, "gold", "d", &[("2024-01", &[(None, "o", 0), (None, "p", 0)])]).await;
    Place { dir, root, registry }
}

/// Checks January's rows as candidate; what it ends with.
async fn judged(place: &Place, january: &[Row<'_>], whole: bool) -> Result<(), WarehouseError> {
    let cells: BTreeMap<Cell, CellRows> = [(Cell::new("652801", "2024-01"), rows(&place.registry, "f", january))].into();
    let contract = place.registry.gold_table("f").unwrap();
    let candidate = Candidate { contract, rows: &cells, emptied: &BTreeSet::new(), whole, print: "print-1" };
    let run = RunStamp { seq: 3, id: "r000003".to_string(), at: 0 };
    candidate.check(&Session::new(Some(2), None).unwrap(), &place.root, &place.registry, &run).await
}

const GOOD: [Row<'static>; 2] = [(Some("a"), "o", 100), (Some("b"), "p", 250)];

#[tokio::test]
async fn a_sound_candidate_passes_and_leaves_nothing() {
    let place = place(FACT).await;
    judged(&place, &GOOD, false).await.unwrap();
    assert!(!place.dir.path().join("warehouse/_ops").exists());
}

#[tokio::test]
async fn every_kind_of_check_can_fail() {
    for (january, check, why) in [
        (vec![(None, "o", 100), (Some("b"), "p", 250)], "not_null", "1 rows have no `k`"),
        (vec![(Some("z"), "o", 100), (Some("b"), "p", 250)], "accepted_values", "`k` holds `z`"),
        (vec![(Some("a"), "o", -1), (Some("b"), "p", 351)], "accepted_range", "`amt` holds -0.01, accepted is 0 to 100.50"),
        (vec![(Some("a"), "o", 10_051), (Some("b"), "p", 250)], "accepted_range", "`amt` holds 100.51"),
        (vec![(Some("a"), "o", 100), (Some("a"), "p", 250)], "grain_unique", "the grain `a` occurs twice"),
        (vec![(Some("a"), "o", 100), (Some("b"), "q", 250)], "reference", "1 rows whose `org` is not in `gold.d.org`, such as `q`"),
        (
            vec![(Some("a"), "o", 100)],
            "reconcile",
            "COUNT(*) is 1.000000, COUNT(*) of `silver.s` is 2.000000; SUM(amt) is 1.000000, SUM(amt) of `silver.s` is 3.500000",
        ),
        (vec![(Some("a"), "o", 100), (Some("b"), "p", 251)], "reconcile", "SUM(amt) is 3.510000, SUM(amt) of `silver.s` is 3.500000"),
    ] {
        let place = place(FACT).await;
        let error = judged(&place, &january, false).await.unwrap_err();
        let WarehouseError::Check { check: found, table, cell, why: said } = &error else { panic!("{error}") };
        assert_eq!((*found, table.as_str(), cell.as_str()), (check, "gold.f", "652801 2024-01"), "{error}");
        assert!(said.contains(why), "{said}");
        // The rows are kept where the message says, and what was refused is on record.
        let named = said.split('`').find(|part| part.starts_with("_ops/candidates/r000003/gold.f/652801-2024-01-"));
        assert!(named.is_some_and(|path| place.dir.path().join("warehouse").join(path).is_file()), "{said}");
        let refused = Refused::read(&place.root).await.unwrap();
        assert!(refused.is("gold.f", "print-1") && !refused.is("gold.f", "print-2") && !refused.is("gold.d", "print-1"));
    }
}

#[tokio::test]
async fn a_cell_that_is_missing_altogether_is_found_when_the_whole_table_is_built() {
    let place = place(FACT).await;
    let error = judged(&place, &GOOD, true).await.unwrap_err();
    assert!(error.to_string().contains("`gold.f` 652801 2024-02: COUNT(*) is 0.000000"), "{error}");
}

#[tokio::test]
async fn a_table_can_be_reconciled_as_a_whole_and_an_unknown_member_be_allowed() {
    let whole = FACT.replace("where = ", "by = 'table'\nwhere = ");
    let place = place(&whole).await;
    judged(&place, &GOOD, false).await.expect("part of a table is not compared with the whole of another");
    let error = judged(&place, &GOOD, true).await.unwrap_err();
    assert!(error.to_string().contains("`gold.f` * *: COUNT(*) is 2.000000, COUNT(*) of `silver.s` is 3.000000"), "{error}");
    let open = FACT.replace("ref = 'd'", "ref = 'd', unknown = '未登记'");
    let place = self::place(&open).await;
    judged(&place, &[(Some("a"), "o", 100), (Some("b"), "q", 250)], false).await.unwrap();
    // An empty text refers to nothing.
    let place = self::place(FACT).await;
    judged(&place, &[(Some("a"), "", 100), (Some("b"), "p", 250)], false).await.unwrap();
}
