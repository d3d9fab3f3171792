use primitives::keys::Signer;

use super::*;
use crate::endpoint::Served;
use crate::harness::{dial, lower_and_higher, secret, serve, soon};
use crate::transport::peer_dialler;

/// Opens both lanes of a peer that misbehaves; they stay open as long as they are kept.
async fn write(connection: &quinn::Connection, lanes: [&[u8]; 2]) -> Vec<quinn::SendStream> {
    let mut open = Vec::new();
    for bytes in lanes {
        let mut lane = connection.open_uni().await.unwrap();
        lane.write_all(bytes).await.unwrap();
        open.push(lane);
    }
    open
}

/// The next event; measured delays come whenever they do and are passed over.
async fn next(served: &mut Served) -> PeerEvent {
    loop {
        let event = soon(served.peers.recv()).await.expect("an event");
        if !matches!(event, PeerEvent::Delay { .. }) {
            return event;
        }
    }
}

async fn reason_given(connection: &quinn::Connection) -> Error {
    soon(connection.closed()).await.into()
}

const fn closed(reason: CloseReason) -> Error {
    Error::Closed { reason }
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_its_connection_and_the_endpoint_goes_on() {
    let (lower, higher) = lower_and_higher();
    let mut served = serve(higher, &[lower], Limits::default());
    let peer = secret(lower).public();
    let length = u32::try_from(GOSSIP_MESSAGE_BYTES_MAX + 1).unwrap();
    let oversized = [&[2], length.to_le_bytes().as_slice()].concat();
    for count in 1..=2 {
        let (_socket, connection) = dial(&served, lower, peer_dialler).await;
        let mut lanes = write(&connection, [&[1, 2, 0, 0, 0, 8, 9], &[2]]).await;
        let bytes = vec![8, 9];
        assert_eq!(next(&mut served).await, PeerEvent::Up { peer });
        assert_eq!(next(&mut served).await, PeerEvent::Message { peer, bytes });
        lanes[1].write_all(&oversized[1..]).await.unwrap();
        let reason = Error::Oversized {
            found: GOSSIP_MESSAGE_BYTES_MAX + 1,
            limit: GOSSIP_MESSAGE_BYTES_MAX,
        };
        assert_eq!(next(&mut served).await, PeerEvent::Down { peer, reason });
        assert_eq!(
            reason_given(&connection).await,
            closed(CloseReason::Oversized)
        );
        assert_eq!(served.endpoint.stats().frames_oversized, count);
    }
    assert_eq!(served.endpoint.stats().peers_connected, 0);
}

#[tokio::test]
async fn a_lane_that_ends_within_a_frame_is_malformed() {
    let (lower, higher) = lower_and_higher();
    let mut served = serve(higher, &[lower], Limits::default());
    let peer = secret(lower).public();
    let cases: [(&[u8], usize, usize); 3] = [
        (&[1, 9, 0, 0], 3, 4),
        (&[1, 9, 0, 0, 0], 0, 9),
        (&[1, 9, 0, 0, 0, 1, 2, 3], 3, 9),
    ];
    for (count, (bytes, found, wanted)) in (1..).zip(cases) {
        let (_socket, connection) = dial(&served, lower, peer_dialler).await;
        let mut lanes = write(&connection, [bytes, &[2]]).await;
        lanes[0].finish().unwrap();
        assert_eq!(next(&mut served).await, PeerEvent::Up { peer });
        let reason = Error::Malformed { found, wanted };
        assert_eq!(next(&mut served).await, PeerEvent::Down { peer, reason });
        assert_eq!(
            reason_given(&connection).await,
            closed(CloseReason::Malformed)
        );
        assert_eq!(served.endpoint.stats().frames_malformed, count);
    }
}

#[tokio::test]
async fn a_lane_that_begins_with_another_byte_than_its_own_is_no_peer() {
    let (lower, higher) = lower_and_higher();
    let mut served = serve(higher, &[lower], Limits::default());
    let (_socket, connection) = dial(&served, lower, peer_dialler).await;
    let _lanes = write(&connection, [&[2], &[1]]).await;
    assert_eq!(
        reason_given(&connection).await,
        closed(CloseReason::Malformed)
    );
    assert_eq!(served.endpoint.stats().frames_malformed, 1);
    assert_eq!(served.endpoint.stats().handshakes_failed, 1);
    assert_eq!(served.peers.try_recv(), None);
}

#[tokio::test]
async fn the_higher_key_may_not_dial_and_an_unknown_key_may_not_speak() {
    let (lower, higher) = lower_and_higher();
    let served = serve(lower, &[higher], Limits::default());
    for (dialler, reason) in [
        (higher, CloseReason::WrongDialer),
        (3, CloseReason::UnknownPeer),
    ] {
        let (_socket, connection) = dial(&served, dialler, peer_dialler).await;
        assert_eq!(reason_given(&connection).await, closed(reason));
    }
    assert_eq!(served.endpoint.stats().peers_refused, 2);
}

#[tokio::test]
async fn a_newer_connection_of_a_peer_takes_the_place_of_the_older() {
    let (lower, higher) = lower_and_higher();
    let mut served = serve(higher, &[lower], Limits::default());
    let peer = secret(lower).public();
    let (_socket, older) = dial(&served, lower, peer_dialler).await;
    let _older_lanes = write(&older, [&[1], &[2]]).await;
    assert_eq!(next(&mut served).await, PeerEvent::Up { peer });
    let (_socket, newer) = dial(&served, lower, peer_dialler).await;
    let _newer_lanes = write(&newer, [&[1, 1, 0, 0, 0, 5], &[2]]).await;
    let reason = Error::ClosedHere {
        reason: CloseReason::Replaced,
    };
    assert_eq!(next(&mut served).await, PeerEvent::Down { peer, reason });
    assert_eq!(reason_given(&older).await, closed(CloseReason::Replaced));
    assert_eq!(next(&mut served).await, PeerEvent::Up { peer });
    let bytes = vec![5];
    assert_eq!(next(&mut served).await, PeerEvent::Message { peer, bytes });
    assert_eq!(served.endpoint.stats().peers_connected, 1);
}
