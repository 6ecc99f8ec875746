//! Names that speak of a person, judged by their parts: whom they name, and what of them.

use super::spelling::{outside_brackets, parted, squeeze, words};
use super::vocabulary::{
    ADDRESS, AGENTS, ALONE, ALWAYS, CARD_OF, CLASSES, COUNTS, DETAILS, GLUE, HARMLESS, KINDS, LICENCES, NOT_PERSONS, NUMBER, OF_PERSONS,
    PATIENTS, PERSONS, STAFF, WHO,
};

/// Whether a name of no contract is about a person.
pub(super) fn is_personal_name(name: &str) -> bool {
    let (outside, inside) = outside_brackets(name);
    let (plain, remark) = (squeeze(&outside), squeeze(&inside));
    if chinese(&plain) || (!counts(&plain) && OF_PERSONS.iter().any(|word| remark.contains(word))) {
        return true;
    }
    latin(&outside)
}

/// Whether running text speaks of a person.
pub(super) fn speaks_of_person(text: &str) -> bool {
    let plain = squeeze(text);
    OF_PERSONS.iter().chain(AGENTS).any(|word| plain.contains(word)) || has_label(text, &is_personal_name)
}

/// Whether a text has the form of a filled-in blank whose label is personal: `制表人：张三`.
pub(super) fn has_label(text: &str, personal: &dyn Fn(&str) -> bool) -> bool {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once([':', '：', '︰', '﹕']) {
        let ends =
            |c: char| c.is_whitespace() || matches!(c, ',' | '，' | ';' | '；' | '。' | '、' | '|' | '/' | '(' | '（' | '[' | '【' | '"');
        let last = before.rsplit(ends).next().unwrap_or(before);
        // 姓 名：
        let spaced: String = before.chars().rev().filter(|c| !c.is_whitespace()).take(4).collect::<Vec<_>>().into_iter().rev().collect();
        if personal(last) || (last.chars().count() < 4 && personal(&spaced)) {
            return true;
        }
        rest = after;
    }
    false
}

fn counts(plain: &str) -> bool {
    COUNTS.iter().any(|word| plain.ends_with(word))
}

fn chinese(plain: &str) -> bool {
    if plain.is_ascii() || counts(plain) {
        return false;
    }
    if OF_PERSONS.iter().any(|word| plain.contains(word)) {
        return true;
    }
    if plain.contains("证号") || plain.ends_with("证件") || plain.contains("证编号") {
        return !LICENCES.iter().any(|word| plain.contains(word));
    }
    if matches!(plain, "地址" | "详细地址" | "法人" | "工号" | "姓" | "名字") || STAFF.iter().any(|word| plain.ends_with(word))
    {
        return true;
    }
    if PERSONS.iter().any(|word| plain.contains(word)) {
        return !CLASSES.iter().any(|word| plain.ends_with(word));
    }
    KINDS.iter().any(|kind| {
        let after = plain.split_once(kind).map(|(_, after)| after);
        after.is_some_and(|after| DETAILS.iter().any(|detail| after.starts_with(detail)))
    })
}

