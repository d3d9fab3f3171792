use dag::event::Kind;
use primitives::units::PeerIndex;

use crate::sim::clock::Moment;
use crate::sim::cluster::Cluster;
use crate::sim::judge;
use crate::sim::plan::{Heal, Liar, Lie, Peers, Plan, Workload};
use crate::sim::world::index;

const LIAR: usize = 3;

/// Ten seconds of four peers, of whom one lies, and what must hold afterwards.
fn run(lie: Lie) -> Cluster {
    let name = lie.name();
    let plan = Plan {
        workload: Workload {
            wallets: 4,
            every_ms: 200,
            double_spends: 200,
            data: 300,
        },
        liars: vec![Liar { peer: LIAR, lie }],
        heal: Some(Heal {
            core: vec![0, 1, 2],
            limit_ms: 60_000,
        }),
        ..Plan::quiet(5, vec![1_000; 4], 10_000)
    };
    let heal = plan.heal.clone().unwrap();
    let mut cluster = Cluster::new(plan, judge::all()).unwrap();
    cluster.run(Moment::at_ms(10_000)).unwrap();
    cluster.heal(&heal).unwrap();
    let mut now_ms = 10_000;
    while now_ms < 70_000 && !cluster.is_at_rest() {
        now_ms += 500;
        cluster.run(Moment::at_ms(now_ms)).unwrap();
    }
    cluster.end();
    assert_eq!(cluster.violations(), []);
    assert!(cluster.lies()[name] > 0, "{name}");
    cluster
}

/// How many events of the liar peer 0 holds, and whether it knows of a fork.
fn held(cluster: &Cluster) -> (usize, usize, bool) {
    let (_, _, replica, _) = cluster.honest().next().unwrap();
    let dag = replica.dag();
    let of_liar = |kind| {
        let events = dag.events().map(dag::Event::header);
        events
            .filter(|header| header.creator == liar() && header.kind == kind)
            .count()
    };
    (
        of_liar(Kind::Root),
        of_liar(Kind::Data),
        dag.is_forker(liar()),
    )
}

fn liar() -> PeerIndex {
    index(LIAR)
}

#[test]
fn a_fork_is_found_whether_it_begins_at_a_root_or_not() {
    for at_root in [true, false] {
        let (roots, data, is_forker) = held(&run(Lie::Equivocate {
            side: Peers::Only(vec![0]),
            from_ms: 2_000,
            at_root,
        }));
        assert!(is_forker && roots > 10, "{roots}");
        assert_eq!(data > 0, !at_root);
    }
}

#[test]
fn of_a_fork_bomb_little_is_kept() {
    let (roots, _, is_forker) = held(&run(Lie::Bomb { twins: 20 }));
    assert!(is_forker && roots > 10, "{roots}");
    let cluster = run(Lie::Bomb { twins: 20 });
    let (_, _, replica, _) = cluster.honest().next().unwrap();
    assert!(replica.dag().tips(liar()).count() <= 4);
}

#[test]
fn a_peer_that_shows_its_events_late_to_some_or_never_is_no_forker() {
    for (lie, shows) in [
        (Lie::Withhold { hold_ms: 300 }, true),
        (Lie::Withhold { hold_ms: 1_000_000 }, false),
        (
            Lie::Select {
                to: Peers::Only(vec![1]),
            },
            true,
        ),
    ] {
        let (roots, _, is_forker) = held(&run(lie));
        assert!(!is_forker);
        assert_eq!(roots > 0, shows);
    }
}

#[test]
fn whatever_breaks_a_rule_is_refused_and_the_rest_is_taken() {
    let cluster = run(Lie::Misshape);
    let (roots, data, _) = held(&cluster);
    assert!(roots > 0 && data > 0, "{roots} {data}");
    let (_, _, replica, _) = cluster.honest().next().unwrap();
    assert!(replica.stats().events_refused > 10);
}

#[test]
fn a_root_that_a_block_does_not_have_changes_nothing() {
    let (roots, _, is_forker) = held(&run(Lie::Misattest));
    assert!(roots > 10 && !is_forker);
}
