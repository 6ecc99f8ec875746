//! What nobody sees makes no other row: cleaning as judging sees it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{Column, Dataset, Reason, Registry};
use yaojia_models::field::FieldType;

use crate::silver::{Verdict, contents, judge_alone};

const NOW: i64 = 1_717_200_000_000_000;

/// A text that a column takes.
fn plain(column: &Column) -> String {
    if let Some(first) = column.values.as_ref().and_then(|values| values.first()) {
        return first.clone();
    }
    match column.ty {
        FieldType::Timestamp => "2024-03-05 10:00:00".to_string(),
        FieldType::Date => "2024-03-05".to_string(),
        FieldType::Month => "2024-03".to_string(),
        FieldType::Text => "X1".to_string(),
        _ => "1".to_string(),
    }
}

/// One row for each way to write a column.
fn batch(dataset: &Dataset, column: &str, written: &[String]) -> RecordBatch {
    let schema = Arc::new(dataset.batch_schema());
    let arrays: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            if field.name() == "_row" {
                return Arc::new((1..=written.len() as i64).collect::<Int64Array>());
            }
            let text = |way: &String| match dataset.column(field.name()) {
                Some(_) if field.name() == column => Some(way.clone()),
                Some(of) => Some(plain(of)),
                None => None,
            };
            Arc::new(written.iter().map(text).collect::<StringArray>())
        })
        .collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}

fn verdicts(dataset: &Dataset, batch: &RecordBatch) -> Vec<Option<Verdict>> {
    judge_alone(dataset, batch, NOW).unwrap().into_iter().map(|alone| alone.verdict).collect()
}

#[test]
fn every_key_and_code_is_the_same_however_it_is_guarded() {
    let registry = Registry::embedded().unwrap();
    // one of every kind: controls, formats, spaces, fillers; all of Unicode in models/src/text/fuzz.rs
    let unseen = [
        "\0",
        "\u{1f}",
        "\u{7f}",
        "\u{85}",
        "\u{ad}",
        "\u{200b}",
        "\u{200e}",
        "\u{202a}",
        "\u{2060}",
        "\u{feff}",
        "\u{e0041}",
        "\u{fe0f}",
        "\u{3164}",
    ];
    for dataset in registry.datasets() {
        for column in dataset.columns.iter().filter(|column| column.form() != yaojia_models::text::Form::Prose) {
            let value = plain(column);
            let (head, tail) = value.split_at(1);
            let mut written =
                vec![value.clone(), format!("'{value}"), format!("`{value}"), format!("=\"{value}\""), format!("\u{2003}{value}\u{3000}")];
            for c in unseen {
                written.extend([format!("{c}{value}"), format!("{value}{c}"), format!("{head}{c}{tail}"), format!("'{c}{value}")]);
            }
            let batch = batch(dataset, &column.name, &written);
            let names = contents(dataset, &batch).unwrap();
            let verdicts = verdicts(dataset, &batch);
            for (at, way) in written.iter().enumerate() {
                assert_eq!(names.first(), names.get(at), "{}.{}: {way:?}", dataset.name, column.name);
                assert_eq!(verdicts.first(), verdicts.get(at), "{}.{}: {way:?}", dataset.name, column.name);
            }
        }
    }
}

#[test]
fn an_id_in_scientific_notation_has_lost_its_digits() {
    let registry = Registry::embedded().unwrap();
    for dataset in registry.datasets() {
        for key in &dataset.key {
            let column = dataset.column(key).unwrap();
            if column.ty != FieldType::Text || column.values.is_some() {
                continue;
            }
            let written = ["X1", "1.23457E+17", "'1e+05", "3.4202402E17", "342024020000000128.0"].map(ToString::to_string);
            let verdicts = verdicts(dataset, &batch(dataset, key, &written));
            assert!(verdicts[0].as_ref().is_none_or(|(reason, _)| *reason != Reason::LossyNumber));
            for (verdict, way) in verdicts.iter().zip(&written).skip(1) {
                assert_eq!(*verdict, Some((Reason::LossyNumber, Some(key.clone()))), "{}.{key}: {way}", dataset.name);
            }
        }
    }
}
