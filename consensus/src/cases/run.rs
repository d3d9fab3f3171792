//! One view under one seed, on the engine and on the model.

use std::collections::BTreeMap;

use dag::Dag;
use dag::test_dag::{Drawing, Word, Wrong};
use primitives::Digest;
use primitives::units::{PeerIndex, Round};

use super::peer;
use crate::Settled;
use crate::reference::bridge::{self, ByFirstByte};
use crate::reference::{self, Decision, Graph, How, View};
use crate::slots::{Outcome, Slot, Slots};

pub(super) struct Run<'a> {
    drawing: &'a Drawing,
    dag: Dag,
    seed: Digest,
    blocks: BTreeMap<u64, Settled>,
    /// The first round that is not settled.
    open: u64,
    stopped: Option<(u64, u16)>,
    decisions: BTreeMap<(u64, u16), Verdict>,
}

/// What a slot has come to, in words: `committed directly`, and the candidate's name.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    words: &'static str,
    candidate: Option<String>,
}

impl<'a> Run<'a> {
    /// Runs both; they must say the same.
    pub(super) fn new(drawing: &'a Drawing, dag: Dag, seed: Digest) -> Result<Self, String> {
        let mut engine = bridge::engine(dag.committee(), seed).map_err(|why| why.to_string())?;
        let blocks = engine.advance(&dag, &ByFirstByte);
        let settled = bridge::settled(&engine, blocks.clone());
        // The model knows no floor.
        let decisions = if dag.floor() == Round::ZERO {
            let graph = bridge::graph(&dag, seed);
            let model = reference::settle(&graph, None).map_err(|why| why.to_string())?;
            if settled != model {
                return Err(format!("engine {settled:?}\nmodel {model:?}"));
            }
            decisions(drawing, &graph)?
        } else {
            BTreeMap::new()
        };
        Ok(Self {
            drawing,
            dag,
            seed,
            blocks: blocks
                .into_iter()
                .map(|block| (block.round.get(), block))
                .collect(),
            open: settled.round,
            stopped: settled.contradiction,
            decisions,
        })
    }

    /// The seed in force before `round` is settled.
    pub(super) fn seed_of(&self, round: Round) -> Digest {
        let before = self.blocks.range(..round.get()).next_back();
        before.map_or(self.seed, |(_, block)| block.seed_after)
    }

    pub(super) fn judge(&self, verb: &Word, rest: &[Word]) -> Result<(), Wrong> {
        match verb.text.as_str() {
            "committed" | "skipped" => {
                let is_adverb = |word: &&Word| word.text.ends_with("directly");
                let adverb = rest.first().filter(is_adverb);
                let due = match adverb {
                    Some(adverb) => format!("{} {}", verb.text, adverb.text),
                    None => verb.text.clone(),
                };
                rest.iter()
                    .skip(usize::from(adverb.is_some()))
                    .try_for_each(|word| self.judge_slot(&due, word))
            }
            "undecided" | "contradiction" => rest
                .iter()
                .try_for_each(|word| self.judge_slot(&verb.text, word)),
            "leader" => self.judge_leader(&rest[0], &rest[1]),
            "open" => {
                let due: u64 = rest[0].read("a round")?;
                let is_so = self.open == due && self.stopped.is_none();
                is_so.then_some(()).ok_or_else(|| {
                    rest[0].wrong(format!(
                        "{} is open, stopped: {:?}",
                        self.open, self.stopped
                    ))
                })
            }
            "stopped" => {
                let (round, peer) = slot(&rest[0])?;
                let is_so = self.stopped == Some((round, peer));
                is_so
                    .then_some(())
                    .ok_or_else(|| rest[0].wrong(format!("stopped: {:?}", self.stopped)))
            }
            "block" => self.judge_block(&rest[0], &rest[1], &rest[2..]),
            other => Err(verb.wrong(format!("nothing is known of {other}"))),
        }
    }

