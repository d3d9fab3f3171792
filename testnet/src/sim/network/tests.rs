use super::*;

fn arrivals(lane: Lane, messages: u64) -> Vec<Vec<u64>> {
    let mut network = Network::new(1, vec![0, 1], lane);
    let mut arrivals = Vec::new();
    (0..messages)
        .map(|number| {
            let at = Moment::at_ms(number);
            network.send((0, 1), false, &Wire::new(vec![7; 1_000]), at, &mut arrivals);
            arrivals.drain(..).map(|(at, _)| at.0).collect()
        })
        .collect()
}

#[test]
fn a_healthy_lane_delivers_everything_once_and_in_order() {
    let all: Vec<u64> = arrivals(Lane::default(), 1_000).concat();
    assert_eq!(all.len(), 1_000);
    assert!(all.is_sorted());
}

#[test]
fn each_defect_shows_and_none_shifts_the_draws_of_the_others() {
    let healthy = arrivals(Lane::default(), 1_000);
    let count = |lane: Lane| arrivals(lane, 1_000).concat().len();
    let lane = Lane::default();
    let lossy = arrivals(Lane { loss: 200, ..lane }, 1_000);
    assert!((700..900).contains(&lossy.concat().len()));
    let kept = lossy.iter().zip(&healthy);
    assert!(
        kept.clone()
            .all(|(one, other)| one.is_empty() || one == other)
    );
    assert!((1_100..1_300).contains(&count(Lane {
        duplicate: 200,
        ..lane
    })));
    assert!((1_100..1_300).contains(&count(Lane {
        replay: 200,
        ..lane
    })));
    let reordered = arrivals(
        Lane {
            reorder: 200,
            ..lane
        },
        1_000,
    )
    .concat();
    assert!(!reordered.is_sorted());
}

#[test]
fn a_slow_link_delays_what_queues_and_bulk_waits_for_the_consensus_lane() {
    let lane = Lane {
        bandwidth: 100_000,
        delay_us: 0,
        tail_us: 0,
        ..Lane::default()
    };
    let mut network = Network::new(1, vec![0, 1], lane);
    let mut arrivals = Vec::new();
    for bulk in [true, true, false] {
        let wire = Wire::new(vec![0; 1_000]);
        network.send((0, 1), bulk, &wire, Moment::ZERO, &mut arrivals);
    }
    let at: Vec<u64> = arrivals.iter().map(|(at, _)| at.0).collect();
    assert_eq!(at, [10_000, 20_000, 10_000]);
}

#[test]
fn a_cut_is_one_way_and_ends() {
    let mut network = Network::new(1, vec![0, 1, 2], Lane::default());
    let (from, to) = (Peers::Only(vec![0]), Peers::Only(vec![1]));
    network.damage(7, Damage::Cut { from, to });
    assert!(network.is_cut(0, 1) && !network.is_cut(1, 0) && !network.is_cut(0, 2));
    network.damage(7, Damage::Aside(Peers::Only(vec![2])));
    assert!(network.is_cut(0, 2) && network.is_cut(2, 1) && !network.is_cut(0, 1));
    network.mend(7);
    assert!(!network.is_cut(0, 2));
}
