//! Runs the drawn cases of `consensus/cases` on the engine and on the model alike.

use std::collections::BTreeMap;

use dag::Dag;
use dag::test_dag::{Drawing, Word, Wrong, walk};
use primitives::Digest;
use primitives::units::{PeerIndex, Round};

use crate::finality::{Carried, backing, grade, support};
use crate::race::{Runner, Tag, rank};
use run::Run;

mod run;

/// How many seeds a case is tried under, where several fit what it gives.
const SEEDS: usize = 6;
/// How many seeds are looked through for those that fit.
const SEARCH: u64 = 20_000;

/// Plays one drawing; every statement must hold.
fn play(text: &str) -> Result<(), Wrong> {
    let mut judge = Judge::default();
    Drawing::play(text, &mut |drawing, words| judge.judge(drawing, words)).map(|_| ())
}

/// What the statements so far have set.
#[derive(Debug, Default)]
struct Judge {
    /// How a race must begin.
    given: Vec<Given>,
    /// The events whose pasts are the view; all if none.
    view: Vec<Digest>,
    /// The transactions and the events that carry them.
    carried: BTreeMap<String, Vec<Digest>>,
}

#[derive(Debug)]
struct Given {
    tag: Tag,
    round: Round,
    first: Vec<PeerIndex>,
}

impl Judge {
    fn judge(&mut self, drawing: &mut Drawing, words: &[Word]) -> Result<(), Wrong> {
        let (verb, rest) = (&words[0], &words[1..]);
        match verb.text.as_str() {
            "rank" => self.give(Tag::Leader, rest),
            "anchors" => self.give(Tag::Anchor, rest),
            "any" => {
                self.given.clear();
                Ok(())
            }
            "view" => {
                let ids = rest.iter().filter(|word| word.text != "all");
                let ids: Result<Vec<Digest>, Wrong> =
                    ids.map(|word| Ok(drawing.named(word)?.id)).collect();
                self.view = ids?;
                Ok(())
            }
            "floor" => {
                drawing
                    .dag
                    .raise_floor(Round::new(rest[0].read("a round")?));
                Ok(())
            }
            "transaction" => {
                let ids: Result<Vec<Digest>, Wrong> = rest[1..]
                    .iter()
                    .map(|word| Ok(drawing.named(word)?.id))
                    .collect();
                self.carried.insert(rest[0].text.clone(), ids?);
                Ok(())
            }
            "knows" | "ignores" | "forkers" | "support" | "backing" | "grade" => {
                self.judge_view(drawing, verb, rest)
            }
            _ => {
                for run in self.runs(drawing, verb)? {
                    run.judge(verb, rest)?;
                }
                Ok(())
            }
        }
    }

    fn give(&mut self, tag: Tag, words: &[Word]) -> Result<(), Wrong> {
        let round = Round::new(words[0].read("a round")?);
        let first = words[1..].iter().map(peer).collect();
        self.given
            .retain(|given| (given.tag, given.round) != (tag, round));
        self.given.push(Given { tag, round, first });
        Ok(())
    }

