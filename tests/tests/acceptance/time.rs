//! Clocks that ran ahead, and nights on which nothing came: no row is lost, nothing is certified that was not asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Platform, Project, copy_of_world};

/// Keeps of every line of the platform what had been published by an instant; what came later is published when it is called again.
fn published(world: &Path, all: &Path, until: &str) {
    for entry in fs::read_dir(all).expect("the platform's files") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("lines");
        let time = |line: &&str| {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let row = line.as_object().expect("an object");
            let time = row.iter().find(|(name, _)| name.to_lowercase().replace('_', "") == "updttime");
            time.and_then(|(_, time)| time.as_str()).is_none_or(|time| time <= until)
        };
        let kept: String = text.lines().filter(time).flat_map(|line| [line, "\n"]).collect();
        fs::write(world.join("platform").join(path.file_name().expect("a name")), kept).expect("what was published");
    }
}

/// One night at what the clock says, while the platform has published up to another instant.
fn night(project: &mut Project, world: &Path, all: &Path, clock: &str, truth: &str, args: &[&str]) -> crate::support::Run {
    published(world, all, truth);
    let platform = Platform::serve(world);
    project.url.clone_from(&platform.url);
    project.run_at(clock, args)
}

/// Rows received of each dataset, those that came again not counted.
fn received(project: &Project) -> BTreeMap<String, u64> {
    project.counts().into_iter().filter_map(|(dataset, of)| Some((dataset, *of.get("received")?))).collect()
}

#[test]
fn a_clock_that_ran_ahead_loses_no_row() {
    let (_held, world) = copy_of_world();
    // the platform alone: a file's rows of the future are set aside by when they came
    fs::remove_dir_all(world.join("exports")).expect("the files");
    fs::create_dir(world.join("exports")).expect("an empty landing folder");
    let all = world.with_file_name("all");
    crate::support::copy(&world.join("platform"), &all);
    let calm = {
        let mut project = Project::fresh(&world, "");
        night(&mut project, &world, &all, "2024-03-02T02:00:00", "2024-03-02 02:00:00", &["load"]).exits(0);
        night(&mut project, &world, &all, "2024-03-12T02:00:00", "2024-03-12 02:00:00", &["nightly"]).exits(0);
        received(&project)
    };
    for ahead in ["2024-03-10T02:00:00", "2034-03-10T02:00:00"] {
        // put right four days later, on the run after that, or beyond the position
        for nights in [vec!["2024-03-06", "2024-03-12"], vec!["2024-03-12"]] {
            let mut project = Project::fresh(&world, "");
            night(&mut project, &world, &all, ahead, "2024-03-02 02:00:00", &["load"]).exits(0);
            for day in &nights {
                let (clock, truth) = (format!("{day}T02:00:00"), format!("{day} 02:00:00"));
                let run = night(&mut project, &world, &all, &clock, &truth, &["nightly"]).exits(0);
                let told = run.stderr.contains("lies before the position");
                let expected = Some(day) == nights.first() && (*day < "2024-03-10" || ahead.starts_with("2034"));
                assert_eq!(told, expected, "{ahead}, {day}: {run}");
            }
            assert_eq!(received(&project), calm, "{ahead}, {nights:?}");
        }
    }
}

#[test]
fn a_clock_that_ran_ahead_when_it_published_needs_a_word() {
    let (_held, world) = copy_of_world();
    let all = world.with_file_name("all");
    crate::support::copy(&world.join("platform"), &all);
    let mut project = Project::fresh(&world, "");
    night(&mut project, &world, &all, "2024-03-10T02:00:00", "2024-03-02 02:00:00", &["nightly"]).exits(0);
    let refused = night(&mut project, &world, &all, "2024-03-06T02:00:00", "2024-03-06 02:00:00", &["nightly"]).exits(2);
    assert!(refused.stderr.contains("2024-03-10") && refused.stderr.contains("--allow-earlier"), "{refused}");
    let orders = |project: &Project| project.counts()["ord_detl"]["received"];
    let before = orders(&project);
    let asked = night(&mut project, &world, &all, "2024-03-06T02:00:00", "2024-03-06 02:00:00", &["nightly", "--allow-earlier"]).exits(0);
    assert!(asked.stderr.contains("lies before the position") && asked.stderr.contains("as asked for"), "{asked}");
    assert!(orders(&project) > before);
    night(&mut project, &world, &all, "2024-03-07T02:00:00", "2024-03-07 02:00:00", &["nightly"]).exits(0);
}

#[test]
fn a_quiet_night_moves_certificates_like_a_loud_one() {
    let (_held, world) = copy_of_world();
    let all = world.with_file_name("all");
    crate::support::copy(&world.join("platform"), &all);
    let mut project = Project::fresh(&world, "");
    let read_to = |project: &Project| {
        let status = project.run(["status", "--json"]).exits(0).json();
        let all = status["completeness"].as_array().expect("certificates").clone();
        let of = |of: &&Value| of["dataset"] == "ord_detl" && of["month"] == "2024-03" && of["county"] != "*";
        let states: Vec<String> = all.iter().filter(of).map(|of| format!("{} {}", of["state"], of["reason"])).collect();
        assert!(!states.is_empty());
        states
    };
    for day in ["2024-03-10", "2024-03-12"] {
        // nothing is published after the tenth
        let run = night(&mut project, &world, &all, &format!("{day}T02:00:00"), "2024-03-10 02:00:00", &["nightly", "--json"]).exits(0);
        assert_eq!(run.json()["load"]["datasets"]["ord_detl"]["appended"] != 0, day == "2024-03-10", "{run}");
        assert!(read_to(&project).iter().all(|state| state.starts_with("\"complete\"")), "{day}: {:?}", read_to(&project));
        let platform = Platform::serve(&world);
        project.url.clone_from(&platform.url);
        let again = project.run_at(&format!("{day}T02:00:00"), ["nightly", "--json"]).exits(0);
        assert_eq!(again.json()["changed"], false, "{again}");
    }
    let stale =
        project.query("SELECT DISTINCT v.completeness FROM gold.indicator_value AS v WHERE v.indicator_id = 'D07' AND v.month = '2024-03'");
    assert!(stale.iter().all(|row| row.get("completeness").is_some_and(|c| c != "incomplete")), "{stale:?}");
}
