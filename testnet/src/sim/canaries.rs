//! Bugs on purpose, and whether the judges find them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use primitives::planted::{self, Bug};
use serde::Serialize;

use super::plan::{Profile, draw};
use super::run::run;
use super::swarm::{caught, remembering};
use crate::reference::first_difference;
use crate::twins::first_violation;

/// Graphs, and cases of two copies of one key, that a bug is given which no seed shows.
const CASES: u64 = 10_000;

/// A bug and what found it.
#[derive(Debug, Clone, Serialize)]
pub struct Canary {
    /// The bug.
    pub bug: String,
    /// The first seed that shows it, and the judge. Where no seed does: the first graph that the slow
    /// reference decides otherwise, or the first case of twins. None if none does.
    pub found: Option<(u64, &'static str)>,
}

/// Runs seeds under `bug` until one violates something, `seeds` at most and `jobs` at once.
#[must_use]
pub fn try_bug(bug: Bug, seeds: u64, jobs: usize) -> Canary {
    planted::plant(Some(bug));
    let next = AtomicU64::new(0);
    let found: Mutex<Option<(u64, &'static str)>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_found = found.lock().is_ok_and(|found| found.is_some());
                    if seed >= seeds || is_found {
                        return;
                    }
                    let Some(judge) = judged(seed) else {
                        continue;
                    };
                    if let Ok(mut found) = found.lock()
                        && found.is_none_or(|(before, _)| seed < before)
                    {
                        *found = Some((seed, judge));
                    }
                }
            });
        }
    });
    let found = found
        .into_inner()
        .unwrap_or_default()
        .or_else(|| Some((first_difference(CASES)?, "reference")))
        .or_else(|| Some((first_violation(CASES)?, "twins")));
    planted::plant(None);
    Canary {
        bug: format!("{bug:?}"),
        found,
    }
}

/// The judge that finds something wrong with a seed.
fn judged(seed: u64) -> Option<&'static str> {
    match remembering(|| caught(|| run(draw(seed, Profile::Short)))) {
        Ok(report) => report.violations.first().map(|violation| violation.judge),
        Err(_) => Some("panic"),
    }
}
