//! A DAG with names for its events, drawn from text.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::List;
use primitives::units::{PeerIndex, Round, Seq, Time};

use super::lanes::{Lanes, Name};
use super::words::{Judge, Word, Wrong};
use super::{committee, header, unsigned};
use crate::error::Error;
use crate::event::shape::check_shape;
use crate::event::{Event, Header, Kind, Reference, payload_digest};
use crate::graph::{Admission, Dag};

/// The stakes where a text names none.
const STAKES: [u64; 4] = [1; 4];

/// A DAG with names for its events.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// The DAG drawn so far.
    pub dag: Dag,
    names: BTreeMap<String, Reference>,
    /// The events of each creator's lanes, as they were drawn.
    lanes: BTreeMap<(PeerIndex, usize), Vec<(Reference, Time)>>,
}

impl Drawing {
    /// Draws `text` for a committee with these stakes; it states nothing.
    #[must_use]
    pub fn new(stakes: &[u64], text: &str) -> Self {
        let mut drawing = Self::empty(stakes);
        drawing.draw(text);
        drawing
    }

    /// Draws a whole text, which may begin with its stakes, and lets `judge` see to what it states.
    ///
    /// # Errors
    /// [`Wrong`] at the first word that cannot be read or is not true.
    pub fn play(text: &str, judge: &mut Judge<'_>) -> Result<Self, Wrong> {
        let mut drawing = Self::empty(&STAKES);
        drawing.go_on(text, judge)?;
        Ok(drawing)
    }

    /// Draws more lines.
    pub fn draw(&mut self, text: &str) {
        let refuse = &mut |_: &mut Self, words: &[Word]| Err(words[0].wrong("not an event"));
        self.go_on(text, refuse)
            .unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    }

    /// Draws one line and admits its event.
    pub fn admit(&mut self, line: &str) -> Admission {
        let event = self.event(line);
        self.dag
            .admit(event)
            .unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// The event of one line, named but not admitted.
    pub fn event(&mut self, line: &str) -> Event {
        let words = Word::of_line(1, line);
        self.make(&words)
            .and_then(|event| {
                self.note(&words[0], &event)?;
                Ok(event)
            })
            .unwrap_or_else(|wrong| panic!("{wrong}\n{line}"))
    }

    /// The reference of a drawn event.
    #[must_use]
    pub fn reference(&self, name: &str) -> Reference {
        self.find(name)
            .unwrap_or_else(|| panic!("nothing is named {name}"))
    }

    /// The reference of an event, if it is drawn.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Reference> {
        self.names.get(name).copied()
    }

    /// The reference of the event that a word names.
    ///
    /// # Errors
    /// [`Wrong`] if nothing has this name.
    pub fn named(&self, word: &Word) -> Result<Reference, Wrong> {
        let name = word.text.trim_start_matches(['+', '^']);
        self.find(name)
            .ok_or_else(|| word.wrong(format!("nothing is named {name}")))
    }

    /// The id of a drawn event.
    #[must_use]
    pub fn id(&self, name: &str) -> Digest {
        self.reference(name).id
    }

    /// The name of an event, for messages.
    #[must_use]
    pub fn name(&self, id: &Digest) -> &str {
        self.names
            .iter()
            .find(|(_, reference)| reference.id == *id)
            .map_or("?", |(name, _)| name)
    }

    /// The names of events, joined by spaces.
    #[must_use]
    pub fn names(&self, ids: &[Digest]) -> String {
        let names: Vec<&str> = ids.iter().map(|id| self.name(id)).collect();
        names.join(" ")
    }

    fn empty(stakes: &[u64]) -> Self {
        Self {
            dag: Dag::new(committee(stakes)),
            names: BTreeMap::new(),
            lanes: BTreeMap::new(),
        }
    }

