//! The lineage of all that is built in: complete, and by hand where it matters.

use std::collections::BTreeSet;

use yaojia_models::bundle::SqlBundle;
use yaojia_models::contract::Registry;
use yaojia_warehouse::lineage::{ColumnRef, Transform};

use super::walk::{Direction, Target};
use super::*;

async fn built_in() -> Lineage {
    let definitions = Definitions::embedded().unwrap();
    let inputs = Inputs { definitions: &definitions, datasets: definitions.contracts.datasets(), messages: messages(None).unwrap() };
    Lineage::of(&inputs).await.unwrap()
}

fn how(lineage: &Lineage, to: (&str, &str), from: (&str, &str)) -> Vec<&'static str> {
    let column = lineage.column(&ColumnRef::new(to.0, to.1)).unwrap_or_else(|| panic!("no column {to:?}"));
    column.origin.from.get(&ColumnRef::new(from.0, from.1)).map(|how| how.iter().map(|how| how.as_str()).collect()).unwrap_or_default()
}

#[tokio::test]
async fn every_column_comes_from_somewhere_and_every_reference_leads_somewhere() {
    let lineage = built_in().await;
    assert_eq!(lineage.problems(), Vec::<String>::new());
    assert_eq!(lineage.dangling(), Vec::<String>::new());
    let (registry, sql) = (Registry::embedded().unwrap(), SqlBundle::embedded().unwrap());
    // Nothing is left out: every contract is a table, with every column.
    for table in registry.gold() {
        let held = lineage.tables().get(&format!("gold.{}", table.name)).unwrap_or_else(|| panic!("no gold.{}", table.name));
        let wanted: Vec<String> = table.arrow_schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(held.columns.keys().cloned().collect::<Vec<_>>(), wanted, "gold.{}", table.name);
    }
    for dataset in registry.datasets() {
        for (layer, schema) in [("bronze", dataset.bronze_schema()), ("silver", dataset.silver_schema())] {
            let held = &lineage.tables()[&format!("{layer}.{}", dataset.name)];
            assert_eq!(held.columns.len(), schema.fields().len(), "{}", held.name);
        }
    }
    let unknown: Vec<String> = lineage
        .tables()
        .values()
        .flat_map(|table| {
            table.columns.iter().filter(|(_, column)| !column.origin.is_known()).map(|(name, _)| format!("{}.{name}", table.name))
        })
        .collect();
    assert_eq!(unknown, Vec::<String>::new(), "columns that come from nowhere");
    // A model's column has a column upstream, or is a constant or a parameter and says so.
    for model in sql.models() {
        let table = &lineage.tables()[&format!("gold.{}", model.table)];
        for (name, column) in &table.columns {
            let origin = &column.origin;
            assert!(
                origin.has_direct() || !origin.from.is_empty() || !origin.constants.is_empty() || !origin.parameters.is_empty(),
                "gold.{}.{name} has neither",
                model.table
            );
        }
    }
    // Every measure of every indicator goes back to a source.
    for indicator in sql.catalogue().indicators() {
        for measure in &indicator.card.measures {
            let start = ColumnRef::new(format!("indicator.{}", indicator.id()), &measure.name);
            // A share of things that pass a test has 1 and 0 for values: only conditions lead on.
            let found = lineage.walk_columns(&start, Direction::Up, None, true);
            let sources = found.steps.iter().filter(|step| lineage.layer_of(&step.name) == Some(Layer::Source)).count();
            assert!(sources > 0, "{start} goes back to no source: {:?}", found.steps);
        }
    }
}

#[tokio::test]
async fn a_column_renamed_on_its_way() {
    let lineage = built_in().await;
    // The platform's key, its look-alike, the contract's rename.
    assert_eq!(how(&lineage, ("bronze.ord_detl", "purc_cnt"), ("platform.C1004", "purcCnt")), ["IDENTITY"]);
    assert_eq!(how(&lineage, ("bronze.ord_detl", "purc_cnt"), ("platform.C1004", "PurcCnt")), ["IDENTITY"]);
    assert_eq!(how(&lineage, ("bronze.fee_list", "pric"), ("export.fee_list", "单价")), ["IDENTITY"]);
    assert_eq!(how(&lineage, ("bronze.fee_list", "psn_no"), ("export.fee_list", "人员编号")), ["TRANSFORMATION"]);
    let renamed: Vec<(String, String, String)> = Registry::embedded()
        .unwrap()
        .datasets()
        .iter()
        .flat_map(|dataset| dataset.rename.iter().map(|(from, to)| (dataset.name.clone(), from.clone(), to.clone())))
        .collect();
    assert!(!renamed.is_empty());
    for (dataset, from, to) in renamed {
        assert_eq!(how(&lineage, (&format!("silver.{dataset}"), &to), (&format!("bronze.{dataset}"), &from)), ["TRANSFORMATION"]);
    }
    assert_eq!(how(&lineage, ("silver.shp", "county"), ("silver.ord_detl", "county")), ["IDENTITY"]);
}

