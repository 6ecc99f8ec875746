//! Arguments and exit codes of the command as a whole.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use super::{Command, ExitStatus, Verb, run};
use crate::config::vars::{ALL, Vars};

fn exit(words: &[&str]) -> ExitStatus {
    run(std::iter::once("yaojia").chain(words.iter().copied()).map(OsString::from), Vars::default())
}

#[test]
fn the_arguments_hold_together() {
    Command::command().debug_assert();
}

#[test]
fn global_flags_may_stand_before_or_after_the_verb() {
    for words in [["yaojia", "--json", "plan", "--why"], ["yaojia", "plan", "--why", "--json"]] {
        let command = Command::try_parse_from(words).unwrap();
        assert!(command.global.json && matches!(command.verb, Verb::Plan(ref args) if args.why));
    }
}

#[test]
fn help_names_every_variable() {
    let help = Command::command().render_long_help().to_string();
    for var in ALL {
        assert!(help.contains(var.name), "{}", var.name);
    }
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    assert_eq!(exit(&["--help"]), ExitStatus::Done);
    assert_eq!(exit(&["plan", "--nonsense"]), ExitStatus::Usage);
    assert_eq!(exit(&[]), ExitStatus::Usage);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    assert_eq!(exit(&["--project", dir, "-q", "status"]), ExitStatus::Usage); // no yaojia.toml
    assert_eq!(exit(&["--project", dir, "-q", "init"]), ExitStatus::Done);
    assert_eq!(exit(&["--project", dir, "-q", "init"]), ExitStatus::Negative); // never overwrites
    assert_eq!(exit(&["--project", dir, "-q", "--as-of", "soon", "plan"]), ExitStatus::Usage);
    assert_eq!(exit(&["--project", dir, "-q", "query", "DROP TABLE gold.alert"]), ExitStatus::Usage);
    assert_eq!(exit(&["--project", dir, "-q", "query", "SELECT 1"]), ExitStatus::Negative); // nothing was published
    assert_eq!(exit(&["--project", dir, "-q", "indicator", "show", "Z99"]), ExitStatus::Negative);
    assert_eq!(exit(&["--project", dir, "-q", "doctor", "--offline"]), ExitStatus::Negative); // no codes in the environment
}
