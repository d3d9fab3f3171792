use super::plan::{Chain, Fault, Heal, Peers, Plan, Trouble, Workload};
use super::run::run;

fn plan(seed: u64) -> Plan {
    Plan {
        workload: Workload {
            wallets: 4,
            every_ms: 200,
            double_spends: 200,
            data: 300,
            moves: 0,
        },
        heal: Some(Heal {
            core: (0..4).collect(),
            limit_ms: 60_000,
        }),
        ..Plan::quiet(seed, vec![1_000; 4], 10_000)
    }
}

#[test]
fn a_quiet_network_settles_everything_and_a_seed_gives_one_run() {
    let one = run(plan(1)).unwrap();
    assert_eq!(one.violations, []);
    assert!(
        one.submitted > 20 && one.settled == one.submitted,
        "{one:?}"
    );
    assert_eq!(run(plan(1)).unwrap().audit, one.audit);
    assert_ne!(run(plan(2)).unwrap().audit, one.audit);
}

#[test]
fn a_cut_and_a_crash_heal() {
    let trouble = |from_ms, to_ms, trouble| Fault {
        from_ms,
        to_ms,
        trouble,
    };
    let faults = vec![
        trouble(
            1_000,
            4_000,
            Trouble::Flap {
                side: Peers::Only(vec![0, 1]),
                down_ms: 1_000,
                up_ms: 500,
            },
        ),
        trouble(5_000, 7_000, Trouble::Crash { peer: 2, steps: 3 }),
        trouble(8_000, 9_000, Trouble::CrashAll),
    ];
    let report = run(Plan { faults, ..plan(3) }).unwrap();
    assert_eq!(report.violations, []);
    assert_eq!(report.settled, report.submitted, "{report:?}");
}

#[test]
fn a_side_cut_off_for_several_epochs_comes_back_and_stake_moves_meanwhile() {
    let side = || Peers::Only(vec![0, 1]);
    let others = || Peers::Except(vec![0, 1]);
    let cut = |from, to| Fault {
        from_ms: 1_000,
        to_ms: 9_000,
        trouble: Trouble::Cut { from, to },
    };
    let plan = plan(4);
    let report = run(Plan {
        stakes: vec![1_000, 1_000, 2_000, 2_000, 2_000, 1_000, 1_000],
        chain: Chain { lag: 2, period: 8 },
        workload: Workload {
            moves: 500,
            ..plan.workload
        },
        faults: vec![cut(side(), others()), cut(others(), side())],
        heal: Some(Heal {
            core: (0..6).collect(),
            limit_ms: 60_000,
        }),
        ..plan
    })
    .unwrap();
    assert_eq!(report.violations, []);
    assert_eq!(report.settled, report.submitted, "{report:?}");
    assert!(report.epoch >= 4, "{report:?}");
}

#[test]
fn no_regression_comes_back() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/regressions");
    let mut plans = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let report = run(Plan::read(&path).unwrap()).unwrap();
        assert_eq!(report.violations, [], "{}", path.display());
        plans += 1;
    }
    assert!(plans > 0);
}
