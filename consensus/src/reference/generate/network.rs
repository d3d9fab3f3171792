//! The run itself: peers that send, hold and name events in virtual time.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use primitives::quorum::Threshold;
use primitives::units::Stake;

use super::super::{Graph, Vertex};
use super::chance::Chance;
use super::plan::{Habit, Plan, delays};

mod make;

/// Data events that a peer makes in one round at most, far below the limit of C7.
const DATA_EVENTS_PER_ROUND: u64 = 3;

/// All that goes on.
#[derive(Debug)]
pub(super) struct Network {
    plan: Plan,
    chance: Chance,
    nodes: Vec<Node>,
    /// What happens at each (time, number).
    agenda: BTreeMap<(u64, u64), Action>,
    /// How many actions were ever planned.
    planned: u64,
    now: u64,
    /// All events ever made, at their positions in the graph: their parents and pasts.
    parents: Vec<Vec<usize>>,
    pasts: Vec<Vec<bool>>,
}

/// A running peer. A peer that forked runs as two of one creator, which know nothing of it.
#[derive(Debug, Clone)]
struct Node {
    creator: u16,
    habit: Habit,
    is_liar: bool,
    /// Whether it holds each event.
    held: Vec<bool>,
    /// Arrived before a parent.
    waiting: BTreeSet<usize>,
    /// Asked for.
    asked: BTreeSet<usize>,
    /// The held roots by round.
    roots: BTreeMap<u64, Vec<usize>>,
    /// The first held event of each (creator, seq).
    first: BTreeMap<(u16, u64), usize>,
    /// The creators of which two events of one seq are held.
    forkers: BTreeSet<u16>,
    /// The newest own event and root.
    last: Option<usize>,
    last_root: Option<usize>,
    data_events: u64,
    /// When the next root is made.
    due: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Arrive { node: usize, event: usize },
    Advance { node: usize },
    Speak { node: usize },
    Fork { node: usize },
}

impl Node {
    fn holds(&self, event: usize) -> bool {
        self.held.get(event).copied().unwrap_or(false)
    }
}

impl Network {
    /// Everybody at the beginning.
    pub(super) fn new(plan: Plan, chance: Chance) -> Self {
        let node = |(habit, creator): (&Habit, u16)| Node {
            creator,
            habit: habit.clone(),
            is_liar: habit.forks_at.is_some(),
            held: vec![],
            waiting: BTreeSet::new(),
            asked: BTreeSet::new(),
            roots: BTreeMap::new(),
            first: BTreeMap::new(),
            forkers: BTreeSet::new(),
            last: None,
            last_root: None,
            data_events: 0,
            due: Some(0),
        };
        let mut network = Self {
            nodes: plan.peers.iter().zip(0..).map(node).collect(),
            plan,
            chance,
            agenda: BTreeMap::new(),
            planned: 0,
            now: 0,
            parents: vec![],
            pasts: vec![],
        };
        for node in 0..network.nodes.len() {
            let start = network.chance.below(30);
            network.plan_at(start, Action::Advance { node });
            network.plan_at(start, Action::Speak { node });
            if let Some(time) = network.nodes[node].habit.forks_at {
                network.plan_at(time, Action::Fork { node });
            }
        }
        network
    }

    /// Lets time pass until a root of the last round is made, or nothing moves any more.
    pub(super) fn run(mut self) -> Graph {
        let end = (self.plan.rounds + 20) * 1_000;
        while let Some(((time, _), action)) = self.agenda.pop_first() {
            let newest = self.plan.graph.events.last();
            if time > end || newest.is_some_and(|event| event.round >= self.plan.rounds) {
                break;
            }
            self.now = time;
            match action {
                Action::Arrive { node, event } => self.arrive(node, event),
                Action::Advance { node } => self.advance(node),
                Action::Speak { node } => self.speak(node),
                Action::Fork { node } => self.fork(node),
            }
        }
        self.plan.graph
    }

    fn plan_at(&mut self, time: u64, action: Action) {
        self.planned += 1;
        self.agenda.insert((time, self.planned), action);
    }

    fn vertex(&self, event: usize) -> &Vertex {
        &self.plan.graph.events[event]
    }

    fn is_silent(&self, node: usize) -> bool {
        self.nodes[node].habit.silent_from <= self.now
    }

