use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::consensus::encode::serialize;
use bitcoin::transaction::Version;
use bitcoin::{
    BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, TxIn, TxMerkleNode, TxOut, Txid,
    Witness,
};

use super::*;

#[test]
fn the_bundled_block_keeps_its_shape() {
    let totals = shape(bundled_block()).unwrap().totals;
    // The whole block has 2,500 transactions, 6,518 inputs and 6,015 outputs; the coinbase, which
    // is left out, has one input and two outputs.
    assert_eq!(totals.payments, 2_499);
    assert_eq!(totals.inputs, 6_517);
    assert_eq!(totals.inputs_inside, 327);
    assert_eq!(totals.inputs_max, 1_012);
    assert_eq!(totals.outputs, 6_013);
    assert_eq!(totals.outputs_empty, 22);
    assert_eq!(totals.depth, 17);
}

#[test]
fn no_satoshi_is_made_or_lost() {
    let block = shape(bundled_block()).unwrap();
    let original: Block = deserialize(bundled_block()).unwrap();
    let mut fees = 0;
    for (payment, transaction) in block.payments.iter().zip(&original.txdata[1..]) {
        let outputs: Vec<u64> = payment.outputs.iter().map(|one| one.get()).collect();
        let satoshi: Vec<u64> = transaction
            .output
            .iter()
            .map(|output| output.value.to_sat())
            .collect();
        assert_eq!(outputs, satoshi);
        let brought: u64 = payment
            .inputs
            .iter()
            .map(|input| amount(input, &block.payments).get())
            .sum();
        let fee = brought - satoshi.iter().sum::<u64>();
        assert!(fee >= FEE_MIN.get(), "{payment:?} leaves {fee}");
        fees += fee;
    }
    assert_eq!(block.totals.fees, fees);
    assert_eq!(block.totals.funded, block.totals.unspent + fees);
}

#[test]
fn outside_inputs_share_evenly_and_the_first_takes_the_remainder() {
    let parent = transaction(&[outpoint(1, 0), outpoint(1, 1), outpoint(2, 0)], &[9_000]);
    let block = shape(&block(vec![parent])).unwrap();
    assert_eq!(amounts(&block, 0), [3_334, 3_333, 3_333]);
    assert_eq!(block.totals.fees, 1_000);
}

#[test]
fn each_outside_input_brings_at_least_one() {
    let parent = transaction(&[outpoint(1, 0)], &[50_000]);
    let child = transaction(
        &[
            of(&parent, 0),
            outpoint(2, 0),
            outpoint(2, 1),
            outpoint(2, 2),
        ],
        &[10_000],
    );
    let block = shape(&block(vec![parent, child])).unwrap();
    assert_eq!(amounts(&block, 1), [50_000, 1, 1, 1]);
    assert_eq!(block.totals.fees, 1_000 + 40_003);
}

#[test]
fn a_child_that_leaves_nothing_is_topped_up_from_outside() {
    for (left, inputs) in [(0, 2), (1, 1)] {
        let parent = transaction(&[outpoint(1, 0)], &[500]);
        let child = transaction(&[of(&parent, 0)], &[500 - left]);
        let block = shape(&block(vec![parent, child])).unwrap();
        assert_eq!(block.payments[1].inputs.len(), inputs, "{left} left");
    }
}

#[test]
fn an_output_that_its_parent_does_not_have_comes_from_outside() {
    let parent = transaction(&[outpoint(1, 0)], &[500]);
    let child = transaction(&[of(&parent, 1)], &[500]);
    let block = shape(&block(vec![parent, child])).unwrap();
    assert_eq!(block.totals.inputs_inside, 0);
}

#[test]
fn bytes_that_are_not_one_block_are_refused() {
    let whole = block(vec![transaction(&[outpoint(1, 0)], &[1])]);
    let longer = [whole.as_slice(), &[0]].concat();
    for bytes in [&[][..], &whole[..whole.len() - 1], &longer] {
        assert!(matches!(shape(bytes), Err(Error::NotABlock { .. })));
    }
}

fn amounts(block: &Shape, payment: usize) -> Vec<u64> {
    block.payments[payment]
        .inputs
        .iter()
        .map(|input| amount(input, &block.payments).get())
        .collect()
}

fn outpoint(transaction: u8, index: u32) -> OutPoint {
    OutPoint::new(Txid::from_byte_array([transaction; 32]), index)
}

fn of(parent: &Transaction, index: u32) -> OutPoint {
    OutPoint::new(parent.compute_txid(), index)
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
                value: bitcoin::Amount::from_sat(*amount),
                script_pubkey: ScriptBuf::new(),
            })
            .collect(),
    }
}

fn block(payments: Vec<Transaction>) -> Vec<u8> {
    let coinbase = transaction(&[OutPoint::null()], &[625_000_000, 0]);
    serialize(&Block {
        header: Header {
            version: BlockVersion::TWO,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: 0,
            bits: CompactTarget::from_consensus(0),
            nonce: 0,
        },
        txdata: [vec![coinbase], payments].concat(),
    })
}
