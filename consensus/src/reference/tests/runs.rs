//! Properties of whole runs: the rule agrees with itself, the generator shows what it should.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn options(seed: u64) -> Options {
    Options {
        rounds: 6 + seed % 15,
        ..Options::default()
    }
}

#[test]
fn generated_graphs_are_valid_and_depend_on_their_seed_alone() {
    for seed in 0..300 {
        let one = graph(seed, options(seed));
        valid::assert_valid(&one, &format!("seed {seed}"));
        assert_eq!(one, graph(seed, options(seed)), "seed {seed}");
        assert_ne!(one, graph(seed + 1, options(seed)), "seed {seed}");
    }
}

#[test]
fn a_peer_that_is_a_quorum_beside_forkers_alone_ends_its_run() {
    let options = Options {
        peers_max: 5,
        rounds: 12,
        ..Options::default()
    };
    let highest = |graph: Graph| graph.events.iter().map(|vertex| vertex.round).max();
    assert_eq!(highest(graph(36_569, options)), Some(options.rounds));
}

#[test]
fn blocks_order_each_event_once_after_its_parents() {
    for seed in 0..300 {
        let graph = graph(seed, options(seed));
        let blocks = blocks(&graph).unwrap();
        let vertices: BTreeMap<Digest, &Vertex> = graph.events.iter().map(|v| (v.id, v)).collect();
        let mut ordered = BTreeSet::new();
        let (mut height, mut round) = (0, None);
        for block in &blocks {
            height += 1;
            assert_eq!(block.height, height, "seed {seed}");
            assert!(round < Some(block.round), "seed {seed}");
            round = Some(block.round);
            for id in &block.order {
                let vertex = vertices[id];
                let links = vertex
                    .self_parent
                    .iter()
                    .chain(&vertex.votes)
                    .chain(&vertex.parents);
                for parent in links {
                    assert!(ordered.contains(parent), "seed {seed} event {id}");
                }
                assert!(ordered.insert(*id), "seed {seed} event {id} twice");
            }
            assert_eq!(block.order.last(), Some(&block.leader), "seed {seed}");
        }
    }
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    for seed in 0..100 {
        let graph = graph(seed, options(seed));
        let expected = settle(&graph, None).unwrap();
        for other in 0..3 {
            let order = shuffled(&graph, other);
            let mut arrived = graph.clone();
            arrived.events = order
                .iter()
                .map(|event| graph.events[*event].clone())
                .collect();
            assert_eq!(order.len(), graph.events.len(), "seed {seed}");
            assert_eq!(
                settle(&arrived, None).unwrap(),
                expected,
                "seed {seed} {other}"
            );
        }
    }
}

#[test]
fn views_of_one_graph_agree_on_their_common_blocks() {
    let mut shorter = 0;
    for seed in 0..300 {
        let graph = graph(seed, options(seed));
        let whole = blocks(&graph).unwrap();
        for part in 0..6 {
            let view = closed_subset(&graph, seed * 100 + part);
            valid::assert_valid(&view, &format!("seed {seed} part {part}"));
            let blocks = blocks(&view).unwrap();
            assert!(whole.starts_with(&blocks), "seed {seed} part {part}");
            shorter += u32::from(!blocks.is_empty() && blocks.len() < whole.len());
        }
    }
    assert!(shorter > 300, "{shorter}");
}

#[test]
fn decisions_never_change_as_a_view_grows_under_one_seed() {
    // C16
    for seed in 0..100 {
        let graph = graph(seed, options(seed));
        let whole = View::new(&graph, None).unwrap();
        let later = whole.decisions(&graph.seed, 0);
        for part in 0..4 {
            let subset = closed_subset(&graph, seed * 100 + part);
            let view = View::new(&subset, None).unwrap();
            for (slot, decision) in view.decisions(&graph.seed, 0) {
                let name = format!("seed {seed} part {part} slot {slot:?}");
                let candidate = |view: &View<'_>, decision| match decision {
                    Decision::Committed(event, _) => Some(view.vertex(event).id),
                    Decision::Skipped(_) => None,
                    Decision::Undecided | Decision::Contradiction => panic!("{name}"),
                };
                assert_ne!(decision, Decision::Contradiction, "{name}");
                if decision != Decision::Undecided {
                    let (before, after) =
                        (candidate(&view, decision), candidate(&whole, later[&slot]));
                    assert_eq!(before, after, "{name}");
                }
            }
        }
    }
}

