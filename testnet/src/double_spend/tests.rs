use ledger::Genesis;
use ledger::Reason;
use ledger::genesis::Parameters;
use ledger::tx::Output;
use primitives::codec::List;
use wallet_proto::reply::Code;

use super::*;

#[test]
fn exactly_one_of_a_pair_must_be_final_and_the_loser_told() {
    let [first, second] = conflict(&mut purse()).unwrap();
    let applied = || Some(End::Ordered(Outcome::Applied));
    let rejected = |winner| {
        let reason = Reason::SpentInput { input: 0 };
        Some(End::Ordered(Outcome::Rejected { reason, winner }))
    };
    let refused = |text: &str| Some(End::Refused(Refusal::new(Code::Invalid, text)));
    let winner = first.id.to_string();
    let table = [
        (applied(), rejected(Some(first.id)), Some((1, 0))),
        (
            applied(),
            refused(&format!("spent by {winner}")),
            Some((0, 1)),
        ),
        (applied(), applied(), None),
        (applied(), rejected(Some(second.id)), None),
        (applied(), rejected(None), None),
        (applied(), refused("spent"), None),
        (applied(), None, None),
        (rejected(Some(second.id)), rejected(Some(first.id)), None),
    ];
    for (one, other, wanted) in table {
        let pair = [(&first, one), (&second, other)].map(|(signed, end)| Rival {
            signed: signed.clone(),
            end,
        });
        let found = judge(&pair)
            .ok()
            .map(|found| (found.rejected, found.refused));
        assert_eq!(found, wanted, "{pair:?}");
    }
}

#[test]
fn rivals_spend_the_same_coin_and_are_not_the_same() {
    let [first, second] = conflict(&mut purse()).unwrap();
    assert_eq!(
        first.transaction.body.inputs,
        second.transaction.body.inputs
    );
    assert_ne!(first.id, second.id);
}

fn purse() -> Purse {
    let coin = Output::new(wallet_key("load").public(), Amount::new(100));
    let genesis = Genesis {
        version: 1,
        parameters: Parameters::default(),
        peers: List::empty(),
        outputs: List::new(vec![coin]).unwrap(),
    };
    Purse::of_genesis("load", &genesis).unwrap()
}
