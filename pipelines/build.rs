//! Tells cargo that `sql/` is part of the binary: a new file there is embedded at the next build.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

fn main() {
    println!("cargo::rerun-if-changed=../sql");
    println!("cargo::rerun-if-changed=build.rs");
}
