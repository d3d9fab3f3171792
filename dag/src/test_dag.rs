//! DAGs for tests: drawn in text, or random with forkers. Events are unsigned.
//!
//! One event a line, parents before children:
//!
//! ```text
//!   A0                     the root of round 0 of peer 0 (B: of peer 1, and so on)
//!   a0.x = B0 $1           a data event of peer 0 in round 0, parent B0, one byte of payload
//!   A1 = A0 B0 C0 +D0 @120 a root of round 1: votes for A0 B0 C0, parent D0, claimed time 120
//!   A1' = A0 B0 C0 ^A0     a second child of A0: a fork
//! ```
//!
//! The self-parent is the creator's event drawn last, unless `^name` (or `^` for none) says
//! otherwise. A root's names of the round before are votes unless a `+` makes them other parents. The
//! time is 100 a round, unless said, and never below the self-parent's unless said.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::missing_panics_doc,
    reason = "tests stop at the first wrong drawing"
)]

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::List;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{Beacon, PublicKey, Signature, VerifyingKey};
use primitives::units::{Epoch, PeerIndex, Round, Seq, Stake, Time};

use crate::committee::{Committee, Member};
use crate::event::{Event, Header, Kind, Reference, Signed, payload_digest};
use crate::graph::{Admission, Dag};

mod random;

pub use random::{Random, Shape, random, walk};

/// The chain of all drawn DAGs.
pub const CHAIN: Digest = Digest([7; 32]);

/// A committee of epoch 0 with these stakes, peer by peer.
#[must_use]
pub fn committee(stakes: &[u64]) -> Committee {
    let members = stakes
        .iter()
        .enumerate()
        .map(|(index, stake)| Member {
            key: key(index),
            event_key: event_key(index),
            stake: Stake::new(*stake),
        })
        .collect();
    Committee::new(CHAIN, Epoch::ZERO, members).expect("stakes are positive")
}

/// The peer key of the member at `index`; keys ascend with it.
#[must_use]
pub fn key(index: usize) -> PublicKey {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&u16::try_from(index + 1).expect("few members").to_be_bytes());
    PublicKey(bytes)
}

/// Some valid key whose secret nobody knows, for the member at `index`.
#[must_use]
pub fn event_key(index: usize) -> VerifyingKey {
    (0_u64..)
        .map(|nonce| {
            let index = (index as u64).to_le_bytes();
            PublicKey(derive(Domain::TestKey, &[&index, &nonce.to_le_bytes()]).0)
        })
        .find_map(|key| key.to_verifying().ok())
        .expect("one in sixteen is a point")
}

/// A header of [`CHAIN`] without links, payload and attestations; roots have a beacon of their own.
#[must_use]
pub fn header(creator: PeerIndex, round: Round, kind: Kind) -> Header {
    let number = [
        creator.0.to_le_bytes().as_slice(),
        &round.get().to_le_bytes(),
    ]
    .concat();
    Header {
        version: 1,
        chain: CHAIN,
        epoch: Epoch::ZERO,
        creator,
        round,
        seq: Seq::ZERO,
        kind,
        self_parent: None,
        sealing: None,
        votes: List::empty(),
        parents: List::empty(),
        time: Time::ZERO,
        payload: payload_digest(&[]),
        payload_bytes: 0,
        beacon: (kind == Kind::Root).then(|| Beacon {
            pre_output: derive(Domain::TestKey, &[&number]).0,
            proof: [0; 64],
        }),
        attestations: List::empty(),
    }
}

/// The unsigned event of a header.
#[must_use]
pub fn unsigned(header: Header) -> Event {
    let signed = Signed::new(header, Signature([0; 64]));
    Event::trust(signed.expect("the header is within its bounds"))
}

/// A DAG with names for its events.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// The DAG drawn so far.
    pub dag: Dag,
    names: BTreeMap<String, Reference>,
    last: BTreeMap<PeerIndex, Event>,
    times: BTreeMap<Digest, Time>,
}

impl Drawing {
    /// Draws the lines of `text` for a committee with these stakes.
    #[must_use]
    pub fn new(stakes: &[u64], text: &str) -> Self {
        let mut drawing = Self {
            dag: Dag::new(committee(stakes)),
            names: BTreeMap::new(),
            last: BTreeMap::new(),
            times: BTreeMap::new(),
        };
        drawing.draw(text);
        drawing
    }

    /// Draws more lines.
    pub fn draw(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.admit(line);
        }
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
        let mut words = line.split_whitespace();
        let name = words.next().expect("a line has a name");
        let mut header = self.named(name);
        let mut votes = Vec::new();
        let mut parents = Vec::new();
        let mut time = None;
        for word in words {
            match word.chars().next() {
                Some('=') => {}
                Some('@') => time = Some(Time::new(word[1..].parse().expect("a time"))),
                Some('$') => header.payload_bytes = word[1..].parse().expect("a length"),
                Some('^') => header.self_parent = self.names.get(&word[1..]).copied(),
                Some('+') => parents.push(self.reference(&word[1..])),
                _ => {
                    let reference = self.reference(word);
                    let is_vote = header.kind == Kind::Root
                        && word.starts_with(char::is_uppercase)
                        && reference.round.later(1) == header.round;
                    if is_vote {
                        votes.push(reference);
                    } else {
                        parents.push(reference);
                    }
                }
            }
        }
        votes.sort_unstable();
        parents.sort_unstable_by_key(Reference::key);
        let own = header.self_parent;
        header.seq = own.map_or(Seq::ZERO, |own| own.seq.later(1));
        let least = own.map_or(Time::ZERO, |own| self.times[&own.id]);
        header.time = time.unwrap_or(Time::new(header.round.get() * 100).max(least));
        header.votes = List::new(votes).expect("few votes");
        header.parents = List::new(parents).expect("few parents");
        let event = unsigned(header);
        self.times.insert(*event.id(), event.header().time);
        self.names.insert(name.to_owned(), event.reference());
        self.last.insert(event.header().creator, event.clone());
        event
    }

    /// The reference of a drawn event.
    #[must_use]
    pub fn reference(&self, name: &str) -> Reference {
        *self
            .names
            .get(name)
            .unwrap_or_else(|| panic!("nothing is named {name}"))
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

    fn named(&self, name: &str) -> Header {
        let letter = name.bytes().next().expect("a name is not empty");
        let creator = PeerIndex(u16::from(letter.to_ascii_uppercase() - b'A'));
        let digits: String = name[1..].chars().take_while(char::is_ascii_digit).collect();
        let round = Round::new(digits.parse().expect("a name has a round"));
        let kind = if letter.is_ascii_uppercase() {
            Kind::Root
        } else {
            Kind::Data
        };
        let mut header = header(creator, round, kind);
        header.self_parent = self.last.get(&creator).map(Event::reference);
        // Twins differ at least in their names.
        header.payload = payload_digest(name.as_bytes());
        header
    }
}
