use ledger::tx::check_alone;

use super::*;

fn checked(number: u8) -> Checked {
    check_alone(alloc::vec![number; 10], &Digest::ZERO)
}

#[test]
fn a_stray_is_due_after_64_rounds_or_ten_seconds() {
    let mut strays = Strays::default();
    assert!(strays.add(checked(1), 0));
    strays.pass(ROUNDS - 1);
    assert_eq!(strays.next_due(0, WAIT_MS - 1), None);
    strays.pass(1);
    assert_eq!(strays.next_due(1, 0), None, "another holder goes first");
    assert_eq!(strays.next_due(0, 0), Some(checked(1)));
    assert!(strays.add(checked(2), 0));
    assert_eq!(strays.next_due(0, WAIT_MS), Some(checked(2)));
    assert!(strays.is_empty() && strays.bytes == 0);
}

#[test]
fn what_has_come_again_is_not_due_and_gives_its_room_back() {
    let mut strays = Strays::default();
    for number in 0..3 {
        assert!(strays.add(checked(number), 0));
    }
    assert!(strays.add(checked(0), 5));
    assert_eq!((strays.len(), strays.bytes), (3, 30));
    strays.remove(checked(0).id());
    strays.remove(checked(1).id());
    assert_eq!(strays.next_due(0, WAIT_MS), Some(checked(2)));
    assert_eq!(strays.next_due(0, WAIT_MS), None);
    assert_eq!(strays.bytes, 0);
}
