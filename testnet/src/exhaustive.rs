//! Every graph of few rounds of four peers of which one lies, up to symmetry, decided by the engine.
//!
//! ```text
//!   round   0              1                2                  3           4, 5
//!           candidates <-- every vote <-- every vote <-- every anchor <-- all vote, all certify
//!                          `-- parts of it: direct decisions --'
//! ```
//!
//! The liar makes every root that the rule allows; each of the others votes for one of them or for
//! none. Whatever a part of a graph decides directly about a slot of round 0, every other part and every
//! anchor must decide too: that is agreement. An anchor sees of rounds 0 and 1 only which roots of round 2
//! certify what, so graphs that are alike in this are one state to anchors.

use std::collections::{BTreeMap, BTreeSet};

use consensus::Engine;
use consensus::slots::{Slot, Status};
use dag::event::{Event, Kind, payload_digest};
use dag::test_dag::{committee, header, unsigned};
use dag::{Committee, Dag};
use primitives::codec::List;
use primitives::units::{PeerIndex, Round, Seq};
use serde::Serialize;

use crate::error::Error;
use crate::voice::Voice;

mod picks;

use picks::{BRANCHES, HONEST, Label, PEERS, Pick, first_votes, label};

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Ways to vote in round 1, up to symmetry.
    pub first_votes: usize,
    /// Graphs of rounds 0 to 2.
    pub graphs: u64,
    /// Parts of them that were decided, each once.
    pub parts: u64,
    /// Graphs that differ for anchors.
    pub states: u64,
    /// Anchors that were asked.
    pub anchors: u64,
    /// Slots of graphs that some part decides directly: commits and skips.
    pub committed: u64,
    /// See `committed`.
    pub skipped: u64,
    /// Slots that no part decides, and whose anchors do not all say the same.
    pub open: u64,
    /// Where parts and anchors disagree.
    pub violations: Vec<String>,
}

/// What is decided of each slot of round 0.
type Decisions = [Status; PEERS];

/// Which root of round 2 each of the three makes, by number; none where it is not held.
type Part = [Option<usize>; HONEST];

/// Looks at every graph, or at one of so many, with all its parts and anchors.
///
/// # Errors
/// A graph that the rules of admission refuse.
pub fn run(one_of: u64, voice: Voice) -> Result<Found, Error> {
    let first_votes = first_votes();
    let mut found = Found {
        first_votes: first_votes.len(),
        ..Found::default()
    };
    let mut number = 0;
    for (done, votes) in (1..).zip(&first_votes) {
        let mut model = Model::new(*votes)?;
        model.look(one_of.max(1), &mut number, &mut found)?;
        voice.progress(&format!(
            "{done} of {} first votes, {} graphs, {} states, {} violations",
            first_votes.len(),
            found.graphs,
            found.states,
            found.violations.len(),
        ));
    }
    Ok(found)
}

/// What is said of a slot in one state.
#[derive(Debug, Default)]
struct Told {
    /// By parts that hold a root of round 2 of the liar.
    direct: BTreeSet<Status>,
    /// By anchors.
    anchors: BTreeSet<Status>,
}

/// All graphs with the same votes of the three in round 1.
struct Model {
    committee: Committee,
    engine: Engine,
    votes: [Pick; HONEST],
    /// What the liar's roots of round 1 vote for: everything that the rule allows.
    liar_votes: Vec<Pick>,
    /// The roots of rounds 0 and 1, of the three and of the liar.
    candidates: (Vec<Event>, Vec<Event>),
    firsts: (Vec<Event>, Vec<Event>),
    /// What each may vote for in round 2, with the roots.
    options: [Vec<(Pick, Event)>; HONEST],
    /// The same of the liar, one for each of the things that they can certify.
    liar_options: Vec<(Pick, Event)>,
    parts: BTreeMap<Part, Decisions>,
    states: BTreeMap<[Label; HONEST], [Told; PEERS]>,
}

