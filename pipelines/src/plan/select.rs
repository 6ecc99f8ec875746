//! Selectors: which tables and indicators a word means.
//!
//! ```text
//! fact_receipt  gold.fact_receipt  silver.ord_detl  ord_detl  D13      a name
//! layer:silver  layer:gold  layer:indicator                            a layer
//! tag:预警提醒  tag:配  tag:enterprise  tag:platform  tag:fact           a tag
//! stale  changed                                                       not fresh; not fresh because its own definition is another
//! +x  x+  +x+                                                          with all it is made from, with all that is made of it, both
//! a,b                                                                  what both select; several words: what any selects
//! ```

use std::collections::{BTreeMap, BTreeSet};

use yaojia_models::contract::SourceKind;
use yaojia_models::graph::{Graph, table_refs};
use yaojia_models::value::Month;
use yaojia_warehouse::gold::Indicators;

use crate::context::Context;
use crate::error::RunError;
use crate::report::PlanReport;
use crate::run::build;

/// Reasons that lie in a table's own definition.
const CHANGED: [&str; 4] = ["code_changed", "contract_changed", "rule_changed", "parser_changed"];
const LAYERS: [&str; 3] = ["silver", "gold", "indicator"];
/// Near matches that an error names.
const NEAR: usize = 6;

/// Every table that is built and every indicator, by name (`silver.shp`, `gold.fact_receipt`, `indicator.D13`), with what each is made
/// from and its tags. The tables the engine writes (`gold.alert` …) are no nodes: they stand for all indicators.
pub(crate) struct Nodes {
    graph: Graph,
    tags: BTreeMap<String, BTreeSet<String>>,
}

/// What is not fresh: node → reasons.
pub(crate) type States = BTreeMap<String, BTreeSet<String>>;

/// The node of an indicator.
fn indicator_node(id: &str) -> String {
    format!("indicator.{id}")
}

impl Nodes {
    /// Of a project.
    ///
    /// # Errors
    /// [`RunError::Config`] when SQL does not parse.
    pub fn of(context: &Context<'_>) -> Result<Self, RunError> {
        let bad = |error: yaojia_models::graph::GraphError| RunError::Config(error.to_string());
        let mut reads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for dataset in context.registry.datasets() {
            let name = format!("silver.{}", dataset.name);
            let source = if dataset.source == SourceKind::Platform { "platform" } else { "export" };
            tags.insert(name.clone(), BTreeSet::from([source.to_owned()]));
            reads.insert(name, dataset.needs().into_iter().map(|need| format!("silver.{need}")).collect());
        }
        for model in context.warehouse.sql.models() {
            let name = format!("gold.{}", model.table);
            let kind = if model.table.starts_with("dim_") { "dim" } else { "fact" };
            tags.insert(name.clone(), BTreeSet::from([kind.to_owned()]));
            let refs = table_refs(&name, &model.text).map_err(bad)?;
            reads.insert(name, refs.into_iter().filter(|of| of.schema.is_some()).map(|of| of.to_string()).collect());
        }
        for indicator in context.indicators {
            let (name, card) = (indicator_node(indicator.id()), &indicator.card);
            let mut own: BTreeSet<String> = card.tags.iter().cloned().collect();
            own.extend([card.class.as_str(), card.chain.as_str(), card.subject_kind.as_str()].map(str::to_owned));
            tags.insert(name.clone(), own);
            let mut from: BTreeSet<String> = Indicators::tables(indicator)?;
            // What its rows are certified, exempted and named by.
            from.extend(card.needs.iter().map(|need| format!("silver.{need}")));
            from.insert("silver.exemption".to_owned());
            from.extend(Indicators::DIMENSIONS.map(|table| format!("gold.{table}")));
            reads.insert(name, from);
        }
        Ok(Self { graph: Graph::new(reads).map_err(bad)?, tags })
    }

    /// All of them.
    pub fn all(&self) -> BTreeSet<String> {
        self.tags.keys().cloned().collect()
    }

    /// A node with all that is made of it.
    pub fn with_downstream(&self, node: &str) -> BTreeSet<String> {
        let mut of = self.graph.downstream(node);
        of.insert(node.to_owned());
        of
    }