    fn go_on(&mut self, text: &str, judge: &mut Judge<'_>) -> Result<(), Wrong> {
        let mut lanes: Option<Lanes> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let words = Word::of_line(number, line);
            let Some(first) = words.first() else {
                self.draw_lanes(lanes.take())?;
                continue;
            };
            match (first.text.as_str(), &mut lanes) {
                ("round", _) => {
                    self.draw_lanes(lanes.take())?;
                    lanes = Some(Lanes::new(&words)?);
                }
                ("stakes", _) => self.restake(&words)?,
                (lane, Some(lanes)) if Name::is_lane(lane) => lanes.add(&words)?,
                (name, Some(lanes)) if Name::is_event(name) => lanes.add_event(words)?,
                (name, None) if Name::is_event(name) => self.admit_words(&words)?,
                (_, _) => {
                    self.draw_lanes(lanes.take())?;
                    judge(self, &words)?;
                }
            }
        }
        self.draw_lanes(lanes.take())
    }

    fn restake(&mut self, words: &[Word]) -> Result<(), Wrong> {
        if self.dag.size() > 0 {
            return Err(words[0].wrong("stakes after the first event"));
        }
        let stakes: Result<Vec<u64>, Wrong> =
            words[1..].iter().map(|word| word.read("a stake")).collect();
        *self = Self::empty(&stakes?);
        Ok(())
    }

    fn draw_lanes(&mut self, lanes: Option<Lanes>) -> Result<(), Wrong> {
        let Some(lanes) = lanes else { return Ok(()) };
        for round in lanes.rounds() {
            for cell in lanes.cells(round) {
                let line = cell.line(self)?;
                self.admit_words(&line)?;
            }
            for line in lanes.events(round) {
                self.admit_words(line)?;
            }
        }
        Ok(())
    }

    /// Admits the event of a line, or sees that it is refused as its `!` word says.
    fn admit_words(&mut self, words: &[Word]) -> Result<(), Wrong> {
        let event = self.make(words)?;
        let due = words.iter().find(|word| word.text.starts_with('!'));
        let shape = check_shape(event.header(), self.dag.committee());
        let got = match shape.map(|()| self.dag.admit(event.clone())) {
            Ok(Ok(_)) => None,
            Err(fault) | Ok(Err(Error::Malformed { fault, .. })) => Some(format!("{fault:?}")),
            Ok(Err(error)) => Some(format!("{error:?}")),
        };
        // Of other errors the kind alone counts.
        let got = got.as_ref().and_then(|got| got.split([' ', '(']).next());
        match (due, got) {
            (None, None) => self.note(&words[0], &event),
            (Some(due), Some(got)) if due.text[1..] == *got => Ok(()),
            (None, Some(got)) => Err(words[0].wrong(format!("refused: {got}"))),
            (Some(due), got) => {
                let got = got.unwrap_or("admission");
                Err(due.wrong(format!("{} is due, not {got}", &due.text[1..])))
            }
        }
    }

    fn make(&self, words: &[Word]) -> Result<Event, Wrong> {
        let first = &words[0];
        let name = Name::of(first)?;
        if self.dag.committee().size() <= name.creator.position() {
            return Err(first.wrong(format!("{} is of no peer", first.text)));
        }
        let mut header = header(name.creator, name.round, name.kind);
        // Twins differ at least in their names.
        header.payload = payload_digest(first.text.as_bytes());
        header.self_parent = self.last_of(name);
        let time = self.links(&mut header, &words[1..])?;
        let own = header.self_parent;
        header.seq = own.map_or(Seq::ZERO, |own| own.seq.later(1));
        let least = own.map_or(Time::ZERO, |own| self.time_of(&own));
        header.time = time.unwrap_or(Time::new(header.round.get() * 100).max(least));
        Ok(unsigned(header))
    }

    fn note(&mut self, first: &Word, event: &Event) -> Result<(), Wrong> {
        let name = Name::of(first)?;
        if self
            .names
            .insert(first.text.clone(), event.reference())
            .is_some()
        {
            return Err(first.wrong(format!("{} is drawn twice", first.text)));
        }
        let lane = self.lanes.entry((name.creator, name.branch)).or_default();
        lane.push((event.reference(), event.header().time));
        Ok(())
    }

    /// Gives a header what the words after its name say; returns the claimed time.
    fn links(&self, header: &mut Header, words: &[Word]) -> Result<Option<Time>, Wrong> {
        let (mut votes, mut parents, mut time) = (Vec::new(), Vec::new(), None);
        for word in words {
            let rest = word.here(word.text.get(1..).unwrap_or_default());
            match word.text.chars().next() {
                Some('=' | '!') => {}
                Some('@') => time = Some(Time::new(rest.read("a time")?)),
                Some('$') => header.payload_bytes = rest.read("a length")?,
                Some('?') => {
                    if let Some(beacon) = &mut header.beacon {
                        beacon.proof[0] = 1;
                    }
                }
                Some('^') if rest.text.is_empty() => header.self_parent = None,
                Some('^') => header.self_parent = Some(self.named(word)?),
                _ => {
                    let reference = self.named(word)?;
                    let is_vote = header.kind == Kind::Root
                        && word.text.starts_with(char::is_uppercase)
                        && reference.round.later(1) == header.round;
                    let list = if is_vote { &mut votes } else { &mut parents };
                    list.push(reference);
                }
            }
        }
        votes.sort_unstable();
        parents.sort_unstable_by_key(Reference::key);
        let many = |_| words[0].wrong("too many links");
        header.votes = List::new(votes).map_err(many)?;
        header.parents = List::new(parents).map_err(many)?;
        Ok(time)
    }

    /// The newest event of the lane of `name`; where the lane is new, what its first event stands on:
    /// the other lane's newest event of a round below, or of the same for a data event.
    pub(super) fn last_of(&self, name: Name) -> Option<Reference> {
        let lane = |branch| {
            let lane = self.lanes.get(&(name.creator, branch));
            lane.into_iter().flatten().map(|(reference, _)| *reference)
        };
        let is_below = |reference: &Reference| match name.kind {
            Kind::Root => reference.round < name.round,
            Kind::Data => reference.round <= name.round,
        };
        lane(name.branch)
            .next_back()
            .or_else(|| lane(0).rfind(is_below))
    }

    fn time_of(&self, event: &Reference) -> Time {
        self.lanes
            .values()
            .flatten()
            .find(|(reference, _)| reference == event)
            .map_or(Time::ZERO, |(_, time)| *time)
    }

    /// The first root of each creator in the round before `round`.
    pub(super) fn voted(&self, round: Round) -> BTreeMap<PeerIndex, &str> {
        let mut voted: BTreeMap<PeerIndex, &str> = BTreeMap::new();
        let roots = self.names.iter().filter(|(name, reference)| {
            name.starts_with(char::is_uppercase) && reference.round.later(1) == round
        });
        for (name, reference) in roots {
            let first = voted.entry(reference.creator).or_insert(name);
            if name.len() < first.len() {
                *first = name;
            }
        }
        voted
    }
}