    fn arrive(&mut self, node: usize, event: usize) {
        if self.nodes[node].holds(event) {
            return;
        }
        self.nodes[node].waiting.insert(event);
        if !self.is_ready(node, event) {
            self.ask(node, event);
            return;
        }
        let mut is_advancing = false;
        // Positions put parents first, so one pass admits all that can be.
        for event in self.nodes[node].waiting.split_off(&event) {
            if self.is_ready(node, event) {
                self.admit(node, event);
                is_advancing |= self.vertex(event).root;
            } else {
                self.nodes[node].waiting.insert(event);
            }
        }
        if is_advancing {
            self.advance(node);
        }
    }

    fn is_ready(&self, node: usize, event: usize) -> bool {
        let mut parents = self.parents[event].iter();
        parents.all(|parent| self.nodes[node].holds(*parent))
    }

    /// Asks for all that is missing below `event`; such answers do not get lost.
    fn ask(&mut self, node: usize, event: usize) {
        let there_and_back = self.chance.between(4, 150);
        // What was asked for before has all below it asked for too.
        let mut below = vec![event];
        while let Some(child) = below.pop() {
            for event in self.parents[child].clone() {
                if !self.nodes[node].holds(event) && self.nodes[node].asked.insert(event) {
                    self.plan_at(self.now + there_and_back, Action::Arrive { node, event });
                    below.push(event);
                }
            }
        }
    }

    fn admit(&mut self, node: usize, event: usize) {
        let vertex = &self.plan.graph.events[event];
        let node = &mut self.nodes[node];
        node.held.resize(node.held.len().max(event + 1), false);
        node.held[event] = true;
        if vertex.root {
            node.roots.entry(vertex.round).or_default().push(event);
        }
        let first = node
            .first
            .entry((vertex.creator, vertex.seq))
            .or_insert(event);
        if *first != event {
            node.forkers.insert(vertex.creator);
        }
    }

    /// Makes the next root if it is time, or plans for it. // C33, C34
    fn advance(&mut self, node: usize) {
        if self.is_silent(node) {
            return;
        }
        let Some(own) = self.nodes[node].last_root else {
            if self.nodes[node].due.is_some_and(|due| due <= self.now) {
                self.make_root(node, 0, vec![]);
            }
            return;
        };
        let round = self.vertex(own).round;
        if let Some((highest, votes)) = self.jump(node, round) {
            self.make_root(node, highest + 1, votes);
            return;
        }
        let votes = self.votes(node, round);
        if !self.is_quorum(&votes) {
            return;
        }
        let due = match self.nodes[node].due {
            Some(due) => due,
            None => {
                let due = self.now + self.nodes[node].habit.wait + self.chance.between(1, 5);
                self.nodes[node].due = Some(due);
                self.plan_at(due, Action::Advance { node });
                due
            }
        };
        let ahead = self.nodes[node].roots.get(&(round + 1));
        let is_late = ahead.is_some_and(|roots| self.is_quorum(roots));
        let has_all = votes.len() + self.nodes[node].forkers.len() >= self.plan.peers.len();
        if due <= self.now || has_all || is_late {
            self.make_root(node, round + 1, votes);
        }
    }

    /// The votes with which a peer that jumps may leave rounds out.
    fn jump(&self, node: usize, round: u64) -> Option<(u64, Vec<usize>)> {
        let highest = self.nodes[node].roots.keys().last().copied()?;
        if !self.nodes[node].habit.is_jumping || highest <= round + 1 {
            return None;
        }
        let votes = self.votes(node, highest);
        self.is_quorum(&votes).then_some((highest, votes))
    }

    /// The roots of `round` to vote for: every held one of a peer not known to fork, and of
    /// oneself the own. // C6, C10
    fn votes(&self, node: usize, round: u64) -> Vec<usize> {
        let node = &self.nodes[node];
        let roots = node.roots.get(&round).map_or(&[][..], Vec::as_slice);
        let is_voted = |root: &usize| {
            let creator = self.vertex(*root).creator;
            if creator == node.creator {
                node.last_root == Some(*root)
            } else {
                !node.forkers.contains(&creator)
            }
        };
        roots.iter().copied().filter(is_voted).collect()
    }