impl Model {
    fn new(votes: [Pick; HONEST]) -> Result<Self, Error> {
        let committee = committee(&[1; PEERS]);
        let honest = (0..HONEST).map(|peer| root(peer, 0, None, &[], 0));
        let branches = (0..BRANCHES).map(|branch| root(HONEST, 0, None, &[], branch));
        let candidates: (Vec<Event>, Vec<Event>) = (
            honest.collect::<Result<_, Error>>()?,
            branches.collect::<Result<_, Error>>()?,
        );
        let made = |peer, pick: &Pick| {
            let own = own_of(peer, pick, &candidates);
            root(peer, 1, own, &chosen(pick, &candidates), 0)
        };
        let liar_votes = Pick::of_liar(BRANCHES);
        let honest = votes.iter().enumerate();
        let firsts: (Vec<Event>, Vec<Event>) = (
            honest
                .map(|(peer, pick)| made(peer, pick))
                .collect::<Result<_, Error>>()?,
            liar_votes
                .iter()
                .map(|pick| made(HONEST, pick))
                .collect::<Result<_, Error>>()?,
        );
        let made = |peer, pick: Pick| {
            let own = own_of(peer, &pick, &firsts);
            root(peer, 2, own, &chosen(&pick, &firsts), 0).map(|event| (pick, event))
        };
        let all = |peer| {
            let picks = Pick::of_honest(peer, liar_votes.len());
            picks.into_iter().map(|pick| made(peer, pick)).collect()
        };
        let mut labels = BTreeSet::new();
        let mut liar_options = Vec::new();
        for pick in Pick::of_liar(liar_votes.len()) {
            if labels.insert(label(pick, &votes, &liar_votes)) {
                liar_options.push(made(HONEST, pick)?);
            }
        }
        let options: [Result<_, Error>; HONEST] = [all(0), all(1), all(2)];
        let [first, second, third] = options;
        Ok(Self {
            engine: Engine::new(&committee),
            committee,
            options: [first?, second?, third?],
            votes,
            liar_votes,
            candidates,
            firsts,
            liar_options,
            parts: BTreeMap::new(),
            states: BTreeMap::new(),
        })
    }

    fn look(&mut self, one_of: u64, number: &mut u64, found: &mut Found) -> Result<(), Error> {
        let counts = [0, 1, 2].map(|peer| self.options[peer].len());
        for a in 0..counts[0] {
            for b in 0..counts[1] {
                for c in 0..counts[2] {
                    *number += 1;
                    if number.is_multiple_of(one_of) {
                        self.judge([a, b, c], found)?;
                    }
                }
            }
        }
        found.parts += self.parts.len() as u64;
        found.states += self.states.len() as u64;
        Ok(())
    }

    /// Whether all parts of a graph and all its anchors say the same of each slot, where a part says
    /// anything.
    fn judge(&mut self, graph: [usize; HONEST], found: &mut Found) -> Result<(), Error> {
        found.graphs += 1;
        found.parts += 1;
        let mut direct = vec![self.decide(graph.map(Some))?];
        for bits in 1..(1 << HONEST) - 1 {
            let part = [0, 1, 2].map(|peer| (bits >> peer & 1 == 1).then_some(graph[peer]));
            let decisions = match self.parts.get(&part) {
                Some(known) => *known,
                None => self.decide(part)?,
            };
            self.parts.insert(part, decisions);
            direct.push(decisions);
        }
        let labels = [0, 1, 2].map(|peer: usize| {
            let (pick, _) = &self.options[peer][graph[peer]];
            label(*pick, &self.votes, &self.liar_votes)
        });
        if !self.states.contains_key(&labels) {
            let told = self.ask_anchors(graph, found)?;
            self.states.insert(labels, told);
        }
        for (slot, told) in self.states[&labels].iter().enumerate() {
            let decided = direct.iter().map(|decisions| decisions[slot]);
            let mut all: BTreeSet<Status> = decided.chain(told.direct.iter().copied()).collect();
            all.remove(&Status::Undecided);
            match all.first() {
                Some(Status::Committed(_)) => found.committed += 1,
                Some(Status::Skipped) => found.skipped += 1,
                Some(Status::Undecided) | None => {
                    found.open += u64::from(told.anchors.len() > 1);
                    continue;
                }
            }
            all.extend(&told.anchors);
            if all.len() > 1 {
                found.violations.push(format!(
                    "slot of peer {slot}: {all:?} where the three vote {:?}, then {graph:?}",
                    self.votes
                ));
            }
        }
        Ok(())
    }

    /// What a part decides by itself.
    fn decide(&self, part: Part) -> Result<Decisions, Error> {
        let held = part.iter().zip(&self.options);
        let roots: Vec<&(Pick, Event)> = held
            .filter_map(|(option, options)| options.get((*option)?))
            .collect();
        let dag = self.dag(&roots)?;
        Ok(self.decisions(&dag))
    }

    /// What anchors with any votes decide, and whatever is decided directly beside the liar's roots.
    fn ask_anchors(
        &self,
        graph: [usize; HONEST],
        found: &mut Found,
    ) -> Result<[Told; PEERS], Error> {
        let mut told: [Told; PEERS] = Default::default();
        for pick in Pick::of_liar(self.liar_options.len()) {
            found.anchors += 1;
            let roots: Vec<&(Pick, Event)> = (0..HONEST)
                .filter(|peer| pick.honest[*peer])
                .map(|peer| &self.options[peer][graph[peer]])
                .chain(pick.liar.map(|option| &self.liar_options[option]))
                .collect();
            let mut dag = self.dag(&roots)?;
            let direct = self.decisions(&dag);
            self.close(&mut dag, &roots)?;
            for (slot, decision) in self.decisions(&dag).into_iter().enumerate() {
                told[slot].anchors.insert(decision);
                told[slot].direct.insert(direct[slot]);
                if decision == Status::Undecided {
                    found.violations.push(format!(
                        "slot of peer {slot}: an anchor decides nothing, the three vote {:?}, then \
                         {graph:?}, the anchor {pick:?}",
                        self.votes
                    ));
                }
            }
        }
        Ok(told)
    }

