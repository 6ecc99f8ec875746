//! The environment variables of the command line: all of them, read in this one place.

use std::collections::BTreeMap;

/// A variable and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Var {
    /// Its name.
    pub name: &'static str,
    /// What it sets, in one sentence.
    pub doc: &'static str,
}

/// Folder of `yaojia.toml`.
pub const PROJECT: Var = Var { name: "YAOJIA_PROJECT", doc: "folder of `yaojia.toml`, as `--project`" };
/// Warehouse root.
pub const WAREHOUSE: Var = Var { name: "YAOJIA_WAREHOUSE", doc: "warehouse root, in place of `warehouse.location`; as `--warehouse`" };
/// Platform URL.
pub const PLATFORM_URL: Var = Var { name: "YAOJIA_PLATFORM_URL", doc: "in place of `platform.base_url`" };
/// Landing root.
pub const EXPORT_ROOT: Var = Var { name: "YAOJIA_EXPORT_ROOT", doc: "in place of `export.root`" };
/// Data instant.
pub const AS_OF: Var = Var { name: "YAOJIA_AS_OF", doc: "data instant of the run, as `--as-of`" };
/// JSON output.
pub const JSON: Var = Var { name: "YAOJIA_JSON", doc: "not empty and not 0: as `--json`" };
/// No progress.
pub const NO_PROGRESS: Var = Var { name: "YAOJIA_NO_PROGRESS", doc: "not empty and not 0: as `--no-progress`" };
/// Log filter.
pub const LOG: Var = Var { name: "YAOJIA_LOG", doc: "log filter of the `tracing` kind, such as `yaojia_connectors=debug`" };
/// No colour.
pub const NO_COLOR: Var = Var { name: "NO_COLOR", doc: "not empty: no colour, https://no-color.org" };

/// Who is logged in: the default of `--by`. Not ours, so none of [`ALL`].
pub const WHO: [Var; 2] =
    [Var { name: "USER", doc: "who asks, where `--by` does not say" }, Var { name: "LOGNAME", doc: "the same, where there is no USER" }];

/// All variables, in the order of the documentation. Secrets may lie in further ones, which `env:NAME` names.
pub const ALL: [Var; 9] = [PROJECT, WAREHOUSE, PLATFORM_URL, EXPORT_ROOT, AS_OF, JSON, NO_PROGRESS, LOG, NO_COLOR];

/// The values of our variables at the start of the process.
#[derive(Debug, Clone, Default)]
pub struct Vars(BTreeMap<String, String>);

impl Vars {
    /// Reads the process's environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        Self(ALL.iter().chain(&WHO).filter_map(|var| Some((var.name.to_owned(), std::env::var(var.name).ok()?))).collect())
    }

    /// Given values, for tests and embedding.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The value of a variable; an empty one is none.
    #[must_use]
    pub fn get(&self, var: Var) -> Option<&str> {
        self.0.get(var.name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a switch is on: not empty and not `0`.
    #[must_use]
    pub fn is_on(&self, var: Var) -> bool {
        self.get(var).is_some_and(|value| value != "0")
    }
}
