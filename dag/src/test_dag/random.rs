//! Random DAGs: uneven stakes and speeds, forkers, hidden events.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::List;
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round, Stake, Time};

use crate::event::{Event, Kind, Reference};
use crate::graph::{Dag, Handle};
use crate::test_dag::{committee, header, unsigned};

/// A deterministic source of numbers for tests (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound` (above 0).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Brings a list into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// What a random DAG looks like.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Stake by peer.
    pub stakes: Vec<u64>,
    /// Who forks at random.
    pub forkers: BTreeSet<PeerIndex>,
    /// How many events to make.
    pub events: usize,
    /// Percent of events that are data events.
    pub data: u64,
    /// Percent of other roots that a root waits for beyond a quorum.
    pub patience: u64,
}

impl Shape {
    /// A shape drawn from `random`: 4 to 8 peers, forkers below a third of the stake.
    pub fn draw(random: &mut Random, events: usize) -> Self {
        let peers = 4 + random.below(5);
        let stakes: Vec<u64> = (0..peers).map(|_| 1 + random.below(9)).collect();
        let total: u64 = stakes.iter().sum();
        let mut forkers = BTreeSet::new();
        let mut forking = 0;
        for _ in 0..random.below(3) {
            let index = random.below(peers);
            let stake = stakes[index as usize];
            let peer = PeerIndex(index as u16);
            if 3 * (forking + stake) < total && forkers.insert(peer) {
                forking += stake;
            }
        }
        Self {
            stakes,
            forkers,
            events,
            data: 10 + random.below(40),
            patience: 30 + random.below(71),
        }
    }
}

/// A random DAG's events, parents first. Every event is admissible where its parents are.
#[must_use]
pub fn random(random: &mut Random, shape: &Shape) -> Vec<Event> {
    let mut maker = Maker {
        dag: Dag::new(committee(&shape.stakes)),
        tips: BTreeMap::new(),
        roots: BTreeMap::new(),
        events: Vec::new(),
        clock: 1_000,
    };
    // Some peers are slow: they are chosen less often.
    let speeds: Vec<u64> = shape.stakes.iter().map(|_| 1 + random.below(4)).collect();
    while maker.events.len() < shape.events {
        let index = random.below(shape.stakes.len() as u64);
        if random.below(4) < speeds[index as usize] {
            maker.make(random, shape, PeerIndex(index as u16));
        }
    }
    maker.events
}

struct Maker {
    dag: Dag,
    /// The newest event of each chain of each peer; forkers have several.
    tips: BTreeMap<PeerIndex, Vec<Event>>,
    roots: BTreeMap<Round, Vec<Reference>>,
    events: Vec<Event>,
    clock: u64,
}

impl Maker {
    fn make(&mut self, random: &mut Random, shape: &Shape, creator: PeerIndex) {
        let forks = shape.forkers.contains(&creator);
        let tips = self.tips.get(&creator).cloned().unwrap_or_default();
        let own = if tips.is_empty() {
            None
        } else {
            Some(tips[random.below(tips.len() as u64) as usize].clone())
        };
        // A fork goes back by one event and leaves the chain as it is.
        let forked = forks && tips.len() < 4 && random.chance(15);
        let base = match (&own, forked) {
            (Some(own), true) => own
                .header()
                .self_parent
                .and_then(|parent| self.dag.event(&parent.id).cloned()),
            (_, _) => own.clone(),
        };
        if forked && own.is_none() {
            return;
        }
        let event = match &base {
            Some(base) if random.chance(shape.data) => self.data(random, base),
            Some(base) => match self.root(random, shape, base) {
                Some(event) => event,
                None => self.data(random, base),
            },
            None => self.first(random, creator),
        };
        if self.dag.contains(event.id()) {
            return;
        }
        self.dag
            .admit(event.clone())
            .unwrap_or_else(|error| panic!("{error}"));
        let tips = self.tips.entry(creator).or_default();
        if !forked && let Some(own) = &own {
            tips.retain(|tip| tip.id() != own.id());
        }
        tips.push(event.clone());
        if event.header().kind == Kind::Root {
            let roots = self.roots.entry(event.header().round).or_default();
            roots.push(event.reference());
        }
        self.events.push(event);
    }

    fn time(&mut self, random: &mut Random, least: Time) -> Time {
        self.clock += random.below(3);
        // Clocks differ, and so a claim may lie before or behind.
        Time::new(self.clock + random.below(40)).max(least)
    }

