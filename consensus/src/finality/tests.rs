use dag::test_dag::Drawing;
use primitives::Digest;
use primitives::codec::{decode, encode};
use primitives::units::Stake;

use super::{Carried, Grade, backing, grade, support};

#[test]
fn support_counts_the_latest_events_of_peers_that_did_not_fork() {
    let mut drawing = Drawing::new(
        &[1, 2, 4, 8],
        "A0
         a0.x $1
         B0
         b0.x = a0.x
         C0
         c0.x = b0.x
         D0",
    );
    let of = |drawing: &Drawing, name: &str| support(&drawing.dag, &drawing.id(name)).get();
    assert_eq!(of(&drawing, "a0.x"), 7);
    assert_eq!(of(&drawing, "c0.x"), 4);
    drawing.draw("b0.x' = ^B0");
    assert_eq!(of(&drawing, "a0.x"), 5);
    assert_eq!(support(&drawing.dag, &Digest::ZERO), Stake::ZERO);
}

const RIVALS: &str = "A0
    B0
    C0
    D0
    a0.x $1
    b0.x $1
    c0.x = a0.x
    c0.y = b0.x
    d0.x = a0.x b0.x";

#[test]
fn a_peer_backs_what_entered_its_chain_first_and_the_smaller_id_of_two_at_once() {
    let mut drawing = Drawing::new(&[1, 2, 4, 8], RIVALS);
    let (low, high) = (Digest([1; 32]), Digest([2; 32]));
    let carriers = |drawing: &Drawing, name| [drawing.id(name)];
    let of = |drawing: &Drawing, x: Digest, y: Digest| {
        let (first, second) = (carriers(drawing, "a0.x"), carriers(drawing, "b0.x"));
        let x = Carried {
            transaction: &x,
            events: &first,
        };
        let y = Carried {
            transaction: &y,
            events: &second,
        };
        (
            backing(&drawing.dag, x, &[y]).get(),
            backing(&drawing.dag, y, &[x]).get(),
        )
    };
    // A and C back a0.x, B backs b0.x, D saw both in one event.
    assert_eq!(of(&drawing, low, high), (1 + 4 + 8, 2));
    assert_eq!(of(&drawing, high, low), (1 + 4, 2 + 8));
    drawing.draw("c0.x' = ^C0");
    assert_eq!(of(&drawing, low, high), (1 + 8, 2));
}

#[test]
fn grades_rise_with_support_and_backing() {
    let mut drawing = Drawing::new(
        &[1, 1, 1, 1, 1, 1],
        "A0
         a0.x $1
         B0
         b0.x = a0.x",
    );
    let events = [drawing.id("a0.x")];
    let own = Carried {
        transaction: &Digest([1; 32]),
        events: &events,
    };
    // Two of six are not more than a third.
    assert_eq!(grade(&drawing.dag, own, &[]), Grade::Seen);
    drawing.draw("C0\n c0.x = a0.x");
    assert_eq!(grade(&drawing.dag, own, &[]), Grade::Endorsed);
    drawing.draw("D0\n d0.x = a0.x");
    assert_eq!(grade(&drawing.dag, own, &[]), Grade::Official);
}

#[test]
fn grades_are_ordered_and_encode_as_their_number() {
    let grades = [
        Grade::Seen,
        Grade::Endorsed,
        Grade::Official,
        Grade::Final,
        Grade::Proven,
    ];
    assert!(grades.is_sorted());
    for (number, grade) in (0_u8..).zip(grades) {
        let bytes = encode(&grade).unwrap();
        assert_eq!(bytes, [number, 0, 0, 0]);
        assert_eq!(decode(&bytes), Ok(grade));
    }
}
