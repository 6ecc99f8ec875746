//! Cards and rules as files.

use super::{CardError, Catalogue, Decimal, How, Indicator, Level, MeasureKind, Operand, ParameterValue, Query, RuleLevel};

/// The example of the README: it must stay valid.
const README: &str = include_str!("README.md");

/// The n-th fenced TOML block of the README.
fn block(n: usize) -> &'static str {
    README.split("```toml\n").nth(n + 1).and_then(|rest| rest.split("```").next()).unwrap()
}

/// The README's indicator, with texts replaced.
fn read(card: &[(&str, &str)], rules: &[(&str, &str)]) -> Result<Indicator, CardError> {
    let change = |text: &str, changes: &[(&str, &str)]| {
        changes.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    };
    Indicator::read(
        "D05_online_rate",
        &change(block(0), card),
        Some(&change(block(1), rules)),
        Some("SELECT 1 FROM gold.fact_receipt"),
        None,
        None,
    )
}

#[test]
fn the_readme_is_a_valid_indicator() {
    let indicator = read(&[], &[]).unwrap();
    let card = &indicator.card;
    assert_eq!((card.id.as_str(), card.version), ("D05", 1));
    let main = card.measure("main").unwrap();
    assert_eq!((main.kind, main.rollup.how, main.judged, main.subject), (MeasureKind::Ratio, How::Sum, true, true));
    assert_eq!(main.rollup.levels, [Level::County, Level::Region]);
    assert_eq!(main.sample[0].to_string(), "denominator < 5000");
    assert!(!card.measure("r12").unwrap().judged);
    assert_eq!(card.parameters["tolerance"].parse("1.005"), Ok(ParameterValue::Decimal { unscaled: 1_005_000, scale: 6 }));
    let rules = indicator.rules_for("main", "2024-05", None);
    assert_eq!(rules.iter().map(|rule| rule.version()).collect::<Vec<_>>(), ["D05.warn.1@2024-01", "D05.verify.1@2024-01"]);
    assert_eq!((rules[0].level, rules[0].persist), (RuleLevel::Warn, Some(3)));
    assert_eq!(rules[0].to_string(), "value < 0.90");
    assert!(matches!(indicator.query, Query::Rows(_)));
}

#[test]
fn rules_hold_for_their_months_and_what_is_known() {
    let newer = r#"[[rule]]
id = "D05.warn.2"
level = "warn"
op = "<"
limit = "0.85"
valid_from = "2024-07"
known_from = "2024-06-15"
replaces = ["D05.warn.1"]
tag = "I"
text_zh = "更新的限值"
"#;
    let rules = format!("{}\n{newer}", block(1));
    let indicator = Indicator::read("D05", block(0), Some(&rules), Some("SELECT 1 FROM gold.fact_receipt"), None, None).unwrap();
    let ids =
        |month: &str, known: Option<&str>| indicator.rules_for("main", month, known).iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids("2024-06", None), ["D05.warn.1", "D05.verify.1"]);
    assert_eq!(ids("2024-07", None), ["D05.verify.1", "D05.warn.2"]);
    assert_eq!(ids("2024-07", Some("2024-06-14")), ["D05.warn.1", "D05.verify.1"]);
    assert!(ids("2023-12", None).is_empty());
    assert!(ids("2024-07", Some("2020-01-01")).is_empty());
}

#[test]
fn what_does_not_fit_names_file_and_key() {
    let said = |result: Result<Indicator, CardError>| result.unwrap_err().to_string();
    assert!(said(read(&[("\"D05\"", "\"D06\"")], &[])).contains("folder"));
    assert!(said(read(&[("version", "versoin")], &[])).contains("unknown field `versoin`"));
    assert!(said(read(&[("\"1.005\"", "\"1.0000005\"")], &[])).contains("parameters.tolerance.value"));
    assert!(said(read(&[("how = \"sum\"", "how = \"own\"")], &[])).contains("need `value.sql`"));
    assert!(said(read(&[], &[("\"D05.verify.1\"", "\"D05.warn.1\"")])).contains("already used"));
    assert!(said(read(&[], &[("\"0.90\"", "\"90%\"")])).contains("no decimal number"));
    assert!(said(read(&[], &[("\"0.90\"", "0.9")])).contains("rules.toml"));
    assert!(said(read(&[], &[("\"verify\"", "\"verify\"\nmeasure = \"r12\"")])).contains("not judged"));
    assert!(said(read(&[], &[("\"verify\"", "\"verify\"\nmeasure = \"x\"")])).contains("no measure `x`"));
    assert!(said(read(&[], &[("\"2024-01\"", "\"2024-1\"")])).contains("yyyy-MM"));
    assert!(said(Indicator::read("D05", block(0), None, None, None, None)).contains("is missing"));
    let value = Indicator::read("D05", block(0), Some(block(1)), None, Some("SELECT 1 FROM gold.fact_receipt"), None);
    assert!(said(value).contains("evidence.sql"));
}

