//! P1: no two peers that follow the rules hold different final blocks at a height.

use std::collections::BTreeMap;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::store::Table;
use primitives::units::Height;
use replica::rows::height_key;

use super::{Judge, Seen, Sight};
use crate::sim::disk::Disk;

/// Compares header and order of every block at every process.
#[derive(Debug, Default)]
pub struct Agreement {
    /// The first that was seen of each height, and where.
    blocks: BTreeMap<Height, (Digest, usize)>,
    /// What each process has shown.
    shown: BTreeMap<usize, Height>,
}

impl Judge for Agreement {
    fn name(&self) -> &'static str {
        "agreement"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        match seen.sight {
            // A restart may have gone back, and what is on disk must still be what was.
            Sight::Started(_) => {
                self.shown.remove(&seen.process);
                None
            }
            // The block of this turn is on disk by the next one.
            Sight::Handled { .. } => self.compare(seen.process, seen.disk),
            Sight::Left(_) | Sight::Killed => None,
        }
    }

    fn end(&mut self, cluster: &super::Cluster) -> Vec<String> {
        let disks = cluster.honest();
        disks
            .filter_map(|(process, _, _, disk)| self.compare(process, disk))
            .collect()
    }
}

impl Agreement {
    fn compare(&mut self, process: usize, disk: &Disk) -> Option<String> {
        let mut height = self
            .shown
            .get(&process)
            .map_or(Height::new(1), |height| height.later(1));
        while let Some(block) = block(disk, height) {
            self.shown.insert(process, height);
            // A start has the roots vouch for headers; a flipped bit in what else is kept of an older
            // block only `fsck` finds.
            let mut tables = [Table::Block, Table::Order].iter();
            if tables.any(|table| disk.is_rotten(*table, &height_key(height))) {
                height = height.later(1);
                continue;
            }
            let (first, by) = *self.blocks.entry(height).or_insert((block, process));
            if first != block {
                return Some(format!(
                    "block {height} is {block} at process {process} and {first} at process {by}"
                ));
            }
            height = height.later(1);
        }
        None
    }
}

/// A digest of everything stored of a block: header, roots, order.
fn block(disk: &Disk, height: Height) -> Option<Digest> {
    let key = height_key(height);
    let header = disk.peek(Table::Block, &key)?;
    let order = disk.peek(Table::Order, &key)?;
    Some(derive(Domain::Audit, &[header, order]))
}
