//! What the tests share: keys, digests from numbers, and the every-byte-flipped check.

use primitives::Digest;
use primitives::codec::{Canonical, decode, encode};
use primitives::digest::derive;
use primitives::domain::Domain;

use crate::hash::{TreeHasher, TreeKeys};
use crate::workers::{Task, Workers};

/// A thread for each task, ended in whatever order they end.
#[derive(Debug)]
pub(crate) struct Threads;

impl Workers for Threads {
    fn count(&self) -> usize {
        4
    }

    fn run(&self, tasks: Vec<Task<'_>>) {
        std::thread::scope(|scope| {
            tasks.into_iter().for_each(|task| {
                scope.spawn(task);
            });
        });
    }
}

pub(crate) fn keys() -> TreeKeys {
    TreeKeys::new(&Digest([7; 32]))
}

pub(crate) fn digest(number: u64) -> Digest {
    derive(Domain::TestKey, &[&number.to_le_bytes()])
}

pub(crate) fn digests(count: u64) -> Vec<Digest> {
    (0..count).map(digest).collect()
}

/// The root as RFC 9162, 2.1.1 defines it.
pub(crate) fn slow_root<H: TreeHasher>(hasher: &H, leaves: &[Digest]) -> Digest {
    match leaves {
        [] => hasher.empty(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(slow_split(leaves.len()));
            hasher.node(&slow_root(hasher, left), &slow_root(hasher, right))
        }
    }
}

/// The largest power of two below `size`.
pub(crate) fn slow_split(size: usize) -> usize {
    (0..)
        .map(|bit| 1 << bit)
        .take_while(|width| *width < size)
        .last()
        .unwrap()
}

/// Checks that the proof is accepted, and that with any byte changed to any other value, cut short
/// or made longer it is not.
pub(crate) fn check_tampering<T: Canonical>(proof: &T, accepts: impl Fn(&T) -> bool) {
    assert!(accepts(proof), "the proof itself is refused");
    let bytes = encode(proof).unwrap();
    let passes = |bytes: &[u8]| decode::<T>(bytes).is_ok_and(|proof| accepts(&proof));
    assert!(passes(&bytes), "the proof does not read back");
    for index in 0..bytes.len() {
        assert!(!passes(&bytes[..index]), "cut at byte {index}");
        let mut changed = bytes.clone();
        for value in (0..=u8::MAX).filter(|value| *value != bytes[index]) {
            changed[index] = value;
            assert!(!passes(&changed), "byte {index} made {value}");
        }
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(!passes(&longer), "a byte longer");
}