#[test]
fn a_catalogue_reads_folders() {
    let files = [
        ("D05_online_rate/indicator.toml", block(0)),
        ("D05_online_rate/rules.toml", block(1)),
        ("D05_online_rate/rows.sql", "SELECT 1 FROM gold.fact_receipt"),
        ("D05_online_rate/README.md", "# …"),
        ("D05_online_rate/tests/a.slt", "…"),
    ];
    let catalogue = Catalogue::from_files(files).unwrap();
    assert_eq!(catalogue.indicators().len(), 1);
    assert_eq!(catalogue.get("D05").unwrap().folder, "D05_online_rate");
    let twice = files.into_iter().chain([("D05_b/indicator.toml", block(0)), ("D05_b/rows.sql", "SELECT 1 FROM gold.fact_receipt")]);
    assert!(matches!(Catalogue::from_files(twice), Err(CardError::Duplicate { .. })));
    assert!(matches!(Catalogue::from_files([("D05/rows.sql", "SELECT 1 FROM gold.fact_receipt")]), Err(CardError::Missing { .. })));
}

#[test]
fn decimals_are_exact_text() {
    for (text, unscaled, places) in [("0.90", 90, 2), ("-12", -12, 0), ("5000", 5000, 0), ("0.000001", 1, 6), ("-0.25", -25, 2)] {
        let decimal: Decimal = text.parse().unwrap();
        assert_eq!((decimal.unscaled(), decimal.places(), decimal.to_string().as_str()), (unscaled, places, text));
    }
    for text in ["", ".5", "5.", "1e3", "+1", "1,000", "--1", "0.1.2", "1.0000000000001"] {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
    assert_eq!("0.90".parse::<Decimal>().unwrap().at_places(1), Some(9));
    assert_eq!("0.95".parse::<Decimal>().unwrap().at_places(1), None);
}

#[test]
fn operands_are_named() {
    assert_eq!(Operand::named("amount"), Operand::Amount);
    assert_eq!(Operand::named("overdue"), Operand::Input("overdue".to_owned()));
}

#[test]
fn what_is_read_is_named_whole_and_ends_with_the_month() {
    let why = |from: &str, to: &str| read(&[(from, to)], &[]).err().map(|e| e.to_string()).unwrap_or_default();
    let line = "\"gold.fact_receipt\" = \"-11..0\"";
    let window = |to: &str| format!("\"gold.fact_receipt\" = \"{to}\"");
    assert!(why(line, &window("-1..1")).contains("beyond the asked month"));
    assert!(why(line, &window("*")).contains("beyond the asked month"));
    assert!(why(line, &window("agreement")).contains("no window"));
    assert!(why(line, "\"gold.fact_return\" = \"0\"").contains("name it too"));
    assert!(why(line, &format!("{line}\n\"gold.fact_return\" = \"0\"")).contains("does not read"));
    let indicator = read(&[], &[]).unwrap();
    assert_eq!(indicator.window("gold.fact_receipt"), crate::contract::ReadWindow::parse("-11..0").unwrap());
    let wide = read(&[(line, &window("-2..0 all_counties"))], &[]).unwrap();
    assert!(wide.window("gold.fact_receipt").all_counties && !indicator.window("gold.fact_receipt").all_counties);
    let silent = read(&[(line, "")], &[]).unwrap();
    assert_eq!(silent.window("gold.fact_receipt"), super::UP_TO_THE_MONTH);
}

#[test]
fn every_indicator_of_ours_says_what_it_reads() {
    let catalogue = Catalogue::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/indicators")).unwrap();
    let silent: Vec<&str> = catalogue.indicators().iter().filter(|i| i.card.reads.is_empty()).map(Indicator::id).collect();
    assert!(silent.is_empty(), "no `[reads]`: {silent:?}");
}
