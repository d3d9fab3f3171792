use super::*;

fn id(number: usize) -> Digest {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Digest(id)
}

const fn ticket(session: u64, request: u64) -> Ticket {
    Ticket { session, request }
}

#[test]
fn one_session_leaves_room_for_others_and_gives_its_own_back() {
    let mut watches = Watches::default();
    for round in 0..3 {
        let taken = (0..WATCHED_SESSION_MAX + 1)
            .filter(|number| watches.add(id(number % 7), ticket(1, round), 0, Report::All))
            .count();
        assert_eq!(taken, WATCHED_SESSION_MAX);
        assert!(watches.add(id(3), ticket(2, round), 0, Report::Final));
        watches.forget(1);
    }
    assert_eq!(watches.watched, 3);
    watches.forget(2);
    assert!(watches.is_still());
    assert_eq!(watches.watched, 0);
    assert!(watches.transactions.is_empty() && watches.tickets.is_empty());
}

#[test]
fn room_is_given_back_when_a_transaction_has_had_its_last_report() {
    let mut watches = Watches::default();
    for number in 0..10 {
        watches.add(id(number), ticket(1, 0), 0, Report::All);
        watches.add(id(number), ticket(1, 1), 0, Report::Final);
    }
    let stage = Stage::Endorsed;
    for number in 0..10 {
        watches.settle(&id(number), Height::new(4), &stage);
    }
    assert_eq!(watches.watched, 10);
    watches.prove(Height::new(4));
    assert_eq!(watches.watched, 0);
    let last = watches.take().iter().filter(|(_, _, last)| *last).count();
    assert_eq!(last, 2);
    assert!(watches.sessions.is_empty() && watches.tickets.is_empty());
}

#[test]
fn sweeps_come_past_every_rising_transaction() {
    let mut watches = Watches::default();
    for number in 0..100 {
        watches.add(id(number), ticket(1, 0), 0, Report::All);
    }
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let next = watches.next_rising(8);
        assert!(next.len() <= 8);
        seen.extend(next.into_iter().map(|(id, _)| id));
    }
    assert_eq!(seen.len(), 100);
}
