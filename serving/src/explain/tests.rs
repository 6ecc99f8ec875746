//! An alert with a thousand rows of evidence, over real tables: what is read does not grow with the rows.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::Schema;
use yaojia_models::definitions::Definitions;
use yaojia_warehouse::delta::{Change, Table, canonical, file_schema, write_cell};
use yaojia_warehouse::ledger::publish_release;
use yaojia_warehouse::store::{Archive, ArchiveSource, AuditKeys};
use yaojia_warehouse::{Root, Warehouse};

use super::*;

const ALERT: &str = "1c20c0b039d8f4055ed2b4326e9e43ec";
const ROWS: usize = 1000;
const SHA: &str = "ab12cd";

/// No landing files: rows are cut out of the pages.
struct Pages;

impl FileRows for Pages {
    fn row(&self, _: &str, _: &str, _: &[u8], _: i64) -> Option<String> {
        None
    }
}

fn warehouse(root: Root) -> Warehouse {
    Warehouse { archive: Archive::new(root.clone(), AuditKeys::default()), root, definitions: Definitions::embedded().unwrap() }
}

/// Commits rows, given as column → text, as the one cell of a table; its version.
async fn write(root: &Root, layer: &str, name: &str, schema: &Schema, rows: &[BTreeMap<&str, String>]) -> i64 {
    let inner = file_schema(schema);
    let columns: Vec<ArrayRef> = inner
        .fields()
        .iter()
        .map(|field| {
            let texts: StringArray = rows.iter().map(|row| row.get(field.name().as_str()).cloned()).collect();
            cast(&texts, field.data_type()).unwrap()
        })
        .collect();
    let rows = canonical(name, &inner, &[], &[], &[RecordBatch::try_new(inner.clone(), columns).unwrap()]).unwrap();
    let mut table = Table::open_or_create(root, layer, name, schema, &["county", "month"], "t").await.unwrap();
    let partition = vec![("county".to_string(), "652801".to_string()), ("month".to_string(), "2024-06".to_string())];
    let add = vec![write_cell(&table.store(), name, partition, rows, 1).await.unwrap()];
    table.commit(Change { add, ..Change::default() }).await.unwrap()
}

