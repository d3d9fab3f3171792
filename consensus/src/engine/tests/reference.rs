//! The engine against the slow model, on graphs that the model's generator makes.

use std::collections::BTreeSet;

use dag::Dag;

use crate::engine::Engine;
use crate::reference::bridge::{self, ByFirstByte, Compared};
use crate::reference::generate::{Options, closed_subset, graph, shuffled};
use crate::reference::{self, Mutant};

const SEEDS: u64 = 10_000;
const SHUFFLES: u64 = 1_000;

fn options(seed: u64) -> Options {
    Options {
        peers_max: 4 + (seed % 5) as u16,
        rounds: 8 + seed % 5,
        ..Options::default()
    }
}

#[test]
fn the_engine_gives_the_blocks_of_the_model_on_10_000_graphs() {
    let mut blocks = 0;
    let mut missed: BTreeSet<Mutant> = Mutant::ALL.into();
    for seed in 0..SEEDS {
        let compared = Compared::of(&graph(seed, options(seed))).unwrap();
        assert_eq!(compared.engine, compared.model, "seed {seed}");
        assert_eq!(compared.engine.contradiction, None, "seed {seed}");
        let got = &compared.engine.blocks;
        // Each mutant of the rule is told from the engine by some graph.
        missed.retain(|mutant| {
            reference::blocks_with(&compared.graph, Some(*mutant)).is_ok_and(|other| other == *got)
        });
        blocks += got.len();
    }
    assert!(blocks > 10_000, "only {blocks} blocks");
    assert_eq!(missed, BTreeSet::new(), "mutants not caught");
}

#[test]
fn a_part_of_a_graph_settles_as_the_model_says() {
    for seed in 0..SEEDS / 10 {
        let part = closed_subset(&graph(seed, options(seed)), seed);
        let compared = Compared::of(&part).unwrap();
        assert_eq!(compared.engine, compared.model, "seed {seed}");
    }
}

#[test]
fn a_thousand_arrivals_of_one_graph_one_by_one_give_the_models_blocks() {
    let options = Options {
        rounds: 14,
        ..Options::default()
    };
    let (committee, events, graph) = bridge::events(&graph(42, options));
    let wanted = reference::blocks(&graph).unwrap();
    assert!(wanted.len() > 3);
    for seed in 0..SHUFFLES {
        let mut dag = Dag::new(committee.clone());
        let mut engine = Engine::new(&committee);
        let mut got = Vec::new();
        for position in shuffled(&graph, seed) {
            dag.admit(events[position].clone()).unwrap();
            got.extend(engine.advance(&dag, &ByFirstByte));
        }
        let got = bridge::settled(&engine, got).blocks;
        assert_eq!(got, wanted, "shuffle {seed}");
    }
}
