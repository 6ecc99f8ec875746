//! How far an indicator reads into each table (`[reads]` of a card): months relative to the asked one, and whether the rows of a county
//! follow from the table's rows of that county alone (`"0"`) or from those of others too (`"0 all_counties"`).
//! Rows of the region itself, and tables that are read whole, are every county's.

use std::collections::BTreeSet;

use super::{CardError, Indicator};
use crate::contract::{Months, ReadWindow};
use crate::graph::table_refs;

/// What the planner takes for a table of which a card says nothing: everything up to the asked month, of all counties.
pub const UP_TO_THE_MONTH: ReadWindow = ReadWindow { months: Months::Relative { from: None, to: Some(0) }, all_counties: true };

impl Indicator {
    /// The tables (`gold.fact_receipt`) that the indicator's SQL reads, itself and through its relations, sorted; those of the schema `ask`
    /// are not among them.
    ///
    /// # Errors
    /// When the SQL does not parse.
    pub fn tables(&self) -> Result<BTreeSet<String>, crate::graph::GraphError> {
        let mut tables = BTreeSet::new();
        for (_, sql) in self.texts() {
            let found = table_refs(self.id(), sql)?;
            tables.extend(found.into_iter().filter(|t| t.schema.as_deref().is_some_and(|schema| schema != "ask")).map(|t| t.to_string()));
        }
        Ok(tables)
    }

    /// The months of a table that a value of a month may follow from, and whether of its own county only.
    #[must_use]
    pub fn window(&self, table: &str) -> ReadWindow {
        self.card.reads.get(table).and_then(|text| ReadWindow::parse(text)).unwrap_or(UP_TO_THE_MONTH)
    }

    /// Checks `[reads]`: all tables of the SQL or none, windows that end with the asked month.
    pub(super) fn check_reads(&self, file: &str) -> Result<(), CardError> {
        let bad = |table: &str, why: String| Err(CardError::invalid(file, format!("reads.{table}"), why));
        for (table, text) in &self.card.reads {
            match ReadWindow::parse(text) {
                Some(ReadWindow { months: Months::Latest, .. }) => {}
                Some(ReadWindow { months: Months::Relative { to: Some(to), .. }, .. }) if to <= 0 => {}
                Some(ReadWindow { months: Months::Relative { .. }, .. }) => {
                    return bad(
                        table,
                        format!(
                            "`{text}` reaches beyond the asked month, whose end is T: at most `..0`, or `latest` for the table as a whole"
                        ),
                    );
                }
                _ => {
                    let why = "is no window: `0`, `-2..0`, `*..0`, with ` all_counties` where a county's rows follow from others' too, or `latest`";
                    return bad(table, format!("`{text}` {why} for the table as a whole"));
                }
            }
        }
        // SQL that does not parse is the lint's business.
        let (false, Ok(tables)) = (self.card.reads.is_empty(), self.tables()) else { return Ok(()) };
        if let Some(table) = tables.iter().find(|table| !self.card.reads.contains_key(*table)) {
            return bad(table, "the SQL reads this table: name it too (or no table at all, for everything up to the month)".to_owned());
        }
        if let Some(table) = self.card.reads.keys().find(|table| !tables.contains(*table)) {
            return bad(table, "the SQL does not read this table".to_owned());
        }
        Ok(())
    }
}
