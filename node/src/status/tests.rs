use super::*;

/// A status with every field different.
pub(crate) fn example() -> Status {
    Status {
        name: "dev".to_owned(),
        version: "0.1.0".to_owned(),
        peer: PublicKey([1; 32]),
        chain: Digest([2; 32]),
        epoch: 3,
        height: 40,
        certified_height: 39,
        first_epoch: 1,
        first_block: 9,
        height_heard: 41,
        root: Digest([4; 32]),
        round: 50,
        settled_round: 47,
        peers_total: 6,
        peers_connected: 5,
        wait_ms: Some(50),
        own_stake: Stake::new(100),
        stake_heard: Stake::new(u64::MAX - 1),
        total_stake: Stake::new(u64::MAX),
        supply: Amount::new(21_000_000),
        pool_transactions: 7,
        events_suspended: 8,
        quarantined: false,
        contradiction: None,
        head: Some(HeadView {
            round: 6,
            leader: Digest([5; 32]),
            support: Stake::new(u64::MAX),
        }),
        partition: None,
        fork_alarm: Some(AlarmView {
            first: Digest([6; 32]),
            first_backing: Stake::new(4),
            second: Digest([7; 32]),
            second_backing: Stake::new(3),
        }),
        counters: Counters {
            events_accepted: 11,
            events_repeated: 12,
            events_refused: 13,
            events_created: 14,
            equivocations: 15,
            partitions: 20,
            fork_alarms: 21,
            heads_told: 22,
            heads_confirmed: 21,
            officials_confirmed: 23,
            officials_reversed: 24,
            officials_conflicting: 25,
            transactions_applied: 16,
            transactions_rejected: 17,
            wallet_requests_answered: 18,
            wallet_requests_refused: 19,
        },
    }
}

#[test]
fn a_status_survives_json_with_stake_as_text() {
    let status = Status {
        partition: Some(Stake::new(3)),
        ..example()
    };
    let text = serde_json::to_string(&status).unwrap();
    assert!(
        text.contains("\"total_stake\":\"18446744073709551615\""),
        "{text}"
    );
    assert!(
        text.contains(&format!("\"peer\":\"{}\"", "01".repeat(32))),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
}

#[test]
fn a_node_is_ready_only_if_every_check_holds() {
    let unmet = |status: Option<&Status>| -> Vec<&str> {
        Check::ALL
            .into_iter()
            .filter(|check| check.unmet(status).is_some())
            .map(Check::name)
            .collect()
    };
    let ready = example();
    assert!(unmet(Some(&ready)).is_empty());
    assert_eq!(unmet(None), ["started", "quorum", "synced", "signing"]);
    let check = |change: fn(&mut Status), wanted: &[&str]| {
        let mut status = example();
        change(&mut status);
        assert_eq!(unmet(Some(&status)), wanted);
    };
    check(|status| status.quarantined = true, &["signing"]);
    check(
        |status| status.contradiction = Some("two".to_owned()),
        &["signing"],
    );
    check(|status| status.height_heard = 48, &[]);
    check(|status| status.height_heard = 49, &["synced"]);
    check(
        |status| status.stake_heard = Stake::new(u64::MAX / 3 * 2),
        &["quorum"],
    );
    check(
        |status| status.stake_heard = Stake::new(u64::MAX / 3 * 2 + 1),
        &[],
    );
    check(|status| status.partition = Some(Stake::new(3)), &["quorum"]);
}