#[test]
fn generated_graphs_show_everything_that_can_happen() {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut count = |name, times: usize| {
        *counts.entry(name).or_default() += u32::try_from(times).unwrap();
    };
    for seed in 0..300 {
        let graph = graph(seed, options(seed));
        let view = View::new(&graph, None).unwrap();
        let settled = settle(&graph, None).unwrap();
        count("events", graph.events.len());
        count(
            "data events",
            graph.events.iter().filter(|v| !v.root).count(),
        );
        count("blocks", settled.blocks.len());
        count(
            "graphs without blocks",
            usize::from(settled.blocks.is_empty()),
        );
        count(
            "ordered",
            settled.blocks.iter().map(|block| block.order.len()).sum(),
        );
        let skipped_rounds = usize::try_from(settled.round).unwrap() - settled.blocks.len();
        count("settled rounds without block", skipped_rounds);
        let unsettled = view.highest_round() + 1 - settled.round;
        count("graphs that stall", usize::from(unsettled > 4));

        let places: BTreeSet<(u16, u64)> =
            graph.events.iter().map(|v| (v.creator, v.seq)).collect();
        count(
            "graphs with forks",
            usize::from(places.len() < graph.events.len()),
        );
        let mut slots: BTreeMap<(u64, u16), usize> = BTreeMap::new();
        for vertex in graph.events.iter().filter(|vertex| vertex.root) {
            *slots.entry((vertex.round, vertex.creator)).or_default() += 1;
        }
        count(
            "slots with two candidates",
            slots.values().filter(|n| **n > 1).count(),
        );

        // As when each round was settled.
        let mut seed = graph.seed;
        for round in 0..settled.round {
            let block = settled.blocks.iter().find(|block| block.round == round);
            let decisions = view.decisions(&seed, round);
            for peer in race::ranking(race::Race::Leader, &seed, round, &graph.committee) {
                let (name, vrf) = match decisions[&(round, peer)] {
                    Decision::Committed(event, how) => {
                        let forked = usize::from(slots[&(round, peer)] > 1);
                        count("commits of a forker with two candidates", forked);
                        let vrf = view.vertex(event).vrf;
                        count("bad proofs passed over", usize::from(vrf.is_none()));
                        match how {
                            How::Direct => ("direct commits", vrf),
                            How::Indirect => ("indirect commits", vrf),
                        }
                    }
                    Decision::Skipped(How::Direct) => ("direct skips", None),
                    Decision::Skipped(How::Indirect) => ("indirect skips", None),
                    Decision::Undecided | Decision::Contradiction => panic!("{round} {peer}"),
                };
                count(name, 1);
                if let Some(pre_output) = vrf {
                    assert_eq!(Some(pre_output), view_vrf(&graph, block.unwrap().leader));
                    seed = race::next_seed(&seed, round, &pre_output);
                    break;
                }
            }
        }
        assert_eq!(seed, settled.seed);
    }
    println!("{counts:#?}");
    for (name, times) in &counts {
        assert!(*times >= 10, "{name}: {times}");
    }
}

fn view_vrf(graph: &Graph, id: Digest) -> Option<[u8; 32]> {
    graph
        .events
        .iter()
        .find(|vertex| vertex.id == id)
        .unwrap()
        .vrf
}

#[test]
fn patience_makes_direct_commits_and_haste_makes_anchors_work() {
    let share = |pace| {
        let (mut direct, mut all) = (0, 0);
        for seed in 0..60 {
            let options = Options {
                pace: Some(pace),
                ..Options::default()
            };
            let graph = graph(seed, options);
            let view = View::new(&graph, None).unwrap();
            for ((round, peer), decision) in view.decisions(&graph.seed, 0) {
                if decision != Decision::Undecided && round < 8 {
                    direct += u32::from(view.direct(round, peer).is_some());
                    all += 1;
                }
            }
        }
        println!("{pace:?}: {direct} of {all} slots directly");
        direct * 1000 / all
    };
    let [patient, mixed, hasty] = [Pace::Patient, Pace::Mixed, Pace::Hasty].map(share);
    assert!(
        patient > mixed && patient > hasty && hasty < 900,
        "{patient} {mixed} {hasty}"
    );
}

#[test]
fn every_mutant_gives_other_blocks_somewhere() {
    let mut missed = Vec::from(Mutant::ALL);
    for seed in 0..300 {
        let graph = graph(seed, options(seed));
        for view in [closed_subset(&graph, seed), graph] {
            let expected = blocks(&view);
            let is_caught = |mutant| blocks_with(&view, Some(mutant)) != expected;
            let caught: Vec<Mutant> = missed.extract_if(.., |mutant| is_caught(*mutant)).collect();
            if !caught.is_empty() {
                println!("caught by seed {seed}: {caught:?}");
            }
        }
    }
    assert_eq!(missed, []);
}
