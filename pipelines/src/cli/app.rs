//! What every verb gets: printer, flags, variables, the wish to stop.

use std::path::PathBuf;

use yaojia_models::contract::Registry;
use yaojia_models::definitions::Definitions;

use super::{CliError, Global, Printer};
use crate::clock::Clock;
use crate::config::vars::{self, Vars};
use crate::config::{Config, FILE, Overrides};
use crate::project::{Access, Project, definitions};
use crate::stop::Stop;

/// One invocation.
pub struct App {
    /// The printer.
    pub printer: Printer,
    /// The flags.
    pub global: Global,
    /// The environment.
    pub vars: Vars,
    /// Set by a signal.
    pub stop: Stop,
}

impl App {
    /// The folder of the project.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        let given = self.global.project.clone().or_else(|| self.vars.get(vars::PROJECT).map(PathBuf::from));
        given.unwrap_or_else(|| PathBuf::from("."))
    }

    /// What flags and variables set.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides { warehouse: self.global.warehouse.clone(), ..Overrides::default() }.or_vars(&self.vars)
    }

    /// The given data instant, if one is.
    #[must_use]
    pub fn as_of(&self) -> Option<&str> {
        self.global.as_of.as_deref().or_else(|| self.vars.get(vars::AS_OF))
    }

    /// The run's clock.
    ///
    /// # Errors
    /// Where `--as-of` is no instant.
    pub fn clock(&self) -> Result<Clock, CliError> {
        Clock::parse(self.as_of()).map_err(|why| CliError::usage(format!("`--as-of`: {why}"), "for example --as-of 2024-07-03T02:00:00"))
    }

    /// The configuration alone.
    ///
    /// # Errors
    /// As it is read.
    pub fn config(&self) -> Result<Config, CliError> {
        Ok(Config::load(&self.dir(), &self.overrides())?)
    }

    /// Whether there is a project here.
    #[must_use]
    pub fn has_project(&self) -> bool {
        self.dir().join(FILE).exists()
    }

    /// Contracts, SQL, region and parameters of the project; what is built in, for the example region, where there is no project.
    ///
    /// # Errors
    /// As they are read.
    pub fn definitions(&self) -> Result<Definitions, CliError> {
        if !self.has_project() {
            return Ok(Definitions::embedded()?);
        }
        Ok(definitions(&self.dir(), &self.config()?, Registry::embedded()?)?)
    }

    /// The project, for a verb that writes to the warehouse.
    ///
    /// # Errors
    /// As it is opened.
    pub fn project(&self) -> Result<Project, CliError> {
        self.open(Access::Write)
    }

    /// The project, for a verb that only reads: the warehouse is not created, and nothing can be written to it.
    ///
    /// # Errors
    /// As it is opened.
    pub fn reading(&self) -> Result<Project, CliError> {
        self.open(Access::Read)
    }

    fn open(&self, access: Access) -> Result<Project, CliError> {
        let mut project = Project::open(&self.dir(), &self.overrides(), self.clock()?, access)?;
        project.stop = self.stop.clone();
        project.allow_earlier = self.global.allow_earlier;
        Ok(project)
    }

    /// Whether one JSON document is wanted.
    #[must_use]
    pub fn json(&self) -> bool {
        self.printer.style().json
    }

    /// A command to copy: this program, these words, and the project where it is not the current folder.
    #[must_use]
    pub fn command(&self, words: &str) -> String {
        let dir = self.dir();
        let program = program();
        if dir.as_os_str() == "." { format!("{program} {words}") } else { format!("{program} --project {} {words}", dir.display()) }
    }
}

/// How this program was called, as short as it still works from here.
#[must_use]
pub fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if called.components().count() < 2 {
        return "yaojia".to_owned(); // found on the path
    }
    let here = std::env::current_dir().unwrap_or_default();
    called.strip_prefix(&here).unwrap_or(&called).display().to_string()
}
