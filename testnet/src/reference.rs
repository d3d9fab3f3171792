//! Random graphs of events with forks, decided by the engine and by the slow reference of the rule.

use std::path::Path;
use std::time::Instant;

use consensus::reference::bridge::Compared;
use consensus::reference::generate::{Options, graph};
use serde::Serialize;

use crate::error::Error;
use crate::sim::swarm::{append, caught, commit, millis};
use crate::voice::Voice;

/// How often it is said how it goes, in seconds.
const TELL_S: u64 = 10;

/// What was compared: one line of the log.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// The commit of the program's sources, where that is known.
    pub commit: String,
    /// The first seed.
    pub from: u64,
    /// How many graphs, one a seed.
    pub graphs: u64,
    /// Graphs in which somebody forks.
    pub forked: u64,
    /// Events of all graphs together.
    pub events: usize,
    /// Blocks that the reference settles on them.
    pub blocks: usize,
    /// Time that passed, in milliseconds.
    pub wall_ms: u64,
    /// The seeds on which both differ.
    pub differences: Vec<u64>,
}

/// Compares both on the graphs of `graphs` seeds, and adds a line to the log.
///
/// # Errors
/// [`Error::File`] for a log that cannot be written.
pub fn run(from: u64, graphs: u64, log: &Path, voice: Voice) -> Result<Found, Error> {
    let begun = Instant::now();
    let mut found = Found {
        commit: commit(),
        from,
        ..Found::default()
    };
    let mut told_s = 0;
    for seed in from..from.saturating_add(graphs) {
        compare(seed, &mut found, voice);
        found.wall_ms = millis(begun);
        if found.wall_ms / 1_000 >= told_s + TELL_S {
            told_s = found.wall_ms / 1_000;
            voice.progress(&format!(
                "{} of {graphs} graphs, {} differences, {} graphs/s",
                found.graphs,
                found.differences.len(),
                found.graphs * 1_000 / found.wall_ms,
            ));
        }
    }
    append(log, &found)?;
    Ok(found)
}

/// Small graphs for most seeds: what is rare in one of them is met in another.
fn options(seed: u64) -> Options {
    Options {
        peers_max: [4, 5, 6, 7, 8, 10, 12][(seed % 7) as usize],
        rounds: 8 + seed % 5,
        ..Options::default()
    }
}

fn compare(seed: u64, found: &mut Found, voice: Voice) {
    found.graphs += 1;
    let compared = caught(|| Compared::of(&graph(seed, options(seed))));
    let reason = match compared {
        Ok(compared) => {
            let events = &compared.graph.events;
            let mut places: Vec<(u16, u64)> = events.iter().map(|v| (v.creator, v.seq)).collect();
            places.sort_unstable();
            found.forked += u64::from(places.windows(2).any(|pair| pair[0] == pair[1]));
            found.events += events.len();
            found.blocks += compared.model.blocks.len();
            match (&compared.engine.contradiction, compared.agree()) {
                (None, true) => return,
                (Some(slot), true) => format!("both find a contradiction at {slot:?}"),
                (_, false) => "the engine settles otherwise than the reference".into(),
            }
        }
        Err(reason) => reason,
    };
    voice.progress(&format!("seed {seed}: {reason}"));
    found.differences.push(seed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Form;

    #[test]
    fn graphs_with_forks_are_compared_and_the_log_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.jsonl");
        let found = run(500_000, 50, &log, Voice::new(Form::Words)).unwrap();
        assert_eq!((found.graphs, &found.differences), (50, &vec![]));
        assert!(found.forked > 5 && found.blocks > 50, "{found:?}");
        let line = std::fs::read_to_string(&log).unwrap();
        assert!(line.contains("\"from\":500000"), "{line}");
    }
}
