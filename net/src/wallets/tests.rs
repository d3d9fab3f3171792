use primitives::keys::Signer;

use super::*;
use crate::endpoint::Served;
use crate::harness::{dial, secret, serve, soon, until};
use crate::transport::wallet_dialler;

async fn next(served: &mut Served) -> WalletEvent {
    soon(served.wallets.recv()).await.expect("an event")
}

async fn expect_up(served: &mut Served, session: u64, number: u8) {
    let key = secret(number).public();
    assert_eq!(next(served).await, WalletEvent::Up { session, key });
}

#[tokio::test]
async fn a_request_that_is_not_one_frame_ends_its_session_and_no_other() {
    let mut served = serve(1, &[], Limits::default());
    let (_socket, honest) = dial(&served, 3, wallet_dialler).await;
    expect_up(&mut served, 0, 3).await;
    let too_long = u32::try_from(WALLET_REQUEST_BYTES_MAX + 1)
        .unwrap()
        .to_le_bytes();
    let cases: [(&[u8], CloseReason); 6] = [
        (&too_long, CloseReason::Oversized),
        (&[], CloseReason::Malformed),
        (&[3, 0], CloseReason::Malformed),
        (&[3, 0, 0, 0, 1], CloseReason::Malformed),
        (&[1, 0, 0, 0, 1, 0, 0, 0, 0], CloseReason::Malformed),
        (&[1, 0, 0, 0, 1, 7], CloseReason::Malformed),
    ];
    for (session, (bytes, reason)) in (1..).zip(cases) {
        let (_socket, connection) = dial(&served, 4, wallet_dialler).await;
        expect_up(&mut served, session, 4).await;
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        send.finish().unwrap();
        let given: Error = soon(connection.closed()).await.into();
        assert_eq!(given, Error::Closed { reason }, "{bytes:?}");
        assert_eq!(next(&mut served).await, WalletEvent::Down { session });
    }
    let stats = served.endpoint.stats();
    assert_eq!((stats.frames_oversized, stats.frames_malformed), (1, 5));
    assert_eq!(stats.wallet_sessions, 1);
    let (mut send, _receive) = honest.open_bi().await.unwrap();
    send.write_all(&[1, 0, 0, 0, 42]).await.unwrap();
    send.finish().unwrap();
    let request = WalletEvent::Request {
        session: 0,
        request: 0,
        bytes: vec![42],
    };
    assert_eq!(next(&mut served).await, request);
}

#[tokio::test]
async fn a_wallet_that_does_not_read_has_its_replies_refused_and_counted() {
    let mut served = serve(1, &[], Limits::default());
    let (_socket, connection) = dial(&served, 3, wallet_dialler).await;
    expect_up(&mut served, 0, 3).await;
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(&[1, 0, 0, 0, 42]).await.unwrap();
    send.finish().unwrap();
    let request = next(&mut served).await;
    assert!(matches!(
        request,
        WalletEvent::Request {
            session: 0,
            request: 0,
            ..
        }
    ));
    let page = Bytes::from(vec![5; WALLET_REPLY_BYTES_MAX]);
    let endpoint = &served.endpoint;
    until(|| endpoint.reply(0, 0, page.clone(), Part::More) == Err(SendError::QueueFull)).await;
    assert!(endpoint.stats().replies_refused >= 1);
    // What was queued before is still delivered, and the request goes on.
    soon(receive.read_exact(&mut vec![0; 4 + WALLET_REPLY_BYTES_MAX]))
        .await
        .unwrap();
    let longer = Bytes::from(vec![5; WALLET_REPLY_BYTES_MAX + 1]);
    let refused = endpoint.reply(0, 0, longer, Part::More);
    assert!(matches!(refused, Err(SendError::Oversized { .. })));
    assert_eq!(
        endpoint.reply(0, 1, Bytes::new(), Part::Last),
        Err(SendError::NotConnected)
    );
    assert_eq!(
        endpoint.reply(1, 0, Bytes::new(), Part::Last),
        Err(SendError::NotConnected)
    );
}

#[tokio::test]
async fn replies_that_nobody_reads_are_bounded_over_all_wallets_and_room_comes_back() {
    // Room for one of the longest.
    let limits = Limits {
        wallet_outbound_bytes: 0,
        ..Limits::default()
    };
    let mut served = serve(1, &[], limits);
    let mut wallets = Vec::new();
    for session in 0..3 {
        let (socket, connection) = dial(&served, 3, wallet_dialler).await;
        expect_up(&mut served, session, 3).await;
        let (mut send, receive) = connection.open_bi().await.unwrap();
        send.write_all(&[1, 0, 0, 0, 42]).await.unwrap();
        send.finish().unwrap();
        next(&mut served).await;
        wallets.push((socket, connection, receive));
    }
    let endpoint = &served.endpoint;
    // With its length it is longer than what a wallet's window takes unread.
    let page = Bytes::from(vec![5; WALLET_REPLY_BYTES_MAX]);
    endpoint.reply(0, 0, page, Part::Last).unwrap();
    let short = || Bytes::from_static(&[7]);
    let refused = endpoint.reply(1, 0, short(), Part::Last);
    assert_eq!(refused, Err(SendError::QueueFull));
    let ended = soon(wallets[1].2.read(&mut [0])).await;
    assert_eq!(ended, Ok(None), "its request is over");
    let mut reply = vec![0; 4 + WALLET_REPLY_BYTES_MAX];
    soon(wallets[0].2.read_exact(&mut reply)).await.unwrap();
    let again = async {
        loop {
            let (mut send, _receive) = wallets[2].1.open_bi().await.unwrap();
            send.write_all(&[1, 0, 0, 0, 42]).await.unwrap();
            send.finish().unwrap();
            let WalletEvent::Request { request, .. } = next(&mut served).await else {
                continue;
            };
            if served.endpoint.reply(2, request, short(), Part::Last) == Ok(()) {
                break;
            }
        }
    };
    soon(again).await;
}

#[tokio::test]
async fn a_request_that_does_not_arrive_in_time_is_turned_away_and_the_session_goes_on() {
    let limits = Limits {
        request_timeout: Duration::ZERO,
        ..Limits::default()
    };
    let mut served = serve(1, &[], limits);
    let (_socket, connection) = dial(&served, 3, wallet_dialler).await;
    expect_up(&mut served, 0, 3).await;
    for late in 1..=2 {
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        send.write_all(&[4, 0, 0, 0, 1]).await.unwrap();
        let ended = soon(receive.read(&mut [0])).await.unwrap_err();
        let reason = CloseReason::TimedOut;
        assert_eq!(Error::from(ended), Error::Closed { reason });
        assert_eq!(served.endpoint.stats().requests_late, late);
    }
    assert_eq!(served.endpoint.stats().wallet_sessions, 1);
}
