//! The binary, a small world, the platform over it, and projects.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The data instant of all runs: after the world's third and last month.
pub const AS_OF: &str = "2024-04-16T02:00:00";
const SEED: &str = "7";
/// Variables that would change what the binary does.
const VARIABLES: [&str; 10] = [
    "YAOJIA",
    "YAOJIA_PROJECT",
    "YAOJIA_WAREHOUSE",
    "YAOJIA_PLATFORM_URL",
    "YAOJIA_EXPORT_ROOT",
    "YAOJIA_AS_OF",
    "YAOJIA_JSON",
    "YAOJIA_NO_PROGRESS",
    "YAOJIA_LOG",
    "NO_COLOR",
];

/// The binary under test: `YAOJIA`, else `yaojia` of the target directory this test was built in.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let path = match std::env::var_os("YAOJIA") {
            Some(path) => {
                let path = PathBuf::from(path);
                // Tests run in tests/, the variable is usually written for the workspace.
                if path.is_absolute() { path } else { workspace().join(path) }
            }
            None => {
                let test = std::env::current_exe().expect("the path of this test");
                let profile = test.parent().and_then(Path::parent).expect("target/debug/deps/<test>");
                profile.join(format!("yaojia{}", std::env::consts::EXE_SUFFIX))
            }
        };
        assert!(path.is_file(), "there is no binary at `{}`: run `cargo build --workspace --bins` first, or set YAOJIA", path.display());
        path
    })
}

/// The workspace folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// The binary with nothing of the caller's environment that it listens to.
pub fn yaojia() -> Command {
    let mut command = Command::new(binary());
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What a process left.
pub struct Run {
    pub line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Run {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Self {
        let line = format!("{command:?}");
        let began = Instant::now();
        let output = command.output().unwrap_or_else(|error| panic!("{line}: {error}"));
        Self {
            line,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
            took: began.elapsed(),
        }
    }

    /// The same, after the exit code was looked at.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code of\n{self}");
        self
    }

    /// Stdout as exactly one JSON document with a schema version.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not one JSON document ({error}):\n{self}"));
        assert!(value.get("schema_version").is_some_and(Value::is_u64), "no schema_version:\n{self}");
        value
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| -> String {
            let skipped = text.chars().count().saturating_sub(6000);
            if skipped == 0 {
                text.to_owned()
            } else {
                format!("[{skipped} characters]…{}", text.chars().skip(skipped).collect::<String>())
            }
        };
        write!(
            f,
            "$ {}\n-> {:?} after {:?}\n--- stdout\n{}\n--- stderr\n{}\n",
            self.line,
            self.code,
            self.took,
            cut(&self.stdout),
            cut(&self.stderr)
        )
    }
}

/// The simulator over a world folder; stops with this value.
pub struct Platform {
    child: Child,
    pub url: String,
    _log: TempDir,
}

impl Platform {
    /// Serves a folder.
    pub fn serve(world: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("simulate.log");
        let out = File::create(&log).expect("a log file");
        let mut command = yaojia();
        command.args(["simulate", "--addr", "127.0.0.1:0", "--world"]).arg(world);
        command.stdout(out.try_clone().expect("the log file")).stderr(out);
        let child = command.spawn().expect("the simulator");
        let mut platform = Self { child, url: String::new(), _log: folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let found = text
                .split_whitespace()
                .map(|word| word.trim_matches(|c: char| "\"',`()".contains(c)))
                .find(|word| word.starts_with("http://127.0.0.1:"));
            // Only whole lines: a URL cut short is another URL.
            if let Some(url) = found.filter(|_| text.ends_with('\n')) {
                platform.url = url.to_owned();
                return platform;
            }
            let ended = platform.child.try_wait().expect("the simulator's state");
            assert!(ended.is_none() && Instant::now() < deadline, "the simulator did not start ({ended:?}):\n{text}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // Nothing to do about it if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project folder with `yaojia.toml`, secrets and, once something ran, the warehouse.
pub struct Project {
    pub dir: PathBuf,
    pub url: String,
    _held: Option<TempDir>,
}

impl Project {
    /// A fresh project in a folder of its own, as `yaojia init` writes it.
    pub fn fresh(world: &Path, url: &str) -> Self {
        let held = tempfile::Builder::new().prefix("yaojia-acceptance-").tempdir().expect("a folder");
        let project = Self { dir: held.path().join("project"), url: url.to_owned(), _held: Some(held) };
        project.write(world);
        project
    }

    /// A copy of the loaded project, to be changed at will.
    pub fn copy_of_loaded(url: &str) -> Self {
        let held = tempfile::Builder::new().prefix("yaojia-acceptance-").tempdir().expect("a folder");
        let dir = held.path().join("project");
        copy(&shared().join("project"), &dir);
        Self { dir, url: url.to_owned(), _held: Some(held) }
    }

    fn write(&self, world: &Path) {
        let mut init = yaojia();
        init.arg("--project").arg(&self.dir).args(["init", "--first-month", "2024-01", "--since", "2022-01-01", "--window-days", "400"]);
        init.args(["--app-code", "file:secrets/app_code", "--auth-code", "file:secrets/auth_code", "--platform-url", &self.url]);
        init.arg("--landing").arg(world.join("exports")).arg("--aliases").arg(world.join("aliases.json"));
        Run::of(init).exits(0);
        for (name, text) in [("app_code", "yaojia-demo"), ("auth_code", "yaojia-demo-auth")] {
            let path = self.dir.join("secrets").join(name);
            fs::write(&path, text).expect("a secret");
            #[cfg(unix)]
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its permissions");
        }
    }

    /// Changes the configuration; the text to be replaced must be there.
    #[track_caller]
    pub fn configure(&self, from: &str, to: &str) {
        let path = self.dir.join("yaojia.toml");
        let text = fs::read_to_string(&path).expect("yaojia.toml");
        assert!(text.contains(from), "`{from}` is not in {}:\n{text}", path.display());
        fs::write(&path, text.replacen(from, to, 1)).expect("yaojia.toml");
    }

    pub fn warehouse(&self) -> PathBuf {
        self.dir.join("warehouse")
    }

    /// A verb, not yet started.
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = yaojia();
        command.arg("--project").arg(&self.dir).args(["--as-of", AS_OF]).env("YAOJIA_PLATFORM_URL", &self.url).args(args);
        command
    }

    /// A verb, run to its end.
    pub fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        Run::of(self.command(args))
    }

    /// The rows of a SELECT, as column → text (a null is absent).
    #[track_caller]
    pub fn query(&self, sql: &str) -> Vec<BTreeMap<String, String>> {
        let run = self.run(["query", sql, "--json"]).exits(0);
        let rows = run.json()["rows"].as_array().unwrap_or_else(|| panic!("no rows:\n{run}")).clone();
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        rows.iter()
            .map(|row| {
                let row = row.as_object().unwrap_or_else(|| panic!("a row is no object:\n{run}"));
                row.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), text(value))).collect()
            })
            .collect()
    }

    /// The one number of a SELECT with one row and one column.
    #[track_caller]
    pub fn number(&self, sql: &str) -> u64 {
        let rows = self.query(sql);
        let value = rows.first().and_then(|row| row.values().next());
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{sql} gave {rows:?}"))
    }
}

