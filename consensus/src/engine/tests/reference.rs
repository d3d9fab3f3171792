//! The engine against the slow model, on graphs that the model's generator makes.

use std::collections::{BTreeMap, BTreeSet};

use dag::Dag;
use dag::committee::{Committee, Member};
use dag::event::{Event, Kind, Reference, payload_digest};
use dag::test_dag::{event_key, header, unsigned};
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::Beacon;
use primitives::units::{Epoch, PeerIndex, Round, Seq, Stake, Time};

use crate::engine::{BeaconCheck, Engine, Settled};
use crate::reference::generate::{Options, closed_subset, graph, shuffled};
use crate::reference::{self, Block, Graph, Mutant, Vertex};

const SEEDS: u64 = 10_000;
const SHUFFLES: u64 = 1_000;

/// Proofs of converted events: 0 where the model says that they verify.
struct ByFirstByte;

impl BeaconCheck for ByFirstByte {
    fn is_valid(&self, _: PeerIndex, _: Round, beacon: &Beacon) -> bool {
        beacon.proof[0] == 0
    }
}

fn committee(graph: &Graph) -> Committee {
    let members = graph
        .committee
        .iter()
        .enumerate()
        .map(|(index, member)| Member {
            key: member.key,
            event_key: event_key(index),
            stake: Stake::new(member.stake),
        })
        .collect();
    let committee = Committee::new(graph.chain_id, Epoch::ZERO, members).unwrap();
    let keys = committee.members().iter().map(|member| member.key);
    assert!(keys.eq(graph.committee.iter().map(|member| member.key)));
    committee
}

/// The events of a graph as headers, and the graph with the ids that these headers have.
fn convert(graph: &Graph) -> (Committee, Vec<Event>, Graph) {
    let committee = committee(graph);
    let mut named: BTreeMap<Digest, Reference> = BTreeMap::new();
    let mut events = Vec::new();
    let mut converted = Vec::new();
    for vertex in &graph.events {
        let event = convert_one(graph, vertex, &named);
        let ids = |old: &[Digest]| old.iter().map(|id| named[id].id).collect();
        converted.push(Vertex {
            id: *event.id(),
            self_parent: vertex.self_parent.map(|id| named[&id].id),
            votes: ids(&vertex.votes),
            parents: ids(&vertex.parents),
            ..vertex.clone()
        });
        named.insert(vertex.id, event.reference());
        events.push(event);
    }
    let graph = Graph {
        seed: Engine::new(&committee).seed(),
        events: converted,
        committee: graph.committee.clone(),
        ..*graph
    };
    (committee, events, graph)
}

fn convert_one(graph: &Graph, vertex: &Vertex, named: &BTreeMap<Digest, Reference>) -> Event {
    let kind = if vertex.root { Kind::Root } else { Kind::Data };
    let mut header = header(PeerIndex(vertex.creator), Round::new(vertex.round), kind);
    header.chain = graph.chain_id;
    header.seq = Seq::new(vertex.seq);
    header.time = Time::new(vertex.time);
    // Twins of one content stay two events.
    header.payload = payload_digest(&vertex.id.0);
    header.self_parent = vertex.self_parent.map(|id| named[&id]);
    let references = |ids: &[Digest]| ids.iter().map(|id| named[id]).collect();
    let mut votes: Vec<Reference> = references(&vertex.votes);
    let mut parents: Vec<Reference> = references(&vertex.parents);
    votes.sort_unstable();
    parents.sort_unstable_by_key(Reference::key);
    header.votes = List::new(votes).unwrap();
    header.parents = List::new(parents).unwrap();
    header.beacon = vertex.root.then(|| Beacon {
        pre_output: vertex.vrf.unwrap_or([1; 32]),
        proof: [u8::from(vertex.vrf.is_none()); 64],
    });
    unsigned(header)
}

fn options(seed: u64) -> Options {
    Options {
        peers_max: 4 + (seed % 5) as u16,
        rounds: 8 + seed % 5,
        ..Options::default()
    }
}

fn dag(committee: &Committee, events: impl IntoIterator<Item = Event>) -> Dag {
    let mut dag = Dag::new(committee.clone());
    for event in events {
        dag.admit(event).unwrap();
    }
    dag
}

fn as_blocks(settled: Vec<Settled>) -> Vec<Block> {
    settled
        .into_iter()
        .map(|settled| Block {
            height: settled.height.get(),
            round: settled.round.get(),
            leader: settled.leader,
            order: settled.order,
        })
        .collect()
}

#[test]
fn the_engine_gives_the_blocks_of_the_model_on_10_000_graphs() {
    let mut blocks = 0;
    let mut missed: BTreeSet<Mutant> = Mutant::ALL.into();
    for seed in 0..SEEDS {
        let (committee, events, graph) = convert(&graph(seed, options(seed)));
        let mut engine = Engine::new(&committee);
        let got = as_blocks(engine.advance(&dag(&committee, events), &ByFirstByte));
        let wanted = reference::settle(&graph, None).unwrap();
        assert_eq!(got, wanted.blocks, "seed {seed}");
        assert_eq!(engine.seed(), wanted.seed, "seed {seed}");
        let next = engine.settled_round().map_or(0, |round| round.get() + 1);
        assert_eq!(next, wanted.round, "seed {seed}");
        assert_eq!(engine.contradiction(), None, "seed {seed}");
        // Each mutant of the rule is told from the engine by some graph.
        missed.retain(|mutant| {
            reference::blocks_with(&graph, Some(*mutant)).is_ok_and(|other| other == got)
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
        let (committee, events, part) = convert(&part);
        let mut engine = Engine::new(&committee);
        let got = as_blocks(engine.advance(&dag(&committee, events), &ByFirstByte));
        assert_eq!(got, reference::blocks(&part).unwrap(), "seed {seed}");
    }
}

#[test]
fn a_thousand_arrivals_of_one_graph_one_by_one_give_the_models_blocks() {
    let options = Options {
        rounds: 14,
        ..Options::default()
    };
    let (committee, events, graph) = convert(&graph(42, options));
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
        assert_eq!(as_blocks(got), wanted, "shuffle {seed}");
    }
}
