//! Links that are cut and damaged on purpose.

use std::time::Duration;

use primus_net::{Bytes, Lane, Limits, Link, LinkError, PeerEvent, Served};
use tokio::time::{Instant, timeout};

use crate::support::{config, expect_up, keys, loopback, next_peer, pair, peer, serve, soon};

/// Two peers that know each other and may damage their links, the lower first, both up.
async fn breakable() -> (Served, Served) {
    let [lower, higher] = keys();
    let mut settings = config(&[peer(lower, loopback())]);
    settings.link_faults = true;
    let mut second = serve(higher, settings.clone());
    let address = second.endpoint.local_address();
    settings.peers = vec![peer(higher, address)];
    let mut first = serve(lower, settings);
    expect_up(&mut first, higher).await;
    expect_up(&mut second, lower).await;
    (first, second)
}

/// Sends a number and waits until it arrives.
async fn arrives(from: &Served, to: &mut Served, number: u8) {
    let sent = vec![number; 10_000];
    let key = to.endpoint.public();
    let queued = from
        .endpoint
        .send(&key, Lane::Consensus, Bytes::from(sent.clone()));
    assert_eq!(queued, Ok(()));
    let PeerEvent::Message { bytes, .. } = next_peer(to).await else {
        panic!("something else than a message");
    };
    assert_eq!(bytes, sent);
}

#[tokio::test]
async fn a_link_is_cut_one_way_and_what_was_sent_arrives_once_it_heals() {
    let (first, mut second) = breakable().await;
    arrives(&first, &mut second, 1).await;
    let to = second.endpoint.public();
    let cut = Link {
        cut: true,
        ..Link::default()
    };
    first.endpoint.set_link(&to, cut).unwrap();
    assert_eq!(first.endpoint.links().unwrap(), [(to, cut)].into());
    let sent = Bytes::from_static(b"late");
    first.endpoint.send(&to, Lane::Consensus, sent).unwrap();
    // Nothing can come through, so that waiting for it shows a cut that leaks and never fails else.
    let leaked = timeout(Duration::from_millis(200), next_peer(&mut second)).await;
    assert!(leaked.is_err(), "{leaked:?}");
    first.endpoint.set_link(&to, Link::default()).unwrap();
    assert!(first.endpoint.links().unwrap().is_empty());
    let PeerEvent::Message { bytes, .. } = next_peer(&mut second).await else {
        panic!("something else than a message");
    };
    assert_eq!(bytes, b"late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_in_order_over_a_link_that_delays_loses_repeats_and_damages() {
    let (first, mut second) = breakable().await;
    let to = second.endpoint.public();
    let bad = Link {
        cut: false,
        delay_us: 2_000,
        tail_us: 1_000,
        loss: 50,
        reorder: 200,
        duplicate: 100,
        corrupt: 50,
        bandwidth: 10_000_000,
    };
    first.endpoint.set_link(&to, bad).unwrap();
    let since = Instant::now();
    soon(async {
        for number in 0..50 {
            arrives(&first, &mut second, number).await;
        }
    })
    .await;
    assert!(since.elapsed() >= Duration::from_millis(100), "50 delays");
}

#[tokio::test]
async fn links_of_a_node_that_is_no_test_and_of_strangers_stay_as_they_are() {
    let (first, second) = pair(Limits::default()).await;
    let peer = second.endpoint.public();
    let healed = first.endpoint.set_link(&peer, Link::default());
    assert_eq!(healed, Err(LinkError::Off));
    assert_eq!(first.endpoint.links(), Err(LinkError::Off));
    let (first, second) = breakable().await;
    let own = first.endpoint.public();
    let set = |peer, loss| {
        let link = Link {
            loss,
            ..Link::default()
        };
        first.endpoint.set_link(&peer, link)
    };
    assert_eq!(set(own, 1), Err(LinkError::NoPeer));
    let refused = Err(LinkError::OutOfBounds { field: "loss" });
    assert_eq!(set(second.endpoint.public(), 1_001), refused);
}
