use primitives::units::Height;
use wallet_proto::reply::{Code, Refusal};

use super::*;

#[test]
fn only_what_came_too_early_is_submitted_anew() {
    let missing = rejected(Reason::MissingInput { input: 0 });
    let spent = rejected(Reason::SpentInput { input: 0 });
    let refused = |code| Stage::Refused {
        refusal: Refusal::new(code, ""),
    };
    let table = [
        (missing, Some(false)),
        (spent, Some(true)),
        (refused(Code::Busy), Some(false)),
        (refused(Code::Invalid), Some(false)),
        (refused(Code::Malformed), Some(true)),
        (ordered(Outcome::Applied), None),
        (Stage::Seen, None),
        (Stage::Endorsed, None),
        (Stage::Official, None),
    ];
    for (stage, wanted) in table {
        let for_good = unapplied(&stage).map(|(_, for_good)| for_good);
        assert_eq!(for_good, wanted, "{stage:?}");
    }
}

#[test]
fn a_payment_applied_by_an_earlier_submission_is_applied() {
    assert!(is_applied(&ordered(Outcome::Applied)));
    assert!(is_applied(&rejected(Reason::Duplicate)));
    assert!(!is_applied(&rejected(Reason::MissingInput { input: 0 })));
}

fn rejected(reason: Reason) -> Stage {
    ordered(Outcome::rejected(reason))
}

const fn ordered(outcome: Outcome) -> Stage {
    Stage::Final {
        height: Height::new(1),
        index: 0,
        outcome,
    }
}
