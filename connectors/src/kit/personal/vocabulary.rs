//! The words by which names are judged.

/// Chinese: personal wherever they stand in a name.
#[rustfmt::skip]
pub(super) const OF_PERSONS: &[&str] = &[
    "姓名", "身份证", "身分证", "身份号", "身份识别号", "证件号", "证件名", "证件类型", "手机", "移动电话", "电话", "联系方式",
    "联络方式", "联系号码", "住址", "家庭地址", "家庭住", "户籍", "户口", "通讯地址", "通信地址", "联系地址", "居住地", "常住地", "现住",
    "邮箱", "电子邮件", "微信号", "微信账号", "qq号", "出生日期", "出生年月", "出生时间", "生日", "社保卡", "社会保障号", "社会保障卡",
    "医保卡", "银行卡号", "就诊卡", "护照", "病历号", "病案号", "住院号", "门诊号", "就诊号", "门诊流水号", "个人编号", "个人代码",
    "人员编号", "曾用名", "籍贯", "身份证件", "健康卡号",
];

/// Chinese: whoever is named so is a person; what is said of them is personal unless it only counts or classifies.
#[rustfmt::skip]
pub(super) const PERSONS: &[&str] = &[
    "患者", "病人", "病员", "家属", "亲属", "家长", "监护人", "联系人", "联络人", "参保人", "被保险人", "投保人", "就诊人", "就医人",
    "就诊者", "受检者", "收货人", "收件人", "寄件人", "领药人", "取药人", "领取人", "领用人", "代办人", "经办人", "填报人", "填表人",
    "制表人", "制单人", "审核人", "复核人", "核对人", "审批人", "审定人", "负责人", "法定代表人", "法人代表", "被委托人", "报告人",
    "记录人", "录入人", "操作人", "操作员", "录入员", "经办员", "采购员", "业务员", "联系员", "联络员", "送货人", "配送人", "配送员",
    "收货员", "签收人", "验收人", "验收员", "库管员", "保管员", "户主", "持卡人", "受益人", "配偶", "父亲", "母亲", "当事人", "举报人",
    "投诉人", "诉求人", "受理人", "承办人", "责任人", "签字人", "签名人", "签发人", "签署人", "编制人", "统计人", "调查人", "被调查人",
    "伤者", "死者", "开单人", "开方人", "处方人", "录入者", "操作者", "护理员",
];

/// Chinese: people as a kind; personal where one of [`DETAILS`] follows at once.
#[rustfmt::skip]
pub(super) const KINDS: &[&str] = &[
    "人员", "个人", "职工", "员工", "居民", "医生", "医师", "药师", "护士", "主任", "大夫", "用户", "会员", "本人", "子女", "村民",
    "学生",
];
#[rustfmt::skip]
pub(super) const DETAILS: &[&str] = &[
    "姓名", "名称", "名字", "名", "编号", "编码", "代码", "工号", "号", "id", "证", "手机", "地址", "住", "签名", "签字", "联系", "唯一",
];
/// Of those, the ones that are a name's last word when it holds a person's name.
pub(super) const STAFF: &[&str] = &["医生", "医师", "药师", "护士", "大夫", "主任", "护师"];

/// What a column holds that counts or classifies.
#[rustfmt::skip]
pub(super) const COUNTS: &[&str] = &[
    "费", "费用", "金额", "额", "数", "数量", "人数", "次数", "人次", "例数", "率", "比例", "占比", "标志", "状态", "单价", "价格",
    "合计", "总计",
];
#[rustfmt::skip]
pub(super) const CLASSES: &[&str] = &[
    "类型", "类别", "分类", "来源", "满意度", "评分", "天数", "时间", "月份", "级别", "等级", "部门", "科室", "机构", "自付", "负担",
    "支付", "床日",
];

/// Certificates that products and organisations have.
#[rustfmt::skip]
pub(super) const LICENCES: &[&str] = &[
    "注册证", "许可证", "备案", "合格证", "批准", "认证", "登记证", "凭证", "验证", "检验", "准入", "专利", "产权", "营业", "资质",
    "gmp", "gsp", "信用证", "论证", "生产", "经营", "药品", "器械", "产品", "商品", "企业", "机构", "进口", "执业许可", "准产", "通关",
    "质保", "质量",
];

/// Chinese: when a text that is no heading of ours speaks so, it speaks of a person.
#[rustfmt::skip]
pub(super) const AGENTS: &[&str] = &[
    "联系人", "联络人", "监护人", "经办人", "填报人", "填表人", "制表人", "制单人", "审核人", "复核人", "审批人", "负责人", "法定代表人",
    "法人代表", "报告人", "录入人", "操作员", "收货人", "收件人", "签收人", "验收人", "参保人姓名", "编制人", "统计人",
];