    /// Whether a selector needs to know what is not fresh.
    pub fn asks_states(words: &[String]) -> bool {
        let bare = |atom: &str| matches!(atom.trim_start_matches('+').trim_end_matches('+'), "stale" | "changed");
        words.iter().flat_map(|word| word.split(',')).any(bare)
    }

    /// What the words select together.
    ///
    /// # Errors
    /// [`RunError::Usage`] naming what comes near, for a word that names nothing.
    pub fn select(&self, words: &[String], states: &States) -> Result<BTreeSet<String>, RunError> {
        let mut all = BTreeSet::new();
        for word in words {
            let mut parts = word.split(',').map(|atom| self.atom(word, atom, states));
            let mut of = parts.next().unwrap_or_else(|| Ok(BTreeSet::new()))?;
            for part in parts {
                let part = part?;
                of.retain(|node| part.contains(node));
            }
            all.extend(of);
        }
        Ok(all)
    }

    fn atom(&self, word: &str, atom: &str, states: &States) -> Result<BTreeSet<String>, RunError> {
        let (up, rest) = atom.strip_prefix('+').map_or((false, atom), |rest| (true, rest));
        let (down, bare) = rest.strip_suffix('+').map_or((false, rest), |rest| (true, rest));
        let found = self.bare(bare, states).ok_or_else(|| self.unknown(word, bare))?;
        let mut of = found.clone();
        for node in &found {
            if up {
                of.extend(self.graph.upstream(node).into_iter().filter(|node| self.tags.contains_key(node)));
            }
            if down {
                of.extend(self.graph.downstream(node));
            }
        }
        Ok(of)
    }

    /// What a word without `+` and `,` means; none where it means nothing.
    fn bare(&self, word: &str, states: &States) -> Option<BTreeSet<String>> {
        let by = |keep: &dyn Fn(&String, &BTreeSet<String>) -> bool| -> BTreeSet<String> {
            self.tags.iter().filter(|(node, tags)| keep(node, tags)).map(|(node, _)| node.clone()).collect()
        };
        if let Some(layer) = word.strip_prefix("layer:") {
            return LAYERS.contains(&layer).then(|| by(&|node, _| node.split('.').next() == Some(layer)));
        }
        if let Some(tag) = word.strip_prefix("tag:") {
            return Some(by(&|_, tags| tags.contains(tag))).filter(|found| !found.is_empty());
        }
        match word {
            "stale" => return Some(by(&|node, _| states.contains_key(node))),
            "changed" => return Some(by(&|node, _| states.get(node).is_some_and(|of| CHANGED.iter().any(|why| of.contains(*why))))),
            _ => {}
        }
        let table = word.strip_prefix("gold.").unwrap_or(word);
        if Indicators::TABLES.contains(&table) || table == "dim_indicator" {
            return Some(by(&|node, _| node.starts_with("indicator.")));
        }
        let matches = |node: &String| {
            let own = node.split_once('.').map_or(node.as_str(), |(_, own)| own);
            node == word || own == word || (node.starts_with("indicator.") && own.eq_ignore_ascii_case(word))
        };
        Some(by(&|node, _| matches(node))).filter(|found| !found.is_empty())
    }

    fn unknown(&self, word: &str, bare: &str) -> RunError {
        let mut names: BTreeSet<String> = BTreeSet::from(["stale", "changed"].map(str::to_owned));
        names.extend(LAYERS.map(|layer| format!("layer:{layer}")));
        names.extend(self.tags.values().flatten().map(|tag| format!("tag:{tag}")));
        for node in self.tags.keys() {
            let (layer, own) = node.split_once('.').unwrap_or_default();
            names.insert(own.to_owned());
            if layer != "indicator" {
                names.insert(node.clone());
            }
        }
        let wanted = bare.to_lowercase();
        let mut near: Vec<(usize, String)> = names
            .into_iter()
            .filter_map(|name| {
                let other = name.to_lowercase();
                let far = distance(&wanted, &other);
                let part = wanted.chars().count() > 2 && (other.contains(&wanted) || wanted.contains(&other));
                (part || far <= wanted.chars().count().div_ceil(3).min(3)).then_some((far, name))
            })
            .collect();
        near.sort();
        let near: Vec<String> = near.into_iter().take(NEAR).map(|(_, name)| format!("`{name}`")).collect();
        let hint = match near.is_empty() {
            true => "a selector is a table (`gold.fact_receipt`, `silver.shp`), an indicator (`D13`), `layer:gold`, `tag:配`, `stale` or `changed`; \
                     `+` before or after it, `,` between two"
                .to_owned(),
            false => format!("perhaps {}", near.join(", ")),
        };
        RunError::Usage { what: format!("selector `{word}`: `{bare}` selects nothing that there is"), hint }
    }
}

