//! One peer in four that says whatever it likes, and wallets that ask whatever they like.

use dag::gossip::{Cursor, Head, Message};
use ledger::subject::Subject;
use ledger::tx::Outpoint;
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq};
use primus_replica::Input;
use primus_replica::replica::Standing;
use wallet_proto::reply::{Reply, Stage};
use wallet_proto::request::{Page, Report, Request};

use crate::network::{Network, index, secret};
use crate::{EQUAL, assert_agreement, data, stages};

const LIAR: usize = 3;

fn id(number: u64) -> Digest {
    let mut id = [7; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Digest(id)
}

/// A frontier with a made-up head of `creator`.
fn frontier(creator: usize, round: Round, number: u64) -> Message {
    let head = Head {
        creator: index(creator),
        seq: Seq::new(99),
        round,
        id: id(number),
    };
    Message::Frontier {
        epoch: Epoch::ZERO,
        height: Height::MAX,
        floor: Round::ZERO,
        heads: List::new(vec![head]).unwrap(),
    }
}

fn settles(network: &mut Network, peer: usize, session: u64) {
    network.submit(peer, session, vec![data(session)]);
    network.run_until(20_000, "a transaction is proven", |network| {
        matches!(stages(network, session).last(), Some(Stage::Proven { .. }))
    });
}

#[test]
fn a_lie_about_ones_own_newest_event_delays_but_does_not_silence() {
    let mut network = Network::start(21, &EQUAL, &[]);
    network.run(1_000);
    network.kill(0);
    network.run(100);
    network.boot(0);
    assert!(network.inject(LIAR, 0, &frontier(0, Round::new(2), 1)));
    network.run(3_000);
    // The claimed event may still come.
    assert!(matches!(network.peer(0).standing(), Standing::Asking(_)));
    for number in 2..6 {
        network.inject(LIAR, 0, &frontier(0, Round::new(2), number));
        network.run(1_000);
    }
    assert_eq!(*network.peer(0).standing(), Standing::Active);
    network.inject(LIAR, 0, &frontier(0, Round::new(2), 9));
    network.run(1_000);
    assert_eq!(*network.peer(0).standing(), Standing::Active);
    settles(&mut network, 0, 50);
}

#[test]
fn a_peer_on_an_old_copy_of_its_disk_and_its_guard_is_silent_for_good() {
    let mut network = Network::start(22, &EQUAL, &[]);
    network.run(1_000);
    let old = network.disk(0);
    settles(&mut network, 0, 60);
    network.kill(0);
    network.replace_disk(0, old);
    for _ in 0..2 {
        network.set_guard(0, None);
        network.boot(0);
        network.run(10_000);
        network.submit(0, 61, vec![data(61)]);
        network.run(2_000);
        assert_eq!(*network.peer(0).standing(), Standing::Quarantined);
        assert_eq!(network.peer(0).stats().events_created, 0);
        network.kill(0);
    }
    settles(&mut network, 1, 62);
}

#[test]
fn a_peer_that_knows_what_it_signed_takes_it_back_and_goes_on_from_an_old_copy_or_none() {
    for keep_copy in [true, false] {
        let mut network = Network::start(22, &EQUAL, &[]);
        network.run(1_000);
        let old = network.disk(0);
        settles(&mut network, 0, 60);
        let signed = network.peer(0).watermark().unwrap();
        network.kill(0);
        network.wipe(0);
        if keep_copy {
            network.replace_disk(0, old);
        }
        network.boot(0);
        assert_eq!(network.peer(0).watermark(), Some(signed));
        assert_eq!(network.peer(0).stats().events_created, 0);
        settles(&mut network, 0, 61);
        assert_eq!(*network.peer(0).standing(), Standing::Active);
        assert!(network.peer(0).watermark() > Some(signed));
        assert!(
            network
                .running()
                .all(|peer| peer.stats().equivocations == 0)
        );
    }
}

#[test]
fn an_own_event_beyond_what_is_known_to_be_signed_silences_for_good() {
    let mut network = Network::start(22, &EQUAL, &[]);
    network.run(1_000);
    settles(&mut network, 0, 60);
    let (old, signed) = (network.disk(0), network.peer(0).watermark());
    settles(&mut network, 0, 61);
    network.kill(0);
    network.replace_disk(0, old);
    network.set_guard(0, signed);
    network.boot(0);
    network.run(10_000);
    assert_eq!(*network.peer(0).standing(), Standing::Quarantined);
    assert_eq!(network.peer(0).stats().events_created, 0);
    settles(&mut network, 1, 62);
}

#[test]
fn no_message_stops_a_peer_or_keeps_it_from_settling() {
    let mut network = Network::start(23, &EQUAL, &[]);
    network.run(1_000);
    let cursor = |round, admission| Cursor {
        round: Round::new(round),
        admission,
    };
    let follow = |epoch, from| Message::Follow {
        epoch: Epoch::new(epoch),
        from,
    };
    let followed = |next| Message::Followed {
        epoch: Epoch::ZERO,
        events: List::empty(),
        next,
    };
    for round in 0..200 {
        for message in [
            follow(u64::MAX, cursor(0, 0)),
            follow(0, cursor(u64::MAX, u64::MAX)),
            follow(0, cursor(0, 0)),
            followed(Some(cursor(u64::MAX, u64::MAX))),
            followed(Some(cursor(0, round))),
            followed(None),
            Message::Want(List::new((0..1_024).map(id).collect()).unwrap()),
            Message::Events(List::empty()),
            frontier(1, Round::MAX, round),
            frontier(0, Round::new(1), round + 1_000),
        ] {
            network.inject(LIAR, 0, &message);
        }
        network.run(10);
    }
    settles(&mut network, 0, 70);
    network.run(2_000);
    assert_agreement(&network, &[0, 1, 2, 3]);
}

#[test]
fn every_odd_question_of_a_wallet_is_answered_or_refused() {
    let mut network = Network::start(24, &EQUAL, &[(secret(1).public(), 500)]);
    network.run(1_000);
    settles(&mut network, 0, 80);
    let known = network.genesis.outputs[0].owner;
    let mut requests = vec![Request::Head];
    for key in [
        known,
        secret(1).public(),
        PublicKey([0; 32]),
        PublicKey([255; 32]),
    ] {
        let mut pages = vec![Page::All];
        for count in [0, 1, u32::MAX] {
            pages.push(Page::Newest { count });
            for index in [0, 1, 2, u64::MAX] {
                pages.push(Page::From { index, count });
            }
        }
        requests.extend(pages.into_iter().map(|page| Request::History {
            of: Subject::Key(key),
            page,
        }));
    }
    for number in [0, 1, 2, u64::MAX] {
        let height = Height::new(number);
        requests.push(Request::Block { height });
        requests.push(Request::Consistency { old: height });
        let epoch = Epoch::new(number);
        requests.push(Request::Committee { epoch });
        let transaction = id(number);
        requests.push(Request::Transaction { id: transaction });
        for index in [0, u32::MAX] {
            let outpoint = Outpoint { transaction, index };
            requests.push(Request::Output { outpoint });
        }
    }
    let ids = || List::new(vec![]).unwrap();
    for report in [Report::All, Report::Final, Report::None] {
        requests.push(Request::Track { ids: ids(), report });
    }
    for (session, request) in (1_000..).zip(requests) {
        let text = format!("{request:?}");
        network.request(0, session, request);
        network.run(10);
        let told = network
            .replies
            .iter()
            .any(|(_, ticket, _)| ticket.session == session);
        let waits = || network.peer(0).holds_answers();
        assert!(told || waits(), "{text}");
    }
    network.run(6_000);
    let answered = |(_, _, reply): &&(usize, _, Reply)| !matches!(reply, Reply::Progress(_));
    assert!(network.replies.iter().filter(answered).count() > 60);
    settles(&mut network, 0, 81);
}

#[test]
fn a_transaction_that_others_repeat_is_told_applied_and_never_rejected() {
    let mut network = Network::start(25, &EQUAL, &[]);
    network.run(1_000);
    for (session, peer) in [(90, 0), (91, 1), (92, 2)] {
        network.submit(peer, session, vec![data(5)]);
    }
    network.run(10_000);
    for session in 90..93 {
        let told = stages(&network, session);
        let finals = told
            .iter()
            .filter(|stage| matches!(stage, Stage::Final { .. }));
        let finals: Vec<_> = finals.collect();
        assert_eq!(finals.len(), 1, "session {session}: {told:?}");
        assert!(
            matches!(told.last(), Some(Stage::Proven { .. })),
            "{told:?}"
        );
    }
    assert_eq!(Some(PeerIndex(0)), network.peer(0).own());
}

#[test]
fn a_transaction_handed_in_again_after_it_is_applied_is_told_where_and_not_ordered_again() {
    let mut network = Network::start(26, &EQUAL, &[]);
    network.run(1_000);
    network.submit(0, 90, vec![data(5)]);
    network.run(5_000);
    let applied = |network: &Network| network.peer(1).stats().transactions_applied;
    let rejected = |network: &Network| network.peer(1).stats().transactions_rejected;
    assert_eq!((applied(&network), rejected(&network)), (1, 0));
    let told = |network: &Network, session| {
        let told = stages(network, session).into_iter();
        told.filter(|stage| matches!(stage, Stage::Final { .. } | Stage::Proven { .. }))
            .collect::<Vec<_>>()
    };
    let first = told(&network, 90);
    assert_eq!(first.len(), 2, "{first:?}");
    for (session, peer) in [(91, 0), (92, 1)] {
        network.submit(peer, session, vec![data(5)]);
        network.run(1);
        assert_eq!(told(&network, session), first);
    }
    network.run(5_000);
    assert_eq!((applied(&network), rejected(&network)), (1, 0));
}

#[test]
fn members_delays_shorten_the_wait_for_roots_and_nobody_elses_count() {
    let mut network = Network::start(25, &EQUAL, &[]);
    let wait_ms = |network: &Network| network.peer(0).wait_ms().unwrap();
    let (longest, delay) = (wait_ms(&network), |from, one_way_ms| Input::Delay {
        from,
        one_way_ms,
    });
    network.input(0, delay(secret(1).public(), 5));
    assert_eq!(wait_ms(&network), longest);
    let member = network.key(1);
    network.input(0, delay(member, 5));
    assert!(wait_ms(&network) < longest);
    // A member that claims to be far makes others wait no longer than the chain allows.
    network.input(0, delay(member, u64::MAX));
    assert_eq!(wait_ms(&network), longest);
}