    fn judge_slot(&self, due: &str, word: &Word) -> Result<(), Wrong> {
        let (round, peer) = slot(word)?;
        let undecided = Verdict {
            words: "undecided",
            candidate: None,
        };
        let got = self.decisions.get(&(round, peer)).unwrap_or(&undecided);
        self.agree_on_slot(got, word)?;
        let is_due = got.words.starts_with(due)
            && got.candidate.as_ref().is_none_or(|name| *name == word.text);
        if is_due {
            return Ok(());
        }
        let name = got.candidate.as_ref().unwrap_or(&word.text);
        Err(word.wrong(format!("{name} is {}", got.words)))
    }

    /// The engine must decide a slot as the model does.
    fn agree_on_slot(&self, model: &Verdict, word: &Word) -> Result<(), Wrong> {
        let (round, peer) = slot(word)?;
        let slot = Slot {
            round: Round::new(round),
            peer: PeerIndex(peer),
        };
        let mut slots = Slots::new(self.dag.committee());
        let (words, candidate) = match slots.decide(&self.dag, &self.seed, slot) {
            Ok(None) => ("undecided", None),
            Ok(Some(Outcome::Skipped)) => ("skipped", None),
            Ok(Some(Outcome::Committed(root))) => ("committed", self.dag.vertex(root)),
            Err(_) => ("contradiction", None),
        };
        let candidate = candidate.map(|root| self.drawing.name(root.id()).to_owned());
        if model.words.starts_with(words) && candidate == model.candidate {
            return Ok(());
        }
        Err(word.wrong(format!("engine: {words} {candidate:?}, model: {model:?}")))
    }

    fn judge_leader(&self, round: &Word, due: &Word) -> Result<(), Wrong> {
        let number: u64 = round.read("a round")?;
        let got = match self.blocks.get(&number) {
            Some(block) => self.drawing.name(&block.leader),
            None if number < self.open => "nobody",
            None => return Err(due.wrong(format!("round {number} is open"))),
        };
        if got == due.text {
            return Ok(());
        }
        Err(due.wrong(format!("{got} leads round {number}")))
    }

    fn judge_block(&self, round: &Word, how: &Word, words: &[Word]) -> Result<(), Wrong> {
        let Some(block) = self.blocks.get(&round.read("a round")?) else {
            return Err(round.wrong("it has no block"));
        };
        let order = self.drawing.names(&block.order);
        let order: Vec<&str> = order.split(' ').collect();
        let due: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let is_so = match how.text.as_str() {
            "is" => order == due,
            // In this order, with others between.
            "holds" => {
                let mut rest = order.iter();
                due.iter().all(|name| rest.any(|other| other == name))
            }
            "lacks" => due.iter().all(|name| !order.contains(name)),
            "time" => due == [block.time.get().to_string()],
            _ => return Err(how.wrong("is, holds, lacks or time")),
        };
        if is_so {
            return Ok(());
        }
        let order = order.join(" ");
        Err(how.wrong(match how.text.as_str() {
            "time" => format!("its time is {}", block.time),
            _ => format!("its order is {order}"),
        }))
    }
}

/// The slot that a root's name stands for, as (round, peer).
fn slot(word: &Word) -> Result<(u64, u16), Wrong> {
    let digits = word.text[1..].trim_end_matches('\'');
    let round = digits.parse().map_err(|_| word.wrong("no slot"))?;
    Ok((round, peer(word).0))
}

fn decisions(drawing: &Drawing, graph: &Graph) -> Result<BTreeMap<(u64, u16), Verdict>, String> {
    let view = View::new(graph, None).map_err(|why| why.to_string())?;
    let verdict = |decision: Decision| {
        let (words, candidate) = match decision {
            Decision::Committed(event, How::Direct) => ("committed directly", Some(event)),
            Decision::Committed(event, How::Indirect) => ("committed indirectly", Some(event)),
            Decision::Skipped(How::Direct) => ("skipped directly", None),
            Decision::Skipped(How::Indirect) => ("skipped indirectly", None),
            Decision::Undecided => ("undecided", None),
            Decision::Contradiction => ("contradiction", None),
        };
        let name = |event| drawing.name(&view.vertex(event).id).to_owned();
        Verdict {
            words,
            candidate: candidate.map(name),
        }
    };
    let decisions = view.decisions(&graph.seed, 0).into_iter();
    Ok(decisions
        .map(|(slot, decision)| (slot, verdict(decision)))
        .collect())
}
