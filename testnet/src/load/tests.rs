use ledger::Reason;
use ledger::tx::{Outpoint, Output};
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Amount, Height};
use wallet_proto::reply::{Code, Refusal};

use super::*;

#[test]
fn every_transaction_is_counted_once_and_its_coin_comes_back_once() {
    let refusal = Refusal::new(Code::Busy, "");
    let (spent, made) = (coin(1), coin(2));
    let table = [
        (stage(Outcome::Applied), [1, 0, 0, 0], Some(made)),
        (
            stage(Outcome::rejected(Reason::SpentInput { input: 0 })),
            [0, 1, 0, 0],
            None,
        ),
        (Stage::Refused { refusal }, [0, 0, 1, 0], Some(spent)),
        (Stage::Endorsed, [0, 0, 0, 1], None),
    ];
    for (stage, counts, back) in table {
        let start = Instant::now();
        let mut tally = Tally {
            submitted: 1,
            open: 1,
            ..Tally::default()
        };
        let mut batch = [Open {
            since: start,
            coins: Some(Coins { spent, made }),
            ended: false,
        }];
        assert_eq!(tally.count(&mut batch[0], &stage, start), back, "{stage:?}");
        tally.drop_open(&batch);
        assert_eq!(tally.open, 0);
        let seen = tally.measured(LOAD, start);
        let seen = [seen.applied, seen.rejected, seen.refused, seen.unfinished];
        assert_eq!(seen, counts, "{stage:?}");
    }
}

#[test]
fn throughput_is_what_was_applied_until_the_last_finality() {
    let start = Instant::now();
    let mut tally = Tally::default();
    for milliseconds in [500, 1_000, 2_000] {
        tally.submitted += 1;
        tally.open += 1;
        let mut open = Open {
            since: start,
            coins: None,
            ended: false,
        };
        let at = start + Duration::from_millis(milliseconds);
        tally.count(&mut open, &stage(Outcome::Applied), at);
    }
    let seen = tally.measured(LOAD, start);
    assert_eq!((seen.p50_ms, seen.p99_ms), (1_000, 2_000));
    assert!((seen.per_second - 1.5).abs() < 1e-9);
}

const LOAD: Load = Load {
    rate: 1,
    kind: Kind::Pay,
    seconds: 1,
    size: 0,
};

const fn stage(outcome: Outcome) -> Stage {
    Stage::Final {
        height: Height::new(1),
        index: 0,
        outcome,
    }
}

fn coin(index: u32) -> Coin {
    let transaction = Digest::ZERO;
    Coin {
        outpoint: Outpoint { transaction, index },
        output: Output::new(PublicKey([9; 32]), Amount::new(5)),
    }
}
