//! Cards and rules as files.

use super::{CardError, Catalogue, Decimal, Files, How, Indicator, Level, MeasureKind, Operand, ParameterValue, Query, RuleLevel};

/// The example of the README: it must stay valid.
const README: &str = include_str!("README.md");

/// The n-th fenced TOML block of the README.
fn block(n: usize) -> &'static str {
    README.split("```toml\n").nth(n + 1).and_then(|rest| rest.split("```").next()).unwrap()
}

/// A card with SQL.
fn rows(card: &str) -> Files<'_> {
    Files { card, rows: Some("SELECT 1 FROM gold.fact_receipt"), ..Files::default() }
}

/// The README's indicator, with texts replaced.
fn read(card: &[(&str, &str)], rules: &[(&str, &str)]) -> Result<Indicator, CardError> {
    let change = |text: &str, changes: &[(&str, &str)]| {
        changes.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    };
    let (card, rules) = (change(block(0), card), change(block(1), rules));
    Indicator::read("D05_online_rate", Files { rules: Some(&rules), ..rows(&card) })
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
    let indicator = Indicator::read("D05", Files { rules: Some(&rules), ..rows(block(0)) }).unwrap();
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
    assert!(said(Indicator::read("D05", Files { card: block(0), ..Files::default() })).contains("is missing"));
    let value = Files { card: block(0), rules: Some(block(1)), value: Some("SELECT 1 FROM gold.fact_receipt"), ..Files::default() };
    assert!(said(Indicator::read("D05", value)).contains("evidence.sql"));
    assert!(said(Indicator::read("D05", Files { basis: Some("SELECT 1"), ..rows(block(0)) })).contains("basis.sql"));
    assert!(said(Indicator::read("D05", Files { basis: Some("SELECT 1"), evidence: value.value, ..value })).contains("read by no SQL"));
    let named = |name: &str| read(&[("name     = \"r12\"", &format!("name = \"r12\"\nsql_name = \"{name}\""))], &[]);
    assert!(said(named("main")).contains("takes the rows"));
    assert!(said(named("A")).contains("lower-case"));
    let card = named("year").unwrap().card;
    assert_eq!(card.measure_in_sql("year").map(|m| m.name.as_str()), Some("r12"));
    assert!(card.measure_in_sql("r12").is_none() && card.measure_in_sql("main").is_some());
}

#[test]
fn a_catalogue_reads_folders() {
    let files = [
        ("indicators/D05_online_rate/indicator.toml", block(0)),
        ("indicators/D05_online_rate/rules.toml", block(1)),
        ("indicators/D05_online_rate/rows.sql", "SELECT 1 FROM gold.fact_receipt"),
        ("indicators/D05_online_rate/README.md", "# …"),
        ("indicators/D05_online_rate/tests/a.slt", "…"),
    ];
    let catalogue = Catalogue::from_files(files).unwrap();
    assert_eq!(catalogue.indicators().len(), 1);
    assert_eq!(catalogue.get("D05").unwrap().folder, "D05_online_rate");
    let twice = files
        .into_iter()
        .chain([("indicators/D05_b/indicator.toml", block(0)), ("indicators/D05_b/rows.sql", "SELECT 1 FROM gold.fact_receipt")]);
    assert!(matches!(Catalogue::from_files(twice), Err(CardError::Duplicate { .. })));
    assert!(matches!(
        Catalogue::from_files([("indicators/D05/rows.sql", "SELECT 1 FROM gold.fact_receipt")]),
        Err(CardError::Missing { .. })
    ));
}

/// Indicators `D05` (rows.sql) and `D06` (value, evidence, basis, no `[reads]`) with the relations of `sql/ask`.
fn with_relations(asked: &[(&str, &str)], rows: &str, basis: &str) -> Result<Catalogue, CardError> {
    let silent = block(0).replacen("\"gold.fact_receipt\" = \"-11..0\"", "", 1);
    let other = silent.replacen("\"D05\"", "\"D06\"", 1).replace("\"D05.warn.1\"", "\"D06.warn.1\"");
    let mut files: Vec<(String, String)> = asked.iter().map(|(name, text)| (format!("ask/{name}.sql"), (*text).to_owned())).collect();
    for (path, text) in [
        ("D05/indicator.toml", silent.as_str()),
        ("D05/rows.sql", rows),
        ("D06/indicator.toml", other.as_str()),
        ("D06/value.sql", "SELECT b.x FROM ask.basis AS b"),
        ("D06/evidence.sql", "SELECT b.x FROM ask.basis AS b"),
        ("D06/basis.sql", basis),
    ] {
        files.push((format!("indicators/{path}"), text.to_owned()));
    }
    Catalogue::from_files(files)
}

#[test]
fn relations_come_in_the_order_in_which_they_need_each_other() {
    let asked = [
        ("moved", "SELECT r.x FROM gold.fact_receipt AS r"),
        ("near", "SELECT m.x FROM ask.moved AS m INNER JOIN ask.month AS a ON a.month = m.x WHERE m.y = $region"),
        ("unread", "SELECT r.x FROM gold.fact_stock AS r"),
    ];
    let catalogue =
        with_relations(&asked, "SELECT n.x FROM ask.near AS n", "SELECT m.x FROM ask.moved AS m, gold.fact_return AS r").unwrap();
    let files = |id: &str| catalogue.get(id).unwrap().texts().into_iter().map(|(file, _)| file).collect::<Vec<_>>();
    assert_eq!(files("D05"), ["ask/moved.sql", "ask/near.sql", "indicators/D05/rows.sql"]);
    assert_eq!(files("D06"), ["ask/moved.sql", "indicators/D06/basis.sql", "indicators/D06/value.sql", "indicators/D06/evidence.sql"]);
    let tables = |id: &str| catalogue.get(id).unwrap().tables().unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(tables("D05"), ["gold.fact_receipt"]);
    assert_eq!(tables("D06"), ["gold.fact_receipt", "gold.fact_return"]);
}

#[test]
fn relations_that_do_not_fit_are_refused() {
    let said = |asked: &[(&str, &str)], rows: &str| with_relations(asked, rows, "SELECT 1 AS x").unwrap_err().to_string();
    assert!(said(&[], "SELECT n.x FROM ask.near AS n").contains("no `sql/ask/near.sql`"));
    assert!(said(&[], "SELECT n.x FROM ask.basis AS n").contains("no `basis.sql`"));
    let circle = [("a", "SELECT b.x FROM ask.b AS b"), ("b", "SELECT a.x FROM ask.a AS a")];
    assert!(said(&circle, "SELECT a.x FROM ask.a AS a").contains("in a circle: `a` -> `b` -> `a`"));
    assert!(said(&[("a", "SELECT r.x FROM gold.r AS r WHERE r.x = $tolerance")], "SELECT 1").contains("`$tolerance`"));
    for name in ["month", "basis", "rows_x", "Alert", "9", ""] {
        assert!(said(&[(name, "SELECT 1")], "SELECT 1").contains("cannot be the name"), "{name}");
    }
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
    let catalogue = Catalogue::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")).unwrap();
    let silent: Vec<&str> = catalogue.indicators().iter().filter(|i| i.card.reads.is_empty()).map(Indicator::id).collect();
    assert!(silent.is_empty(), "no `[reads]`: {silent:?}");
}
