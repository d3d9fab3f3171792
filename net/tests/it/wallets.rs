//! Wallets that ask, subscribe, leave, and are too many.

use primitives::limits::{WALLET_REPLY_BYTES_MAX, WALLET_REQUEST_BYTES_MAX};
use primus_net::{Bytes, Client, CloseReason, Error, Limits, Part, SendError, Served, WalletEvent};

use crate::support::{Key, chain, config, keys, next_wallet, serve, soon, until};

async fn connect(host: &Served, wallet: Key) -> Result<Client, Error> {
    let (address, key) = (host.endpoint.local_address(), host.endpoint.public());
    soon(Client::connect(address, key, chain(1), wallet.secret())).await
}

async fn expect_up(host: &mut Served, session: u64, wallet: Key) {
    let key = wallet.public;
    assert_eq!(next_wallet(host).await, WalletEvent::Up { session, key });
}

async fn next_request(host: &mut Served) -> (u64, u64, Vec<u8>) {
    let event = next_wallet(host).await;
    let WalletEvent::Request {
        session,
        request,
        bytes,
    } = event
    else {
        panic!("{event:?} where a request was due");
    };
    (session, request, bytes)
}

#[tokio::test]
async fn requests_are_answered_on_their_own_streams_in_any_order() {
    let [host, wallet] = keys();
    let mut host = serve(host, config(&[]));
    let client = connect(&host, wallet).await.unwrap();
    expect_up(&mut host, 0, wallet).await;
    // As many as may be open at one time, the largest among them.
    let questions: Vec<Vec<u8>> = (0..16)
        .map(|number| vec![number; usize::from(number) * WALLET_REQUEST_BYTES_MAX / 15])
        .collect();
    let mut replies = Vec::new();
    for question in &questions {
        replies.push(soon(client.request(question.clone())).await.unwrap());
    }
    let mut asked = Vec::new();
    for _ in &questions {
        asked.push(next_request(&mut host).await);
    }
    for (session, request, bytes) in asked.into_iter().rev() {
        assert_eq!(session, 0);
        host.endpoint
            .reply(session, request, bytes.into(), Part::Last)
            .unwrap();
    }
    for (replies, question) in replies.iter_mut().zip(questions) {
        assert_eq!(soon(replies.next()).await, Some(Ok(question)));
        assert_eq!(soon(replies.next()).await, None);
    }
    soon(client.close()).await;
    assert_eq!(
        next_wallet(&mut host).await,
        WalletEvent::Down { session: 0 }
    );
    let stats = host.endpoint.stats();
    assert_eq!((stats.wallet.frames_in, stats.wallet.frames_out), (16, 16));
    assert_eq!(stats.wallet_sessions, 0);
}

#[tokio::test]
async fn a_subscription_is_one_request_with_many_replies_until_it_is_taken_back() {
    let [host, wallet] = keys();
    let mut host = serve(host, config(&[]));
    let client = connect(&host, wallet).await.unwrap();
    expect_up(&mut host, 0, wallet).await;
    let mut replies = soon(client.request(&b"follow"[..])).await.unwrap();
    let (session, request, bytes) = next_request(&mut host).await;
    assert_eq!(bytes, b"follow");
    let push = |bytes: Vec<u8>| {
        host.endpoint
            .reply(session, request, bytes.into(), Part::More)
    };
    for number in 0..100 {
        assert_eq!(push(vec![number]), Ok(()));
        assert_eq!(soon(replies.next()).await, Some(Ok(vec![number])));
    }
    let largest = vec![9; WALLET_REPLY_BYTES_MAX];
    assert_eq!(push(largest.clone()), Ok(()));
    assert_eq!(soon(replies.next()).await, Some(Ok(largest)));
    drop(replies);
    until(|| push(vec![0]) == Err(SendError::NotConnected)).await;
    // The session goes on.
    let mut replies = soon(client.request(&b"again"[..])).await.unwrap();
    let (session, request, _) = next_request(&mut host).await;
    let bytes = Bytes::from_static(b"here");
    assert_eq!(
        host.endpoint.reply(session, request, bytes, Part::Last),
        Ok(())
    );
    assert_eq!(soon(replies.next()).await, Some(Ok(b"here".to_vec())));
    assert_eq!(soon(replies.next()).await, None);
}

