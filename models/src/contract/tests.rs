//! Tests of the contract loader.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::{DataType, TimeUnit};

use super::source::Files;
use super::*;
use crate::field::FieldType;

fn registry() -> Registry {
    Registry::embedded().unwrap()
}

#[test]
fn all_datasets_load() {
    let registry = registry();
    let count = |kind| registry.datasets().iter().filter(|d| d.source == kind).count();
    assert_eq!((count(SourceKind::Platform), count(SourceKind::Export)), (15, 10));
}

#[test]
fn folder_and_binary_agree() {
    let loaded = Registry::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let digests = |r: &Registry| {
        let silver = r.datasets().iter().map(|d| (d.name.clone(), d.digest()));
        silver.chain(r.gold().iter().map(|t| (t.name.clone(), t.digest()))).collect::<Vec<_>>()
    };
    assert_eq!(digests(&loaded), digests(&registry()));
}

#[test]
fn references_come_first() {
    let registry = registry();
    let mut seen = BTreeSet::new();
    for dataset in registry.datasets() {
        for need in dataset.needs() {
            assert!(seen.contains(need), "{} before {need}", dataset.name);
        }
        seen.insert(dataset.name.as_str());
    }
    let position = |name| registry.datasets().iter().position(|d| d.name == name).unwrap();
    assert!(position("list_map") < position("fee_list"));
    assert!(position("ord_detl") < position("shp") && position("shp") < position("retn"));
}

/// sources.md: "Types go by name".
#[test]
fn types_go_by_name() {
    let registry = registry();
    let columns = registry.datasets().iter().flat_map(|d| d.columns.iter().chain(&d.derived));
    for Column { name, ty, values, .. } in columns {
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        let want = if ends(&["_amt", "_sumamt"]) {
            FieldType::Money
        } else if ends(&["pric"]) || ["pric_uplmt", "unit_cost"].contains(&name.as_str()) {
            FieldType::UnitPrice
        } else if ends(&["convrat", "_ratio", "_share"]) || name == "score" {
            FieldType::Ratio
        } else if ends(&["_cnt"]) || name == "cnt" {
            FieldType::Quantity
        } else if ends(&["_time", "_endtime"]) {
            FieldType::Timestamp
        } else if ends(&["_date"]) || name == "sign_ddln" {
            FieldType::Date
        } else if ends(&["_month"]) {
            FieldType::Month
        } else {
            FieldType::Text
        };
        assert_eq!(*ty, want, "{name}");
        if ends(&["_flag"]) || name == "is_workday" {
            let mut values = values.clone().unwrap();
            values.sort();
            assert_eq!(values, ["0", "1"], "{name}");
        }
    }
}

#[test]
fn every_dataset_follows_the_common_rules() {
    for dataset in registry().datasets() {
        let name = &dataset.name;
        assert!(dataset.column("updt_time").unwrap().required, "{name}");
        for org in ["medins_code", "fixmedins_code"] {
            if dataset.column(org).is_some() {
                let first = &dataset.references[0];
                assert_eq!((first.columns[0].as_str(), first.reason), (org, Reason::UnknownOrg), "{name}");
                assert_eq!(dataset.county, CountyRule::Org(org.to_owned()), "{name}");
            }
        }
        let reasons: Vec<Reason> = dataset.references.iter().map(|r| r.reason).collect();
        assert!(reasons.is_sorted(), "{name}");
        if dataset.source == SourceKind::Export {
            for column in &dataset.columns {
                let titled = dataset.file_titles.values().any(|to| *to == column.name);
                assert!(titled, "{name}.{} has no Chinese title", column.name);
            }
        }
    }
}

#[test]
fn the_special_cases_are_there() {
    let registry = registry();
    let dataset = |name| registry.dataset(name).unwrap();
    let values = |name, column| dataset(name).column(column).unwrap().values.clone().unwrap();
    assert_eq!(values("enterprise", "org_type"), ["3", "4"]);
    assert_eq!(values("institution", "org_type"), ["1", "2"]);
    assert_eq!(values("fee_list", "list_type"), ["101", "102", "103", "201", "301"]);
    assert_eq!(values("serv_pric", "medins_lv"), values("institution", "medins_lv"));
    assert!(!dataset("institution").column("vali_flag").unwrap().required);
    let award = dataset("vbp_prod").column("award_pric").unwrap().required_when.clone().unwrap();
    assert_eq!((award.column.as_str(), award.values), ("prod_role", vec!["1".to_owned(), "2".to_owned()]));
    assert_eq!(dataset("mcs_listing").silver_name("mcs_code"), "prod_code");
    assert_eq!(dataset("stock_month").month_of, ["inv_month"]);
    assert_eq!(dataset("stock_month").event, ["updt_time"]);
    assert_eq!(dataset("shp").month_of, ["shpp_time", "shp_time"]);
    assert_eq!(dataset("retn").references.len(), 2);
    assert_eq!(dataset("fee_list").void.as_deref(), Some("vali_flag"));
    assert!(dataset("fee_list").negative_ok && !dataset("stock_month").negative_ok);
}

