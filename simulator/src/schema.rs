//! The columns of every dataset, as `sources.md` has them, and what is known of each.

use std::sync::LazyLock;

/// What a column holds; types go by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text or an id.
    Text,
    /// A decimal with so many places.
    Number(u32),
    /// A point in time.
    Time,
    /// A day.
    Date,
    /// A month.
    Month,
    /// One of a listed set.
    Choice(Vec<&'static str>),
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Dictionary name, lower-case snake.
    pub name: &'static str,
    /// camelCase key in the API's JSON.
    pub json: String,
    /// Upper-case header in files.
    pub upper: String,
    /// Chinese header in files.
    pub title: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// A row without it is quarantined.
    pub required: bool,
}

/// One dataset.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Its name.
    pub dataset: &'static str,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The columns that make its key.
    pub key: Vec<&'static str>,
    /// The column that names an institution.
    pub org: Option<&'static str>,
    /// The columns that name a parent row.
    pub parents: Vec<&'static str>,
    /// The columns whose first non-null is the event time (empty: `updt_time`).
    pub event: Vec<&'static str>,
}

impl Schema {
    /// Where a column stands.
    pub(crate) fn at(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

const FLAG: &str = "=0,1";

/// name | key | institution column | parents | event | columns (`*` required, `=a,b` listed values)
const PLATFORM: &[[&str; 6]] = &[
    [
        "drug_listing",
        "pubonln_rslt_id pric_eff_time",
        "",
        "",
        "",
        "pubonln_rslt_id* prod_code* prod_name* genname* dosform* prod_spec* prod_pac convrat* minunt_name minpacunt_name prodentp_code prodentp_name dcla_entp_code aprvno drug_type*=1,2,3,4,5 bas_medn_flag conseval_flag nego_flag shortage_flag injection_flag pubonln_pric* pubonln_stas*=1,0 pric_eff_time* updt_time*",
    ],
    [
        "mcs_listing",
        "pubonln_rslt_id pric_eff_time",
        "",
        "",
        "",
        "pubonln_rslt_id* mcs_code* prod_name* mcs_regno prod_spec* mcs_mol zclass_name convrat* unt prodentp_code prodentp_name hval_flag sep_chrg_flag pubonln_pric* pubonln_stas*=1,0 pric_eff_time* updt_time*",
    ],
    ["enterprise", "org_code", "", "", "", "org_code* uscc org_name* org_type*=3,4 updt_time*"],
    [
        "institution",
        "org_code",
        "",
        "",
        "",
        "org_code* uscc org_name* org_type*=1,2 medins_lv=3,2,1,9 publ_flag admdvs* vali_flag updt_time*",
    ],
    [
        "ord_detl",
        "ord_detl_id",
        "medins_code",
        "",
        "send_time",
        "ord_detl_id* ord_id* ord_code purc_plan_detl_id prod_type*=1,2 pubonln_rslt_id* prod_code* medins_code* delventp_code* purc_cnt* purcpric* purc_amt* purc_type*=1,2,3 emrg_flag send_time* resp_stas=0,1,2 resp_time ord_detl_stas*=1,2,3,4,5 cncl_type=1,2,3 cncl_time updt_time*",
    ],
    [
        "shp",
        "shp_id",
        "",
        "ord_detl_id",
        "shpp_time shp_time",
        "shp_id* ord_detl_id* shp_cnt* shp_pric* shp_time arvl_time shpp_cnt shpp_time auto_shpp_flag manu_lotnum expy_endtime shp_stas*=1,2,3,4 updt_time*",
    ],
    [
        "retn",
        "retn_id",
        "",
        "shp_id ord_detl_id",
        "medins_retn_time",
        "retn_id* shp_id* ord_detl_id* retn_cnt* retn_amt* medins_retn_time* retn_chk_stas*=1,2,3 updt_time*",
    ],
    ["vbp_batch", "btch_code", "", "", "", "btch_code* btch_name* btch_lv*=1,2,3 prod_type*=1,2 agrt_begn_date* agrt_end_date* updt_time*"],
    [
        "vbp_prod",
        "btch_code grp_code prod_code",
        "",
        "",
        "",
        "btch_code* grp_code* grp_name* prod_code* prod_role*=1,2,3,4 award_pric award_convrat updt_time*",
    ],
    [
        "vbp_agrm",
        "btch_code grp_code medins_code prod_code",
        "medins_code",
        "",
        "",
        "btch_code* grp_code* medins_code* prod_code* agrm_cnt* rpt_cnt updt_time*",
    ],
    [
        "tri_agrm",
        "agrm_id",
        "medins_code",
        "",
        "push_time",
        "agrm_id* btch_code* prod_code* medins_code* prodentp_code* delventp_code* push_time* medins_sign_time delventp_sign_time prodentp_sign_time sign_ddln* updt_time*",
    ],
    [
        "purc_plan",
        "purc_plan_detl_id",
        "medins_code",
        "",
        "plan_time",
        "purc_plan_detl_id* medins_code* prod_code* plan_cnt* plan_amt* plan_time* updt_time*",
    ],
    ["pay_detl", "pay_detl_id", "", "shp_id", "pay_time", "pay_detl_id* shp_id* pay_amt* pay_time* pay_mode*=1,2 updt_time*"],
    [
        "appeal",
        "appeal_id",
        "medins_code",
        "",
        "crte_time",
        "appeal_id* btch_code* prod_code* medins_code* entp_code* crte_time* reply_time solv_time updt_time*",
    ],
    [
        "ref_pric",
        "prod_code prov_admdvs eff_date",
        "",
        "",
        "",
        "prod_code* prov_admdvs* ref_pric* ref_convrat* eff_date* actv_zone_flag* updt_time*",
    ],
];

const EXPORTS: &[[&str; 6]] = &[
    [
        "fee_list",
        "bkkp_sn",
        "fixmedins_code",
        "",
        "fee_ocur_time",
        "bkkp_sn* init_feedetl_sn setl_id fee_ocur_time* fixmedins_code* psn_no insu_admdvs med_type list_type*=101,102,103,201,301 med_list_codg medins_list_codg* hilist_code hilist_name* cnt* pric* det_item_fee_sumamt* hi_feesetl_type*=1,2 inscp_amt fulamt_ownpay_amt chrgitm_lv vali_flag* updt_time*",
    ],
    [
        "list_map",
        "fixmedins_code medins_list_codg",
        "fixmedins_code",
        "",
        "",
        "fixmedins_code* medins_list_codg* med_list_codg* convrat* updt_time*",
    ],
    [
        "stock_month",
        "fixmedins_code med_list_codg inv_month",
        "fixmedins_code",
        "",
        "",
        "fixmedins_code* med_list_codg* inv_month* inv_end_cnt* updt_time*",
    ],
    [
        "serv_cost",
        "fixmedins_code serv_code cost_month",
        "fixmedins_code",
        "",
        "",
        "fixmedins_code* serv_code* serv_name cost_month* unit_cost* updt_time*",
    ],
    ["serv_pric", "serv_code medins_lv eff_date", "", "", "", "serv_code* serv_name* medins_lv*=3,2,1,9 pric_uplmt* eff_date* updt_time*"],
    [
        "exemption",
        "exempt_id",
        "",
        "",
        "",
        "exempt_id* indicator_id* measure subject_code prod_code btch_code grp_code begn_month* end_month* reason* doc_no updt_time*",
    ],
    ["surplus_base", "btch_code grp_code", "", "", "", "btch_code* grp_code* pre_unit_pric* updt_time*"],
    [
        "surplus_assess",
        "fixmedins_code btch_code",
        "fixmedins_code",
        "",
        "",
        "fixmedins_code* btch_code* prev_fund_ratio* cur_fund_ratio* insured_share* score* updt_time*",
    ],
    ["workday", "cal_date", "", "", "", "cal_date* is_workday* updt_time*"],
    ["admdvs", "admdvs", "", "", "", "admdvs* admdvs_name* prnt_admdvs* remote_flag updt_time*"],
];

/// Chinese titles of the file columns.
const TITLES: &[(&str, &str)] = &[
    ("bkkp_sn", "记账流水号"),
    ("init_feedetl_sn", "原费用流水号"),
    ("setl_id", "结算ID"),
    ("fee_ocur_time", "费用发生时间"),
    ("fixmedins_code", "定点医药机构编号"),
    ("psn_no", "人员编号"),
    ("insu_admdvs", "参保所属医保区划"),
    ("med_type", "医疗类别"),
    ("list_type", "目录类别"),
    ("med_list_codg", "医疗目录编码"),
    ("medins_list_codg", "医药机构目录编码"),
    ("hilist_code", "医保目录编码"),
    ("hilist_name", "医保目录名称"),
    ("cnt", "数量"),
    ("pric", "单价"),
    ("det_item_fee_sumamt", "明细项目费用总额"),
    ("hi_feesetl_type", "费用结算类型"),
    ("inscp_amt", "符合政策范围金额"),
    ("fulamt_ownpay_amt", "全自费金额"),
    ("chrgitm_lv", "收费项目等级"),
    ("vali_flag", "有效标志"),
    ("updt_time", "数据更新时间"),
    ("convrat", "转换比"),
    ("inv_month", "盘存月份"),
    ("inv_end_cnt", "月末库存数量"),
    ("serv_code", "项目编码"),
    ("serv_name", "项目名称"),
    ("cost_month", "成本月份"),
    ("unit_cost", "单位成本(元)"),
    ("exempt_id", "豁免编号"),
    ("indicator_id", "指标编号"),
    ("measure", "度量"),
    ("subject_code", "主体编码"),
    ("prod_code", "产品编码"),
    ("btch_code", "批次编码"),
    ("grp_code", "分组编码"),
    ("begn_month", "开始月份"),
    ("end_month", "结束月份"),
    ("reason", "豁免事由"),
    ("doc_no", "文号"),
];

/// Look-alike JSON keys that occur, and the column each means.
pub(crate) const JSON_ALIASES: &[(&str, &str)] = &[
    ("pubonInPric", "pubonln_pric"),
    ("pubonInStas", "pubonln_stas"),
    ("pubonInRsltId", "pubonln_rslt_id"),
    ("PurcCode", "ord_code"),
    ("PurcCnt", "purc_cnt"),
    ("medinsCodg", "medins_code"),
    ("shpTimes", "shp_time"),
];

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| PLATFORM.iter().chain(EXPORTS).map(build).collect());
static EMPTY: LazyLock<Schema> = LazyLock::new(|| build(&["", "", "", "", "", ""]));

/// The schema of a dataset; an unknown name has one without columns.
pub(crate) fn schema(dataset: &str) -> &'static Schema {
    SCHEMAS.iter().find(|s| s.dataset == dataset).unwrap_or(&EMPTY)
}

