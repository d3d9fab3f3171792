use super::*;
use crate::fixture::{digest, keys};
use primitives::codec::{decode, encode};

fn record() -> Record {
    Record {
        log_root: Digest([1; 32]),
        count: 0x0203,
        last_block: Height::new(0x0405),
    }
}

fn entry() -> LogEntry {
    LogEntry {
        txid: Digest([1; 32]),
        block: Height::new(0x0203),
        index: 0x0405,
        role: 6,
    }
}

fn spent() -> Spent {
    Spent {
        txid: Digest([1; 32]),
        block: Height::new(0x0203),
        input: 0x0405,
    }
}

#[test]
fn every_leaf_is_hashed_from_its_64_bytes() {
    let keys = keys();
    let padded = |fields: &[&[u8]]| {
        let mut bytes = fields.concat();
        bytes.resize(64, 0);
        bytes
    };
    let u64s = |low: u8, high: u8| [low, high, 0, 0, 0, 0, 0, 0];

    let content = padded(&[&[1; 32], &u64s(3, 2), &u64s(5, 4)]);
    let want = keyed(keys.map(Map::Name).record_key(), &[&content]);
    assert_eq!(record().hash(&keys, Map::Name), want);

    let content = padded(&[&[1; 32], &u64s(3, 2), &[5, 4, 0, 0], &[6]]);
    let want = keys.log(Map::Name).leaf(&content);
    assert_eq!(entry().leaf(&keys, Map::Name), want);

    let commitment = digest(9);
    let content = padded(&[&commitment.0]);
    let unspent = output_leaf(&keys, &commitment, None);
    assert_eq!(unspent, keys.outputs().leaf(&content));

    let status = keyed(
        &keys.spent,
        &[&padded(&[&[1; 32], &u64s(3, 2), &[5, 4, 0, 0]])],
    );
    let content = padded(&[&commitment.0, &status.0]);
    let by = output_leaf(&keys, &commitment, Some(&spent()));
    assert_eq!(by, keys.outputs().leaf(&content));
}

#[test]
fn records_entries_and_spends_have_golden_encodings() {
    let golden = [
        &[1; 32][..],
        &[3, 2, 0, 0, 0, 0, 0, 0],
        &[5, 4, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(encode(&record()).unwrap(), golden);
    assert_eq!(decode(&golden), Ok(record()));

    let golden = [&[1; 32][..], &[3, 2, 0, 0, 0, 0, 0, 0], &[5, 4, 0, 0], &[6]].concat();
    assert_eq!(encode(&entry()).unwrap(), golden);
    assert_eq!(decode(&golden), Ok(entry()));

    let golden = [&[1; 32][..], &[3, 2, 0, 0, 0, 0, 0, 0], &[5, 4, 0, 0]].concat();
    assert_eq!(encode(&spent()).unwrap(), golden);
    assert_eq!(decode(&golden), Ok(spent()));
}
