//! A made-up Bitcoin block, small enough to be replayed in a test.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness,
};

/// Forty payments, each of which but the first spends an output of the one before.
pub(crate) fn small() -> Vec<u8> {
    let mut payments = vec![transaction(&[OutPoint::null()], &[625_000_000])];
    let mut previous = outpoint(0);
    for number in 1..=40 {
        let payment = transaction(&[previous, outpoint(number)], &[10_000, 0, 5_000]);
        previous = OutPoint::new(payment.compute_txid(), 0);
        payments.push(payment);
    }
    serialize(&Block {
        header: Header {
            version: BlockVersion::TWO,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: 0,
            bits: CompactTarget::from_consensus(0),
            nonce: 0,
        },
        txdata: payments,
    })
}

fn outpoint(number: u8) -> OutPoint {
    OutPoint::new(Txid::from_byte_array([number + 1; 32]), 0)
}

fn transaction(inputs: &[OutPoint], outputs: &[u64]) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs
            .iter()
            .map(|input| TxIn {
                previous_output: *input,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            })
            .collect(),
        output: outputs
            .iter()
            .map(|amount| TxOut {
                value: Amount::from_sat(*amount),
                script_pubkey: ScriptBuf::new(),
            })
            .collect(),
    }
}
