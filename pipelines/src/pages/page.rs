//! One page, and the index.

use yaojia_models::card::{Condition, Example, Indicator, Measure, Rule, Source};
use yaojia_models::contract::Registry;

use super::tongue::Tongue;
use super::{honesty, inputs};
use crate::lineage::Lineage;

/// Where a page finds the repository's root.
const ROOT: &str = "../../..";

/// A table's cell: one line, and no bar that would end it.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(head.iter().map(|text| cell(text)).collect());
    out.push_str(&format!("|{}\n", "---|".repeat(head.len())));
    rows.iter().for_each(|row| out.push_str(&line(row.iter().map(|text| cell(text)).collect())));
    out
}

/// The text of this language, or the Chinese one where there is none.
fn said<'a>(tongue: Tongue, chinese: &'a str, english: Option<&'a str>) -> &'a str {
    match tongue {
        Tongue::Chinese => chinese,
        Tongue::English => english.unwrap_or(chinese),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// One indicator's page.
pub(super) fn render(tongue: Tongue, indicator: &Indicator, registry: &Registry, lineage: &Lineage) -> String {
    let card = &indicator.card;
    let english = card.en.as_ref();
    let title = said(tongue, &card.name_zh, Some(&card.name_en));
    let other = match tongue {
        Tongue::Chinese => format!("[English](../en/{}.md)", card.id),
        Tongue::English => format!("[中文](../zh/{}.md)", card.id),
    };
    let mut out = format!(
        "<!-- {} -->\n\n",
        tongue.of("由 `yaojia indicator pages` 生成，勿手改", "written by `yaojia indicator pages`: do not edit")
    );
    out.push_str(&format!("# {} {}\n\n", card.id, if tongue == Tongue::English { capital(title) } else { title.to_owned() }));
    out.push_str(&format!("{other} · [{}](README.md)\n\n> {}\n\n", tongue.of("全部指标", "all indicators"), note(tongue, indicator)));
    section(&mut out, tongue.of("问题", "Question"), said(tongue, &card.question, english.map(|e| e.question.as_str())));
    section(&mut out, tongue.of("为何重要", "Why it matters"), said(tongue, &card.why, english.map(|e| e.why.as_str())));
    let method = said(tongue, card.method.as_deref().unwrap_or_default(), english.map(|e| e.method.as_str()));
    section(&mut out, tongue.of("算法", "Method"), method);
    section(&mut out, tongue.of("概况", "At a glance"), &glance(tongue, indicator, registry));
    section(&mut out, tongue.of("度量", "Measures"), &measures(tongue, indicator));
    let exclusions = match (tongue, english) {
        (Tongue::English, Some(english)) => &english.exclusions,
        _ => &card.exclusions,
    };
    let none = tongue.of("无。", "None.");
    section(&mut out, tongue.of("不计入", "Exclusions"), &bullets(exclusions, none));
    section(&mut out, tongue.of("参数", "Parameters"), &parameters(tongue, indicator));
    section(&mut out, tongue.of("阈值与规则", "Rules and thresholds"), &rules(tongue, &indicator.rules));
    section(&mut out, tongue.of("依据", "Legal basis"), &basis(tongue, &card.sources));
    section(&mut out, tongue.of("数据来源（血缘）", "Inputs (lineage)"), &lineage_of(tongue, indicator, lineage));
    section(&mut out, tongue.of("算例", "Worked examples"), &examples(tongue, &card.examples));
    section(&mut out, "SQL", &sql(tongue, indicator));
    out
}

fn note(tongue: Tongue, indicator: &Indicator) -> String {
    honesty(tongue, &indicator.card).replace("docs/official-list.md", &format!("[docs/official-list.md]({ROOT}/docs/official-list.md)"))
}

fn section(out: &mut String, heading: &str, body: &str) {
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    out.push_str(&format!("## {heading}\n\n{}\n", body.trim_end()));
}

fn bullets(items: &[String], none: &str) -> String {
    if items.is_empty() { none.to_owned() } else { items.iter().map(|item| format!("- {item}\n")).collect() }
}

fn glance(tongue: Tongue, indicator: &Indicator, registry: &Registry) -> String {
    let card = &indicator.card;
    let recipients = match (tongue, &card.en) {
        (Tongue::English, Some(english)) => &english.recipients,
        _ => &card.recipients,
    };
    let needs = card.needs.iter().map(|name| {
        let title = registry.dataset(name).map(|dataset| dataset.title.as_str()).unwrap_or_default();
        format!("`{name}` {title}")
    });
    let comma = tongue.of("、", ", ");
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let rows = [
        (tongue.of("编号与版本", "Id and version"), format!("{} v{}", card.id, card.version)),
        (tongue.of("名称", "Name"), format!("{} / {}", card.name_zh, card.name_en)),
        (tongue.of("定义性质", "Standing"), tongue.standing(card.standing).to_owned()),
        (tongue.of("类别", "Class"), tongue.class(card.class).to_owned()),
        (tongue.of("环节", "Step of the chain"), tongue.chain(card.chain).to_owned()),
        (tongue.of("主体", "Subject"), tongue.subject(card.subject_kind).to_owned()),
        (tongue.of("统计期", "Window"), card.window.clone()),
        (tongue.of("单位", "Unit"), card.unit.clone()),
        (tongue.of("方向", "Bad side"), tongue.bad_side(card.bad_side).to_owned()),
        (tongue.of("接收人", "Recipients"), recipients.join(comma)),
        (tongue.of("所需数据集", "Needs"), needs.collect::<Vec<_>>().join(comma)),
        (tongue.of("编写", "Authored"), card.authored.clone()),
        (tongue.of("核对", "Checked"), dash(&card.checked)),
        (tongue.of("上次复核", "Reviewed"), dash(&card.reviewed)),
        (tongue.of("下次复核", "Next review"), card.next_review.clone()),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, text)| vec![name.to_owned(), text]).collect();
    table(&[tongue.of("项目", "What"), tongue.of("内容", "Is")], &rows)
}

fn measures(tongue: Tongue, indicator: &Indicator) -> String {
    let card = &indicator.card;
    let row = |measure: &Measure| {
        let levels: Vec<&str> = measure.rollup.levels.iter().map(|level| tongue.level(*level)).collect();
        let rollup = if levels.is_empty() {
            "–".to_owned()
        } else {
            format!("{}: {}", levels.join(tongue.of("、", ", ")), tongue.how(measure.rollup.how))
        };
        let sample: Vec<String> = measure.sample.iter().map(Condition::to_string).collect();
        vec![
            format!("`{}`", measure.name),
            said(tongue, &measure.title_zh, measure.title_en.as_deref()).to_owned(),
            tongue.formula(measure.kind).to_owned(),
            measure.unit.clone().unwrap_or_else(|| card.unit.clone()),
            tongue.subject(card.subject_kind_of(measure)).to_owned(),
            rollup,
            if measure.judged { tongue.of("是", "yes") } else { tongue.of("否", "no") }.to_owned(),
            if sample.is_empty() { "–".to_owned() } else { sample.join(tongue.of(" 或 ", " or ")) },
        ]
    };
    let head = [
        tongue.of("度量", "measure"),
        tongue.of("名称", "title"),
        tongue.of("公式", "formula"),
        tongue.of("单位", "unit"),
        tongue.of("主体", "subject"),
        tongue.of("汇总", "roll-up"),
        tongue.of("评判", "judged"),
        tongue.of("样本不足，当", "insufficient when"),
    ];
    table(&head, &card.measures.iter().map(row).collect::<Vec<_>>())
}

fn parameters(tongue: Tongue, indicator: &Indicator) -> String {
    if indicator.card.parameters.is_empty() {
        return tongue.of("无。", "None.").to_owned();
    }
    let rows: Vec<Vec<String>> = indicator
        .card
        .parameters
        .iter()
        .map(|(name, of)| vec![format!("`${name}`"), of.value.clone(), said(tongue, &of.title, of.title_en.as_deref()).to_owned()])
        .collect();
    let head = [tongue.of("参数", "parameter"), tongue.of("默认值", "default"), tongue.of("含义", "meaning")];
    let own = tongue.of("地区可在 `yaojia.toml` 的", "A region may set its own values in `yaojia.toml` under");
    format!("{}\n{own} `[parameters.{}]`{}", table(&head, &rows), indicator.id(), tongue.of(" 中另行设定。", "."))
}

fn rules(tongue: Tongue, rules: &[Rule]) -> String {
    if rules.is_empty() {
        return tongue.of("无阈值，只展示。", "None: the value is only shown.").to_owned();
    }
    let row = |rule: &Rule| {
        let mut when = rule.to_string();
        if !rule.scope.levels.is_empty() {
            let levels: Vec<&str> = rule.scope.levels.iter().map(|level| tongue.level(*level)).collect();
            when.push_str(&format!(" ({})", levels.join(tongue.of("、", ", "))));
        }
        let persist = rule.persist.map_or_else(
            || "–".to_owned(),
            |n| match tongue {
                Tongue::Chinese => format!("连续{n}个月转核实"),
                Tongue::English => format!("verify after {n} months"),
            },
        );
        let valid = format!("{} – {}", rule.valid_from, rule.valid_to.as_deref().unwrap_or_default());
        vec![
            format!("`{}`", rule.id),
            format!("`{}`", rule.measure),
            format!("`{when}`"),
            tongue.rule_level(rule.level).to_owned(),
            persist,
            valid.trim_end().to_owned(),
            rule.known_from.clone(),
            tongue.tag(rule.tag).to_owned(),
            if rule.cites.is_empty() { "–".to_owned() } else { rule.cites.join("；") },
            rule.text_zh.clone(),
        ]
    };
    let head = [
        tongue.of("规则", "rule"),
        tongue.of("度量", "measure"),
        tongue.of("条件", "when"),
        tongue.of("级别", "level"),
        tongue.of("持续", "persistence"),
        tongue.of("适用月份", "valid"),
        tongue.of("知悉日", "known from"),
        tongue.of("性质", "tag"),
        tongue.of("出处", "cites"),
        tongue.of("提示语", "message"),
    ];
    table(&head, &rules.iter().map(row).collect::<Vec<_>>())
}

fn basis(tongue: Tongue, sources: &[Source]) -> String {
    if sources.is_empty() {
        return tongue.of("无：我方定义。", "None: our own definition.").to_owned();
    }
    let one = |source: &Source| {
        let number = source.doc_no.as_deref().map(|no| format!("，{no}")).unwrap_or_default();
        let quote = source.quote.as_deref().map(|quote| format!("：“{quote}”")).unwrap_or_default();
        let url = source.url.as_deref().map(|url| format!(" <{url}>")).unwrap_or_default();
        format!("- {}{number}{quote}{url}\n", source.title)
    };
    sources.iter().map(one).collect()
}

fn lineage_of(tongue: Tongue, indicator: &Indicator, lineage: &Lineage) -> String {
    let mut rows = Vec::new();
    for measure in &indicator.card.measures {
        for (name, of) in inputs::of_measure(lineage, indicator.id(), measure) {
            let list = |names: &std::collections::BTreeSet<String>| {
                let shown: Vec<String> = names
                    .iter()
                    .map(|name| if name == "*" { tongue.of("（行）", "(rows)").to_owned() } else { format!("`{name}`") })
                    .collect();
                if shown.is_empty() { "–".to_owned() } else { shown.join(" ") }
            };
            rows.push(vec![format!("`{}`", measure.name), format!("`{name}`"), list(&of.values), list(&of.decides)]);
        }
    }
    let head = [
        tongue.of("度量", "measure"),
        tongue.of("表", "table"),
        tongue.of("取值的列", "values from"),
        tongue.of("只起筛选、连接、分组、条件作用的列", "columns that only filter, join, group or decide"),
    ];
    let sources: Vec<String> =
        inputs::sources(lineage, indicator.id()).into_iter().map(|(name, title)| format!("`{name}` {title}")).collect();
    format!(
        "{}\n{} {}\n\n{} `yaojia lineage {}`",
        table(&head, &rows),
        tongue.of("最终来自：", "At the other end:"),
        sources.join(tongue.of("、", ", ")),
        tongue.of("逐列追溯：", "Column by column:"),
        indicator.id()
    )
}

fn examples(tongue: Tongue, examples: &[Example]) -> String {
    let number = |of: Option<yaojia_models::card::Decimal>| of.map_or_else(|| "–".to_owned(), |of| of.to_string());
    let row = |example: &Example| {
        let mut given: Vec<String> = Vec::new();
        let mut add = |name: &str, text: Option<String>| given.extend(text.map(|text| format!("{name} {text}")));
        add(tongue.of("分子", "numerator"), example.numerator.map(|of| of.to_string()));
        add(tongue.of("分母", "denominator"), example.denominator.map(|of| of.to_string()));
        add(tongue.of("值", "value"), example.value.map(|of| of.to_string()));
        add(tongue.of("涉及金额", "amount at risk"), example.amount.map(|of| of.to_string()));
        add(tongue.of("样本数", "rows"), example.sample_n.map(|of| of.to_string()));
        example.inputs.iter().for_each(|(name, value)| add(&format!("`{name}`"), Some(value.clone())));
        if example.months_before != 12 {
            add(tongue.of("此前月数", "months before"), Some(example.months_before.to_string()));
        }
        if !example.before.is_empty() {
            add(tongue.of("此前状态", "states before"), Some(example.before.join(", ")));
        }
        let mut verdict = format!("`{}`", example.expect.state);
        if !example.expect.mark.is_empty() {
            verdict.push_str(&format!(" ({})", example.expect.mark));
        }
        if let Some(rule) = &example.expect.rule {
            verdict.push_str(&format!(" `{rule}`"));
        }
        vec![
            said(tongue, &example.title, example.title_en.as_deref()).to_owned(),
            format!("`{}`", example.measure),
            tongue.level(example.level).to_owned(),
            example.month.clone(),
            given.join(tongue.of("，", ", ")),
            number(example.expect.value),
            verdict,
        ]
    };
    let head = [
        tongue.of("算例", "example"),
        tongue.of("度量", "measure"),
        tongue.of("层级", "level"),
        tongue.of("月份", "month"),
        tongue.of("已知", "given"),
        tongue.of("值", "value"),
        tongue.of("结论", "verdict"),
    ];
    let run = tongue.of("算例作为测试运行（`yaojia indicator check`）。", "They run as tests (`yaojia indicator check`).");
    format!("{}\n{run}", table(&head, &examples.iter().map(row).collect::<Vec<_>>()))
}

fn sql(tongue: Tongue, indicator: &Indicator) -> String {
    let shared = indicator.card.sql.as_ref();
    let link = |file: &str| format!("- [sql/{file}]({ROOT}/sql/{file})\n");
    let mut out: String = indicator.texts().iter().map(|(file, _)| link(file)).collect();
    out.push_str(&link(&format!("indicators/{}/indicator.toml", indicator.folder)));
    if !indicator.rules.is_empty() {
        out.push_str(&link(&format!("indicators/{}/rules.toml", indicator.folder)));
    }
    if shared.is_some() {
        out.push_str(tongue.of("\n与孪生指标共用一份SQL，参数不同。", "\nThe SQL is shared with its twin; the parameters differ."));
    }
    out
}

/// All indicators of a language.
pub(super) fn index(tongue: Tongue, indicators: &[Indicator]) -> String {
    let rows: Vec<Vec<String>> = indicators
        .iter()
        .map(|indicator| {
            let card = &indicator.card;
            let measures: Vec<String> = card.measures.iter().map(|measure| format!("`{}`", measure.name)).collect();
            vec![
                format!("[{}]({}.md)", card.id, card.id),
                said(tongue, &card.name_zh, Some(&card.name_en)).to_owned(),
                tongue.class(card.class).to_owned(),
                tongue.chain(card.chain).to_owned(),
                tongue.subject(card.subject_kind).to_owned(),
                card.window.clone(),
                measures.join(" "),
                indicator.rules.len().to_string(),
                tongue.standing(card.standing).to_owned(),
            ]
        })
        .collect();
    let head = [
        tongue.of("编号", "id"),
        tongue.of("名称", "name"),
        tongue.of("类别", "class"),
        tongue.of("环节", "step"),
        tongue.of("主体", "subject"),
        tongue.of("统计期", "window"),
        tongue.of("度量", "measures"),
        tongue.of("规则数", "rules"),
        tongue.of("性质", "standing"),
    ];
    let note = tongue.of(
        "标为“重建”的31项按江苏省通知（苏医保办发〔2025〕12号）的名称与分类重建；官方清单为未公开附件，换入办法见 [docs/official-list.md](../../official-list.md)。",
        "The 31 marked as reconstruction follow the notice 苏医保办发〔2025〕12号, whose list is an annex that is not public: they are ours. How to put the official list in: [docs/official-list.md](../../official-list.md).",
    );
    let generated = tongue.of("由 `yaojia indicator pages` 生成，勿手改", "written by `yaojia indicator pages`: do not edit");
    format!("<!-- {generated} -->\n\n# {}\n\n{note}\n\n{}", tongue.of("指标", "Indicators"), table(&head, &rows))
}
