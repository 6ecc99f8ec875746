//! Around a run: paths with a percent sign, an output that cannot be written, another region, an earlier instant.

use std::fs;

use crate::support::{Project, Run, loaded, yaojia};

const CONFIG: &str = "[region]\ncode = \"652800\"\nname = \"州\"\nfirst_month = \"2024-01\"\n[export]\nroot = \"landing\"\n\
[audit]\nrecipient = \"age1chrqc73y48d4qslk20vevjf9nfft4zus2gq9s3uhazuvh7txr4eswjhc44\"\n";

fn with_a_file(project: &Project) {
    let folder = project.dir.join("landing/admdvs/652800/202401");
    fs::create_dir_all(&folder).expect("a folder");
    let rows = "admdvs,admdvs_name,prnt_admdvs,remote_flag,updt_time\n652800,州,650000,0,2023-12-10 00:00:00\n";
    fs::write(folder.join("a%20b #1.csv"), rows).expect("a file");
}

#[test]
fn a_project_below_a_path_with_a_percent_sign() {
    for name in ["a%20b", "x%2Fy", "100%25 库"] {
        let mut project = Project::of(CONFIG);
        let dir = project.dir.with_file_name(name);
        fs::rename(&project.dir, &dir).expect("the project, under another name");
        project.dir = dir;
        with_a_file(&project);
        let first = project.run(["nightly", "--json"]).exits(0).json();
        assert_eq!((first["load"]["files"].as_u64(), first["release"].as_i64()), (Some(1), Some(1)), "{name}: {first}");
        assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], false, "{name}");
        assert_eq!(project.number("SELECT COUNT(*) AS n FROM gold.dim_admdvs AS t"), 1, "{name}");
        project.run(["replay"]).exits(0);
        project.run(["maintain"]).exits(0);
        assert!(!project.dir.with_file_name("a b").exists() && project.warehouse().join("_ops/run/_delta_log").is_dir(), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_is_a_failure_with_a_word() {
    let full = || fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let project = Project::of(CONFIG);
    with_a_file(&project);
    let verbs: [&[&str]; 9] = [
        &["nightly", "--json"],
        &["status"],
        &["status", "--json"],
        &["query", "SELECT 1 AS n"],
        &["plan"],
        &["release", "list"],
        &["indicator", "list"],
        &["lineage", "D13"],
        &["--help"],
    ];
    for verb in verbs {
        let mut command = project.command(verb);
        command.stdout(full()).stderr(std::process::Stdio::piped());
        let output = command.spawn().and_then(std::process::Child::wait_with_output).expect("the command");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{verb:?}: {said}");
        assert!(said.contains("E-CLI-006") && said.contains("No space left"), "{verb:?}: {said}");
    }
    // What was asked for was done all the same.
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], false);
}

#[cfg(unix)]
#[test]
fn a_reader_that_went_away_is_no_failure() {
    let mut command = std::process::Command::new("sh");
    let line = format!(
        "\"{}\" --project \"{}\" query 'SELECT * FROM gold.alert' --json | head -c 1; exit ${{PIPESTATUS:-0}}",
        yaojia().get_program().to_string_lossy(),
        loaded().dir.display()
    );
    command.args(["-c", &line]);
    let run = Run::of(command);
    assert!(!run.stderr.contains("E-CLI-006"), "{run}");
}

#[test]
fn another_region_is_refused_over_an_existing_warehouse() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let before = crate::support::files(&project.warehouse());
    project.configure("code = \"652800\"", "code = \"653000\"");
    for verb in ["build", "nightly"] {
        let refused = project.run([verb]).exits(2);
        assert!(refused.stderr.contains("652800") && refused.stderr.contains("653000"), "{refused}");
    }
    let doctor = project.run(["doctor", "--offline"]);
    assert_ne!(doctor.code, Some(0), "{doctor}");
    assert!(doctor.stdout.contains("652800") || doctor.stderr.contains("652800"), "{doctor}");
    assert_eq!(crate::support::files(&project.warehouse()), before, "a refused run wrote something");
    // A warehouse of an earlier version says it with what its release was made of.
    fs::remove_file(project.warehouse().join("_ops/region.json")).expect("the warehouse's region");
    project.run(["build"]).exits(2);
}

#[test]
fn an_instant_before_the_release_is_refused_unless_it_is_asked_for() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let before = crate::support::files(&project.warehouse());
    let refused = project.run_at("2024-04-10T02:00:00", ["build"]).exits(2);
    assert!(refused.stderr.contains("2024-04-16T02:00:00") && refused.stderr.contains("--allow-earlier"), "{refused}");
    assert_eq!(crate::support::files(&project.warehouse()), before, "a refused run wrote something");
    let asked = project.run_at("2024-04-10T02:00:00", ["build", "--allow-earlier", "--json"]).exits(0);
    let report = asked.json();
    assert_eq!(report["as_of"], "2024-04-10T02:00:00");
    assert!(asked.json()["warnings"].to_string().contains("lies before"), "{asked}");
}