    fn first(&mut self, random: &mut Random, creator: PeerIndex) -> Event {
        let mut header = header(creator, Round::ZERO, Kind::Root);
        header.time = self.time(random, Time::ZERO);
        unsigned(header)
    }

    fn data(&mut self, random: &mut Random, own: &Event) -> Event {
        let (creator, round) = (own.header().creator, own.header().round);
        let mut header = header(creator, round, Kind::Data);
        header.seq = own.header().seq.later(1);
        header.self_parent = Some(own.reference());
        header.time = self.time(random, own.header().time);
        let count = random.below(3) as usize;
        let parents = self.others(random, own, (round, count), &[]);
        header.parents = List::new(parents).expect("few parents");
        unsigned(header)
    }

    /// A root of the next round of `own`'s chain, if a quorum of roots can be voted for.
    fn root(&mut self, random: &mut Random, shape: &Shape, own: &Event) -> Option<Event> {
        let creator = own.header().creator;
        let round = own.header().round;
        let own_root = self.chain_root(own);
        let mut by_creator: BTreeMap<PeerIndex, Vec<Reference>> = BTreeMap::new();
        for root in self.roots.get(&round)? {
            by_creator.entry(root.creator).or_default().push(*root);
        }
        by_creator.insert(creator, Vec::from([own_root]));
        let mut choices: Vec<Reference> = by_creator
            .values()
            .map(|roots| roots[random.below(roots.len() as u64) as usize])
            .collect();
        random.shuffle(&mut choices);
        choices.sort_by_key(|root| root.creator != creator);
        let mut votes = Vec::new();
        let mut stake = Stake::ZERO;
        for root in choices {
            let enough = self.dag.committee().meets(Threshold::Quorum, stake);
            if !enough || random.chance(shape.patience) {
                stake = stake.later(self.dag.committee().stake(root.creator).get());
                votes.push(root);
            }
        }
        if !self.dag.committee().meets(Threshold::Quorum, stake) {
            return None;
        }
        votes.sort_unstable();
        let mut header = header(creator, round.later(1), Kind::Root);
        header.seq = own.header().seq.later(1);
        header.self_parent = Some(own.reference());
        header.time = self.time(random, own.header().time);
        let voted: Vec<Digest> = votes.iter().map(|vote| vote.id).collect();
        let count = random.below(3) as usize;
        let parents = self.others(random, own, (round, count), &voted);
        header.parents = List::new(parents).expect("few parents");
        header.votes = List::new(votes).expect("few votes");
        Some(unsigned(header))
    }

    /// The root of `own`'s round on its chain.
    fn chain_root(&self, own: &Event) -> Reference {
        let vertex = self
            .dag
            .handle(own.id())
            .and_then(|own| self.dag.vertex(own));
        let root = vertex
            .and_then(|own| own.chain_root())
            .expect("a chain starts with a root");
        self.dag
            .vertex(root)
            .expect("nothing is dropped")
            .reference()
    }

    /// Up to `count` other parents of a round up to `highest`.
    fn others(
        &self,
        random: &mut Random,
        own: &Event,
        (highest, count): (Round, usize),
        votes: &[Digest],
    ) -> Vec<Reference> {
        let mut parents: Vec<Reference> = Vec::new();
        let recent = self.events.len().saturating_sub(40);
        for _ in 0..count {
            let position = recent + random.below((self.events.len() - recent) as u64) as usize;
            let parent = self.events[position].reference();
            let is_free = parent.round <= highest
                && parent.round.later(64) >= highest.later(1)
                && parent.creator != own.header().creator
                && !votes.contains(&parent.id)
                && !parents.contains(&parent);
            if is_free {
                parents.push(parent);
            }
        }
        parents.sort_unstable_by_key(Reference::key);
        parents
    }
}

/// Every event that is `of` or in its past, by walking parents: slow and obvious.
#[must_use]
pub fn walk(dag: &Dag, of: Handle) -> BTreeSet<Handle> {
    let mut seen = BTreeSet::new();
    let mut stack = Vec::from([of]);
    while let Some(handle) = stack.pop() {
        if let Some(vertex) = dag.vertex(handle)
            && seen.insert(handle)
        {
            stack.extend(vertex.parents());
        }
    }
    seen
}
