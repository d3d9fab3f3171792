//! A disk in memory: batches are seen at once, but what is not synced may be lost in a crash.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use primitives::store::{Batch, Row, Store, StoreError, Table, Value};

use super::random::Stream;

/// What a batch overwrote, to take it back: table, key, the value before.
type Undo = Vec<(Table, Vec<u8>, Option<Value>)>;

/// The disk of one process.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Value>>,
    /// Batches since the last sync, oldest first.
    unsynced: VecDeque<Undo>,
    /// Whether a sync is acknowledged without being done.
    lies: bool,
    /// Whether it has ever lied or rotted: what it holds may be anything.
    suspect: bool,
    /// Rows of which a bit was flipped.
    rotten: BTreeSet<(Table, Vec<u8>)>,
}

impl Disk {
    /// Writes a batch; a crash before the next sync may undo it.
    pub fn apply(&mut self, batch: Batch) {
        let mut undo = Undo::new();
        for (table, key, value) in batch.writes() {
            let rows = self.tables.entry(table).or_default();
            let before = match value {
                Some(value) => rows.insert(key.to_vec(), value.clone()),
                None => rows.remove(key),
            };
            undo.push((table, key.to_vec(), before));
        }
        self.unsynced.push_back(undo);
    }

    /// Makes every batch durable, or says so.
    pub fn sync(&mut self) {
        if !self.lies {
            self.unsynced.clear();
        }
    }

    /// From now on syncs are only acknowledged, or are done again.
    pub fn lie(&mut self, lies: bool) {
        self.lies = lies;
        self.suspect |= lies;
        self.sync();
    }

    /// Whether syncs are only acknowledged.
    #[must_use]
    pub const fn is_lying(&self) -> bool {
        self.lies
    }

    /// Loses all but a random prefix of the batches that were not synced. Returns how many were lost.
    pub fn crash(&mut self, stream: &mut Stream) -> usize {
        let kept = stream.place(self.unsynced.len() + 1);
        let lost = self.unsynced.split_off(kept);
        let count = lost.len();
        for undo in lost.into_iter().rev() {
            for (table, key, before) in undo.into_iter().rev() {
                let rows = self.tables.entry(table).or_default();
                match before {
                    Some(value) => rows.insert(key, value),
                    None => rows.remove(&key),
                };
            }
        }
        self.unsynced.clear();
        count
    }

    /// Whether it has ever lied or rotted, so that a peer may refuse to start from it.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Whether a bit of this row was ever flipped.
    #[must_use]
    pub fn is_rotten(&self, table: Table, key: &[u8]) -> bool {
        self.rotten.contains(&(table, key.to_vec()))
    }

    /// Flips one bit of a random row. False if there is no row.
    pub fn rot(&mut self, stream: &mut Stream) -> bool {
        let rows: usize = self.tables.values().map(BTreeMap::len).sum();
        let row = stream.place(rows);
        let mut all = self.tables.iter_mut().flat_map(|(table, rows)| {
            let rows = rows.iter_mut();
            rows.map(|(key, value)| (*table, key, value))
        });
        let Some((table, key, value)) = all.nth(row).filter(|(.., value)| !value.is_empty()) else {
            return false;
        };
        self.rotten.insert((table, key.clone()));
        let mut bytes = value.to_vec();
        let (place, bit) = (stream.place(bytes.len()), stream.below(8));
        bytes[place] ^= 1 << bit;
        *value = bytes.into();
        self.suspect = true;
        true
    }

    /// Every row of a table, in order of keys.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = (&[u8], &[u8])> {
        let rows = self.tables.get(&table).into_iter().flatten();
        rows.map(|(key, value)| (key.as_slice(), value.as_ref()))
    }

    /// A row without copying it.
    #[must_use]
    pub fn peek(&self, table: Table, key: &[u8]) -> Option<&[u8]> {
        self.tables.get(&table)?.get(key).map(AsRef::as_ref)
    }
}

impl Store for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.peek(table, key).map(<[u8]>::to_vec))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(rows) = self.tables.get(&table).filter(|_| from < to) else {
            return Ok(Vec::new());
        };
        let rows = rows.range(from.to_vec()..to.to_vec()).take(limit);
        Ok(rows
            .map(|(key, value)| (key.clone(), value.to_vec()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: u8, value: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(Table::Meta, vec![key], vec![value]);
        batch
    }

    fn value(disk: &Disk, key: u8) -> Option<u8> {
        let found = disk.get(Table::Meta, &[key]).unwrap();
        found.map(|bytes| bytes[0])
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest() {
        let mut kept = [0; 4];
        for seed in 0..100 {
            let mut stream = Stream::new(seed, &[]);
            let mut disk = Disk::default();
            disk.apply(put(0, 1));
            disk.sync();
            for number in 1..=3 {
                disk.apply(put(number, number));
            }
            disk.apply({
                let mut batch = put(1, 9);
                batch.delete(Table::Meta, vec![0]);
                batch
            });
            let lost = disk.crash(&mut stream);
            if lost == 0 {
                assert_eq!((value(&disk, 0), value(&disk, 1)), (None, Some(9)));
                continue;
            }
            assert_eq!(value(&disk, 0), Some(1));
            let found: Vec<_> = (1..=3).filter_map(|key| value(&disk, key)).collect();
            let whole: Vec<_> = (1..=3).take(4 - lost).collect();
            assert_eq!(found, whole, "seed {seed}");
            kept[found.len()] += 1;
        }
        assert!(kept.iter().all(|count| *count > 5), "{kept:?}");
    }

    #[test]
    fn a_lying_disk_loses_what_it_acknowledged() {
        let mut losses = 0;
        for seed in 0..20 {
            let mut disk = Disk::default();
            disk.lie(true);
            disk.apply(put(1, 1));
            disk.sync();
            disk.crash(&mut Stream::new(seed, &[]));
            losses += u32::from(value(&disk, 1).is_none());
            assert!(disk.is_suspect());
        }
        assert!((5..=15).contains(&losses), "{losses}");
    }

    #[test]
    fn rot_changes_one_bit_of_one_row() {
        let mut disk = Disk::default();
        assert!(!disk.rot(&mut Stream::new(1, &[])));
        disk.apply(put(1, 0));
        assert!(disk.rot(&mut Stream::new(1, &[])) && disk.is_suspect());
        assert_eq!(value(&disk, 1).unwrap().count_ones(), 1);
    }
}
