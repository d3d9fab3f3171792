use super::super::world::{at, header, world};
use super::*;
use crate::fixture::check_tampering;
use crate::hash::Map;

#[test]
fn every_range_of_headers_is_proven_and_nothing_else_passes() {
    let world = world(9, 1);
    let (keys, state) = (&world.keys, world.state());
    for (first, end) in (0..9).flat_map(|first| (first + 1..=9).map(move |end| (first, end))) {
        let prove =
            |count| BlockRange::prove(keys, &world.roots, &world.blocks, Height::new(first), count);
        let proof = prove(end - first).unwrap();
        let headers: Vec<_> = (first..end).map(header).collect();
        let verify = |proof: &BlockRange, first, headers: &[Vec<u8>]| {
            proof.verify(keys, Height::new(first), headers, &state)
        };
        assert_eq!(verify(&proof, first, &headers), Ok(()));
        if end - first == 3 {
            check_tampering(&proof, |proof| verify(proof, first, &headers).is_ok());
        }
        assert!(verify(&proof, first + 1, &headers).is_err());
        assert!(verify(&proof, first, &headers[1..]).is_err());
        let doubled = [&headers[..1], &headers].concat();
        assert!(verify(&proof, first, &doubled).is_err());
        assert!(prove(10 - first).is_err() && prove(0).is_err());
    }
}

#[test]
fn every_range_of_a_log_is_proven_and_a_withheld_doubled_or_swapped_entry_is_refused() {
    let world = world(9, 9);
    let (keys, state) = (&world.keys, world.state());
    for (map, number) in [(Map::Key, 8), (Map::Name, 4), (Map::Key, 0)] {
        let at = at(map, number);
        let (log, tree) = (world.log(&at), world.log_tree(&at));
        let size = log.len() as u64;
        for (first, end) in
            (0..size).flat_map(|first| (first + 1..=size).map(move |end| (first, end)))
        {
            let entries = log[first as usize..end as usize].to_vec();
            let siblings = tree.prove_range(first..end, size).unwrap();
            let proof =
                EntryRange::prove(world.record_proof(&at), entries.clone(), siblings).unwrap();
            // At the end of the log more may be wanted than there are.
            let wanted = if end == size { 100 } else { end - first };
            let verified = proof.verify(keys, &at, (first, wanted), &state);
            let record = world.record(&at);
            let want = Entries {
                record,
                first,
                entries,
            };
            assert_eq!(verified, Ok(want));
            if (first, end) == (1, 3) {
                check_tampering(&proof, |proof| {
                    proof.verify(keys, &at, (first, wanted), &state) == verified
                });
            }
            for index in 0..proof.entries.len() {
                let passes = |entries: Vec<LogEntry>, wanted| {
                    let entries = List::new(entries).unwrap();
                    let forged = EntryRange {
                        entries,
                        ..proof.clone()
                    };
                    forged.verify(keys, &at, (first, wanted), &state).is_ok()
                };
                let (mut shorter, mut longer) = (proof.entries.to_vec(), proof.entries.to_vec());
                shorter.remove(index);
                longer.insert(index, longer[index]);
                assert!(!passes(shorter.clone(), wanted) && !passes(shorter, end - first - 1));
                assert!(!passes(longer.clone(), wanted) && !passes(longer, end - first + 1));
                let mut swapped = proof.entries.to_vec();
                swapped.swap(index, 0);
                assert_eq!(passes(swapped, wanted), index == 0);
            }
            assert!(
                proof
                    .verify(keys, &at, (first + 1, wanted), &state)
                    .is_err()
            );
        }
        let proof = EntryRange::prove(world.record_proof(&at), vec![], vec![]).unwrap();
        let beyond = proof.verify(keys, &at, (size, 1), &state);
        let part = keys.log(map).part();
        assert_eq!(
            beyond,
            Err(Error::Index {
                part,
                index: size,
                size
            })
        );
    }
}
