use super::*;

/// What passes a link of 1,000 datagrams sent at one moment: when, in microseconds, and its bytes.
fn pass_all(link: Link) -> Vec<(u64, Vec<u8>)> {
    let now = Instant::now();
    let mut lane = Lane {
        link,
        draws: Draws::new(7),
        free: now,
        last: now,
    };
    (0..1_000_u16)
        .flat_map(|number| lane.pass(&number.to_le_bytes().repeat(50), now))
        .map(|(due, contents)| {
            let after = due.duration_since(now).as_micros();
            (u64::try_from(after).unwrap(), contents)
        })
        .collect()
}

#[test]
fn a_link_delays_loses_repeats_and_damages_as_often_as_it_says() {
    let slow = pass_all(Link {
        delay_us: 5_000,
        tail_us: 1_000,
        ..Link::default()
    });
    assert_eq!(slow.len(), 1_000);
    assert!(
        slow.is_sorted_by_key(|(due, _)| *due),
        "nothing is overtaken"
    );
    assert!(slow.iter().all(|(due, _)| (5_000..=25_000).contains(due)));
    let mean = |passed: &[(u64, Vec<u8>)]| passed.iter().map(|(due, _)| due).sum::<u64>() / 1_000;
    let overtaking = pass_all(Link {
        delay_us: 5_000,
        tail_us: 1_000,
        reorder: 1_000,
        ..Link::default()
    });
    assert!(!overtaking.is_sorted_by_key(|(due, _)| *due));
    assert!((5_900..6_100).contains(&mean(&overtaking)));
    let lossy = pass_all(Link {
        loss: 300,
        ..Link::default()
    });
    assert!((650..750).contains(&lossy.len()), "{}", lossy.len());
    let twice = pass_all(Link {
        duplicate: 300,
        ..Link::default()
    });
    assert!((1_250..1_350).contains(&twice.len()), "{}", twice.len());
    let damaged = pass_all(Link {
        corrupt: 300,
        ..Link::default()
    });
    let sent = (0..1_000_u16).map(|number| number.to_le_bytes().repeat(50));
    let wrong = damaged.iter().zip(sent).filter(|((_, a), b)| a != b);
    let wrong = wrong.count();
    assert!((250..350).contains(&wrong), "{wrong}");
    let cut = Link {
        cut: true,
        ..Link::default()
    };
    assert_eq!(pass_all(cut), []);
}

#[test]
fn a_narrow_link_sends_one_datagram_after_the_other() {
    let narrow = pass_all(Link {
        delay_us: 1_000,
        bandwidth: 100_000,
        ..Link::default()
    });
    let due: Vec<u64> = narrow.into_iter().map(|(due, _)| due).collect();
    let expected: Vec<u64> = (1..=1_000).map(|number| number * 1_000 + 1_000).collect();
    assert_eq!(due, expected);
}

#[test]
fn what_waits_is_bounded_and_a_cut_takes_it() {
    let links = Links::default();
    let to: SocketAddr = ([127, 0, 0, 1], 7).into();
    let slow = Link {
        delay_us: Link::DELAY_US_MAX,
        ..Link::default()
    };
    let contents = vec![0; 12_000];
    let transmit = Transmit {
        destination: to,
        ecn: None,
        contents: &contents,
        segment_size: Some(1_200),
        src_ip: None,
    };
    let now = Instant::now();
    assert!(!links.take(&transmit, now), "a healthy link is not ours");
    links.set(to, slow);
    for _ in 0..2_000 {
        assert!(links.take(&transmit, now));
    }
    let waiting = || {
        let state = lock(&links.state);
        (state.late.len() * 1_200, state.late_bytes)
    };
    assert_eq!(waiting(), (LATE_BYTES_MAX / 1_200 * 1_200, waiting().0));
    links.set(to, Link { cut: true, ..slow });
    assert_eq!(waiting(), (0, 0));
    links.set(to, Link::default());
    assert!(links.get(to).is_healthy() && !links.take(&transmit, now));
}

#[test]
fn numbers_out_of_bounds_are_named() {
    let bad = |change: fn(&mut Link)| {
        let mut link = Link::default();
        change(&mut link);
        link.check()
    };
    let named = |field| Err(LinkError::OutOfBounds { field });
    assert_eq!(bad(|link| link.loss = 1_000), Ok(()));
    assert_eq!(bad(|link| link.loss = 1_001), named("loss"));
    assert_eq!(bad(|link| link.delay_us = u64::MAX), named("delay_us"));
    assert_eq!(bad(|link| link.bandwidth = u64::MAX), Ok(()));
}
