//! Configuration of a project: `yaojia.toml`, then `YAOJIA_…` variables, then flags.
//!
//! ```text
//! yaojia.toml ─► Config ◄─ aliases.json
//!                  ▲ YAOJIA_… ◄ flags
//!                  └─► platform(), export(), storage_options(), audit_keys()   (secrets resolved late, never kept)
//! ```

mod aliases;
mod error;
mod file;
mod load;
mod maintain;
mod parameters;
mod secrets;
mod template;
#[cfg(test)]
mod tests;
pub mod vars;

pub use error::ConfigError;
pub use file::{Aliases, AuditConfig, Config, CountyConfig, ProfilesConfig, RegionConfig, SqlConfig, WarehouseConfig};
pub use load::{FILE, Overrides};
pub use maintain::MaintainConfig;
pub use parameters::check_parameters;
pub use template::{Template, write_project};