#[test]
fn names_from_outside_are_found() {
    let registry = registry();
    let orders = registry.dataset("ord_detl").unwrap();
    let keys = orders.json_keys();
    let named = |key: &str| keys.get(key).map(|at| orders.columns[*at].name.as_str());
    assert_eq!(named("ordDetlId"), Some("ord_detl_id"));
    assert_eq!(named("purcpric"), Some("purcpric"));
    assert_eq!(named("pubonInRsltId"), Some("pubonln_rslt_id"));
    assert_eq!(named("PurcCode"), Some("ord_code"));
    assert_eq!(named("ord_detl_id"), None);
    let fees = registry.dataset("fee_list").unwrap();
    let named = |header: &str| fees.file_column(header).map(|at| fees.columns[at].name.as_str());
    assert_eq!(named("DET_ITEM_FEE_SUMAMT"), Some("det_item_fee_sumamt"));
    assert_eq!(named("bkkp_sn"), Some("bkkp_sn"));
    assert_eq!(named("记账流水号"), Some("bkkp_sn"));
    assert_eq!(named("姓名"), None);
}

#[test]
fn schemas_are_as_designed() {
    let registry = registry();
    let fees = registry.dataset("fee_list").unwrap();
    let names = |s: &arrow_schema::Schema| -> Vec<String> { s.fields().iter().map(|f| f.name().clone()).collect() };
    let silver = fees.silver_schema();
    let tail = ["convrat", "warnings", "_source", "_artifact", "_row", "_run_id", "county", "month"];
    assert_eq!(names(&silver)[22..], tail);
    assert_eq!(silver.field_with_name("pric").unwrap().data_type(), &DataType::Decimal128(18, 6));
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert_eq!(silver.field_with_name("updt_time").unwrap().data_type(), &time);
    assert_eq!(silver.field_with_name("bkkp_sn").unwrap().metadata()["comment"], "记账流水号");
    let bronze = fees.bronze_schema();
    assert!(bronze.fields().iter().take(25).all(|f| f.data_type() == &DataType::Utf8));
    assert!(bronze.field_with_name("_extra").is_ok() && bronze.field_with_name("_part").is_ok());
    let mcs = registry.dataset("mcs_listing").unwrap();
    assert!(mcs.silver_schema().field_with_name("prod_code").is_ok());
    assert!(mcs.bronze_schema().field_with_name("mcs_code").is_ok());
}

// ---- what the loader refuses ----

const FIELDS: &str = "
[k]
type = 'text'
title = '键'
[updt_time]
type = 'timestamp'
title = '时间'
[prod]
type = 'text'
title = '产品'
";

fn dataset(name: &str, more: &str) -> String {
    let (head, tail) = more.split_once("---").unwrap_or((more, ""));
    format!(
        "name = '{name}'\ntitle = 't'\nsource = 'export'\nkey = ['k']\nevent = ['updt_time']\n\
         county = {{ region = true }}\n{head}\n[columns]\nk = {{ required = true }}\n\
         updt_time = {{ required = true }}\n{tail}"
    )
}

fn build(fields: &str, bronze: &[(&str, String)], gold: &[(&str, String)]) -> Result<Registry, ContractError> {
    let files = |layer: &str, list: &[(&str, String)]| -> BTreeMap<String, String> {
        list.iter().map(|(name, text)| (format!("contracts/{layer}/{name}.toml"), text.clone())).collect()
    };
    Registry::build(Files { fields: fields.to_owned(), bronze: files("bronze", bronze), gold: files("gold", gold) })
}

fn refused(more: &str) -> String {
    build(FIELDS, &[("a", dataset("a", more))], &[]).unwrap_err().to_string()
}

#[test]
fn wrong_datasets_are_refused() {
    assert!(build(FIELDS, &[("a", dataset("a", ""))], &[]).is_ok());
    for (more, want) in [
        ("colour = 1", "unknown field `colour`"),
        ("--- nofield = {}", "`columns`: `nofield` is not in `fields.toml`"),
        ("--- prod = { requird = true }", "unknown field `requird`"),
        ("month_of = ['k']", "`month_of`: `k` is neither a time nor a month"),
        ("void = 'gone'", "no such column: `gone`"),
        ("warnings = ['oops']", "no such warning: `oops`"),
        ("warnings = ['amount_mismatch']", "needs `amount_check`"),
        ("after = ['z']", "no such dataset: `z`"),
        ("references = [{ columns = ['k'], to = ['a'], reason = 'orphan' }]", "`a` is not `dataset.column`"),
        ("references = [{ columns = ['x'], to = ['a.k'], reason = 'orphan' }]", "no such column: `x`"),
        ("references = [{ columns = ['k'], to = ['z.k'], reason = 'orphan' }]", "no such dataset: `z`"),
        ("references = [{ columns = ['k'], to = ['a.k'], reason = 'odd' }]", "unknown variant `odd`"),
        ("references = [{ columns = ['k'], to = ['a.k'], reason = 'orphan' }]", "in a circle: `a` -> `a`"),
        ("rename = { k = 'updt_time' }", "`updt_time` is already a column"),
        ("--- [json_aliases]\nupdtTime = 'k'", "`json_aliases.updtTime`: this is a column's own JSON key"),
        ("--- [file_titles]\n'甲' = 'x'", "`file_titles.甲`: no such column: `x`"),
        ("--- [file_titles]\n'甲' = 'k'\n'甲' = 'k'", "duplicate key"),
    ] {
        let message = refused(more);
        assert!(message.contains(want), "{more}: {message}");
        assert!(message.contains("contracts/bronze/a.toml"), "{message}");
    }
    let wrong_name = build(FIELDS, &[("b", dataset("a", ""))], &[]).unwrap_err().to_string();
    assert!(wrong_name.contains("`a` is not the file's name"), "{wrong_name}");
    let double = format!("{FIELDS}[k]\ntype = 'text'\ntitle = 'x'\n");
    assert!(build(&double, &[], &[]).unwrap_err().to_string().contains("duplicate key"));
    let unknown = format!("{FIELDS}tipe = 'text'\n");
    assert!(build(&unknown, &[], &[]).unwrap_err().to_string().contains("unknown field `tipe`"));
}