    /// What depends on the view alone.
    fn judge_view(&self, drawing: &Drawing, verb: &Word, rest: &[Word]) -> Result<(), Wrong> {
        let dag = self.dag(drawing);
        let equal = |word: &Word, got: String| {
            if got == word.text {
                return Ok(());
            }
            Err(word.wrong(format!("{} is due, but it is {got}", word.text)))
        };
        match verb.text.as_str() {
            "knows" | "ignores" => {
                let knower = drawing.named(&rest[0])?.id;
                for word in &rest[1..] {
                    let known = dag.reaches(&drawing.named(word)?.id, &knower);
                    if known != (verb.text == "knows") {
                        return Err(word.wrong(format!("known: {known}")));
                    }
                }
                Ok(())
            }
            "forkers" => {
                let due: Vec<PeerIndex> = rest
                    .iter()
                    .filter(|word| word.text != "none")
                    .map(peer)
                    .collect();
                let got: Vec<PeerIndex> = dag.forkers().collect();
                if got == due {
                    return Ok(());
                }
                Err(verb.wrong(format!("the forkers are {got:?}")))
            }
            "support" => {
                let stake = support(&dag, &drawing.named(&rest[0])?.id);
                equal(&rest[1], stake.get().to_string())
            }
            _ => {
                let id = |name: &str| Digest([name.as_bytes()[0]; 32]);
                let all: Vec<(&str, Digest, &[Digest])> = self
                    .carried
                    .iter()
                    .map(|(name, events)| (name.as_str(), id(name), events.as_slice()))
                    .collect();
                let (own, rivals): (Vec<_>, Vec<_>) =
                    all.iter().partition(|(name, ..)| *name == rest[0].text);
                let carried = |of: &(&str, Digest, &'_ [Digest])| (of.1, of.2.to_vec());
                let Some((own, events)) = own.first().map(&carried) else {
                    return Err(rest[0].wrong("no such transaction"));
                };
                let rivals: Vec<(Digest, Vec<Digest>)> = rivals.iter().map(carried).collect();
                let rivals: Vec<Carried<'_>> = rivals
                    .iter()
                    .map(|(transaction, events)| Carried {
                        transaction,
                        events,
                    })
                    .collect();
                let own = Carried {
                    transaction: &own,
                    events: &events,
                };
                if verb.text == "backing" {
                    return equal(&rest[1], backing(&dag, own, &rivals).get().to_string());
                }
                let grade = grade(&dag, own, &rivals);
                equal(&rest[1], format!("{grade:?}").to_lowercase())
            }
        }
    }

    fn runs<'a>(&self, drawing: &'a Drawing, verb: &Word) -> Result<Vec<Run<'a>>, Wrong> {
        let dag = self.dag(drawing);
        let runners: Vec<Runner> = dag
            .committee()
            .iter()
            .map(|(index, member)| (index, member.key, member.stake))
            .collect();
        let mut runs = Vec::new();
        for number in 0..SEARCH {
            let mut bytes = [5; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            let seed = Digest(bytes);
            let fits = |given: &Given, seed: &Digest| {
                rank(given.tag, seed, given.round, &runners).starts_with(&given.first)
            };
            let is_early = |given: &&Given| given.tag == Tag::Anchor || given.round == Round::ZERO;
            if !self
                .given
                .iter()
                .filter(is_early)
                .all(|given| fits(given, &seed))
            {
                continue;
            }
            let run = Run::new(drawing, dag.clone(), seed).map_err(|why| verb.wrong(why))?;
            let leaders = self.given.iter().filter(|given| !is_early(given));
            if leaders
                .into_iter()
                .all(|given| fits(given, &run.seed_of(given.round)))
            {
                runs.push(run);
            }
            if runs.len() == SEEDS {
                break;
            }
        }
        if runs.is_empty() {
            return Err(verb.wrong("no seed fits what is given"));
        }
        Ok(runs)
    }

    /// The view: what is in the pasts of its events, or everything.
    fn dag(&self, drawing: &Drawing) -> Dag {
        if self.view.is_empty() {
            return drawing.dag.clone();
        }
        let heads = self.view.iter().filter_map(|id| drawing.dag.handle(id));
        let held: std::collections::BTreeSet<_> =
            heads.flat_map(|head| walk(&drawing.dag, head)).collect();
        let mut dag = Dag::new(drawing.dag.committee().clone());
        for (handle, vertex) in drawing.dag.vertices() {
            if held.contains(&handle) {
                dag.admit(vertex.event().clone())
                    .expect("its parents are held");
            }
        }
        dag
    }
}

/// The peer of a lane.
fn peer(word: &Word) -> PeerIndex {
    PeerIndex(u16::from(word.text.as_bytes()[0] - b'A'))
}

#[test]
fn every_drawn_case_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    let (mut count, mut wrong) = (0, Vec::new());
    let files = std::fs::read_dir(folder).expect("the cases lie beside the sources");
    for file in files {
        let path = file.expect("it can be listed").path();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        for case in text.split("\ncase ").skip(1) {
            count += 1;
            if let Err(why) = play(case.split_once('\n').expect("a title and a drawing").1) {
                wrong.push(format!("{}: case {case}{why}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 50, "only {count} cases");
}

#[test]
fn what_does_not_hold_is_said_with_line_column_and_what_holds() {
    let full = "round 0..2\nA o\nB o\nC o\nD o\n\n";
    for (statement, wanted) in [
        ("skipped A0", "line 7, column 9: A0 is committed directly"),
        (
            "committed indirectly A0",
            "line 7, column 22: A0 is committed directly",
        ),
        ("committed A1", "line 7, column 11: A1 is undecided"),
        (
            "rank 0 B\nleader 0 A0",
            "line 8, column 10: B0 leads round 0",
        ),
        (
            "rank 0 B\nblock 0 is A0 B0",
            "line 8, column 9: its order is B0",
        ),
        ("leader 1 A1", "line 7, column 10: round 1 is open"),
        ("support A0 3", "line 7, column 12: 3 is due, but it is 4"),
        ("forkers A", "line 7, column 1: the forkers are []"),
        (
            "nonsense A",
            "line 7, column 1: nothing is known of nonsense",
        ),
        (
            "rank 0 B\nrank 0 B A A\nopen 0",
            "line 9, column 1: no seed fits what is given",
        ),
    ] {
        let played = play(&format!("{full}{statement}"));
        assert_eq!(played.unwrap_err().to_string(), wanted);
    }
}
