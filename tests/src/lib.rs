//! Placeholder while the stack builds.