/// The tiny world with dirt that all tests share.
pub fn world() -> PathBuf {
    shared().join("world")
}

/// The project in which one undisturbed `nightly` ran. Only to be read: copy it to change it.
pub fn loaded() -> Project {
    Project { dir: shared().join("project"), url: "http://127.0.0.1:9/nobody".to_owned(), _held: None }
}

/// How long the undisturbed `nightly` took.
pub fn undisturbed() -> Duration {
    let text = fs::read_to_string(shared().join("done")).expect("the mark of the loaded project");
    Duration::from_millis(text.trim().parse().expect("milliseconds"))
}

/// The shared folder, made once: by the first test of this process, or of this nextest run, where each test is a process.
fn shared() -> &'static Path {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("acceptance");
        fs::create_dir_all(&root).expect("a folder for the shared world");
        let lock = OpenOptions::new().create(true).append(true).open(root.join("lock")).expect("the lock file");
        lock.lock().expect("the lock");
        let run = std::env::var_os("NEXTEST_RUN_ID")
            .map_or_else(|| format!("process-{}", std::process::id()), |id| id.to_string_lossy().into_owned());
        let dir = root.join(run);
        let failed = dir.join("failed");
        if let Ok(story) = fs::read_to_string(&failed) {
            panic!("the shared project could not be made:\n{story}");
        }
        if !dir.join("done").is_file() {
            tidy(&root);
            fs::create_dir_all(&dir).expect("the shared folder");
            fs::write(&failed, "a test was killed while it made it").expect("the mark");
            let took = make(&dir, &failed);
            fs::write(dir.join("done"), took.as_millis().to_string()).expect("the mark");
            fs::remove_file(&failed).expect("the mark");
        }
        dir
    })
}

/// Removes what earlier runs left, once it is old.
fn tidy(root: &Path) {
    for entry in fs::read_dir(root).expect("the root").filter_map(Result::ok) {
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
        if entry.path().is_dir() && age.is_some_and(|age| age > Duration::from_secs(1800)) {
            // Another run may be at it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn make(dir: &Path, failed: &Path) -> Duration {
    let story = |run: Run| {
        if run.code != Some(0) {
            fs::write(failed, run.to_string()).expect("the mark");
            panic!("the shared project could not be made:\n{run}");
        }
        run
    };
    let world = dir.join("world");
    let mut simulate = yaojia();
    simulate.args(["simulate", "--size", "tiny", "--seed", SEED, "--no-serve", "--write"]).arg(&world);
    story(Run::of(simulate));
    let platform = Platform::serve(&world);
    let project = Project { dir: dir.join("project"), url: platform.url.clone(), _held: None };
    project.write(&world);
    let run = story(project.run(["nightly", "--json"]));
    fs::write(dir.join("nightly.json"), &run.stdout).expect("the report");
    run.took
}

/// The report of the undisturbed `nightly`.
pub fn first_report() -> Value {
    serde_json::from_str(&fs::read_to_string(shared().join("nightly.json")).expect("the report")).expect("JSON")
}

/// All files below a folder, relative, in order.
pub fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, dir: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("a directory entry").path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                out.push(path.strip_prefix(root).expect("a path below").to_string_lossy().into_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out.sort();
    out
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
        fs::copy(from.join(&file), &target).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}
