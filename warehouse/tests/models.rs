//! Tests of the SQL below `sql/`: tiny tables and numbers worked by hand, one case a file (`slt/README.md`).

mod slt;

use slt::compare::difference;
use slt::file::{Case, Step, rewritten};
use slt::{Found, bless, find, run};
use yaojia_models::card::Catalogue;
use yaojia_warehouse::indicator::check_examples;

/// Indicators whose text has the most traps: each has at least two cases.
const WELL_TESTED: [&str; 5] = ["D05", "D09", "D11", "D13", "C05"];
/// Facts that have at least one.
const FACTS: [&str; 6] = ["fact_receipt", "fact_order", "fact_usage", "fact_return", "fact_payment", "fact_agreement"];

#[tokio::test(flavor = "multi_thread")]
async fn all_cases_hold() {
    let files = find().unwrap();
    assert!(!files.is_empty(), "there is no case below `sql/`");
    // each file has its own session, so they can run side by side; only the order of the report matters
    let runs: Vec<_> = files.into_iter().map(|file| (file.label.clone(), tokio::spawn(async move { run(&file, bless()).await }))).collect();
    let (count, mut failed) = (runs.len(), Vec::new());
    for (label, case) in runs {
        match case.await {
            Ok(Ok(queries)) => println!("ok   {label} ({queries} queries)"),
            Ok(Err(why)) => failed.push(format!("FAIL {label}\n{why}")),
            Err(why) => failed.push(format!("FAIL {label}\n{why}")),
        }
    }
    assert!(failed.is_empty(), "{} of {count} cases fail\n\n{}", failed.len(), failed.join("\n\n"));
}

#[test]
fn no_case_is_missing() {
    let files = find().unwrap();
    let count = |name: &str| files.iter().filter(|file| file.model == name).count();
    let missing: Vec<&str> =
        WELL_TESTED.into_iter().filter(|id| count(id) < 2).chain(FACTS.into_iter().filter(|fact| count(fact) < 1)).collect();
    assert!(missing.is_empty(), "too few cases for {}", missing.join(", "));
}

#[test]
fn every_case_belongs_to_a_model() {
    let catalogue = Catalogue::load(&slt::sql_folder()).unwrap();
    for Found { label, model, sql, .. } in find().unwrap() {
        let known = sql.map_or_else(|| catalogue.get(&model).is_some(), |sql| sql.is_file());
        assert!(known, "`{label}` tests `{model}`, of which there is no SQL");
    }
}

#[test]
fn examples_of_all_cards_hold() {
    let catalogue = Catalogue::load(&slt::sql_folder()).unwrap();
    assert!(catalogue.indicators().len() >= 40, "only {} cards", catalogue.indicators().len());
    let failed: Vec<String> = catalogue.indicators().iter().filter_map(|card| check_examples(card).err()).map(|e| e.to_string()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_difference_is_shown() {
    let case = Case::parse("# indicator D05\nquery TR rowsort\nSELECT 1\n----\nb  1\na 2\n\n# more\n").unwrap();
    let Some(Step::Query(query)) = case.steps.first() else { panic!("no query") };
    assert_eq!(difference(query, vec!["a 2".to_owned(), "b 1".to_owned()]), None);
    let shown = difference(query, vec!["b 1".to_owned(), "a 3".to_owned()]).unwrap();
    assert!(shown.ends_with("  - a 2\n  + a 3\n    b 1"), "{shown}");
}

#[test]
fn rows_are_written_anew_in_their_place() {
    let text = "# model m\nquery T rowsort\nSELECT 1\n----\nold\n\n# between\nquery T\nSELECT 2\n----\n\n# end\n";
    let case = Case::parse(text).unwrap();
    let queries = case.steps.iter().filter_map(|step| if let Step::Query(query) = step { Some(query.clone()) } else { None });
    let fresh: Vec<_> = queries.zip([vec!["b".to_owned(), "a".to_owned()], vec!["c".to_owned()]]).collect();
    assert_eq!(
        rewritten(text, &fresh),
        "# model m\nquery T rowsort\nSELECT 1\n----\na\nb\n\n# between\nquery T\nSELECT 2\n----\nc\n\n# end\n"
    );
}

#[test]
fn what_is_no_case_is_refused() {
    for (text, why) in [
        ("# nothing\n", "the case has no query"),
        ("statement error\nSELECT 1\n", "is neither `statement ok` nor `query`"),
        ("query T\nSELECT 1\n", "has no `----`"),
        ("query T valuesort\nSELECT 1\n----\n1\n", "neither nosort nor rowsort"),
    ] {
        let refused = Case::parse(text).map(|_| ()).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}
