use primitives::units::Round;

use crate::graph::{Dag, Handle};
use crate::test_dag::{Drawing, Random, Shape, committee, random, walk};

/// Vectors against walking, for every pair of held events.
fn check(dag: &Dag, seed: u64) {
    let handles: Vec<Handle> = dag.vertices().map(|(handle, _)| handle).collect();
    for descendant in &handles {
        let past = walk(dag, *descendant);
        for ancestor in &handles {
            assert_eq!(
                dag.is_past(*ancestor, *descendant),
                past.contains(ancestor),
                "seed {seed}: {ancestor:?} before {descendant:?}"
            );
        }
    }
}

#[test]
fn vectors_agree_with_walking_on_random_forked_dags() {
    let mut forks = 0;
    for seed in 0..200 {
        let mut numbers = Random(seed);
        let shape = Shape::draw(&mut numbers, 120);
        let mut dag = Dag::new(committee(&shape.stakes));
        for event in random(&mut numbers, &shape) {
            dag.admit(event).unwrap();
        }
        forks += dag.forkers().count();
        check(&dag, seed);
    }
    assert!(forks > 50, "only {forks} forkers in 200 DAGs");
}

#[test]
fn vectors_stay_exact_while_the_floor_rises_and_rows_are_used_again() {
    for seed in 0..50 {
        let mut numbers = Random(seed);
        let shape = Shape::draw(&mut numbers, 250);
        let mut dag = Dag::new(committee(&shape.stakes));
        let mut rows = 0;
        for (count, event) in random(&mut numbers, &shape).into_iter().enumerate() {
            if event.header().round >= dag.floor() {
                dag.admit(event).unwrap();
            }
            if count % 20 == 19 {
                let highest = dag.highest_round().unwrap_or_default();
                dag.raise_floor(highest.earlier(3));
                rows = rows.max(dag.branch_count());
                check(&dag, seed);
            }
        }
        assert!(rows <= 80, "seed {seed}: {rows} rows");
    }
}

#[test]
fn a_second_child_opens_a_branch_and_is_not_reached_over_the_first() {
    let drawing = Drawing::new(
        &[1, 1, 1, 1],
        "A0
         a0.x
         a0.y
         a0.y' = ^a0.x
         B0
         b0.x = a0.y'",
    );
    let reaches = |ancestor, descendant| {
        drawing
            .dag
            .reaches(&drawing.id(ancestor), &drawing.id(descendant))
    };
    assert!(reaches("a0.x", "b0.x"));
    assert!(reaches("a0.y'", "b0.x"));
    assert!(!reaches("a0.y", "b0.x"));
    assert!(reaches("A0", "a0.y"));
    assert!(!reaches("a0.y", "a0.y'"));
    assert!(reaches("b0.x", "b0.x"));
    assert_eq!(drawing.dag.highest_round(), Some(Round::ZERO));
}
