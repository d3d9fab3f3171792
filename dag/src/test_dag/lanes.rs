//! Lanes: one row a peer, one column a round.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use primitives::units::{PeerIndex, Round};

use super::Drawing;
use super::words::{Word, Wrong};
use crate::event::Kind;

/// What an event's name says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) creator: PeerIndex,
    pub(super) round: Round,
    pub(super) kind: Kind,
    /// How many primes it ends with.
    pub(super) branch: usize,
}

impl Name {
    pub(super) fn of(word: &Word) -> Result<Self, Wrong> {
        let bad = || word.wrong(format!("{} is no event's name", word.text));
        let letter = word.text.chars().next().ok_or_else(bad)?;
        let rest = word.text.get(letter.len_utf8()..).unwrap_or_default();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let kind = match letter {
            'A'..='Z' => Kind::Root,
            'a'..='z' => Kind::Data,
            _ => return Err(bad()),
        };
        Ok(Self {
            creator: creator(letter),
            round: Round::new(digits.parse().map_err(|_| bad())?),
            kind,
            branch: word.text.matches('\'').count(),
        })
    }

    /// A letter, then a digit.
    pub(super) fn is_event(text: &str) -> bool {
        let mut letters = text.chars();
        let starts = letters
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic());
        starts && letters.next().is_some_and(|digit| digit.is_ascii_digit())
    }

    /// A capital letter, then primes alone.
    pub(super) fn is_lane(text: &str) -> bool {
        let mut letters = text.chars();
        let starts = letters
            .next()
            .is_some_and(|letter| letter.is_ascii_uppercase());
        starts && letters.all(|prime| prime == '\'')
    }
}

fn creator(letter: char) -> PeerIndex {
    let letter = u8::try_from(letter.to_ascii_uppercase()).unwrap_or(b'A');
    PeerIndex(u16::from(letter.saturating_sub(b'A')))
}

/// A block of lanes with the lines of data events that belong to it.
#[derive(Debug)]
pub(super) struct Lanes {
    columns: Vec<RangeInclusive<u64>>,
    cells: Vec<(RangeInclusive<u64>, String, Word)>,
    events: Vec<(u64, Vec<Word>)>,
}

/// A root as its cell tells it.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    lane: &'a str,
    round: u64,
    word: &'a Word,
}

impl Lanes {
    /// Reads the header: `round 0 1 2..9`.
    pub(super) fn new(words: &[Word]) -> Result<Self, Wrong> {
        let mut columns = Vec::new();
        for word in &words[1..] {
            let (from, to) = word
                .text
                .split_once("..")
                .unwrap_or((&word.text, &word.text));
            let (from, to) = (word.here(from), word.here(to));
            columns.push(from.read("a round")?..=to.read("a round")?);
        }
        let (cells, events) = (Vec::new(), Vec::new());
        Ok(Self {
            columns,
            cells,
            events,
        })
    }

    /// Reads a lane: a cell for each column.
    pub(super) fn add(&mut self, words: &[Word]) -> Result<(), Wrong> {
        let (lane, cells) = (&words[0], &words[1..]);
        if cells.len() != self.columns.len() {
            let (got, due) = (cells.len(), self.columns.len());
            return Err(lane.wrong(format!("lane {} has {got} cells of {due}", lane.text)));
        }
        for (column, word) in self.columns.iter().zip(cells) {
            match word.text.chars().next() {
                Some('.') if word.text == "." => {}
                Some('o') => self
                    .cells
                    .push((column.clone(), lane.text.clone(), word.clone())),
                _ => return Err(word.wrong(format!("{} is no cell", word.text))),
            }
        }
        Ok(())
    }

    /// Notes an event to be drawn after the roots of its round.
    pub(super) fn add_event(&mut self, words: Vec<Word>) -> Result<(), Wrong> {
        let name = Name::of(&words[0])?;
        if !self.rounds().any(|round| round == name.round.get()) {
            return Err(words[0].wrong("of a round that is not drawn here"));
        }
        self.events.push((name.round.get(), words));
        Ok(())
    }

