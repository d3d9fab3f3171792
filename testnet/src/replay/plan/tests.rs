use std::collections::{BTreeMap, BTreeSet};

use ledger::Genesis;
use ledger::genesis::Parameters;
use primitives::codec::List;
use primitives::keys::Role;
use primitives::units::Amount;

use super::super::shape::{FEE_MIN, bundled_block};
use super::*;

#[test]
fn the_plan_is_a_function_of_the_block() {
    let plan = Plan::new(bundled_block()).unwrap();
    assert_eq!(Plan::new(bundled_block()).unwrap(), plan);
    let genesis = genesis(&plan, 0);
    assert_eq!(
        plan.sign(&genesis).unwrap(),
        plan.sign(&genesis).unwrap(),
        "signatures too"
    );
}

#[test]
fn every_payment_spends_what_is_there_with_its_owners_signature() {
    let plan = Plan::new(bundled_block()).unwrap();
    let genesis = genesis(&plan, 13);
    let chain = genesis.chain_id().unwrap();
    let funded_by = genesis_transaction(&chain);
    let mut unspent: BTreeMap<Outpoint, Output> = BTreeMap::new();
    for (index, output) in (0..).zip(genesis.outputs.iter()) {
        let transaction = funded_by;
        unspent.insert(Outpoint { transaction, index }, *output);
    }
    let (mut fees, mut dependent) = (0, 0);
    for planned in plan.sign(&genesis).unwrap() {
        let body = &planned.transaction.body;
        let mut brought = 0;
        for (input, witness) in body.inputs.iter().zip(planned.transaction.witnesses.iter()) {
            let output = unspent.remove(input).expect("an unspent output");
            assert_eq!(output.owner, witness.owner);
            brought += output.amount.get();
            dependent += u64::from(input.transaction != funded_by);
        }
        let first = planned.transaction.witnesses[0];
        let key = first.owner.to_verifying().unwrap();
        key.verify(Role::Transaction, &chain, &planned.id, &first.signature)
            .unwrap();
        assert_eq!(body.inputs.len(), planned.transaction.witnesses.len());
        for (index, output) in (0..).zip(body.outputs.iter()) {
            let transaction = planned.id;
            unspent.insert(Outpoint { transaction, index }, *output);
            brought -= output.amount.get();
        }
        assert!(brought >= FEE_MIN.get());
        fees += brought;
    }
    let left: u64 = unspent.values().map(|output| output.amount.get()).sum();
    assert_eq!(dependent, 327);
    assert_eq!(left + fees, genesis.supply().unwrap().get());
    assert_eq!(fees, plan.shape().totals.fees);
}

#[test]
fn parents_come_first() {
    let plan = Plan::new(bundled_block()).unwrap();
    let signed = plan.sign(&genesis(&plan, 1)).unwrap();
    let ids: BTreeSet<Digest> = signed.iter().map(|planned| planned.id).collect();
    assert_eq!(ids.len(), signed.len());
    let mut children = 0;
    for (position, planned) in signed.iter().enumerate() {
        assert!(planned.parents.iter().all(|parent| *parent < position));
        children += usize::from(!planned.parents.is_empty());
    }
    assert!(children > 0);
}

#[test]
fn a_genesis_that_does_not_fund_the_block_is_refused() {
    let plan = Plan::new(bundled_block()).unwrap();
    let funded = genesis(&plan, 3);
    for outputs in [
        &funded.outputs[..3],
        &funded.outputs[..funded.outputs.len() - 1],
        &funded.outputs[4..],
    ] {
        let genesis = Genesis {
            outputs: List::new(outputs.to_vec()).unwrap(),
            ..funded.clone()
        };
        let refused = plan.sign(&genesis);
        assert!(matches!(refused, Err(Error::NotFunded { .. })));
    }
}

fn genesis(plan: &Plan, others: u8) -> Genesis {
    let other = |number: u8| Output::new(test_key(&[&[number]]).public(), Amount::new(5));
    let mut outputs: Vec<Output> = (0..others).map(other).collect();
    outputs.extend_from_slice(plan.funding());
    Genesis {
        version: 1,
        parameters: Parameters::default(),
        peers: List::empty(),
        outputs: List::new(outputs).unwrap(),
    }
}