#[tokio::test]
async fn on_time_delivery_by_hand() {
    // D13: 1 where a receipt came within the term, by MIN(shpp_time) before T of the line, against send_time, the county's remote flag and the
    // urgent flag; lines, and receipts by line and product type, through the relation `ask.cohort`
    let lineage = built_in().await;
    let numerator = ("indicator.D13", "main.numerator");
    assert_eq!(how(&lineage, numerator, ("gold.fact_receipt", "shpp_time")), ["CONDITIONAL", "FILTER"]);
    assert_eq!(how(&lineage, numerator, ("gold.fact_order", "send_time")), ["CONDITIONAL", "JOIN", "FILTER"]);
    assert_eq!(how(&lineage, numerator, ("gold.dim_admdvs", "remote_flag")), ["CONDITIONAL"]);
    assert_eq!(how(&lineage, numerator, ("gold.fact_order", "cncl_type")), ["FILTER"]);
    assert_eq!(how(&lineage, numerator, ("gold.fact_order", "prod_type")), ["JOIN", "GROUP_BY", "FILTER"]);
    assert_eq!(how(&lineage, numerator, ("gold.fact_receipt", "ord_detl_id")), ["JOIN"]);
    assert_eq!(how(&lineage, numerator, ("gold.fact_order", "ord_detl_id")), ["JOIN", "GROUP_BY"]);
    assert_eq!(how(&lineage, ("indicator.D13", "main"), ("indicator.D13", "main.numerator")), ["TRANSFORMATION"]);
    assert_eq!(how(&lineage, ("gold.indicator_value", "value"), ("indicator.D13", "main")), ["IDENTITY"]);
    assert_eq!(how(&lineage, ("indicator.D13", "evidence.row_key"), ("gold.fact_order", "ord_detl_id")), ["IDENTITY", "JOIN", "GROUP_BY"]);
    // the card's parameters of the terms
    let column = lineage.column(&ColumnRef::new(numerator.0, numerator.1)).unwrap();
    assert!(column.origin.parameters.contains("normal_hours"), "{:?}", column.origin.parameters);
}

#[tokio::test]
async fn measures_of_one_query_are_told_apart() {
    let lineage = built_in().await;
    // D17: overdue_60 and direct_rate are branches of one UNION; only the second reads who paid.
    let of = |measure: &str| -> BTreeSet<String> {
        let found = lineage.walk_columns(&ColumnRef::new("indicator.D17", measure), Direction::Up, Some(2), true);
        found.steps.into_iter().map(|step| step.name).collect()
    };
    let (main, direct) = (of("main"), of("direct_rate"));
    assert_ne!(main, direct);
    let found = lineage.walk_columns(&ColumnRef::new("indicator.D03", "coverage"), Direction::Up, Some(2), false);
    assert!(found.steps.len() > 1, "{found:?}");
}

#[tokio::test]
async fn up_and_down_meet() {
    let lineage = built_in().await;
    let up = lineage.walk_columns(&ColumnRef::new("gold.fact_receipt", "shpp_time"), Direction::Up, None, false);
    let names: Vec<&str> = up.steps.iter().map(|step| step.name.as_str()).collect();
    assert!(names.contains(&"silver.shp.shpp_time") && names.contains(&"bronze.shp.shpp_time"), "{names:?}");
    let down = lineage.walk_columns(&ColumnRef::new("bronze.shp", "shpp_time"), Direction::Down, Some(2), false);
    assert!(down.steps.iter().any(|step| step.name == "gold.fact_receipt.shpp_time" && step.distance == 2), "{:?}", down.steps);
    let tables = lineage.walk_tables("gold.fact_receipt", Direction::Up, None);
    assert!(tables.steps.iter().any(|step| step.name == "silver.shp"), "{:?}", tables.steps);
    let tables = lineage.walk_tables("silver.shp", Direction::Down, None);
    assert!(tables.steps.iter().any(|step| step.name == "indicator.D13") && tables.steps.iter().any(|step| step.name == "gold.alert"));
    assert!(up.edges.iter().all(|edge| edge.how.iter().all(|how: &Transform| how.is_direct())));
}

#[tokio::test]
async fn names_may_be_short() {
    let lineage = built_in().await;
    let column = |table: &str, column: &str| Target::Column(ColumnRef::new(table, column));
    assert_eq!(lineage.target("fact_order").unwrap(), Target::Table("gold.fact_order".into()));
    assert_eq!(lineage.target("ord_detl").unwrap(), Target::Table("silver.ord_detl".into()));
    assert_eq!(lineage.target("bronze.ord_detl.send_time").unwrap(), column("bronze.ord_detl", "send_time"));
    assert_eq!(lineage.target("fact_order.send_time").unwrap(), column("gold.fact_order", "send_time"));
    assert_eq!(lineage.target("d13").unwrap(), Target::Table("indicator.D13".into()));
    assert_eq!(lineage.target("d13.main.numerator").unwrap(), column("indicator.D13", "main.numerator"));
    assert!(lineage.target("send_time").unwrap_err().candidates.contains(&"gold.fact_order.send_time".to_string()));
    assert!(lineage.target("nothing_like_it").unwrap_err().candidates.is_empty());
}