    /// Three rounds more, in which everyone votes for everything: for these roots at first.
    fn close(&self, dag: &mut Dag, roots: &[&(Pick, Event)]) -> Result<(), Error> {
        let mut before: Vec<Event> = roots.iter().map(|(_, event)| event.clone()).collect();
        before.sort_by_key(|event| event.header().creator);
        for round in 3..6 {
            let votes: Vec<&Event> = before.iter().collect();
            let mut made = Vec::new();
            for peer in 0..PEERS {
                let of_peer = |event: &&Event| event.header().creator == index(peer);
                // Whoever has no root in the round before goes on from the newest that is held.
                let newest = dag
                    .events()
                    .filter(of_peer)
                    .max_by_key(|event| event.header().seq);
                let own = before.iter().find(of_peer).or(newest).cloned();
                made.push(root(peer, round, own.as_ref(), &votes, 0)?);
            }
            for event in &made {
                dag.admit(event.clone())?;
            }
            before = made;
        }
        Ok(())
    }

    /// These roots of round 2 with their pasts, and nothing else.
    fn dag(&self, roots: &[&(Pick, Event)]) -> Result<Dag, Error> {
        let firsts: Vec<Pick> = roots.iter().map(|(pick, _)| *pick).collect();
        let of_firsts = |firsts: &[Pick]| {
            let honest = (0..HONEST).filter(|peer| firsts.iter().any(|pick| pick.honest[*peer]));
            let liar: BTreeSet<usize> = firsts.iter().filter_map(|pick| pick.liar).collect();
            (honest.collect::<Vec<_>>(), liar)
        };
        let (honest, liar) = of_firsts(&firsts);
        let votes: Vec<Pick> = honest
            .iter()
            .map(|peer| self.votes[*peer])
            .chain(liar.iter().map(|variant| self.liar_votes[*variant]))
            .collect();
        let (peers, branches) = of_firsts(&votes);
        let mut dag = Dag::new(self.committee.clone());
        let events = peers
            .iter()
            .map(|peer| &self.candidates.0[*peer])
            .chain(branches.iter().map(|branch| &self.candidates.1[*branch]))
            .chain(honest.iter().map(|peer| &self.firsts.0[*peer]))
            .chain(liar.iter().map(|variant| &self.firsts.1[*variant]))
            .chain(roots.iter().map(|(_, event)| event));
        for event in events {
            dag.admit(event.clone())?;
        }
        Ok(dag)
    }

    fn decisions(&self, dag: &Dag) -> Decisions {
        [0, 1, 2, 3].map(|peer| {
            let slot = Slot {
                round: Round::ZERO,
                peer: index(peer),
            };
            self.engine.status(dag, slot)
        })
    }
}

/// The root of the round before on whose self-chain a root stands.
fn own_of<'a>(
    peer: usize,
    pick: &Pick,
    (honest, liar): &'a (Vec<Event>, Vec<Event>),
) -> Option<&'a Event> {
    match peer {
        HONEST => pick.liar.and_then(|root| liar.get(root)),
        _ => honest.get(peer),
    }
}

/// The roots that a pick is of, by ascending creator.
fn chosen<'a>(pick: &Pick, (honest, liar): &'a (Vec<Event>, Vec<Event>)) -> Vec<&'a Event> {
    let of_honest = honest.iter().zip(pick.honest);
    of_honest
        .filter_map(|(root, is_in)| is_in.then_some(root))
        .chain(pick.liar.and_then(|root| liar.get(root)))
        .collect()
}

fn root(
    peer: usize,
    round: u64,
    own: Option<&Event>,
    votes: &[&Event],
    branch: usize,
) -> Result<Event, Error> {
    let mut header = header(index(peer), Round::new(round), Kind::Root);
    // Tells branches apart that are alike in all else.
    header.payload = payload_digest(&branch.to_le_bytes());
    header.self_parent = own.map(Event::reference);
    header.seq = own.map_or(Seq::ZERO, |own| own.header().seq.later(1));
    header.votes = List::new(votes.iter().map(|vote| vote.reference()).collect())?;
    Ok(unsigned(header))
}

fn index(peer: usize) -> PeerIndex {
    PeerIndex(u16::try_from(peer).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Form;

    #[test]
    fn parts_and_anchors_of_some_of_all_small_graphs_agree() {
        let found = run(2_003, Voice::new(Form::Words)).unwrap();
        assert_eq!(found.violations, Vec::<String>::new());
        assert_eq!((found.first_votes, found.graphs), (37, 405));
        assert!(
            found.committed > 100 && found.skipped > 10 && found.open > 10,
            "{found:?}"
        );
    }
}
