//! Peers that talk, stop, are killed and meet again.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use primitives::keys::PublicKey;
use primitives::limits::GOSSIP_MESSAGE_BYTES_MAX;
use primus_net::{Bytes, CloseReason, Endpoint, Error, Lane, Limits, PeerEvent, SendError, Served};
use tokio::runtime::Runtime;

use crate::support::{
    config, expect_up, keys, loopback, next_peer, pair, peer, serve, serve_again, soon, until,
};

/// A frame that tells its place, its lane, and a length that varies with its place.
fn numbered(number: u32, lane: u8) -> Bytes {
    let length = usize::try_from(number % 1_500).unwrap();
    let mut bytes = vec![lane; 5 + length];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes.into()
}

/// Sends `count` frames on each lane, waiting where a lane is full.
async fn send_all(from: Endpoint, to: PublicKey, count: u32) {
    for number in 0..count {
        for (lane, tag) in [(Lane::Consensus, 1), (Lane::Bulk, 2)] {
            let frame = numbered(number, tag);
            until(|| match from.send(&to, lane, frame.clone()) {
                Ok(()) => true,
                Err(SendError::QueueFull) => false,
                Err(error) => panic!("{error}"),
            })
            .await;
        }
    }
}

/// Receives `count` frames on each lane, each lane in its order.
async fn receive_all(served: &mut Served, count: u32) {
    let mut next = [0_u32; 2];
    while next != [count; 2] {
        let PeerEvent::Message { bytes, .. } = next_peer(served).await else {
            panic!("something else than a message");
        };
        let lane = usize::from(bytes[4]) - 1;
        assert_eq!(bytes, numbered(next[lane], bytes[4]));
        next[lane] += 1;
    }
}

