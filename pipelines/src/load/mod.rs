//! From the sources into bronze: what is new of the platform and the landing folder, and what is parsed again because the rules changed.

pub(crate) mod ask;
pub(crate) mod export;
pub(crate) mod landing;
pub(crate) mod parser;
pub(crate) mod platform;
pub(crate) mod position;
pub(crate) mod reparse;