    /// The rounds that it draws.
    pub(super) fn rounds(&self) -> impl Iterator<Item = u64> + '_ {
        self.columns.iter().cloned().flatten()
    }

    /// The roots of a round, lane by lane.
    pub(super) fn cells(&self, round: u64) -> impl Iterator<Item = Cell<'_>> {
        let mine = self
            .cells
            .iter()
            .filter(move |(column, _, _)| column.contains(&round));
        mine.map(move |(_, lane, word)| Cell { lane, round, word })
    }

    /// The lines of other events of a round.
    pub(super) fn events(&self, round: u64) -> impl Iterator<Item = &[Word]> {
        let mine = self.events.iter().filter(move |(other, _)| *other == round);
        mine.map(|(_, words)| words.as_slice())
    }
}

impl Cell<'_> {
    /// The line that draws this root: its votes spelled out.
    pub(super) fn line(&self, drawing: &Drawing) -> Result<Vec<Word>, Wrong> {
        let first = self.word.here(event_name(self.lane, self.round));
        let name = Name::of(&first)?;
        let mut votes = self.default_votes(drawing, name);
        let mut line = Vec::from([first]);
        for mark in self.marks() {
            match mark.text.chars().next() {
                Some(':') => {
                    votes.clear();
                    for lane in lanes_of(&mark)? {
                        let vote = event_name(&lane, self.round.saturating_sub(1));
                        votes.insert(creator_of(&lane), vote);
                    }
                }
                Some('/') => {
                    for lane in lanes_of(&mark)? {
                        if votes.remove(&creator_of(&lane)).is_none() {
                            return Err(mark.wrong(format!("no root of {lane} to leave out")));
                        }
                    }
                }
                Some('+' | '^' | '@' | '?') => line.push(mark),
                _ => return Err(mark.wrong(format!("{} says nothing of a root", mark.text))),
            }
        }
        line.extend(votes.into_values().map(|vote| self.word.here(vote)));
        Ok(line)
    }

    /// Everything of the round before; of a forker its first root, and one's own on one's own lane.
    fn default_votes(&self, drawing: &Drawing, name: Name) -> BTreeMap<PeerIndex, String> {
        let voted = drawing.voted(name.round);
        let mut votes: BTreeMap<PeerIndex, String> = voted
            .into_iter()
            .map(|(creator, root)| (creator, root.to_string()))
            .collect();
        let own = event_name(self.lane, self.round.saturating_sub(1));
        if drawing.find(&own).is_some() && votes.contains_key(&name.creator) {
            votes.insert(name.creator, own);
        }
        votes
    }

    /// What follows the `o`, each with the mark that begins it.
    fn marks(&self) -> Vec<Word> {
        let mut marks: Vec<Word> = Vec::new();
        for (column, letter) in (self.word.column..).zip(self.word.text.chars()).skip(1) {
            match marks.last_mut() {
                Some(mark) if letter.is_alphanumeric() || ".'-".contains(letter) => {
                    mark.text.push(letter);
                }
                Some(_) | None => marks.push(Word {
                    column,
                    ..self.word.here(letter)
                }),
            }
        }
        marks
    }
}

/// The lanes that a mark lists: `/AB'` names A and B'.
fn lanes_of(mark: &Word) -> Result<Vec<String>, Wrong> {
    let mut lanes: Vec<String> = Vec::new();
    for letter in mark.text.chars().skip(1) {
        match (letter, lanes.last_mut()) {
            ('\'', Some(lane)) => lane.push(letter),
            ('A'..='Z', _) => lanes.push(letter.to_string()),
            _ => return Err(mark.wrong(format!("{letter} is no lane"))),
        }
    }
    Ok(lanes)
}

fn creator_of(lane: &str) -> PeerIndex {
    creator(lane.chars().next().unwrap_or('A'))
}

/// The name of a lane's root in a round: `B'` in 3 is `B3'`.
fn event_name(lane: &str, round: u64) -> String {
    let (letter, primes) = lane.split_at(1);
    format!("{letter}{round}{primes}")
}