    fn is_quorum(&self, roots: &[usize]) -> bool {
        let committee = &self.plan.graph.committee;
        let mut is_counted = vec![false; committee.len()];
        for root in roots {
            is_counted[usize::from(self.vertex(*root).creator)] = true;
        }
        let counted = committee
            .iter()
            .zip(is_counted)
            .filter(|(_, is_counted)| *is_counted);
        let part = counted.fold(0, |sum, (member, _)| sum + member.stake);
        let whole = committee.iter().fold(0, |sum, member| sum + member.stake);
        Threshold::Quorum.is_met(Stake::new(part), Stake::new(whole))
    }

    fn make_root(&mut self, node: usize, round: u64, mut votes: Vec<usize>) {
        if self.nodes[node].is_liar {
            self.twist(node, &mut votes);
        }
        let event = self.make(node, round, &votes, true);
        let node_state = &mut self.nodes[node];
        node_state.last_root = Some(event);
        node_state.data_events = 0;
        node_state.due = None;
        // A peer that is a quorum alone may go through all rounds at one moment.
        if round < self.plan.rounds {
            self.advance(node);
        }
    }

    /// A liar leaves out votes as long as a quorum remains, and votes for one of a forker's roots.
    fn twist(&mut self, node: usize, votes: &mut Vec<usize>) {
        let own = self.nodes[node].last_root;
        for vote in votes.clone() {
            let fewer: Vec<usize> = votes.iter().copied().filter(|v| *v != vote).collect();
            if own != Some(vote) && self.chance.percent(40) && self.is_quorum(&fewer) {
                *votes = fewer;
            }
        }
        let voted = votes.first().map(|vote| self.vertex(*vote).round);
        let roots = voted
            .and_then(|round| self.nodes[node].roots.get(&round))
            .cloned();
        for root in roots.unwrap_or_default() {
            let creator = self.vertex(root).creator;
            let is_new = votes
                .iter()
                .all(|vote| self.vertex(*vote).creator != creator);
            if is_new && creator != self.nodes[node].creator && self.chance.percent(30) {
                votes.push(root);
            }
        }
    }

    fn speak(&mut self, node: usize) {
        if self.is_silent(node) || self.plan.spacing == 0 {
            return;
        }
        let pause = self.chance.between(1, 2 * self.plan.spacing);
        self.plan_at(self.now + pause, Action::Speak { node });
        let Some(last) = self.nodes[node].last else {
            return;
        };
        if self.nodes[node].data_events < DATA_EVENTS_PER_ROUND {
            self.nodes[node].data_events += 1;
            let round = self.vertex(last).round;
            self.make(node, round, &[], false);
        }
    }

    /// The peer goes on as two, each with links of its own.
    fn fork(&mut self, node: usize) {
        let mut twin = self.nodes[node].clone();
        twin.habit.delays = delays(&mut self.chance, twin.habit.delays.len(), 1);
        // At times it shows itself late, so that the others still vote for the first one.
        twin.habit.hidden_until = self.now + self.chance.pick(&[0, 100, 400, 1500]);
        self.nodes.push(twin);
        let node = self.nodes.len() - 1;
        let start = self.now + self.chance.below(40);
        self.plan_at(start, Action::Speak { node });
        self.plan_at(
            self.nodes[node].due.unwrap_or(0).max(start),
            Action::Advance { node },
        );
    }

    fn send(&mut self, from: usize, event: usize) {
        let (sender, habit) = (self.nodes[from].creator, self.nodes[from].habit.clone());
        if self.now < habit.hidden_until {
            return;
        }
        for node in 0..self.nodes.len() {
            let receiver = usize::from(self.nodes[node].creator);
            let is_shown = self.chance.percent(habit.shows_percent);
            if node == from || !is_shown || self.chance.percent(self.plan.lost_percent) {
                continue;
            }
            let sides = (usize::from(sender), receiver);
            let cuts = self.plan.cuts.iter().filter(|cut| {
                let is_apart = cut.sides[sides.0] != cut.sides[sides.1];
                is_apart && cut.from <= self.now && self.now < cut.to
            });
            let sent = cuts.map(|cut| cut.to).max().unwrap_or(self.now);
            let delay = habit.delays[receiver] + self.chance.below(6);
            self.plan_at(sent + delay, Action::Arrive { node, event });
        }
    }
}
