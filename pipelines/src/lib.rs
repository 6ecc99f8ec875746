//! The planner, the runner and the `yaojia` command.
//!
//! ```text
//! cli ─► Project (config + contracts + SQL + warehouse + clock) ─► run (load, build, publish) ─► cli prints
//! ```

pub mod cli;
pub mod clock;
pub mod config;
pub mod lineage;
pub mod pages;
pub mod profiles;
pub mod project;
pub mod run;
pub mod shapes;
pub mod stop;

pub use clock::Clock;
pub use project::Project;
