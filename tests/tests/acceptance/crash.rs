//! kill -9 at any moment: run again, it finishes, and nothing is lost or doubled.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::delta::{differences, gold, rows};
use crate::support::{Platform, Project, loaded, undisturbed, world};

/// Silver counts without what arrived more than once: a killed run may read a window again.
fn counts(project: &Project) -> Value {
    let run = project.run(["status", "--silver-counts"]).exits(0);
    let mut counts: Value = serde_json::from_str(&run.stdout).expect("the silver counts");
    counts.as_object_mut().expect("an object").values_mut().for_each(|of| {
        of.as_object_mut().expect("an object").remove("repeated");
    });
    counts
}

/// Starts a nightly run and kills it after the delay; whether it was still there.
fn killed(project: &Project, delay: Duration) -> bool {
    let mut child = project.command(["nightly"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a nightly run");
    let deadline = Instant::now() + delay;
    while Instant::now() < deadline {
        if child.try_wait().expect("its state").is_some() {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("kill -9");
    let status = child.wait().expect("its end");
    status.code().is_none()
}

/// Kills runs of one fresh project at these parts of an undisturbed run's time, then lets one finish, and compares.
fn kill_and_compare(moments: &[f64]) {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::fresh(&world, &platform.url);
    let whole = undisturbed();
    let mut hits = 0;
    for moment in moments {
        let delay = whole.mul_f64(*moment);
        let hit = killed(&project, delay);
        println!("kill at {moment:.3} of {whole:?}, after {delay:?}: {}", if hit { "killed" } else { "it was done before" });
        hits += usize::from(hit);
    }
    assert!(hits > 0, "no kill met a running nightly");
    let run = project.run(["nightly", "--json"]).exits(0);
    println!("the rerun took {:?}, release {}", run.took, run.json()["release"]);
    let undisturbed = loaded();
    let expected = gold(&undisturbed.warehouse());
    assert!(expected.len() > 25 && expected.values().flatten().count() > 100, "there is little to compare: {:?}", expected.keys());
    let wrong = differences(&expected, &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from an undisturbed run:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(rows(&project.warehouse(), "gold"), rows(&undisturbed.warehouse(), "gold"), "rows of gold");
    assert_eq!(rows(&project.warehouse(), "silver"), rows(&undisturbed.warehouse(), "silver"), "rows of silver");
    assert_eq!(counts(&project), counts(&undisturbed), "silver counts");
    let again = project.run(["nightly", "--json"]).exits(0);
    assert_eq!(again.json()["changed"], Value::Bool(false), "not all was finished:\n{again}");
}

#[test]
fn killed_while_it_loads() {
    kill_and_compare(&[0.11, 0.23]);
}

#[test]
fn killed_while_it_builds() {
    kill_and_compare(&[0.47, 0.38]);
}

#[test]
fn killed_near_its_end() {
    kill_and_compare(&[0.83]);
}
