//! Who hears how a run goes on.

/// Hears how a run goes on.
pub trait Progress: Send + Sync {
    /// A stage begins.
    fn stage(&self, text: &str);
    /// A step of the stage.
    fn step(&self, text: &str, done: u64, total: Option<u64>);
}
