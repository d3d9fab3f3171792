//! The newest event that this key signed and let out, in a file outside the store (C32).
//!
//! ```text
//!   0         4096      8192
//!   | slot 0  | slot 1  |     each: magic 16, counter u64, chain 32, event key 32,
//!                                   epoch u64, seq u64, id 32, checksum 32; little-endian
//! ```
//!
//! The slots are written in turn and the newest whole one counts, so that a write that a power cut
//! tears leaves the one before, whose event is the newest that left. The store is synced first, then
//! the guard, then the event is sent: a store that lacks the event of the guard is an old copy, and
//! its node takes its own events back from the others before it signs again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::store::StoreError;
use primitives::units::{Epoch, Seq};
use replica::Watermark;

use crate::error::Error;
use crate::store::{Stamp, lock_file};

/// The file within a node's home.
pub const FILE: &str = "sign.guard";

const MAGIC: &[u8; 16] = b"primus guard 1\n\0";
/// What one slot says.
const SLOT_BYTES: usize = 168;
/// Slots lie this far apart, so that no disk writes both at once.
const STRIDE: u64 = 4_096;

/// The open file, locked against other processes.
#[derive(Debug)]
pub struct Guard {
    path: PathBuf,
    file: File,
    owner: [u8; 64],
    counter: u64,
}

impl Guard {
    /// Opens or makes the guard of the node of `stamp` in `home`, with what it says; nothing if it is
    /// new.
    ///
    /// # Errors
    /// [`Error::StoreInUse`] while another process holds it; [`Error::GuardDamaged`] if neither slot is
    /// whole; [`Error::OtherGuard`] for one of another chain or key; [`Error::Io`].
    pub fn open(home: &Path, stamp: &Stamp) -> Result<(Self, Option<Watermark>), Error> {
        let path = home.join(FILE);
        let failed = |error| Error::io(path.display().to_string())(error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        lock_file(&file, &path)?;
        let owner = owner(stamp);
        let newest = newest(&file).map_err(failed)?;
        let (counter, mark) = match newest {
            Found::New => {
                make_room(&file, home).map_err(failed)?;
                (0, None)
            }
            Found::Nothing => return Err(Error::GuardDamaged { path }),
            Found::Slot(slot) if slot.owner != owner => return Err(Error::OtherGuard { path }),
            Found::Slot(slot) => (slot.counter, slot.mark),
        };
        let mut guard = Self {
            path,
            file,
            owner,
            counter,
        };
        if counter == 0 {
            // From now on a file without a whole slot is a damaged one.
            guard.write(None)?;
        }
        Ok((guard, mark))
    }

    /// Notes what is about to leave. Durable when it returns; cost: one fdatasync.
    ///
    /// # Errors
    /// [`Error::Store`]; nothing may leave then.
    pub fn record(&mut self, mark: Watermark) -> Result<(), Error> {
        self.write(Some(mark))
    }

    fn write(&mut self, mark: Option<Watermark>) -> Result<(), Error> {
        self.counter = self.counter.saturating_add(1);
        let slot = Slot {
            counter: self.counter,
            owner: self.owner,
            mark,
        };
        let place = self.counter % 2 * STRIDE;
        self.file
            .write_all_at(&slot.bytes(), place)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| {
                let path = self.path.display();
                let reason = format!("{path}: {error}");
                StoreError { reason }.into()
            })
    }
}

/// What a slot says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    counter: u64,
    owner: [u8; 64],
    mark: Option<Watermark>,
}

enum Found {
    /// An empty file.
    New,
    /// No whole slot.
    Nothing,
    /// The newest whole one.
    Slot(Slot),
}

/// The sequence number of a slot that tells of no event.
const NO_EVENT: u64 = u64::MAX;

impl Slot {
    fn bytes(&self) -> Vec<u8> {
        let (epoch, seq, id) = match self.mark {
            Some(mark) => (mark.epoch.get(), mark.seq.get(), mark.id),
            None => (0, NO_EVENT, Digest::ZERO),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.counter.to_le_bytes());
        bytes.extend(self.owner);
        bytes.extend(epoch.to_le_bytes());
        bytes.extend(seq.to_le_bytes());
        bytes.extend(id.0);
        let checksum = derive(Domain::Guard, &[&bytes]);
        bytes.extend(checksum.0);
        bytes
    }

    fn read(bytes: &[u8; SLOT_BYTES]) -> Option<Self> {
        let (said, checksum) = bytes.split_at(SLOT_BYTES - 32);
        if derive(Domain::Guard, &[said]).0 != checksum {
            return None;
        }
        let rest = said.strip_prefix(MAGIC)?;
        let (counter, rest) = rest.split_first_chunk::<8>()?;
        let (owner, rest) = rest.split_first_chunk::<64>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (seq, id) = rest.split_first_chunk::<8>()?;
        let seq = u64::from_le_bytes(*seq);
        let mark = Watermark {
            epoch: Epoch::new(u64::from_le_bytes(*epoch)),
            seq: Seq::new(seq),
            id: Digest(id.try_into().ok()?),
        };
        Some(Self {
            counter: u64::from_le_bytes(*counter),
            owner: *owner,
            mark: (seq != NO_EVENT).then_some(mark),
        })
    }
}

