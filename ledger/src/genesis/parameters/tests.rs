use super::*;

fn parameters(lag: u64, period: u64) -> Parameters {
    Parameters {
        lag,
        period,
        ..Parameters::default()
    }
}

#[test]
fn the_snapshot_lags_a_thousand_to_5095_blocks() {
    let rules = Parameters::default();
    let vectors = [
        (0, 0),
        (999, 0),
        (1000, 0),
        (5095, 0),
        (5096, 4096),
        (9191, 4096),
        (9192, 8192),
    ];
    for (height, snapshot) in vectors {
        let epoch = rules.epoch_of(Height::new(height));
        let found = rules.snapshot_height(epoch);
        assert_eq!(found, Height::new(snapshot), "height {height}");
    }
}

#[test]
fn every_height_is_in_one_epoch_and_every_snapshot_at_or_before_the_sealing_block() {
    for (lag, period) in [(1, 1), (1, 5), (3, 8), (8, 32), (9, 4), (1_000, 4_096)] {
        let rules = parameters(lag, period);
        assert_eq!(rules.check(), Ok(()));
        let mut epoch = Epoch::ZERO;
        for height in (0..10_000).map(Height::new) {
            if height == rules.first_height(epoch.later(1)) {
                epoch = epoch.later(1);
                assert_eq!(rules.last_height(epoch.earlier(1)).later(1), height);
            }
            assert_eq!(rules.epoch_of(height), epoch, "{lag}/{period} at {height}");
        }
        let sealing = rules.last_height(epoch);
        assert!(rules.snapshot_height(epoch.later(1)) <= sealing);
        assert!(rules.is_snapshot(rules.snapshot_height(epoch)));
        assert!(sealing >= Height::new(1), "the genesis block seals nothing");
    }
}

#[test]
fn a_period_that_no_chain_outlives_never_ends() {
    let rules = parameters(u64::MAX, ONE_EPOCH);
    assert_eq!(rules.last_height(Epoch::ZERO), Height::MAX.earlier(1));
    let rules = parameters(1, ONE_EPOCH);
    assert_eq!(rules.epoch_of(Height::new(ONE_EPOCH)), Epoch::ZERO);
    assert_eq!(rules.epoch_of(Height::new(ONE_EPOCH + 1)), Epoch::new(1));
}
