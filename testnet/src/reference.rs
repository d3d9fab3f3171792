//! Random graphs of events with forks, decided by the engine and by the slow reference of the rule.

use std::path::Path;

use consensus::reference::bridge::Compared;
use consensus::reference::generate::{Options, graph};
use serde::Serialize;

use crate::cases::each;
#[cfg(feature = "planted")]
use crate::cases::first_at_fault;
use crate::error::Error;
use crate::sim::swarm::{append, commit};
use crate::voice::Voice;

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
    let mut found = Found {
        commit: commit(),
        from,
        graphs,
        ..Found::default()
    };
    let seeds = from..from.saturating_add(graphs);
    let done = each(seeds, voice, |seed| compare(seed, &mut found));
    (found.wall_ms, found.differences) = (done.wall_ms, done.at_fault);
    append(log, &found)?;
    Ok(found)
}

/// The first of the graphs of so many seeds that both decide otherwise.
#[cfg(feature = "planted")]
pub(crate) fn first_difference(graphs: u64) -> Option<u64> {
    let mut found = Found::default();
    first_at_fault(graphs, |seed| compare(seed, &mut found))
}

/// Small graphs for most seeds: what is rare in one of them is met in another.
fn options(seed: u64) -> Options {
    Options {
        peers_max: [4, 5, 6, 7, 8, 10, 12][(seed % 7) as usize],
        rounds: 8 + seed % 5,
        ..Options::default()
    }
}

fn compare(seed: u64, found: &mut Found) -> Result<(), String> {
    let compared = Compared::of(&graph(seed, options(seed))).map_err(|error| error.to_string())?;
    let events = &compared.graph.events;
    let mut places: Vec<(u16, u64)> = events.iter().map(|v| (v.creator, v.seq)).collect();
    places.sort_unstable();
    found.forked += u64::from(places.windows(2).any(|pair| pair[0] == pair[1]));
    found.events += events.len();
    found.blocks += compared.model.blocks.len();
    match (&compared.engine.contradiction, compared.agree()) {
        (None, true) => Ok(()),
        (Some(slot), true) => Err(format!("both find a contradiction at {slot:?}")),
        (_, false) => Err("the engine settles otherwise than the reference".into()),
    }
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