/// Sends until the lane is full; how many frames it took.
async fn fill(from: &Endpoint, to: &PublicKey, frame: &Bytes) -> usize {
    let mut taken = 0;
    until(|| match from.send(to, Lane::Bulk, frame.clone()) {
        Ok(()) => {
            taken += 1;
            false
        }
        Err(SendError::QueueFull) => true,
        Err(error) => panic!("{error}"),
    })
    .await;
    taken
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Ends every task of a runtime between two polls: whoever is killed so says nothing.
fn kill(doomed: Runtime) {
    let killer = thread::spawn(|| doomed.shutdown_timeout(Duration::from_secs(60)));
    killer.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_frames_arrive_in_order_both_ways_on_both_lanes() {
    const COUNT: u32 = 10_000;
    let (mut first, mut second) = pair(Limits::default()).await;
    let (one, two) = (first.endpoint.clone(), second.endpoint.clone());
    let senders = [
        tokio::spawn(send_all(one.clone(), two.public(), COUNT)),
        tokio::spawn(send_all(two, one.public(), COUNT)),
    ];
    soon(async {
        tokio::join!(
            receive_all(&mut first, COUNT),
            receive_all(&mut second, COUNT)
        )
    })
    .await;
    for sender in senders {
        sender.await.unwrap();
    }
    for served in [first, second] {
        let stats = served.endpoint.stats();
        for traffic in [stats.consensus, stats.bulk] {
            assert_eq!(traffic.frames_in, u64::from(COUNT));
            assert_eq!(traffic.frames_out, u64::from(COUNT));
            assert_eq!(traffic.bytes_in, traffic.bytes_out);
        }
        assert_eq!(stats.peers_connected, 1);
    }
}

#[tokio::test]
async fn the_largest_message_passes_and_one_byte_more_is_refused_by_its_sender() {
    let (first, mut second) = pair(Limits::default()).await;
    let (from, to) = (&first.endpoint, second.endpoint.public());
    let largest = vec![7; GOSSIP_MESSAGE_BYTES_MAX];
    let longer = Bytes::from(vec![7; GOSSIP_MESSAGE_BYTES_MAX + 1]);
    let refused = SendError::Oversized {
        found: GOSSIP_MESSAGE_BYTES_MAX + 1,
        limit: GOSSIP_MESSAGE_BYTES_MAX,
    };
    assert_eq!(from.send(&to, Lane::Bulk, longer), Err(refused));
    for bytes in [largest, Vec::new()] {
        assert_eq!(from.send(&to, Lane::Bulk, bytes.clone().into()), Ok(()));
        let peer = from.public();
        assert_eq!(
            next_peer(&mut second).await,
            PeerEvent::Message { peer, bytes }
        );
    }
}

#[tokio::test]
async fn a_full_lane_refuses_and_counts_and_what_it_took_arrives() {
    let limits = Limits {
        lane_frames: 4,
        peer_events: 2,
        ..Limits::default()
    };
    let (first, mut second) = pair(limits).await;
    let (from, to) = (&first.endpoint, second.endpoint.public());
    assert_eq!(from.stats().lane_frames_refused, 0);
    // Nobody receives at the other end: its events, its budget and its windows fill up first.
    let frame = Bytes::from(vec![7; 64 * 1024]);
    let taken = fill(from, &to, &frame).await;
    assert_eq!(from.stats().lane_frames_refused, 1);
    for _ in 0..taken {
        let event = next_peer(&mut second).await;
        assert!(matches!(event, PeerEvent::Message { bytes, .. } if bytes == frame));
    }
    assert_eq!(second.peers.try_recv(), None);
    assert_eq!(
        from.send(&from.public(), Lane::Bulk, frame),
        Err(SendError::NotConnected)
    );
}

#[tokio::test]
async fn a_peer_that_stops_says_so_and_is_dialled_again() {
    let [lower, higher] = keys();
    let mut second = serve(higher, config(&[peer(lower, loopback())]));
    let address = second.endpoint.local_address();
    let mut first = serve(lower, config(&[peer(higher, address)]));
    expect_up(&mut first, higher).await;
    expect_up(&mut second, lower).await;
    soon(second.endpoint.close()).await;
    soon(async { while second.peers.recv().await.is_some() {} }).await;
    drop(second);
    let down = PeerEvent::Down {
        peer: higher.public,
        reason: Error::Closed {
            reason: CloseReason::Stopping,
        },
    };
    assert_eq!(next_peer(&mut first).await, down);
    let frame = Bytes::from_static(b"late");
    let unsent = first.endpoint.send(&higher.public, Lane::Consensus, frame);
    assert_eq!(unsent, Err(SendError::NotConnected));
    let mut settings = config(&[peer(lower, loopback())]);
    settings.listen = address;
    let mut second = serve_again(higher, settings).await;
    expect_up(&mut first, higher).await;
    expect_up(&mut second, lower).await;
}

#[test]
fn a_killed_peer_that_restarts_tells_those_that_dialled_it() {
    let [lower, higher] = keys();
    let (doomed, lasting) = (runtime(), runtime());
    let mut settings = config(&[peer(lower, loopback())]);
    let second = doomed.block_on(async { serve(higher, settings.clone()) });
    settings.listen = second.endpoint.local_address();
    lasting.block_on(async {
        let mut first = serve(lower, config(&[peer(higher, settings.listen)]));
        expect_up(&mut first, higher).await;
        kill(doomed);
        drop(second);
        let mut second = serve_again(higher, settings).await;
        let frame = Bytes::from_static(b"are you there");
        let sent = first.endpoint.send(&higher.public, Lane::Bulk, frame);
        assert_eq!(sent, Ok(()));
        let down = PeerEvent::Down {
            peer: higher.public,
            reason: Error::Forgotten,
        };
        assert_eq!(next_peer(&mut first).await, down);
        expect_up(&mut first, higher).await;
        expect_up(&mut second, lower).await;
    });
}

#[test]
fn a_killed_dialler_that_restarts_takes_the_place_of_its_former_self() {
    let [lower, higher] = keys();
    let (doomed, lasting) = (runtime(), runtime());
    lasting.block_on(async {
        let mut second = serve(higher, config(&[peer(lower, loopback())]));
        let settings = config(&[peer(higher, second.endpoint.local_address())]);
        let former = doomed.spawn({
            let settings = settings.clone();
            async move { serve(lower, settings) }
        });
        let former = former.await.unwrap();
        expect_up(&mut second, lower).await;
        kill(doomed);
        drop(former);
        let mut first = serve(lower, settings);
        let down = PeerEvent::Down {
            peer: lower.public,
            reason: Error::ClosedHere {
                reason: CloseReason::Replaced,
            },
        };
        assert_eq!(next_peer(&mut second).await, down);
        expect_up(&mut second, lower).await;
        expect_up(&mut first, higher).await;
    });
}

#[tokio::test]
async fn a_dialler_that_starts_first_meets_the_other_later() {
    let [lower, higher] = keys();
    let free = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
    let mut first = serve(lower, config(&[peer(higher, free)]));
    let failed = next_peer(&mut first).await;
    assert!(matches!(
        failed,
        PeerEvent::DialFailed {
            reason: Error::TimedOut,
            ..
        }
    ));
    let mut settings = config(&[peer(lower, loopback())]);
    settings.listen = free;
    let mut second = serve(higher, settings);
    expect_up(&mut first, higher).await;
    expect_up(&mut second, lower).await;
    assert!(first.endpoint.stats().dials_failed >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirteen_peers_all_meet_and_each_hears_each() {
    const COUNT: usize = 13;
    let keys = keys::<COUNT>();
    let mut addresses = keys.map(|key| peer(key, loopback()));
    let mut all = Vec::new();
    // The higher ones listen before the lower ones dial.
    for (index, key) in keys.into_iter().enumerate().rev() {
        let served = serve(key, config(&addresses));
        addresses[index].address = served.endpoint.local_address();
        all.push(served);
    }
    for served in &mut all {
        for _ in 1..COUNT {
            assert!(matches!(next_peer(served).await, PeerEvent::Up { .. }));
        }
    }
    for served in &all {
        for other in keys
            .iter()
            .filter(|key| key.public != served.endpoint.public())
        {
            let frame = Bytes::from_static(b"hello");
            assert_eq!(
                served.endpoint.send(&other.public, Lane::Consensus, frame),
                Ok(())
            );
        }
    }
    for served in &mut all {
        let own = served.endpoint.public();
        let mut heard = Vec::new();
        for _ in 1..COUNT {
            if let PeerEvent::Message { peer, .. } = next_peer(served).await {
                heard.push(peer);
            }
        }
        heard.sort();
        let others = keys.iter().map(|key| key.public).filter(|key| *key != own);
        assert_eq!(heard, others.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_delay_to_a_connected_peer_is_told() {
    let [lower, _] = keys();
    let (_first, mut second) = pair(Limits::default()).await;
    let event = soon(second.peers.recv()).await.expect("an event");
    let PeerEvent::Delay { peer, one_way } = event else {
        panic!("{event:?}");
    };
    assert_eq!(peer, lower.public);
    assert_ne!(one_way, Duration::ZERO);
}