/// Edits between two words.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut before = i;
        let mut last = i + 1;
        for (b, up) in other.iter().zip(row.iter_mut().skip(1)) {
            let change = before + usize::from(a != *b);
            before = *up;
            last = change.min(before + 1).min(last + 1);
            *up = last;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// What a plan says is not fresh, by node.
pub(crate) fn states(plan: &PlanReport) -> States {
    let mut states = States::new();
    let mut add = |node: String, reason: &str| {
        states.entry(node).or_default().insert(reason.to_owned());
    };
    plan.parse.iter().for_each(|dataset| add(format!("silver.{dataset}"), "parser_changed"));
    plan.silver_reasons.iter().for_each(|(dataset, reason)| add(format!("silver.{dataset}"), reason));
    plan.gold.iter().for_each(|cell| add(cell.table.clone(), &cell.reason));
    plan.indicators.iter().for_each(|month| add(indicator_node(&month.indicator), &month.reason));
    states
}

/// What words select in a project as it stands.
///
/// # Errors
/// As [`Nodes::select`].
pub(crate) async fn selected(context: &Context<'_>, words: &[String]) -> Result<BTreeSet<String>, RunError> {
    let nodes = Nodes::of(context)?;
    let states = match Nodes::asks_states(words) {
        true => states(&build::plan(context, build::instant(context, None, false).await?).await?),
        false => States::new(),
    };
    nodes.select(words, &states)
}

/// Nodes by what builds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// All of them.
    pub nodes: BTreeSet<String>,
    /// Datasets.
    pub silver: BTreeSet<String>,
    /// Tables, `gold.fact_receipt`.
    pub gold: BTreeSet<String>,
    /// Indicators, by id.
    pub indicators: BTreeSet<String>,
}

impl Scope {
    /// Of these nodes.
    pub fn of(nodes: BTreeSet<String>) -> Self {
        let named = |layer: &str| nodes.iter().filter_map(|node| node.strip_prefix(layer)).map(str::to_owned).collect();
        let gold = nodes.iter().filter(|node| node.starts_with("gold.")).cloned().collect();
        Self { silver: named("silver."), gold, indicators: named("indicator."), nodes }
    }
}

/// Which of a plan's cells are shown.
#[derive(Debug, Clone, Default)]
pub struct PlanFilter {
    /// Selectors; empty: everything.
    pub selectors: Vec<String>,
    /// A county; what is judged whole, for all counties, is shown too.
    pub county: Option<String>,
    /// First and last month.
    pub months: Option<(Month, Month)>,
}

