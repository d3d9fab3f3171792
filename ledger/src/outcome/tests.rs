use super::*;
use crate::test_chain::{bytes, check_golden};

fn reasons() -> Vec<Reason> {
    let (one, two) = (Amount::new(1), Amount::new(2));
    vec![
        Reason::Undecodable,
        Reason::TooLarge,
        Reason::Version { found: 3 },
        Reason::NoInputs,
        Reason::RepeatedInput { input: 4 },
        Reason::SumOverflow,
        Reason::ExtraWitness { witness: 5 },
        Reason::BadSignature { witness: 6 },
        Reason::Duplicate,
        Reason::Expired {
            valid_until: Height::new(7),
        },
        Reason::MissingInput { input: 8 },
        Reason::SpentInput { input: 9 },
        Reason::NotOwner,
        Reason::NotConserved {
            inputs: one,
            outputs: two,
        },
        Reason::FeeTooLow {
            fee: one,
            wanted: two,
        },
        Reason::DataNotFree,
        Reason::NoContradiction,
        Reason::FalseEvidence,
        Reason::UnknownCulprit,
        Reason::Convicted,
        Reason::SecondCommit,
        Reason::NameTaken,
        Reason::NameNotHeld,
        Reason::NameReserved,
    ]
}

#[test]
fn reasons_are_numbered_as_ever() {
    for (number, reason) in (0_u32..).zip(reasons()) {
        let encoded = bytes(&Outcome::rejected(reason));
        assert_eq!(encoded[..4], 1_u32.to_le_bytes());
        assert_eq!(encoded[4..8], number.to_le_bytes(), "{reason:?}");
    }
}

#[test]
fn every_encoding_is_golden() {
    check_golden(&Outcome::Applied, "4 bytes dcfa9b78");
    let winner = Some(Digest([7; 32]));
    let largest = Outcome::Rejected {
        reason: Reason::NotConserved {
            inputs: Amount::new(1),
            outputs: Amount::new(2),
        },
        winner,
    };
    check_golden(&largest, "57 bytes a92df6d1");
}

#[test]
fn outcomes_speak_plainly() {
    assert_eq!(Outcome::Applied.to_string(), "applied");
    let reason = Reason::SpentInput { input: 0 };
    let outcome = Outcome::Rejected {
        reason,
        winner: Some(Digest([0xab; 32])),
    };
    let winner = "ab".repeat(32);
    let text = format!("rejected: input 0 is spent already; transaction {winner} came first");
    assert_eq!(outcome.to_string(), text);
    for reason in reasons() {
        let text = Outcome::rejected(reason).to_string();
        assert_eq!(text, format!("rejected: {reason}"));
    }
}
