//! Trees of up to 8 leaves, every proof of each: cut short at every byte, made longer, with a bit of
//! every byte turned, and shown for every other statement. `PRIMUS_EXHAUSTIVE=1 cargo test -p
//! primus-merkle --test it small` makes every byte every other value, and puts every byte before and
//! after.

use std::collections::BTreeMap;

use crate::cases::{self, Case};
use crate::picks::Picks;
use crate::world::{Newer, World};

fn worlds() -> Vec<(u64, World, Newer)> {
    let world = |count: u64| {
        let world = World::with(count, 7, |leaves| {
            leaves.entries.truncate(count.max(1) as usize)
        });
        let newer = Newer::of(&world);
        (count, world, newer)
    };
    (0..=8).map(world).collect()
}

#[test]
fn no_changed_proof_of_a_small_tree_is_accepted() {
    let exhaustive = std::env::var_os("PRIMUS_EXHAUSTIVE").is_some();
    let turns = |at: usize| {
        if exhaustive {
            (1..=u8::MAX).collect()
        } else {
            vec![1 << (at % 8)]
        }
    };
    let more = if exhaustive { u8::MAX } else { 0 };
    let (mut proofs, mut tried) = (0, 0_u64);
    for (count, world, newer) in &worlds() {
        for case in cases::all(world, newer, &Picks::of(*count)) {
            proofs += 1;
            let mut refused = |changed: &[u8]| {
                tried += 1;
                let kind = case.kind;
                assert!(
                    !(case.accepts)(changed),
                    "{kind} of {count} accepted: {changed:?}"
                );
            };
            let mut changed = case.bytes.clone();
            for at in 0..changed.len() {
                refused(&case.bytes[..at]);
                for turn in turns(at) {
                    changed[at] = case.bytes[at] ^ turn;
                    refused(&changed);
                }
                changed[at] = case.bytes[at];
            }
            for byte in 0..=more {
                refused(&[&case.bytes[..], &[byte]].concat());
                refused(&[&[byte], &case.bytes[..]].concat());
            }
        }
    }
    println!("{tried} changes of {proofs} proofs, none accepted");
}

#[test]
fn no_proof_of_a_small_tree_is_accepted_for_another_statement() {
    let worlds = worlds();
    let mut kinds: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
    for (count, world, newer) in &worlds {
        for case in cases::all(world, newer, &Picks::of(*count)) {
            kinds.entry(case.kind).or_default().push(case);
        }
    }
    // A refresh may send more than its holder lacks, and then suits another holder too: what comes
    // of it is a whole proof of the holder's own statement.
    kinds.retain(|kind, _| !kind.ends_with("refresh"));
    let mut tried = 0_u64;
    for (kind, cases) in &kinds {
        for (asked, shown) in cases
            .iter()
            .flat_map(|asked| cases.iter().map(move |shown| (asked, shown)))
        {
            if asked.given == shown.given || asked.bytes == shown.bytes {
                continue;
            }
            tried += 1;
            let accepted = (asked.accepts)(&shown.bytes);
            assert!(!accepted, "{kind}: {} proves {}", shown.given, asked.given);
        }
    }
    println!("{tried} proofs shown for another statement, none accepted");
}