impl PlanFilter {
    /// Leaves of a plan what it asks for.
    ///
    /// # Errors
    /// As [`Nodes::select`].
    pub(crate) fn narrow(&self, context: &Context<'_>, mut plan: PlanReport) -> Result<PlanReport, RunError> {
        if !self.selectors.is_empty() {
            let of = Nodes::of(context)?.select(&self.selectors, &states(&plan))?;
            let silver = |dataset: &String| of.contains(&format!("silver.{dataset}"));
            plan.parse.retain(silver);
            plan.silver.retain(silver);
            plan.gold.retain(|cell| of.contains(&cell.table));
            plan.indicators.retain(|month| of.contains(&indicator_node(&month.indicator)));
        }
        // A table or dataset that is judged whole has no county or month of its own: any of them may be concerned.
        let of_county = |county: &str| county == "*" || self.county.as_deref().is_none_or(|wanted| county == wanted);
        let of_month = |month: &str| {
            let within = |(from, to): (Month, Month)| Month::parse(month).is_ok_and(|month| from <= month && month <= to);
            month == "*" || self.months.is_none_or(within)
        };
        plan.gold.retain(|cell| of_county(&cell.county) && of_month(&cell.month));
        plan.indicators.retain(|month| of_month(&month.month));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use yaojia_models::fault::Fault;

    use super::*;

    fn nodes() -> Nodes {
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let reads = BTreeMap::from([
            ("silver.shp".to_owned(), of(&["silver.ord_detl"])),
            ("silver.ord_detl".to_owned(), of(&[])),
            ("gold.fact_receipt".to_owned(), of(&["silver.shp"])),
            ("gold.fact_order".to_owned(), of(&["silver.ord_detl"])),
            ("indicator.D13".to_owned(), of(&["gold.fact_receipt", "gold.fact_order"])),
            ("indicator.D05".to_owned(), of(&["gold.fact_receipt"])),
        ]);
        let tag = |name: &str| match name {
            "indicator.D13" => of(&["预警提醒", "配"]),
            "indicator.D05" => of(&["预警提醒", "采"]),
            name if name.starts_with("silver.") => of(&["platform"]),
            _ => of(&["fact"]),
        };
        let tags = reads.keys().map(|name| (name.clone(), tag(name))).collect();
        Nodes { graph: Graph::new(reads).unwrap(), tags }
    }

    fn select(words: &[&str]) -> Vec<String> {
        let states = States::from([
            ("gold.fact_order".to_owned(), BTreeSet::from(["code_changed".to_owned()])),
            ("indicator.D05".to_owned(), BTreeSet::from(["input_changed".to_owned()])),
        ]);
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        nodes().select(&words, &states).unwrap().into_iter().collect()
    }

    #[test]
    fn words_select_what_they_say() {
        assert_eq!(select(&["fact_receipt"]), ["gold.fact_receipt"]);
        assert_eq!(select(&["silver.shp", "d13"]), ["indicator.D13", "silver.shp"]);
        assert_eq!(select(&["+fact_receipt"]), ["gold.fact_receipt", "silver.ord_detl", "silver.shp"]);
        assert_eq!(select(&["fact_order+"]), ["gold.fact_order", "indicator.D13"]);
        assert_eq!(select(&["+gold.fact_order+"]), ["gold.fact_order", "indicator.D13", "silver.ord_detl"]);
        assert_eq!(select(&["layer:gold"]), ["gold.fact_order", "gold.fact_receipt"]);
        assert_eq!(select(&["tag:预警提醒"]), ["indicator.D05", "indicator.D13"]);
        assert_eq!(select(&["tag:预警提醒,tag:配"]), ["indicator.D13"]);
        assert_eq!(select(&["shp+,layer:indicator"]), ["indicator.D05", "indicator.D13"]);
        assert_eq!(select(&["stale"]), ["gold.fact_order", "indicator.D05"]);
        assert_eq!(select(&["changed"]), ["gold.fact_order"]);
        assert_eq!(select(&["changed+"]), ["gold.fact_order", "indicator.D13"]);
        assert_eq!(select(&["alert"]), ["indicator.D05", "indicator.D13"]);
        assert_eq!(select(&["stale,layer:silver"]), Vec::<String>::new());
    }

    #[test]
    fn a_word_that_names_nothing_is_told_what_comes_near() {
        let hint = |word: &str| {
            let error = nodes().select(&[word.to_owned()], &States::new()).unwrap_err();
            assert_eq!(error.kind().exit(), 2, "{error}");
            error.hint().unwrap()
        };
        assert_eq!(hint("fact_reciept"), "perhaps `fact_receipt`");
        assert!(hint("+D14").contains("`D13`"), "{}", hint("+D14"));
        assert!(hint("layer:glod").contains("`layer:gold`"));
        assert!(hint("receipt").contains("`gold.fact_receipt`"));
        assert!(hint("tag:红").contains("`tag:配`"));
        assert!(hint("something else").contains("`layer:gold`"));
        assert!(hint("").contains("layer:gold"));
    }

    #[test]
    fn distances() {
        assert_eq!((distance("abc", "abc"), distance("abc", "acb"), distance("", "ab"), distance("kitten", "sitting")), (0, 2, 2, 3));
    }
}
