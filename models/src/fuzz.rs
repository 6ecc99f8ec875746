//! Property tests at any scale: a few cases with every test run, a million with `make fuzz`.
//!
//! `YAOJIA_FUZZ_PERCENT` says how many of a target's cases are made (1 when it is not set), `YAOJIA_FUZZ_SEED` which ones (0): equal
//! seeds, equal cases. A case that takes [`LIMIT`] ends the process, since a hang is a failure; so is memory that grows with the cases.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// The longest a case may take, on the slowest and busiest machine.
const LIMIT: Duration = Duration::from_secs(30);
/// MiB by which memory may grow after the first tenth of the cases: buffers grow, leaks grow more.
const GROWTH: u64 = 48;

/// Tries a target: `full` cases are 100 percent.
pub fn fuzz<S: Strategy>(target: &str, full: u32, strategy: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let percent = number("YAOJIA_FUZZ_PERCENT").unwrap_or(1);
    let cases = u32::try_from((u64::from(full) * percent / 100).max(32)).expect("a number of cases");
    let mut seed = [0_u8; 32];
    seed[..8].copy_from_slice(&number("YAOJIA_FUZZ_SEED").unwrap_or(0).to_le_bytes());
    let config = |cases| Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config(cases / 10), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let watch = Watch::start(target);
    let began = Instant::now();
    let timed = |value: S::Value| watch.case(|| test(value));
    if let Err(error) = runner.run(&strategy, timed) {
        panic!("{target}: {error}");
    }
    let warm = resident();
    let mut runner = TestRunner::new_with_rng(config(cases - cases / 10), runner.new_rng());
    if let Err(error) = runner.run(&strategy, timed) {
        panic!("{target}: {error}");
    }
    let end = resident();
    let (seconds, slowest) = (began.elapsed().as_secs_f32(), watch.slowest().as_millis());
    println!("fuzz {target}: {cases} cases, {seconds:.1} s, slowest {slowest} ms, resident {warm} MiB after a tenth, {end} MiB at the end");
    assert!(end.saturating_sub(warm) <= GROWTH, "{target}: memory grew from {warm} to {end} MiB in {cases} cases");
}

#[expect(clippy::disallowed_methods, reason = "how long a test run takes is its caller's to say")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: `{text}`")))
}

/// MiB of memory this process holds; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Ends the process when a case does not end.
struct Watch {
    since: Arc<Mutex<(Option<Instant>, Duration)>>,
    stop: Option<std::sync::mpsc::Sender<()>>,
}

impl Watch {
    fn start(target: &str) -> Self {
        let since = Arc::new(Mutex::new((None, Duration::ZERO)));
        let (stop, stopped) = channel();
        let (seen, target) = (Arc::clone(&since), target.to_owned());
        std::thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                let (case, _): (Option<Instant>, Duration) = *seen.lock().expect("the watch");
                if case.is_some_and(|case| case.elapsed() > LIMIT) {
                    eprintln!("fuzz {target}: a case hangs; its seed is YAOJIA_FUZZ_SEED");
                    std::process::abort();
                }
            }
        });
        Self { since, stop: Some(stop) }
    }

    fn case<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        self.since.lock().expect("the watch").0 = Some(began);
        let result = work();
        let mut held = self.since.lock().expect("the watch");
        *held = (None, held.1.max(began.elapsed()));
        result
    }

    fn slowest(&self) -> Duration {
        self.since.lock().expect("the watch").1
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
    }
}

/// Text with a few characters inserted, removed, replaced or doubled.
pub fn edited(text: impl Strategy<Value = String>, alphabet: &'static str) -> impl Strategy<Value = String> {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_oneof};
    let letters: Vec<char> = alphabet.chars().collect();
    let letter = prop_oneof![8 => proptest::sample::select(letters), 1 => any::<char>()];
    (text, vec((any::<proptest::sample::Index>(), 0..4_u8, letter), 0..3)).prop_map(|(text, edits)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, what, letter) in edits {
            let at = at.index(chars.len() + 1);
            match (what, chars.get(at).copied()) {
                (1, Some(_)) => drop(chars.remove(at)),
                (2, Some(_)) => chars[at] = letter,
                (3, Some(held)) => chars.insert(at, held),
                _ => chars.insert(at, letter),
            }
        }
        chars.into_iter().collect()
    })
}