/// The datasets of the platform, in the order of the contract.
pub(crate) fn platform_datasets() -> impl Iterator<Item = &'static str> {
    PLATFORM.iter().map(|d| d[0])
}

/// The datasets that come as files.
pub(crate) fn export_datasets() -> impl Iterator<Item = &'static str> {
    EXPORTS.iter().map(|d| d[0])
}

fn build(def: &[&'static str; 6]) -> Schema {
    let words = |text: &'static str| text.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>();
    Schema {
        dataset: def[0],
        key: words(def[1]),
        org: words(def[2]).first().copied(),
        parents: words(def[3]),
        event: words(def[4]),
        columns: words(def[5]).into_iter().map(column).collect(),
    }
}

fn column(word: &'static str) -> Column {
    let (left, listed) = word.split_once('=').map_or((word, None), |(l, r)| (l, Some(r)));
    let (name, required) = left.strip_suffix('*').map_or((left, false), |n| (n, true));
    let kind = match listed {
        Some(values) => Kind::Choice(values.split(',').collect()),
        None => kind_of(name),
    };
    Column {
        name,
        json: camel(name),
        upper: name.to_ascii_uppercase(),
        title: TITLES.iter().find(|(n, _)| *n == name).map_or("", |(_, t)| *t),
        kind,
        required,
    }
}

fn kind_of(name: &str) -> Kind {
    if name.ends_with("_flag") || name == "is_workday" {
        return Kind::Choice(FLAG.trim_start_matches('=').split(',').collect());
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| name.ends_with(s));
    match name {
        "pric_uplmt" | "unit_cost" => Kind::Number(6),
        "sign_ddln" => Kind::Date,
        "score" | "convrat" => Kind::Number(6),
        "cnt" => Kind::Number(4),
        _ if ends(&["_amt", "_sumamt"]) => Kind::Number(2),
        _ if ends(&["pric", "convrat", "_ratio", "_share"]) => Kind::Number(6),
        _ if ends(&["_cnt"]) => Kind::Number(4),
        _ if ends(&["_time", "_endtime"]) => Kind::Time,
        _ if ends(&["_date"]) => Kind::Date,
        _ if ends(&["_month"]) => Kind::Month,
        _ => Kind::Text,
    }
}

/// camelCase of a snake name.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::new();
    let mut up = false;
    for c in name.chars() {
        if c == '_' {
            up = true;
        } else if up {
            out.push(c.to_ascii_uppercase());
            up = false;
        } else {
            out.push(c);
        }
    }
    out
}
