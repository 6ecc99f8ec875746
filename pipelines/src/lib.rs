//! The planner, the runner and the `yaojia` command.
//!
//! ```text
//! cli ─► Project (config + contracts + SQL + warehouse + clock) ─► run (load, build, publish) ─► cli prints
//! ```

pub mod cli;
pub mod clock;
pub mod config;
pub mod context;
pub mod error;
pub mod file_rows;
pub mod lineage;
pub mod load;
pub mod pages;
pub mod plan;
pub mod profiles;
pub mod progress;
pub mod project;
pub mod publish;
pub mod report;
pub mod run;
pub mod shapes;
pub mod stop;
pub mod tend;

pub use clock::Clock;
pub use project::Project;