fn owner(stamp: &Stamp) -> [u8; 64] {
    let mut owner = [0; 64];
    let (chain, key) = owner.split_at_mut(32);
    chain.copy_from_slice(&stamp.chain.0);
    key.copy_from_slice(&stamp.event_key.0);
    owner
}

fn newest(file: &File) -> io::Result<Found> {
    if file.metadata()?.len() == 0 {
        return Ok(Found::New);
    }
    let mut newest: Option<Slot> = None;
    for place in [0, STRIDE] {
        let mut bytes = [0; SLOT_BYTES];
        match file.read_exact_at(&mut bytes, place) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let slot = Slot::read(&bytes);
        if slot.as_ref().map(|slot| slot.counter) > newest.as_ref().map(|slot| slot.counter) {
            newest = slot;
        }
    }
    Ok(newest.map_or(Found::Nothing, Found::Slot))
}

/// Takes the room of both slots, so that later writes change nothing but bytes.
fn make_room(file: &File, home: &Path) -> io::Result<()> {
    file.write_all_at(&[0; 2 * STRIDE as usize], 0)?;
    file.sync_all()?;
    File::open(home)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use primitives::keys::PublicKey;
    use tempfile::TempDir;

    use super::*;
    use crate::error::Exit;

    const STAMP: Stamp = Stamp {
        chain: Digest([1; 32]),
        event_key: PublicKey([2; 32]),
    };

    fn mark(seq: u64) -> Watermark {
        Watermark {
            epoch: Epoch::new(3),
            seq: Seq::new(seq),
            id: Digest([4; 32]),
        }
    }

    #[test]
    fn what_was_recorded_last_is_found_again() {
        let home = TempDir::new().unwrap();
        let (guard, found) = Guard::open(home.path(), &STAMP).unwrap();
        assert_eq!(found, None);
        drop(guard);
        for seq in 0..5 {
            let (mut guard, found) = Guard::open(home.path(), &STAMP).unwrap();
            assert_eq!(found, (seq > 0).then(|| mark(2 * seq - 1)));
            guard.record(mark(2 * seq)).unwrap();
            guard.record(mark(2 * seq + 1)).unwrap();
        }
    }

    #[test]
    fn a_torn_or_flipped_slot_leaves_the_one_before_and_two_are_refused() {
        let home = TempDir::new().unwrap();
        let path = home.path().join(FILE);
        let (mut guard, _) = Guard::open(home.path(), &STAMP).unwrap();
        guard.record(mark(7)).unwrap();
        guard.record(mark(8)).unwrap();
        drop(guard);
        let whole = fs::read(&path).unwrap();
        let slots = [0, STRIDE as usize];
        let found = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            Guard::open(home.path(), &STAMP).map(|(_, found)| found)
        };
        assert_eq!(found(&whole).unwrap(), Some(mark(8)));
        for bit in 0..8 * SLOT_BYTES {
            let flip = |slot: usize, bytes: &mut [u8]| bytes[slot + bit / 8] ^= 1 << (bit % 8);
            let seqs: Vec<u64> = slots
                .iter()
                .map(|slot| {
                    let mut bytes = whole.clone();
                    flip(*slot, &mut bytes);
                    found(&bytes).unwrap().unwrap().seq.get()
                })
                .collect();
            assert!(seqs == [7, 8] || seqs == [8, 7], "bit {bit}: {seqs:?}");
            let mut bytes = whole.clone();
            slots.iter().for_each(|slot| flip(*slot, &mut bytes));
            assert_eq!(found(&bytes).unwrap_err().exit(), Exit::Storage);
        }
        for length in 1..whole.len() {
            // What is left of a cut file is either slot, or it is refused.
            match found(&whole[..length]) {
                Ok(found) => assert!([7, 8].contains(&found.unwrap().seq.get())),
                Err(error) => assert_eq!(error.exit(), Exit::Storage),
            }
        }
    }

    #[test]
    fn another_chain_another_key_and_a_second_process_are_refused() {
        let home = TempDir::new().unwrap();
        let (guard, _) = Guard::open(home.path(), &STAMP).unwrap();
        let second = Guard::open(home.path(), &STAMP).unwrap_err();
        assert_eq!(second.exit(), Exit::Elsewhere);
        drop(guard);
        let other = Stamp {
            chain: Digest([9; 32]),
            ..STAMP
        };
        let refused = Guard::open(home.path(), &other).unwrap_err();
        assert_eq!(refused.exit(), Exit::Configuration);
        assert!(refused.to_string().contains(FILE), "{refused}");
    }
}
