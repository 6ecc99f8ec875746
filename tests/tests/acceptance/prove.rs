//! `prove` over every model of the loaded project, and that it can fail: SQL that slips through the lint is named.

use std::collections::BTreeSet;
use std::fs;

use yaojia_models::card::Catalogue;

use crate::support::{Project, files, loaded, workspace};

/// One order line of each institution and month, whichever comes first among those of a product type: no order says which.
const PICKS: &str = "-- A line of the month, by institution.
WITH picked AS (
    SELECT
        line.ord_detl_id AS ord_detl_id,
        line.medins_code AS medins_code,
        line.purc_amt AS purc_amt,
        line.county AS county,
        line.month AS month,
        ROW_NUMBER() OVER (
            PARTITION BY line.medins_code, line.month
            ORDER BY line.medins_code
        ) AS pick_no
    FROM gold.fact_order AS line
)

SELECT
    m.month AS month,
    picked.county AS county,
    picked.medins_code AS subject_code,
    CAST(picked.purc_amt AS DECIMAL(38, 6)) AS num,
    'fact_order' AS source_table,
    picked.ord_detl_id AS row_key
FROM picked
INNER JOIN ask.month AS m
    ON m.month = picked.month
WHERE picked.pick_no = 1
";

/// Month-end stock numbered through in no order that tells rows apart.
const NUMBERED: &str = "-- fact_stock with a running number in place of the stock.
-- Questions: none; this is a test.
SELECT
    stock.fixmedins_code AS fixmedins_code,
    stock.med_list_codg AS med_list_codg,
    stock.inv_month AS inv_month,
    CAST(ROW_NUMBER() OVER (
        PARTITION BY stock.county
        ORDER BY stock.county
    ) AS DECIMAL(18, 4)) AS inv_end_cnt,
    stock.updt_time AS updt_time,
    stock.county AS county,
    stock.month AS month
FROM silver.stock_month AS stock
";

#[test]
fn every_model_is_the_same_in_every_way_and_as_published() {
    let project = loaded();
    let before = files(&project.warehouse());
    let run = project.run(["prove", "--all", "--json"]).exits(0);
    let proof = run.json();
    let models = proof["models"].as_array().unwrap_or_else(|| panic!("no models:\n{run}"));
    let proven: BTreeSet<&str> = models.iter().filter_map(|model| model["model"].as_str()).collect();
    // Nothing is left out: every SQL file of a table, every indicator.
    let root = workspace().join("sql");
    let tables = ["dim", "fact"].iter().flat_map(|folder| files(&root.join(folder)));
    let mut wanted: BTreeSet<String> = tables.filter_map(|file| Some(format!("gold.{}", file.strip_suffix(".sql")?))).collect();
    wanted.extend(Catalogue::load(&root).expect("the indicators").indicators().iter().map(|i| i.id().to_owned()));
    assert_eq!(proven, wanted.iter().map(String::as_str).collect(), "models proven");
    for model in models {
        let variants = model["variants"].as_array().unwrap_or_else(|| panic!("no variants: {model}"));
        let digests: BTreeSet<&str> = variants.iter().filter_map(|ran| ran["digest"].as_str()).collect();
        let indicator = model["model"].as_str().is_some_and(|name| !name.starts_with("gold."));
        assert!(!indicator || model["cut"].as_u64() >= Some(3), "hardly a month was made from its declared reads: {model:#}");
        assert!(variants.len() >= 5 && digests.len() == 1 && model["difference"].is_null() && model["stale"] == 0, "{model:#}");
    }
    let rows: u64 = models.iter().filter_map(|model| model["rows"].as_u64()).sum();
    assert!(rows > 3000, "hardly a row was proven: {rows}");
    assert_eq!(files(&project.warehouse()), before, "prove wrote something");
    let run = project.run(["prove", "fact_receipt", "d05"]).exits(0);
    assert!(run.stdout.contains("gold.fact_receipt") && run.stdout.contains("D05") && !run.stdout.contains("fact_order"), "{run}");
    let run = project.run(["prove", "fact_nothing"]).exits(1);
    assert!(run.stderr.contains("error[E-") && run.stderr.contains("fact_nothing"), "{run}");
}

#[test]
fn what_slips_through_the_lint_is_named() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let folder = project.dir.join("sql-local/indicators/X01_order_lines");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("indicator.toml"), crate::extend::CARD).expect("the card");
    fs::write(folder.join("rows.sql"), PICKS).expect("the query");
    fs::write(folder.join("rules.toml"), crate::extend::rule(1, 5, "")).expect("the rules");
    fs::create_dir_all(project.dir.join("sql-local/fact")).expect("a folder");
    fs::write(project.dir.join("sql-local/fact/fact_stock.sql"), NUMBERED).expect("the model");
    project.run(["check"]).exits(0);
    let run = project.run(["prove", "X01", "fact_stock", "fact_order", "--json"]).exits(1);
    let proof = run.json();
    let differs = |name: &str| {
        let models = proof["models"].as_array().unwrap_or_else(|| panic!("no models:\n{run}"));
        let model = models.iter().find(|model| model["model"] == name).unwrap_or_else(|| panic!("{name} was not proven:\n{run}"));
        model["difference"].as_str().map(str::to_owned)
    };
    let indicator = differs("X01").unwrap_or_else(|| panic!("X01 passed:\n{run}"));
    assert!(indicator.contains("gold.") && indicator.contains("is not the same with"), "{indicator}");
    let fact = differs("gold.fact_stock").unwrap_or_else(|| panic!("fact_stock passed:\n{run}"));
    assert!(fact.contains("gold.fact_stock") && fact.contains("`inv_end_cnt` is"), "{fact}");
    assert_eq!(differs("gold.fact_order"), None);
    let run = project.run(["prove", "X01"]).exits(1);
    assert!(run.stdout.contains("X01") && run.stdout.contains("DIFFERS"), "{run}");
}

/// Order lines of the month and of the month before.
const TWO_MONTHS: &str = "-- Order lines of two months, by institution.
SELECT
    m.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    CAST(1 AS DECIMAL(38, 6)) AS num,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key
FROM gold.fact_order AS line
INNER JOIN ask.month AS m
    ON m.month = line.month
    OR m.prev_month = line.month
";

#[test]
fn a_card_that_reads_more_than_it_says_is_named() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let folder = project.dir.join("sql-local/indicators/X01_order_lines");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("rows.sql"), TWO_MONTHS).expect("the query");
    fs::write(folder.join("rules.toml"), crate::extend::rule(1, 5, "")).expect("the rules");
    let declare = |window: &str| {
        let reads = format!("[reads]\n\"gold.fact_order\" = \"{window}\"\n\n[[measure]]");
        fs::write(folder.join("indicator.toml"), crate::extend::CARD.replacen("[[measure]]", &reads, 1)).expect("the card");
    };
    declare("0");
    project.run(["check"]).exits(0);
    let run = project.run(["prove", "X01", "--quick"]).exits(1);
    assert!(run.stdout.contains("reads more than its `[reads]` say"), "{run}");
    declare("-1..0");
    project.run(["prove", "X01", "--quick"]).exits(0);
    declare("-1..1");
    let run = project.run(["check"]).exits(1);
    assert!(run.stdout.contains("beyond the asked month"), "{run}");
}