fn rows(count: usize, of: impl Fn(usize) -> Vec<(&'static str, String)>) -> Vec<BTreeMap<&'static str, String>> {
    (0..count).map(|at| of(at).into_iter().collect()).collect()
}

async fn published(root: &Root) -> Warehouse {
    let all = warehouse(root.clone());
    let text = |text: &str| text.to_string();
    let key = |at: usize| format!("3{at:06}");
    let mut tables = BTreeMap::new();
    let value = || {
        let key = [("indicator_id", "D13"), ("measure", "main"), ("level", "subject"), ("subject_code", "E1"), ("product_code", "")];
        let rest = [("batch_code", ""), ("group_code", ""), ("alert_id", ALERT), ("state", "warn"), ("value", "0.5")];
        rows(1, |_| key.into_iter().chain(rest).map(|(name, of)| (name, text(of))).collect())
    };
    let evidence = rows(ROWS, |at| {
        let of = [("alert_id", text(ALERT)), ("indicator_id", text("D13")), ("source_layer", text("gold"))];
        let row = [("source_table", text("fact_order")), ("row_key", key(at)), ("num", text("1")), ("den", text("1"))];
        of.into_iter().chain(row).collect()
    });
    let facts = rows(ROWS, |at| vec![("ord_detl_id", key(at)), ("ord_id", format!("O{at}"))]);
    for (name, rows) in [("alert", value()), ("indicator_value", value()), ("alert_evidence", evidence), ("fact_order", facts)] {
        let schema = all.contracts.gold_table(name).unwrap().arrow_schema();
        tables.insert(format!("gold.{name}"), write(root, "gold", name, &schema, &rows).await);
    }
    let dataset = all.contracts.dataset("ord_detl").unwrap();
    let origin = |at: usize| [("_source", text("C1004 w p0001")), ("_artifact", text(SHA)), ("_row", (at + 1).to_string())];
    let silver = rows(ROWS, |at| [("ord_detl_id", key(at))].into_iter().chain(origin(at)).collect());
    tables.insert("silver.ord_detl".to_string(), write(root, "silver", "ord_detl", &dataset.silver_schema(), &silver).await);
    let bronze = rows(ROWS * 2, |at| {
        let seq = [("_run_seq", (at / ROWS + 1).to_string()), ("ord_detl_id", key(at % ROWS))];
        seq.into_iter().chain(origin(at % ROWS)).collect()
    });
    let _ = write(root, "bronze", "ord_detl", &dataset.bronze_schema(), &bronze).await;
    let list: Vec<String> = (0..ROWS).map(|at| format!("{{\"ordDetlId\":\"{}\"}}", key(at))).collect();
    let page = format!("{{\"output\":{{\"data\":{{\"dataList\":[{}]}}}}}}", list.join(","));
    assert!(all.archive.put("page", SHA, ArchiveSource::Memory(page.into_bytes().into()), false).await.unwrap());
    let _ = publish_release(root, 1, "r1", "2024-07-01T02:00:00", tables).await.unwrap();
    all
}

#[tokio::test]
async fn a_thousand_rows_of_evidence_are_read_by_as_many_queries_as_ten() {
    let dir = tempfile::tempdir().unwrap();
    let location = dir.path().to_str().unwrap();
    let _ = published(&Root::open(location, HashMap::new()).unwrap()).await;
    let all = warehouse(Root::existing(location, HashMap::new()).unwrap());
    let mut counts = Vec::new();
    for depth in [Depth { shown: 10, traced: 5, opened: 1 }, Depth { shown: ROWS, traced: ROWS, opened: ROWS }] {
        let read = all.reader().await.unwrap();
        let found = explain(&all, &read, &Pages, "1c20c0b0", depth).await.unwrap();
        assert_eq!((found.evidence_n, found.evidence.len()), (ROWS, depth.shown));
        assert_eq!(found.sum.num.as_deref(), Some("1000.000000"));
        assert_eq!(found.value.get("state").and_then(Value::as_str), Some("warn"));
        assert!(found.card.len() > 3, "the card of D13: {:?}", found.card);
        for (at, row) in found.evidence.iter().enumerate() {
            // Each row has its own: what was looked up together is not mixed up.
            let key = format!("3{at:06}");
            assert_eq!((row.table.as_str(), row.row_key.as_str()), ("gold.fact_order", key.as_str()));
            assert_eq!(row.row.as_ref().and_then(|row| row.get("ord_id")).and_then(Value::as_str), Some(format!("O{at}").as_str()));
            assert_eq!((row.silver.len(), row.originals.len()), (usize::from(at < depth.traced), usize::from(at < depth.opened)));
            for (table, silver) in &row.silver {
                assert_eq!((table.as_str(), silver.get("ord_detl_id").and_then(Value::as_str)), ("silver.ord_detl", Some(key.as_str())));
                assert!(silver.keys().all(|name| !name.starts_with("wanted")), "{silver:?}");
            }
            for original in &row.originals {
                assert_eq!(original.bytes.as_deref(), Some(format!("{{\"ordDetlId\":\"{key}\"}}").as_str()));
                let bronze = original.bronze.as_ref().unwrap();
                assert_eq!((bronze["ord_detl_id"].as_str(), bronze["_run_seq"].as_str()), (Some(key.as_str()), Some("2")), "the newest");
            }
        }
        counts.push(read.counts());
        let page = crate::html::alert_page(&found, &all, all.sql.catalogue().get("D13")).unwrap();
        assert!(page.contains("3000009") && page.contains("配送及时率"));
    }
    // alert, value, evidence, fact, silver, bronze: opened once each; the sum is a query more.
    assert_eq!(counts, [(6, 7), (6, 7)]);

    let read = all.reader().await.unwrap();
    for (id, said) in [("ffff", "there is no alert"), ("' OR 1=1", "is no alert id"), ("", "is no alert id")] {
        let error = explain(&all, &read, &Pages, id, Depth::default()).await.unwrap_err();
        assert!(matches!(&error, ServingError::NotFound(why) if why.contains(said)), "{error}");
    }
}
