//! The dimension of indicators.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use yaojia_models::card::{Card, Measure};

use crate::delta::{Change, Table, canonical, digest_in, file_schema, write_cell};
use crate::error::{Result, WarehouseError};
use crate::gold::Indicators;
use crate::ledger::RunStamp;

/// Writes `gold.dim_indicator`: the catalogue as it was used, one row a measure, in the region's cell of the first month.
pub(super) async fn list(build: &Indicators<'_>, run: &RunStamp) -> Result<u64> {
    let name = "dim_indicator";
    let label = format!("gold.{name}");
    let contract = build
        .warehouse
        .contracts
        .gold_table(name)
        .ok_or_else(|| WarehouseError::Contract { table: label.clone(), why: "there is no contract".to_string() })?;
    let rows: Vec<_> = build.warehouse.indicators().iter().flat_map(|i| i.card.measures.iter().map(move |m| (&i.card, m))).collect();
    let schema = file_schema(&contract.arrow_schema());
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> Result<ArrayRef> {
            if field.data_type() == &DataType::Int64 {
                return Ok(Arc::new(rows.iter().map(|(card, _)| Some(i64::from(card.version))).collect::<Int64Array>()));
            }
            let text = |card: &Card, measure: &Measure| match field.name().as_str() {
                "indicator_id" => Ok(card.id.clone()),
                "measure" => Ok(measure.name.clone()),
                "version" => Ok(card.version.to_string()),
                "name_zh" => Ok(card.name_zh.clone()),
                "name_en" => Ok(card.name_en.clone()),
                "measure_title" => Ok(measure.title_zh.clone()),
                "question" => Ok(card.question.clone()),
                "why" => Ok(card.why.clone()),
                "indicator_class" => Ok(card.class.as_str().to_string()),
                "chain_step" => Ok(card.chain.as_str().to_string()),
                "subject_kind" => Ok(card.subject_kind_of(measure).as_str().to_string()),
                "window_text" => Ok(card.window.clone()),
                "unit_text" => Ok(card.unit.clone()),
                other => Err(WarehouseError::Contract { table: label.clone(), why: format!("a card gives no `{other}`") }),
            };
            Ok(Arc::new(rows.iter().map(|(card, measure)| text(card, measure).map(Some)).collect::<Result<StringArray>>()?))
        })
        .collect::<Result<Vec<_>>>()?;
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(|source| WarehouseError::Arrow { table: label.clone(), source })?;
    let mut table =
        Table::open_or_create(&build.warehouse.root, "gold", name, &contract.arrow_schema(), &["county", "month"], &contract.title).await?;
    let sorted = canonical(&label, &schema, &contract.grain, &[], &[batch])?;
    let held = table.files()?;
    if held.len() == 1 && digest_in(&held[0].path) == Some(sorted.digest.as_str()) {
        return Ok(0);
    }
    let partition = vec![
        ("county".to_string(), build.warehouse.region.code.clone()),
        ("month".to_string(), build.warehouse.region.first_month.to_string()),
    ];
    let file = write_cell(&table.store(), &label, partition, sorted, run.seq).await?;
    let change = Change {
        add: vec![file],
        remove: held.into_iter().map(|f| f.path).collect(),
        positions: vec![("yaojia".to_string(), run.seq)],
        info: vec![("yaojia.run".to_string(), run.id.clone())],
    };
    table.commit(change).await?;
    Ok(1)
}
