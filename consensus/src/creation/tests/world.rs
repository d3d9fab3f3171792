//! Peers in virtual time: each with its own DAG, engine and policy, joined by fixed delays.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use dag::event::{Event, payload_digest};
use dag::test_dag::{committee, header, unsigned};
use dag::{Dag, Pending};
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::Beacon;
use primitives::units::{Height, PeerIndex, Round, Time};

use crate::creation::{Creation, Decision, Parameters, Waiting};
use crate::engine::{BeaconCheck, Engine, Settled};

struct AnyBeacon;

impl BeaconCheck for AnyBeacon {
    fn is_valid(&self, _: PeerIndex, _: Round, _: &Beacon) -> bool {
        true
    }
}

/// Some settled block that orders nothing held.
pub(super) fn block() -> Settled {
    Settled {
        height: Height::new(1),
        round: Round::ZERO,
        leader: Digest::ZERO,
        creator: PeerIndex(0),
        order: Vec::new(),
        seed_before: Digest::ZERO,
        seed_after: Digest::ZERO,
        time: Time::ZERO,
        pre_output: [0; 32],
    }
}

struct Peer {
    dag: Dag,
    engine: Engine,
    creation: Creation,
    pending: Pending<()>,
    payments: u32,
    waiting: Waiting,
    blocks: Vec<Digest>,
    crashes_ms: u64,
}

enum Task {
    Arrive(usize, Box<Event>),
    Pay(usize),
    Wake(usize),
}

pub(super) struct World {
    peers: Vec<Peer>,
    delay: Box<dyn Fn(usize, usize) -> u64>,
    cut: (u64, u64),
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    tasks: BTreeMap<u64, Task>,
    count: u64,
    now_ms: u64,
    paid_ms: Vec<Vec<u64>>,
    /// Of each payload event: its payments' times.
    carried: BTreeMap<Digest, Vec<u64>>,
    latencies_ms: Vec<u64>,
}

impl World {
    pub(super) fn new(peers: usize, delay: impl Fn(usize, usize) -> u64 + 'static) -> Self {
        let committee = committee(&vec![1; peers]);
        let peer = |index: usize| Peer {
            dag: Dag::new(committee.clone()),
            engine: Engine::new(&committee),
            creation: Creation::new(PeerIndex(index as u16), Parameters::default()),
            pending: Pending::new(peers),
            payments: 0,
            waiting: Waiting::default(),
            blocks: Vec::new(),
            crashes_ms: u64::MAX,
        };
        Self {
            peers: (0..peers).map(peer).collect(),
            delay: Box::new(delay),
            cut: (u64::MAX, 0),
            queue: BinaryHeap::new(),
            tasks: BTreeMap::new(),
            count: 0,
            now_ms: 0,
            paid_ms: vec![Vec::new(); peers],
            carried: BTreeMap::new(),
            latencies_ms: Vec::new(),
        }
    }

    pub(super) fn pay(&mut self, peer: usize, at_ms: u64) {
        self.at(at_ms, Task::Pay(peer));
    }

    pub(super) fn crash(&mut self, peer: usize, at_ms: u64) {
        self.peers[peer].crashes_ms = at_ms;
    }

    /// Between these times nothing passes between the even and the odd half; it arrives after.
    pub(super) fn cut(&mut self, from_ms: u64, to_ms: u64) {
        self.cut = (from_ms, to_ms);
    }

    pub(super) fn run(&mut self, until_ms: u64) {
        while let Some(Reverse((time_ms, number))) = self.queue.peek().copied() {
            if time_ms > until_ms {
                break;
            }
            self.queue.pop();
            self.now_ms = time_ms;
            let task = self.tasks.remove(&number).unwrap();
            let peer = match &task {
                Task::Arrive(peer, _) | Task::Pay(peer) | Task::Wake(peer) => *peer,
            };
            if self.peers[peer].crashes_ms <= time_ms {
                continue;
            }
            match task {
                Task::Arrive(peer, event) => self.receive(peer, *event),
                Task::Pay(peer) => {
                    self.peers[peer].payments += 1;
                    self.peers[peer].waiting.payload = true;
                    self.paid_ms[peer].push(time_ms);
                }
                Task::Wake(_) => {}
            }
            self.act(peer);
        }
        self.now_ms = until_ms;
    }

