use super::*;
use crate::fixture::{check_tampering, digest, digests, keys};
use primitives::codec::encode;

fn tree_of(count: u64) -> TransactionTree {
    TransactionTree::new(keys().transactions(), &digests(count)).unwrap()
}

fn block_of(tree: &TransactionTree) -> BlockTransactions {
    BlockTransactions {
        root: tree.root(),
        count: tree.count(),
    }
}

fn leaves_at(indices: &[u32]) -> Vec<Digest> {
    indices
        .iter()
        .map(|index| digest(u64::from(*index)))
        .collect()
}

#[test]
fn one_and_several_transactions_are_shown() {
    let tree = tree_of(11);
    for indices in [
        &[0][..],
        &[10],
        &[3, 4],
        &[0, 5, 10],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ] {
        let proof = TransactionInclusion::prove(&tree, indices.to_vec()).unwrap();
        let leaves = leaves_at(indices);
        let included = proof.verify(&block_of(&tree), &leaves).unwrap();
        assert_eq!(
            included.iter().map(|one| one.index).collect::<Vec<_>>(),
            indices
        );
        assert_eq!(
            included.iter().map(|one| one.leaf).collect::<Vec<_>>(),
            leaves
        );
        let (short, long) = (&leaves[1..], [leaves.as_slice(), &[digest(0)]].concat());
        for wrong in [short, &long] {
            let error = proof.verify(&block_of(&tree), wrong).unwrap_err();
            assert!(matches!(error, Error::EntryCount { .. }), "{error}");
        }
    }
}

#[test]
fn no_changed_proof_passes() {
    for (count, indices) in [
        (1, vec![0]),
        (5, vec![4]),
        (5, vec![0, 3]),
        (7, vec![1, 2, 6]),
    ] {
        let tree = tree_of(count);
        let proof = TransactionInclusion::prove(&tree, indices.clone()).unwrap();
        check_tampering(&proof, |proof| {
            proof.verify(&block_of(&tree), &leaves_at(&indices)).is_ok()
        });
    }
}

#[test]
fn a_transaction_that_is_not_in_the_block_is_refused_and_the_root_named() {
    let tree = tree_of(6);
    let proof = TransactionInclusion::prove(&tree, vec![2]).unwrap();
    let error = proof.verify(&block_of(&tree), &[digest(3)]).unwrap_err();
    assert!(
        error.to_string().starts_with("transactions tree root "),
        "{error}"
    );
}

#[test]
fn a_receipt_holds_at_most_its_limit() {
    let most = u32::try_from(RECEIPT_TRANSACTIONS_MAX).unwrap();
    let tree = tree_of(2000);
    let indices: Vec<u32> = (0..most).map(|index| 5 * index).collect();
    assert!(TransactionInclusion::prove(&tree, indices.clone()).is_ok());
    let more = [indices.as_slice(), &[1999]].concat();
    assert!(matches!(
        TransactionInclusion::prove(&tree, more),
        Err(Error::Encoding(_))
    ));
}

#[test]
fn transaction_proofs_have_golden_encodings() {
    let proof = TransactionInclusion {
        indices: List::new(vec![7]).unwrap(),
        siblings: List::new(vec![Digest([3; 32])]).unwrap(),
    };
    let golden = [&[1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0][..], &[3; 32]].concat();
    assert_eq!(encode(&proof).unwrap(), golden);
}
