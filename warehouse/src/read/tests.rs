//! A reader over a small warehouse of real tables.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, new_null_array};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Registry;

use super::*;
use crate::delta::{Change, Table, canonical, file_schema, write_cell};
use crate::ledger::publish_release;
use crate::store::Root;
use crate::warehouse::Warehouse;

/// Commits a cell of `gold.dim_admdvs` with one county; the version.
async fn commit(warehouse: &Warehouse, county: &str) -> i64 {
    let contract = warehouse.contracts.gold_table("dim_admdvs").unwrap();
    let schema = contract.arrow_schema();
    let inner = file_schema(&schema);
    let columns: Vec<ArrayRef> = inner
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "admdvs" => Arc::new(StringArray::from(vec![county])) as ArrayRef,
            _ => new_null_array(field.data_type(), 1),
        })
        .collect();
    let rows = canonical("t", &inner, &[], &[], &[RecordBatch::try_new(inner.clone(), columns).unwrap()]).unwrap();
    let mut table = Table::open_or_create(&warehouse.root, "gold", "dim_admdvs", &schema, &["county", "month"], "t").await.unwrap();
    let partition = vec![("county".to_string(), county.to_string()), ("month".to_string(), "2024-01".to_string())];
    let add = vec![write_cell(&table.store(), "t", partition, rows, 1).await.unwrap()];
    table.commit(Change { add, ..Change::default() }).await.unwrap()
}

#[tokio::test]
async fn a_reader_sees_its_release_opens_a_table_once_and_is_asked_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let location = dir.path().to_str().unwrap();
    let writer = Warehouse::bare(Root::open(location, HashMap::new()).unwrap(), Registry::embedded().unwrap(), "652800");
    assert!(matches!(writer.reader().await, Err(ReadError::NothingPublished)));
    let version = commit(&writer, "652801").await;
    let tables = BTreeMap::from([("gold.dim_admdvs".to_string(), version)]);
    let _ = publish_release(&writer.root, 1, "r1", "2024-07-01T02:00:00", tables).await.unwrap();
    let _ = commit(&writer, "652802").await;

    let warehouse = Warehouse::bare(Root::existing(location, HashMap::new()).unwrap(), Registry::embedded().unwrap(), "652800");
    let reader = warehouse.reader().await.unwrap();
    let counties =
        |rows: &[RecordBatch]| texts(rows).unwrap().iter().map(|row| row["admdvs"].as_str().unwrap().to_string()).collect::<Vec<_>>();
    let all = "SELECT d.admdvs FROM gold.dim_admdvs AS d ORDER BY d.admdvs";
    for _ in 0..3 {
        assert_eq!(counties(&reader.rows(all).await.unwrap()), ["652801"], "not what came after the release");
    }
    assert_eq!(reader.counts(), (1, 3));
    // A value is a value, whatever is in it.
    let of = "SELECT d.admdvs FROM gold.dim_admdvs AS d WHERE d.admdvs = $code";
    assert_eq!(counties(&reader.rows_with(of, &parameters([("code", "652801")])).await.unwrap()), ["652801"]);
    assert!(counties(&reader.rows_with(of, &parameters([("code", "x' OR '1'='1")])).await.unwrap()).is_empty());
    // A table that nothing has made yet is empty; one that nobody declares is none.
    assert!(counties(&reader.rows("SELECT s.shp_id AS admdvs FROM silver.shp AS s").await.unwrap()).is_empty());
    let ledger = reader.rows("SELECT r.release_no, r.run_id FROM ops.release AS r").await.unwrap();
    assert_eq!(Rows::read(&ledger).unwrap().text(0, "run_id"), "r1");
    assert!(matches!(reader.rows("SELECT 1 FROM gold.nothing").await, Err(ReadError::NoTable(name)) if name == "gold.nothing"));
    assert!(matches!(reader.rows("SELECT 1 FROM ops.nothing").await, Err(ReadError::NoTable(_))));
    assert!(matches!(reader.rows("SELECT 1 FROM elsewhere.shp").await, Err(ReadError::NoTable(_))));
    assert!(matches!(reader.rows("SELECT 1 FROM alert").await, Err(ReadError::NoSchema(name)) if name == "alert"));
    assert!(matches!(reader.rows("DROP TABLE gold.dim_admdvs").await, Err(ReadError::Refused(_))));
    // Nor can a table be put into the catalog, or taken out of it.
    assert!(reader.context().deregister_table("gold.dim_admdvs").is_err());
}
