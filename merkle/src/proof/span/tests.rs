use primitives::codec::List;
use proptest::prelude::*;

use super::super::world::{World, at, entry, world};
use super::*;
use crate::fixture::{check_tampering, keys};
use crate::hash::Map;
use crate::workers::Sequential;

const NUMBER: u64 = 50;

/// A state of block 20 with one log whose entries are of these blocks.
fn world_of(map: Map, blocks: &[u64]) -> World {
    let mut world = world(20, 2);
    let at = at(map, NUMBER);
    let entries = (0..).zip(blocks).map(|(index, block)| LogEntry {
        block: Height::new(*block),
        ..entry(NUMBER, index)
    });
    world.logs.insert((map, at.position), entries.collect());
    let change = [(
        at.position,
        world.record(&at).unwrap().hash(&world.keys, map),
    )];
    let tree = world.maps.get_mut(&map).unwrap();
    tree.update(&change, Height::ZERO, &Sequential).unwrap();
    world.roots.key = world.maps[&Map::Key].sized_root();
    world.roots.name = world.maps[&Map::Name].sized_root();
    world
}

/// The entries `first..end`, honestly proven to stand there.
fn span(world: &World, at: &MapPosition, first: usize, end: usize) -> EntrySpan {
    let log = world.log(at);
    let (from, to) = (first as u64, end as u64);
    let siblings = world.log_tree(at).prove_range(from..to, log.len() as u64);
    let entries = log[first..end].to_vec();
    let record = world.record_proof(at);
    EntrySpan::Entries {
        first: from,
        range: EntryRange::prove(record, entries, siblings.unwrap()).unwrap(),
    }
}

/// Whatever a prover shows of a log, in whole or in part, either it is refused or the answer is the
/// one that the whole log gives; and one of the parts is accepted.
fn check_every_part(map: Map, blocks: &[u64]) {
    let world = world_of(map, blocks);
    let (keys, at, state) = (keys(), at(map, NUMBER), world.state());
    let log = world.log(&at);
    for height in (0..=20).map(Height::new) {
        let wanted: Vec<_> = log
            .iter()
            .filter(|it| it.block == height)
            .copied()
            .collect();
        let newest = log.iter().rfind(|entry| entry.block <= height).copied();
        let (mut of_block, mut newest_of) = (0, 0);
        for first in 0..log.len() {
            for end in first + 1..=log.len() {
                let span = span(&world, &at, first, end);
                if let Ok(found) = span.of_block(&keys, &at, height, &state) {
                    assert_eq!(found, wanted, "{height}: {first}..{end} of {blocks:?}");
                    of_block += 1;
                }
                if let Ok(found) = span.newest(&keys, &at, height, &state) {
                    assert_eq!(found, newest, "{height}: {first}..{end} of {blocks:?}");
                    newest_of += 1;
                }
            }
        }
        // A log that ends or begins beside the block can be shown from one side or from both.
        assert!((1..=2).contains(&of_block), "{height} of {blocks:?}");
        assert_eq!(newest_of, 1, "{height} of {blocks:?}");
    }
}

#[test]
fn a_part_of_a_log_says_what_the_whole_log_says_or_is_refused() {
    let cases: [&[u64]; 7] = [
        &[4],
        &[0, 0, 20],
        &[3, 3, 3, 3],
        &[1, 4, 4, 4, 9],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8],
        &[5, 5, 6, 6, 7, 7, 7],
        &[20],
    ];
    for blocks in cases {
        check_every_part(Map::Key, blocks);
        check_every_part(Map::Name, blocks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn so_does_a_part_of_any_log(mut blocks in prop::collection::vec(0..=20_u64, 1..14)) {
        blocks.sort_unstable();
        check_every_part(Map::Key, &blocks);
    }
}

#[test]
fn a_withheld_doubled_or_swapped_entry_and_any_changed_byte_are_refused() {
    let world = world_of(Map::Key, &[1, 4, 4, 4, 9, 9]);
    let (keys, at, state) = (keys(), at(Map::Key, NUMBER), world.state());
    let height = Height::new(4);
    let span = span(&world, &at, 0, 5);
    let wanted = span.of_block(&keys, &at, height, &state).unwrap();
    assert_eq!(wanted.len(), 3);
    let verify = |span: &EntrySpan| span.of_block(&keys, &at, height, &state);
    check_tampering(&span, |span| verify(span) == Ok(wanted.clone()));
    let EntrySpan::Entries { first, range } = &span else {
        panic!("{span:?}")
    };
    let with = |entries: Vec<LogEntry>| EntrySpan::Entries {
        first: *first,
        range: EntryRange {
            entries: List::new(entries).unwrap(),
            ..range.clone()
        },
    };
    for index in 0..range.entries.len() {
        let mut withheld = range.entries.to_vec();
        withheld.remove(index);
        verify(&with(withheld)).unwrap_err();
        let mut doubled = range.entries.to_vec();
        doubled.insert(index, doubled[index]);
        verify(&with(doubled)).unwrap_err();
        let mut swapped = range.entries.to_vec();
        swapped.swap(index, 0);
        assert_eq!(verify(&with(swapped)).is_ok(), index == 0);
    }
}

#[test]
fn a_log_that_does_not_exist_says_nothing_and_one_that_does_cannot_be_hidden() {
    let world = world_of(Map::Name, &[4]);
    let (keys, state, height) = (keys(), world.state(), Height::new(4));
    let stranger = at(Map::Name, 99);
    let empty = EntrySpan::Empty(world.record_proof(&stranger));
    assert_eq!(empty.newest(&keys, &stranger, height, &state), Ok(None));
    let none = empty.of_block(&keys, &stranger, height, &state);
    assert_eq!(none, Ok(Vec::new()));
    check_tampering(&empty, |span| {
        span.newest(&keys, &stranger, height, &state).is_ok()
    });
    let present = at(Map::Name, NUMBER);
    empty.newest(&keys, &present, height, &state).unwrap_err();
    let hidden = EntrySpan::Empty(world.record_proof(&present));
    let part = Map::Name.part();
    let refused = hidden.newest(&keys, &present, height, &state);
    assert_eq!(refused, Err(Error::RecordMismatch { part }));
}