/// Latin: whom a name is about.
#[rustfmt::skip]
pub(super) const WHO: &[&str] = &[
    "patn", "patient", "pat", "psn", "person", "personal", "insured", "insuree", "guardian", "guar", "family", "relative", "spouse",
    "father", "mother", "contact", "contacts", "coner", "conr", "linkman", "liaison", "receiver", "recipient", "consignee", "addressee",
    "sender", "doctor", "dr", "physician", "nurse", "pharmacist", "phar", "operator", "opter", "oper", "crter", "creator", "user", "usr",
    "member", "handler", "lglrep", "legalperson", "legrep", "staff", "employee", "emp", "resident", "household", "beneficiary", "real",
    "nick", "first", "last", "given", "sur", "rlts", "inpatient", "outpatient", "agnter", "manager", "director", "principal", "auditor",
    "approver", "reviewer", "checker", "submitter", "reporter", "preparer", "salesman", "author",
];
/// Latin: those who are someone's patient or relative; a number of theirs names them.
pub(super) const PATIENTS: &[&str] =
    &["patn", "patient", "psn", "person", "insured", "insuree", "guardian", "relative", "inpatient", "outpatient", "resident"];
/// Latin: whoever is named so alone is named.
#[rustfmt::skip]
pub(super) const ALONE: &[&str] = &[
    "patient", "guardian", "contact", "contacts", "linkman", "consignee", "receiver", "recipient", "doctor", "physician", "nurse",
    "pharmacist", "username", "surname", "firstname", "lastname", "realname", "nickname", "fullname", "xm",
];

/// Latin: personal whatever stands beside them.
#[rustfmt::skip]
pub(super) const ALWAYS: &[&str] = &[
    "tel", "telno", "telephone", "phone", "phoneno", "mobile", "mobileno", "mob", "cellphone", "handphone", "email", "idcard", "idno",
    "idnum", "brdy", "birthday", "birthdate", "birth", "dob", "passport", "ssn", "wechat", "weixin", "openid", "sfz", "sfzh", "sfzhm",
    "zjhm", "lxdh", "lxr", "lxrxm", "lxrdh", "sjhm", "csrq", "brxm", "hzxm", "ysxm", "jbrxm", "czyxm", "hsxm", "cbrxm", "jtzz", "jtdz",
    "xingming", "shenfenzheng", "shenfenzhenghao", "dianhua", "lianxidianhua", "lianxiren", "shouji", "shoujihao", "huanzhe", "bingren",
    "jiashu", "zhuzhi", "jianhuren", "mrn", "medrcdno", "medcasno", "identity", "homeaddr",
];
pub(super) const NUMBER: &[&str] = &["no", "num", "number", "nbr", "code", "codg", "id", "sn"];
pub(super) const ADDRESS: &[&str] = &["addr", "address", "adr"];
#[rustfmt::skip]
pub(super) const CARD_OF: &[&str] = &[
    "id", "identity", "medical", "med", "insurance", "insu", "insur", "social", "ssc", "si", "hi", "health", "bank", "bankcard", "mdtrt",
    "visit",
];
/// Latin: an organisation, a product or a machine; its certificate, card or address is none of a person.
#[rustfmt::skip]
pub(super) const NOT_PERSONS: &[&str] = &[
    "reg", "regist", "registration", "register", "registered", "lic", "licn", "license", "licence", "prod", "product", "drug", "mcs",
    "dev", "device", "entp", "org", "corp", "comp", "company", "medins", "fixmedins", "hosp", "hospital", "aprv", "approval", "gmp",
    "gsp", "qual", "quality", "insp", "manu", "factory", "plant", "site", "import", "batch", "biz", "business", "tax", "ssl", "tls",
    "ca", "root", "ip", "mac", "url", "uri", "web", "http", "host", "server", "warehouse", "whse", "delv", "delventp", "prodentp", "shp",
    "ship", "shipping", "delivery", "store", "office", "memory", "goods", "item",
];
/// Latin: what counts or classifies.
#[rustfmt::skip]
pub(super) const HARMLESS: &[&str] = &[
    "type", "clss", "class", "cnt", "count", "amt", "amount", "sumamt", "fee", "cost", "qty", "flag", "flg", "stas", "status", "rate",
    "ratio", "pay", "lv", "level", "days", "times", "share", "dept", "time", "cls",
];
/// Latin: further words that names are written together with.
#[rustfmt::skip]
pub(super) const GLUE: &[&str] = &[
    "name", "card", "cert", "certno", "certificate", "certi", "cell", "mail", "home", "live", "cardno", "of", "the", "info",
];