    /// Every payload of a peer that is up is ordered at every such peer, in the same blocks.
    pub(super) fn assert_settled(&self) {
        let live = || self.peers.iter().filter(|peer| peer.crashes_ms == u64::MAX);
        for peer in live() {
            assert!(!peer.creation.is_unsettled(&peer.engine));
            assert!(!peer.waiting.payload);
            assert_eq!(peer.engine.contradiction(), None);
        }
        let longest = live()
            .map(|peer| &peer.blocks)
            .max_by_key(|blocks| blocks.len());
        let longest = longest.unwrap();
        for peer in live() {
            assert_eq!(peer.blocks, longest[..peer.blocks.len()]);
        }
    }

    pub(super) fn blocks(&self, peer: usize) -> usize {
        self.peers[peer].blocks.len()
    }

    pub(super) fn events(&self) -> u64 {
        self.peers
            .iter()
            .map(|peer| peer.dag.span().end)
            .max()
            .unwrap()
    }

    /// The mean time from payment to block at the payer.
    pub(super) fn latency_ms(&self) -> u64 {
        let sum: u64 = self.latencies_ms.iter().sum();
        sum / self.latencies_ms.len() as u64
    }

    fn at(&mut self, time_ms: u64, task: Task) {
        self.queue.push(Reverse((time_ms, self.count)));
        self.tasks.insert(self.count, task);
        self.count += 1;
    }

    fn receive(&mut self, index: usize, event: Event) {
        let now_ms = self.now_ms;
        let peer = &mut self.peers[index];
        let mut ready = vec![event];
        while let Some(event) = ready.pop() {
            let missing = peer.dag.missing(&event);
            if !missing.is_empty() {
                peer.pending.insert(event, (), missing);
                continue;
            }
            if peer.dag.admit(event.clone()).unwrap().new {
                peer.creation.observe(&peer.dag, &event, now_ms);
                let released = peer.pending.released_by(event.id());
                ready.extend(released.into_iter().map(|(event, ())| event));
            }
        }
        self.settle(index);
    }

    fn settle(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        for block in peer.engine.advance(&peer.dag, &AnyBeacon) {
            peer.creation.settle(&block);
            peer.blocks.push(block.leader);
            peer.waiting.attestations = true;
            for id in &block.order {
                let own = peer
                    .dag
                    .event(id)
                    .is_some_and(|event| event.header().creator.position() == index);
                if own && let Some(paid) = self.carried.get(id) {
                    let now_ms = self.now_ms;
                    self.latencies_ms
                        .extend(paid.iter().map(|paid| now_ms - paid));
                }
            }
        }
        let floor = peer.engine.floor();
        peer.dag.raise_floor(floor);
    }

    fn act(&mut self, index: usize) {
        loop {
            let peer = &self.peers[index];
            let decision = peer
                .creation
                .decide(&peer.dag, &peer.engine, peer.waiting, self.now_ms);
            match decision {
                Decision::Root { .. } | Decision::Data => self.create(index, decision),
                Decision::Wait { until_ms } => {
                    assert!(until_ms > self.now_ms);
                    return self.at(until_ms, Task::Wake(index));
                }
                Decision::Idle => return,
            }
        }
    }

    fn create(&mut self, index: usize, decision: Decision) {
        let now_ms = self.now_ms;
        let peer = &mut self.peers[index];
        let links = peer.creation.compose(&peer.dag, decision).unwrap();
        let mut header = header(PeerIndex(index as u16), links.round, links.kind);
        header.seq = links.seq;
        header.self_parent = links.self_parent;
        header.votes = List::new(links.votes).unwrap();
        header.parents = List::new(links.parents).unwrap();
        header.time = Time::new(now_ms).max(links.time_min);
        header.payload_bytes = peer.payments;
        header.payload = payload_digest(&peer.payments.to_le_bytes());
        let event = unsigned(header);
        if peer.payments > 0 {
            let paid = std::mem::take(&mut self.paid_ms[index]);
            self.carried.insert(*event.id(), paid);
        }
        peer.payments = 0;
        peer.waiting = Waiting::default();
        self.receive(index, event.clone());
        for to in (0..self.peers.len()).filter(|to| *to != index) {
            let mut arrival_ms = now_ms + (self.delay)(index, to);
            let (from_ms, to_ms) = self.cut;
            if index % 2 != to % 2 && arrival_ms >= from_ms && now_ms < to_ms {
                arrival_ms = to_ms + (self.delay)(index, to);
            }
            self.at(arrival_ms, Task::Arrive(to, Box::new(event.clone())));
        }
    }
}
