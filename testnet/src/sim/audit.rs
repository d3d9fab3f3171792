//! One digest of everything that happened: two runs that agree on it were the same run.

use primitives::Digest;
use primitives::codec;
use primitives::digest::derive;
use primitives::domain::Domain;
use replica::Effect;

use super::clock::Moment;

/// A chained digest.
#[derive(Debug, Default)]
pub struct Audit {
    chain: Digest,
    entry: Vec<u8>,
    /// How many entries it covers.
    pub entries: u64,
}

impl Audit {
    /// Begins an entry: something happens at `place`.
    pub(super) fn begin(&mut self, at: Moment, place: usize, what: &[&[u8]]) {
        self.entry.clear();
        self.number(at.0);
        self.number(place as u64);
        for part in what {
            self.bytes(part);
        }
    }

    /// Adds an effect to the entry.
    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Persist { batch, durable } => {
                self.entry.extend([0, u8::from(*durable)]);
                for (table, key, value) in batch.writes() {
                    self.bytes(table.name().as_bytes());
                    self.bytes(key);
                    self.bytes(value.map_or(b"removed".as_slice(), AsRef::as_ref));
                }
            }
            Effect::Guard(mark) => self.bytes(format!("{mark:?}").as_bytes()),
            Effect::Send { to, lane, message } => {
                self.bytes(format!("{to:?}{lane:?}").as_bytes());
                self.bytes(&codec::encode(message).unwrap_or_default());
            }
            Effect::Reply {
                ticket,
                reply,
                last,
            } => self.bytes(format!("{ticket:?}{reply:?}{last}").as_bytes()),
            Effect::WakeAt(at) => self.number(*at),
            Effect::Accuse(evidence) => {
                self.bytes(&codec::encode(evidence.as_ref()).unwrap_or_default());
            }
        }
    }

    /// Ends the entry.
    pub(super) fn end(&mut self) {
        self.chain = derive(Domain::Audit, &[&self.chain.0, &self.entry]);
        self.entries += 1;
    }

    /// The digest so far.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.chain
    }

    fn number(&mut self, number: u64) {
        self.entry.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.entry.extend(bytes);
    }
}