fn latin(name: &str) -> bool {
    let in_list = |list: &[&str], word: &str| list.contains(&word);
    let known = |word: &str| [WHO, ALWAYS, NUMBER, ADDRESS, GLUE, CARD_OF].iter().any(|list| in_list(list, word));
    let words: Vec<String> =
        words(name).iter().flat_map(|word| if known(word) { vec![word.clone()] } else { parted(word, &known) }).collect();
    let Some(last) = words.last() else { return false };
    if words.len() == 1 && in_list(ALONE, last) {
        return true;
    }
    if in_list(HARMLESS, last) && words.len() > 1 {
        return false;
    }
    let any = |list: &[&str]| words.iter().any(|word| in_list(list, word));
    let follows = |first: &[&str], second: &[&str]| {
        words.windows(2).any(|pair| matches!(pair, [one, two] if in_list(first, one) && in_list(second, two)))
    };
    let (who, not_person) = (any(WHO), any(NOT_PERSONS));
    if any(ALWAYS) || follows(&["e"], &["mail"]) || follows(&["cell"], &["phone", "no", "num", "number"]) {
        return true;
    }
    // an organisation's name, address or certificate stays, unless a person of it is named
    if any(&["certno", "certi"]) || (any(&["cert", "certificate"]) && (who || any(NUMBER))) {
        return who || !not_person;
    }
    if any(ADDRESS) {
        return who || !not_person;
    }
    if follows(CARD_OF, &["card", "cardno"]) || any(&["cardno"]) || follows(&["card"], NUMBER) {
        return who || !not_person;
    }
    if words.len() == 2 && follows(&["id"], &["no", "num", "number", "nbr"]) {
        return true;
    }
    if who && any(&["name", "nm", "xm"]) {
        return !any(&["file", "table", "column", "field", "dept"]);
    }
    if follows(&["ipt", "otp", "inpatient", "outpatient", "admission", "hospitalization"], NUMBER) || any(&["medicalrecord"]) {
        return true;
    }
    words.iter().any(|word| in_list(PATIENTS, word)) && follows(PATIENTS, &["id", "no", "num", "number", "nbr", "identity", "code"])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[rustfmt::skip]
    #[test]
    fn compound_names_are_personal_by_their_parts() {
        for name in [
            "患者身份证号", "病人手机号", "家属电话", "监护人姓名", "住院号", "联系人", "患者", "患者出生日期", "参保人住址", "军官证号",
            "医保证号码", "收货人手机", "开单医生", "主治医师", "医生姓名", "医师编码", "人员代码", "个人编码", "家庭地址", "制表人",
            "户籍所在地", "編號（身份證）", "聯繫電話", "監護人姓名", "患者 身份证 号", "患\u{200b}者姓名", "配送企业电话", "负责人电话",
            "紧急联系人(手机)", "备注（含身份证号）", "工号", "QQ号", "patnCertno", "PATN_CERTNO", "PATNCERTNO", "patient_id_card",
            "patient-id-card", "receiverMobilePhone", "RECEIVER_MOBILE_PHONE", "PATN_NAME", "patnName", "Patient Name",
            "ｐａｔｎＮａｍｅ", "contactTel", "contactPhone1", "guardianName", "psnAddr", "homeAddress", "certNo", "IDCardNo", "idNo",
            "patientId", "PATIENTID", "drName", "legalPersonName", "userName", "mobile2", "insuredCertNo", "medicalCardNo",
            "email_address", "HZXM", "xingming", "SFZH", "lxdh", "患者name", "联系人tel", "phone_number", "family_member_tel", "mrn",
        ] {
            assert!(is_personal_name(name), "{name}");
        }
    }

    #[rustfmt::skip]
    #[test]
    fn names_of_products_organisations_and_counts_stay() {
        for name in [
            "", "生产企业名称", "药品名称", "医疗机构名称", "配送企业名称", "药品通用名", "注册证号", "医疗器械注册证号", "经营许可证号",
            "批准文号", "备案证号", "合格证号", "支付凭证号", "患者人次", "患者自付金额", "参保人数", "参保人员占比", "人员类别",
            "人员经费", "个人自付金额", "职工医保标志", "电话费", "审核状态", "生产地址", "注册地址", "法人名称", "项目名称", "计价单位",
            "备注", "加工号", "订单编号", "生产批号", "开票人次", "科室名称", "规格（元）", "孕妇用药", "品名", "prodName",
            "prodentpName", "delventpName", "medinsName", "fixmedins_name", "orgName", "dept_name", "bilg_dept_name", "brandName",
            "fileName", "regCertNo", "entpCertNo", "registrationCertNo", "prodAddr", "orgAddress", "ipAddr", "psn_type", "patnCnt",
            "psn_pay", "patientCount", "rid", "tenantId", "RMK", "telescope", "hotel", "motel", "medicament", "catalog", "xmbm", "xmmc",
            "crterId", "opterId", "setlId", "mdtrtId", "hilistCode", "managed by", "delivered to client date",
            "pq first sent to client date", "line item insurance (usd)", "molecule/test type", "vendor", "certificateType",
            "identityType", "amount", "consevalFlag", "addrCnt", "drug_name",
        ] {
            assert!(!is_personal_name(name), "{name}");
        }
    }

    #[test]
    fn running_text_speaks_of_persons_by_words_and_by_labels() {
        for text in [
            "制表人：测试丙 联系电话：13800000002",
            "填报人:张三",
            "患者：李四",
            "单位：元 家属：王五",
            "姓 名：张三",
            "Contact: John",
            "请与联系人联系",
            "（经办人：甲）",
        ] {
            assert!(speaks_of_person(text), "{text}");
        }
        for text in ["医疗服务项目成本表", "患者费用明细表（单位：元）", "2024年1月", "单位：元", "说明：按最小单位", "ratio: 1:2", ""]
        {
            assert!(!speaks_of_person(text), "{text}");
        }
    }

    /// A name in one of the ways people and programs write it.
    fn written(parts: &[&str], manner: usize) -> String {
        let title = |word: &&str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
        match manner {
            0 => parts.join("_"),
            1 => parts.join("_").to_uppercase(),
            2 => parts.join("-"),
            3 => parts.join(" "),
            4 => parts.iter().map(title).collect(),
            5 => parts.iter().enumerate().map(|(at, word)| if at == 0 { (*word).to_owned() } else { title(word) }).collect(),
            6 => parts.join("_").chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c)).collect(),
            _ => parts.concat(),
        }
    }

    proptest! {
        #[test]
        fn any_latin_name_out_of_parts_is_personal(
            who in select(vec!["patn", "patient", "psn", "guardian", "family", "contact", "receiver", "insured", "doctor", "relative"]),
            what in select(vec![&["name"] as &[&str], &["certno"], &["cert", "no"], &["id", "card"], &["mobile", "phone"], &["tel"], &["addr"], &["email"], &["mobile"], &["birthday"]]),
            manner in 0..8_usize,
        ) {
            let parts: Vec<&str> = std::iter::once(who).chain(what.iter().copied()).collect();
            let name = written(&parts, manner);
            prop_assert!(is_personal_name(&name), "{}", name);
        }

        #[test]
        fn any_chinese_name_out_of_parts_is_personal(
            who in select(vec!["患者", "病人", "家属", "监护人", "联系人", "参保人", "就诊人", "收货人", "经办人", "亲属", "代办人", ""]),
            what in select(vec!["姓名", "身份证号", "身份证号码", "证件号码", "证件号", "电话", "手机", "手机号码", "住址", "家庭地址", "证号", "联系方式", "出生日期"]),
            between in select(vec!["", " ", "\u{3000}", "\u{200b}", "_", "-", "*", "的"]),
            after in select(vec!["", "（必填）", "：", " *", "1"]),
        ) {
            let name = format!("{who}{between}{what}{after}");
            prop_assert!(is_personal_name(&name), "{}", name);
        }
    }
}
