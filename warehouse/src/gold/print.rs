//! Fingerprints in parts, so that staleness says why.

use yaojia_models::digest::sha256_hex;

/// Digits kept of a part's hash; the whole has six of them.
const DIGITS: usize = 32;

/// What a cell was made from, one hash a part. Fresh ⇔ all parts equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Contracts: columns, types, checks.
    pub contract: String,
    /// SQL, card, parameters, and the mark of our engine.
    pub code: String,
    /// Digests of the input cells, and the data instant where it matters.
    pub input: String,
    /// Certificates of the sources it needs.
    pub sources: String,
    /// The exemption register: it changes judgements, not values.
    pub register: String,
    /// Rules.
    pub rules: String,
}

/// Stands before the print of what is being replaced: a build that is killed between the tables and its marks leaves it there, and what
/// the tables hold is not trusted even where everything becomes again what it was.
const REPLACING: char = '~';

/// The mark of a print while what was made of it is being replaced.
#[must_use]
pub(crate) fn replacing(held: &str) -> String {
    if held.starts_with(REPLACING) { held.to_string() } else { format!("{REPLACING}{held}") }
}

/// The hash of a part.
#[must_use]
pub fn part(text: &str) -> String {
    let mut hash = sha256_hex(text.as_bytes());
    hash.truncate(DIGITS);
    hash
}

impl Fingerprint {
    /// As stored in the ledger.
    #[must_use]
    pub fn text(&self) -> String {
        [&self.contract, &self.code, &self.input, &self.sources, &self.register, &self.rules].map(String::as_str).join(":")
    }

    /// Reads what the ledger holds; `None` when an older program wrote it in another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').map(str::to_string);
        let new = Self {
            contract: parts.next()?,
            code: parts.next()?,
            input: parts.next()?,
            sources: parts.next()?,
            register: parts.next()?,
            rules: parts.next()?,
        };
        parts.next().is_none().then_some(new)
    }

    /// Why a cell with this print is stale, given what the ledger holds; `None`: it is fresh. Where several parts differ the first
    /// of contract, code, input, rules, sources is named.
    #[must_use]
    pub fn reason(&self, held: Option<&str>) -> Option<&'static str> {
        let Some(held) = held else { return Some("never_built") };
        if held == self.text() {
            return None;
        }
        let held = held.trim_start_matches(REPLACING);
        if held == self.text() {
            return Some("never_built");
        }
        // Another form means another program.
        let Some(held) = Self::parse(held) else { return Some("code_changed") };
        Some(if held.contract != self.contract {
            "contract_changed"
        } else if held.code != self.code {
            "code_changed"
        } else if held.input != self.input || held.register != self.register {
            "input_changed"
        } else if held.rules != self.rules {
            "rule_changed"
        } else {
            "source_incomplete"
        })
    }

    /// Whether nothing but facts, certificates and quarantine may differ from what the ledger holds.
    #[must_use]
    pub fn facts_only(&self, held: &str) -> bool {
        Self::parse(held).is_some_and(|held| {
            (&held.contract, &held.code, &held.register, &held.rules) == (&self.contract, &self.code, &self.register, &self.rules)
        })
    }

    /// Whether the values held still stand and only their judgement may differ.
    #[must_use]
    pub fn judges_only(&self, held: &str) -> bool {
        Self::parse(held).is_some_and(|held| {
            (&held.contract, &held.code, &held.input, &held.sources) == (&self.contract, &self.code, &self.input, &self.sources)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print() -> Fingerprint {
        Fingerprint {
            contract: part("contract"),
            code: part("code"),
            input: part("input"),
            sources: part("complete"),
            register: part("none"),
            rules: part("rules"),
        }
    }

    #[test]
    fn each_part_has_its_reason() {
        let held = print().text();
        assert_eq!(Fingerprint::parse(&held), Some(print()));
        assert_eq!(print().reason(None), Some("never_built"));
        assert_eq!(print().reason(Some(&held)), None);
        let other = part("other");
        assert!(print().facts_only(&held) && !print().facts_only(&replacing(&held)));
        for (changed, reason, judges) in [
            (Fingerprint { contract: other.clone(), ..print() }, "contract_changed", false),
            (Fingerprint { code: other.clone(), ..print() }, "code_changed", false),
            (Fingerprint { input: other.clone(), ..print() }, "input_changed", false),
            (Fingerprint { register: other.clone(), ..print() }, "input_changed", true),
            (Fingerprint { rules: other.clone(), ..print() }, "rule_changed", true),
            (Fingerprint { sources: other.clone(), ..print() }, "source_incomplete", false),
            (Fingerprint { rules: other.clone(), input: other.clone(), ..print() }, "input_changed", false),
            (Fingerprint { contract: other.clone(), code: other.clone(), ..print() }, "contract_changed", false),
        ] {
            assert_eq!((changed.reason(Some(&held)), changed.judges_only(&held)), (Some(reason), judges), "{changed:?}");
            let facts = (changed.input != print().input || changed.sources != print().sources) && changed.rules == print().rules;
            assert_eq!(
                changed.facts_only(&held),
                facts && changed.code == print().code && changed.contract == print().contract,
                "{changed:?}"
            );
        }
    }

    #[test]
    fn a_print_of_another_program_is_other_code() {
        for held in ["", "abc", "a:b", "a:b:c:d:e:f:g"] {
            assert_eq!(print().reason(Some(held)), Some("code_changed"), "{held}");
            assert!(!print().judges_only(held));
        }
    }

    #[test]
    fn what_was_being_replaced_is_never_fresh() {
        let print = Fingerprint { code: "c".to_string(), rules: "r".to_string(), ..Fingerprint::default() };
        let held = replacing(&print.text());
        assert_eq!(print.reason(Some(&held)), Some("never_built"));
        assert_eq!(replacing(&held), held);
        let other = Fingerprint { rules: "other".to_string(), ..print };
        assert_eq!(other.reason(Some(&held)), Some("rule_changed"));
        assert!(!other.judges_only(&held), "values may be those of neither");
    }
}