#[tokio::test]
async fn sessions_above_the_limit_are_turned_away_until_one_leaves() {
    let [host, first, second, third] = keys();
    let mut settings = config(&[]);
    settings.limits = Limits {
        wallet_sessions: 2,
        ..Limits::default()
    };
    let mut host = serve(host, settings);
    let one = connect(&host, first).await.unwrap();
    expect_up(&mut host, 0, first).await;
    let _two = connect(&host, second).await.unwrap();
    expect_up(&mut host, 1, second).await;
    let refused = connect(&host, third).await.unwrap();
    let reason = CloseReason::SessionsFull;
    assert_eq!(soon(refused.closed()).await, Error::Closed { reason });
    let request = soon(refused.request(&b"anyone"[..])).await;
    assert_eq!(request.unwrap_err(), Error::Closed { reason });
    assert_eq!(host.endpoint.stats().wallets_refused, 1);
    soon(one.close()).await;
    assert_eq!(
        next_wallet(&mut host).await,
        WalletEvent::Down { session: 0 }
    );
    let _three = connect(&host, third).await.unwrap();
    expect_up(&mut host, 2, third).await;
}

#[tokio::test]
async fn wallets_that_nobody_listens_to_wait_and_lose_nothing() {
    let [host, wallet] = keys();
    let mut settings = config(&[]);
    settings.limits = Limits {
        wallet_events: 1,
        ..Limits::default()
    };
    let mut host = serve(host, settings);
    let client = connect(&host, wallet).await.unwrap();
    let mut open = Vec::new();
    for number in 0..16 {
        open.push(soon(client.request(vec![number])).await.unwrap());
    }
    expect_up(&mut host, 0, wallet).await;
    let mut asked = Vec::new();
    for _ in 0..16 {
        asked.push(next_request(&mut host).await.2);
    }
    asked.sort();
    assert_eq!(
        asked,
        (0..16).map(|number| vec![number]).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn requests_that_together_hold_too_much_are_turned_away_and_the_session_goes_on() {
    let [host, wallet] = keys();
    let mut settings = config(&[]);
    // Raised to what one largest request needs.
    settings.limits.wallet_inbound_bytes = 0;
    let mut host = serve(host, settings);
    let client = connect(&host, wallet).await.unwrap();
    let large = vec![7; WALLET_REQUEST_BYTES_MAX];
    let _first = soon(client.request(large.clone())).await.unwrap();
    until(|| host.endpoint.stats().wallet.frames_in == 1).await;
    // Nobody has taken the first one yet.
    let mut second = soon(client.request(large.clone())).await.unwrap();
    let reason = CloseReason::Busy;
    assert_eq!(
        soon(second.next()).await,
        Some(Err(Error::Closed { reason }))
    );
    assert_eq!(host.endpoint.stats().requests_refused, 1);
    expect_up(&mut host, 0, wallet).await;
    assert_eq!(next_request(&mut host).await.2, large);
    let _third = soon(client.request(large.clone())).await.unwrap();
    assert_eq!(next_request(&mut host).await.2, large);
}

#[tokio::test]
async fn a_host_that_closes_ends_its_sessions_with_its_reason() {
    let [host, wallet] = keys();
    let mut host = serve(host, config(&[]));
    let client = connect(&host, wallet).await.unwrap();
    expect_up(&mut host, 0, wallet).await;
    let mut replies = soon(client.request(&b"follow"[..])).await.unwrap();
    next_request(&mut host).await;
    soon(host.endpoint.close()).await;
    let reason = CloseReason::Stopping;
    assert_eq!(soon(client.closed()).await, Error::Closed { reason });
    assert_eq!(
        soon(replies.next()).await,
        Some(Err(Error::Closed { reason }))
    );
    assert_eq!(soon(replies.next()).await, None);
    soon(async { while host.wallets.recv().await.is_some() {} }).await;
}