#[test]
fn references_are_checked_by_silver_name() {
    let with = |to: &str| {
        let renamed = dataset("a", "rename = { prod = 'prod_code' } --- prod = {}");
        let more = format!("references = [{{ columns = ['k'], to = ['{to}'], reason = 'orphan' }}]");
        build(FIELDS, &[("a", renamed), ("b", dataset("b", &more))], &[])
    };
    assert!(with("a.prod_code").is_ok());
    assert!(with("a.prod").unwrap_err().to_string().contains("no such column: `a.prod`"));
}

#[test]
fn circles_are_named() {
    let to = |other: &str| format!("references = [{{ columns = ['k'], to = ['{other}.k'], reason = 'orphan' }}]");
    let error = build(FIELDS, &[("a", dataset("a", &to("b"))), ("b", dataset("b", &to("a")))], &[]);
    assert!(error.unwrap_err().to_string().ends_with("`a` -> `b` -> `a`"));
}

fn gold(more: &str) -> String {
    format!(
        "name = 'fact'\ntitle = '事实'\ngrain = ['k']\nmonth_of = 'updt_time'\n\
         reads = {{ 'silver.a' = '-11..0' }}\n[columns]\nk = {{}}\n{more}"
    )
}

#[test]
fn gold_tables_load() {
    let text = gold("price = { type = 'unit_price', title = '价', null = 'none known', ref = 'fact.k' }");
    let registry = build(FIELDS, &[("a", dataset("a", ""))], &[("fact", text)]).unwrap();
    let table = registry.gold_table("fact").unwrap();
    assert_eq!((table.column("k").unwrap().title.as_str(), table.reads["silver.a"].as_str()), ("键", "-11..0"));
    assert_eq!(table.window("silver.a").unwrap().months, Months::Relative { from: Some(-11), to: Some(0) });
    let schema = table.arrow_schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["k", "price", "county", "month"]);
    assert_eq!(schema.field(1).metadata()["comment"], "价");
}

#[test]
fn wrong_gold_tables_are_refused() {
    for (text, want) in [
        (gold("price = { title = '价' }"), "`columns.price`: give a type"),
        (gold("price = { type = 'money' }"), "`columns.price`: give a Chinese title"),
        (gold("updt_time = { type = 'text' }"), "another type than in `fields.toml`"),
        (gold("prod = { ref = 'dim_none' }"), "no such gold table or column: `dim_none`"),
        (gold("").replace("silver.a", "silver.z"), "`reads.silver.z`: no contract"),
        (gold("").replace("-11..0", "sometimes"), "no window of months"),
        (gold("").replace("['k']", "['q']"), "`grain`: no such column: `q`"),
        (gold("").replace("month_of", "month_off"), "unknown field `month_off`"),
        (gold("prod = { min = '0' }"), "`columns.prod.min`: only decimals and whole numbers have a range"),
        (gold("price = { type = 'money', title = '价', max = '1.005' }"), "`columns.price.max`: `1.005` is no number with 2 places"),
        (gold("prod = { unknown = '未登记' }"), "`columns.prod.unknown`: only a column with `ref`"),
        (
            gold("[[reconcile]]\nwith = 'silver.q'\nequal = { 'COUNT(*)' = 'COUNT(*)' }"),
            "`reconcile.silver.q`: the table is not among `reads`",
        ),
        (gold("[[reconcile]]\nwith = 'silver.a'\nequal = {}"), "`reconcile.silver.a`: name at least one number"),
    ] {
        let message = build(FIELDS, &[("a", dataset("a", ""))], &[("fact", text)]).unwrap_err().to_string();
        assert!(message.contains(want), "{message}");
        assert!(message.contains("contracts/gold/fact.toml"), "{message}");
    }
}

#[test]
fn digests_follow_the_contract() {
    let digest = |more: &str| build(FIELDS, &[("a", dataset("a", more))], &[]).unwrap().dataset("a").unwrap().digest();
    assert_eq!(digest(""), digest("# a remark"));
    assert_ne!(digest(""), digest("negative_ok = true"));
    assert_eq!(digest("").len(), 64);
}
