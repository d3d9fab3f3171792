//! From graphs of the model to events of the engine and back, and the comparison of the two.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use dag::Dag;
use dag::committee::{Committee, Member as Peer};
use dag::event::{Event, Kind, Reference, payload_digest};
use dag::test_dag::{event_key, header, unsigned};
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::Beacon;
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq, Stake, Time};

use super::{Block, Graph, Member, Settled, Vertex, settle};
use crate::checkpoint::Checkpoint;
use crate::engine::{BeaconCheck, Engine};

/// Takes the beacons whose proof begins with 0, as those of drawn and converted events do where the
/// model says that they verify.
#[derive(Debug, Clone, Copy)]
pub struct ByFirstByte;

impl BeaconCheck for ByFirstByte {
    fn is_valid(&self, _: PeerIndex, _: Round, beacon: &Beacon) -> bool {
        beacon.proof.first() == Some(&0)
    }
}

/// An engine at the beginning of a chain, with `seed` in force.
///
/// # Errors
/// None for the committee of epoch 0.
pub fn engine(committee: &Committee, seed: Digest) -> Result<Engine, crate::Error> {
    let checkpoint = Checkpoint {
        version: 1,
        epoch: committee.epoch(),
        height: Height::ZERO,
        seed,
        settled: None,
        time: Time::ZERO,
        ordered: List::empty(),
        forkers: List::empty(),
    };
    Engine::restore(committee, &checkpoint)
}

/// What an engine has settled, in the words of the model.
#[must_use]
pub fn settled(engine: &Engine, blocks: Vec<crate::Settled>) -> Settled {
    Settled {
        blocks: blocks
            .into_iter()
            .map(|block| Block {
                height: block.height.get(),
                round: block.round.get(),
                leader: block.leader,
                order: block.order,
            })
            .collect(),
        round: engine.settled_round().map_or(0, |round| round.get() + 1),
        seed: engine.seed(),
        contradiction: engine.contradiction().map(crate::Contradiction::slot),
    }
}

/// What engine and model make of one graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The graph with the ids that its events have as headers.
    pub graph: Graph,
    /// What the engine settles.
    pub engine: Settled,
    /// What the model settles.
    pub model: Settled,
}

impl Compared {
    /// Runs both on `graph`.
    ///
    /// # Errors
    /// What [`settle`] refuses.
    ///
    /// # Panics
    /// Where the graph breaks a rule of admission.
    pub fn of(graph: &Graph) -> Result<Self, super::Error> {
        let (committee, events, graph) = events(graph);
        let mut dag = Dag::new(committee);
        for event in events {
            admit(&mut dag, event);
        }
        let mut engine = Engine::new(dag.committee());
        let blocks = engine.advance(&dag, &ByFirstByte);
        Ok(Self {
            engine: settled(&engine, blocks),
            model: settle(&graph, None)?,
            graph,
        })
    }

    /// Whether both say the same.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.engine == self.model
    }
}

/// The events of a graph as headers, and the graph with the ids that these headers have.
#[must_use]
pub fn events(graph: &Graph) -> (Committee, Vec<Event>, Graph) {
    let committee = committee(graph);
    let mut named: BTreeMap<Digest, Reference> = BTreeMap::new();
    let mut events = Vec::new();
    let mut converted = Vec::new();
    for vertex in &graph.events {
        let event = event(graph, vertex, &named);
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

/// The graph of all that a DAG holds, nothing of it dropped, with `seed` in force at its beginning.
#[must_use]
pub fn graph(dag: &Dag, seed: Digest) -> Graph {
    let ids = |list: &[Reference]| list.iter().map(|reference| reference.id).collect();
    let vertex = |event: &Event| {
        let header = event.header();
        let beacon = header.beacon.as_ref();
        Vertex {
            id: *event.id(),
            creator: header.creator.0,
            seq: header.seq.get(),
            round: header.round.get(),
            root: header.kind == Kind::Root,
            time: header.time.get(),
            self_parent: header.self_parent.map(|own| own.id),
            votes: ids(&header.votes),
            parents: ids(&header.parents),
            vrf: beacon
                .filter(|beacon| ByFirstByte.is_valid(header.creator, header.round, beacon))
                .map(|beacon| beacon.pre_output),
        }
    };
    let members = dag.committee().members().iter();
    Graph {
        chain_id: *dag.committee().chain(),
        epoch: dag.committee().epoch().get(),
        seed,
        committee: members
            .map(|member| Member {
                key: member.key,
                stake: member.stake.get(),
            })
            .collect(),
        events: dag.events().map(vertex).collect(),
    }
}

#[expect(
    clippy::expect_used,
    reason = "a model for tests; its graphs have committees by ascending key and with stake"
)]
fn committee(graph: &Graph) -> Committee {
    let peers = graph.committee.iter().enumerate();
    let peers = peers.map(|(index, member)| Peer {
        key: member.key,
        event_key: event_key(index),
        stake: Stake::new(member.stake),
    });
    Committee::new(graph.chain_id, Epoch::ZERO, peers.collect()).expect("a committee with stake")
}

#[expect(
    clippy::panic,
    reason = "a model for tests stops at the first wrong graph"
)]
fn admit(dag: &mut Dag, event: Event) {
    if let Err(error) = dag.admit(event) {
        panic!("{error}");
    }
}

#[expect(
    clippy::expect_used,
    reason = "lists of the model are as short as its committees"
)]
fn event(graph: &Graph, vertex: &Vertex, named: &BTreeMap<Digest, Reference>) -> Event {
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
    header.votes = List::new(votes).expect("few votes");
    header.parents = List::new(parents).expect("few parents");
    header.beacon = vertex.root.then(|| Beacon {
        pre_output: vertex.vrf.unwrap_or([1; 32]),
        proof: [u8::from(vertex.vrf.is_none()); 64],
    });
    unsigned(header)
}
