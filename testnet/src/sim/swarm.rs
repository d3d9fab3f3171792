//! Many seeds, one after the other on each thread, and a log of all that were ever run.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::judge::Violation;
use super::plan::{Profile, draw};
use super::run::{Report, run as run_plan};
use crate::error::Error;
use crate::voice::Voice;

/// How often it is said how it goes, in seconds.
const TELL_S: u64 = 10;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// How many seeds.
    pub seeds: u64,
    /// The first.
    pub from: u64,
    /// How long each run is, and how much goes wrong.
    pub profile: Profile,
    /// How many runs at once.
    pub jobs: usize,
}

/// What was run: one line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Found {
    /// The commit of the program's sources, where that is known.
    pub commit: String,
    /// The profile.
    pub profile: Profile,
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// Virtual time of all runs together, in milliseconds.
    pub virtual_ms: u64,
    /// Time that passed, in milliseconds.
    pub wall_ms: u64,
    /// Violations, over all runs.
    pub violations: usize,
    /// The seeds that violated something.
    pub seeds_at_fault: Vec<u64>,
    /// The latest epochs of all runs, summed.
    #[serde(default)]
    pub epochs: u64,
    /// How often each kind of liar did not follow the rules.
    #[serde(default)]
    pub lies: BTreeMap<String, u64>,
    /// What became of transactions called official, see [`Report::officials`].
    #[serde(default)]
    pub officials: BTreeMap<String, u64>,
}

/// Where the log says that the next swarm of this profile begins; 0 without a log.
///
/// # Errors
/// [`Error::File`] for a log that cannot be read; lines that are not its own are passed over.
pub fn next_seed(log: &Path, profile: Profile) -> Result<u64, Error> {
    if !log.exists() {
        return Ok(0);
    }
    let file = File::open(log).map_err(|error| Error::file(log, error))?;
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let found = lines.filter_map(|line| serde_json::from_str::<Found>(&line).ok());
    let ends = found.filter(|found| found.profile == profile);
    Ok(ends
        .map(|found| found.from + found.seeds)
        .max()
        .unwrap_or(0))
}

/// Runs the seeds, writes a plan for each that violates something, and adds a line to the log.
///
/// # Errors
/// [`Error::File`] for what cannot be written.
pub fn run(task: &Task, log: &Path, voice: Voice) -> Result<Found, Error> {
    let begun = Instant::now();
    let next = AtomicU64::new(task.from);
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..task.jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= task.from + task.seeds {
                        return;
                    }
                    let outcome = outcome(seed, task.profile);
                    if let Ok(mut sum) = sum.lock() {
                        sum.add(seed, outcome, task, begun, log, voice);
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_default();
    let found = Found {
        commit: commit(),
        profile: task.profile,
        from: task.from,
        seeds: sum.seeds,
        virtual_ms: sum.virtual_ms,
        wall_ms: millis(begun),
        violations: sum.violations,
        seeds_at_fault: sum.at_fault.into_keys().collect(),
        epochs: sum.epochs,
        lies: sum.lies,
        officials: sum.officials,
    };
    append(log, &found)?;
    Ok(found)
}

#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    virtual_ms: u64,
    violations: usize,
    at_fault: BTreeMap<u64, PathBuf>,
    epochs: u64,
    lies: BTreeMap<String, u64>,
    officials: BTreeMap<String, u64>,
    told_s: u64,
}

impl Sum {
    fn add(
        &mut self,
        seed: u64,
        outcome: Result<Report, String>,
        task: &Task,
        begun: Instant,
        log: &Path,
        voice: Voice,
    ) {
        self.seeds += 1;
        let violations = match outcome {
            Ok(report) => {
                self.virtual_ms += report.virtual_ms;
                self.epochs += report.epoch;
                for (sums, counts) in [
                    (&mut self.lies, report.lies),
                    (&mut self.officials, report.officials),
                ] {
                    for (name, count) in counts {
                        *sums.entry(name.to_owned()).or_default() += count;
                    }
                }
                report.violations
            }
            Err(what) => vec![Violation {
                at_ms: 0,
                judge: "panic",
                what,
            }],
        };
        if !violations.is_empty() {
            self.violations += violations.len();
            let path = log.with_file_name(format!("{}-{seed}.json", task.profile.name()));
            let written = draw(seed, task.profile).write(&path);
            for violation in violations.iter().take(3) {
                let Violation { at_ms, judge, what } = violation;
                voice.progress(&format!("seed {seed}, {at_ms} ms, {judge}: {what}"));
            }
            match written {
                Ok(()) => voice.progress(&format!("primus-testnet sim --plan {}", path.display())),
                Err(error) => voice.progress(&error.to_string()),
            }
            self.at_fault.insert(seed, path);
        }
        let passed_s = begun.elapsed().as_secs();
        if passed_s >= self.told_s + TELL_S {
            self.told_s = passed_s;
            let wall_ms = millis(begun).max(1);
            voice.progress(&format!(
                "{} of {} seeds, {} violations, {:.2} seeds/s, {:.1} virtual hours a minute",
                self.seeds,
                task.seeds,
                self.violations,
                self.seeds as f64 * 1_000.0 / wall_ms as f64,
                self.virtual_ms as f64 / 60.0 / wall_ms as f64,
            ));
        }
    }
}

/// One seed in ten makes every check of a signature wherever a peer makes it. One in a hundred is run
/// twice, also with what is remembered: one audit digest must come of both.
fn outcome(seed: u64, profile: Profile) -> Result<Report, String> {
    let run = || caught(|| run_plan(draw(seed, profile)));
    if !seed.is_multiple_of(10) {
        return remembering(run);
    }
    let mut report = run()?;
    if seed.is_multiple_of(100) {
        let again = remembering(run)?.audit;
        if again != report.audit {
            report.violations.push(Violation {
                at_ms: report.virtual_ms,
                judge: "audit",
                what: format!("audit {again} where the same plan gave {}", report.audit),
            });
        }
    }
    Ok(report)
}

/// Lets this thread remember signatures that hold while it runs one case.
#[cfg(feature = "remembering")]
pub(crate) use primitives::remembered::within as remembering;

/// Only with feature `remembering` are signatures remembered.
#[cfg(not(feature = "remembering"))]
pub(crate) fn remembering<T>(run: impl FnOnce() -> T) -> T {
    run()
}

/// What a case shows; a panic of the core is a finding like any other.
pub(crate) fn caught<T, E: ToString>(case: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(case)) {
        Ok(ended) => ended.map_err(|error| error.to_string()),
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_default()),
    }
}

/// Adds a line to a log of what was run.
pub(crate) fn append(log: &Path, found: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(found).unwrap_or_default();
    let written = log
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| {
            let mut file = OpenOptions::new().create(true).append(true).open(log)?;
            writeln!(file, "{line}")
        });
    written.map_err(|error| Error::file(log, error))
}

/// The commit of the program's sources, where that is known.
pub(crate) fn commit() -> String {
    let asked = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    asked.map_or_else(
        |_| String::from("unknown"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

pub(crate) fn millis(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
