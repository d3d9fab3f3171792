//! Proofs of every kind, changed at random: `PRIMUS_MUTATIONS=10000000 cargo test -p
//! primus-merkle --test it changed_at_random` tries so many, `PRIMUS_SEED` chooses others.

use std::collections::BTreeMap;

use crate::cases::{self, Case};
use crate::draw::Draw;
use crate::picks::Picks;
use crate::world::{Newer, World};

const SIZE: u64 = 1_000;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn no_proof_of_any_kind_that_was_changed_at_random_is_accepted() {
    let count = from_environment("PRIMUS_MUTATIONS", 200_000);
    let seed = from_environment("PRIMUS_SEED", 1);
    let (world, other) = (World::new(SIZE, 7), World::new(SIZE, 8));
    let (newer, other_newer) = (Newer::of(&world), Newer::of(&other));
    let cases = cases::all(&world, &newer, &Picks::of(SIZE));
    let mut kinds: BTreeMap<&str, Vec<&Case<'_>>> = BTreeMap::new();
    for case in &cases {
        kinds.entry(case.kind).or_default().push(case);
    }
    let kinds: Vec<_> = kinds.into_values().collect();
    let foreign = cases::all(&other, &other_newer, &Picks::of(SIZE)).into_iter();
    let foreign: Vec<_> = foreign.map(|case| case.bytes).collect();
    let mut draw = Draw(seed);
    let mut tried = 0;
    while tried < count {
        // Every kind as often.
        let kind = &kinds[draw.index(kinds.len())];
        let case = kind[draw.index(kind.len())];
        let changed = change(&mut draw, &case.bytes, &cases, &foreign);
        if changed == case.bytes {
            continue;
        }
        tried += 1;
        let what = || {
            format!(
                "{} accepted after {tried} of seed {seed}: {changed:?}",
                case.kind
            )
        };
        assert!(!(case.accepts)(&changed), "{}", what());
    }
    println!(
        "{tried} mutations of {} proofs of {} kinds, none accepted (seed {seed})",
        cases.len(),
        kinds.len()
    );
}

/// The bytes with one to three things done to them.
fn change(draw: &mut Draw, bytes: &[u8], cases: &[Case<'_>], foreign: &[Vec<u8>]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=draw.below(3) {
        if changed.is_empty() {
            changed.push(0);
        }
        let at = draw.index(changed.len());
        match draw.below(9) {
            0 | 1 => changed[at] ^= 1 << draw.below(8),
            2 => changed[at] = u8::try_from(draw.below(256)).unwrap(),
            3 => changed.truncate(at),
            4 => changed.push(u8::try_from(draw.below(256)).unwrap()),
            5 => {
                let from = draw.index(changed.len());
                let length = 32.min(changed.len() - at.max(from));
                let piece = changed[from..from + length].to_vec();
                changed[at..at + length].copy_from_slice(&piece);
            }
            6 => drop(changed.drain(at..(at + 32).min(bytes.len().max(at)).min(changed.len()))),
            7 => {
                let others = &cases[draw.index(cases.len())].bytes;
                let end = (at + 32).min(others.len());
                let piece = others.get(at..end).unwrap_or_default().to_vec();
                drop(changed.splice(at..at, piece));
            }
            _ => {
                let others = &foreign[draw.index(foreign.len())];
                let length = 32
                    .min(changed.len() - at)
                    .min(others.len().saturating_sub(at));
                if let Some(piece) = others.get(at..at + length) {
                    changed[at..at + length].copy_from_slice(piece);
                }
            }
        }
    }
    changed
}
