use std::collections::BTreeSet;

use dag::event::Kind;
use primitives::Digest;
use primitives::units::PeerIndex;

use crate::sim::clock::Moment;
use crate::sim::cluster::Cluster;
use crate::sim::judge;
use crate::sim::plan::{Heal, Liar, Lie, Peers, Plan, Workload};
use crate::sim::world::index;

const LIAR: usize = 3;

/// How a run ended, and what peer 0 ever held of the liar's events.
struct Ran {
    cluster: Cluster,
    roots: BTreeSet<Digest>,
    data: BTreeSet<Digest>,
}

/// Ten seconds of four peers, of whom one lies, and what must hold afterwards.
fn run(lie: Lie) -> Ran {
    let name = lie.name();
    let plan = Plan {
        workload: Workload {
            wallets: 4,
            every_ms: 200,
            double_spends: 200,
            data: 300,
            moves: 0,
        },
        liars: vec![Liar { peer: LIAR, lie }],
        heal: Some(Heal {
            core: vec![0, 1, 2],
            limit_ms: 60_000,
        }),
        ..Plan::quiet(5, vec![1_000; 4], 10_000)
    };
    let heal = plan.heal.clone().unwrap();
    let mut ran = Ran {
        cluster: Cluster::new(plan, judge::all()).unwrap(),
        roots: BTreeSet::new(),
        data: BTreeSet::new(),
    };
    for step in 1..=140 {
        // Often enough that nothing falls below the floor unseen.
        ran.cluster.run(Moment::at_ms(500 * step)).unwrap();
        ran.look();
        if step == 20 {
            ran.cluster.heal(&heal).unwrap();
        } else if step > 20 && ran.cluster.is_at_rest() {
            break;
        }
    }
    ran.cluster.end();
    assert_eq!(ran.cluster.violations(), []);
    assert!(ran.cluster.lies()[name] > 0, "{name}");
    ran
}

impl Ran {
    fn look(&mut self) {
        let Some((_, _, replica, _)) = self.cluster.honest().next() else {
            return;
        };
        for event in replica.dag().events() {
            if event.header().creator == liar() {
                match event.header().kind {
                    Kind::Root => self.roots.insert(*event.id()),
                    Kind::Data => self.data.insert(*event.id()),
                };
            }
        }
    }

    fn replica(&self) -> &replica::Replica {
        let (_, _, replica, _) = self.cluster.honest().next().unwrap();
        replica
    }

    fn is_forker(&self) -> bool {
        self.replica().dag().is_forker(liar())
    }
}

fn liar() -> PeerIndex {
    index(LIAR)
}

#[test]
fn a_fork_is_found_whether_it_begins_at_a_root_or_not() {
    for at_root in [true, false] {
        let ran = run(Lie::Equivocate {
            side: Peers::Only(vec![0]),
            from_ms: 2_000,
            at_root,
        });
        assert!(ran.is_forker() && ran.roots.len() > 10);
        assert_eq!(ran.data.is_empty(), at_root);
    }
}

#[test]
fn of_a_fork_bomb_little_is_kept() {
    let ran = run(Lie::Bomb { twins: 20 });
    let kept = ran.roots.len();
    assert!(ran.is_forker() && kept > 1, "{kept}");
    let told = ran.cluster.lies()["bomb"];
    assert!(
        told > 10 && u64::try_from(kept).unwrap() < 4 * told,
        "{kept} of {told} bombs"
    );
    assert!(ran.replica().dag().tips(liar()).count() <= 4);
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
        (Lie::Alternate, true),
    ] {
        let ran = run(lie);
        assert!(!ran.is_forker());
        assert_eq!(!ran.roots.is_empty(), shows);
    }
}

#[test]
fn whatever_breaks_a_rule_is_refused_and_the_rest_is_taken() {
    let ran = run(Lie::Misshape);
    assert!(!ran.roots.is_empty() && !ran.data.is_empty());
    assert!(ran.replica().stats().events_refused > 10);
}

#[test]
fn a_root_that_a_block_does_not_have_changes_nothing() {
    let ran = run(Lie::Misattest);
    assert!(ran.roots.len() > 10 && !ran.is_forker());
}
