//! Whole replicas against one another, in virtual time and with real signatures.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod epochs;
mod evidence;
mod liars;
mod network;
mod partitions;
mod pruned;
mod restarts;

use ledger::Outcome;
use ledger::subject::Subject;
use ledger::tx::draft::{Coin, TransferDraft};
use ledger::tx::{Body, Outpoint, Output, Transaction, genesis_transaction, sign};
use network::{Network, secret};
use primitives::codec;
use primitives::keys::Signer;
use primitives::units::{Amount, Height};
use wallet_proto::Trust;
use wallet_proto::certificate::Certificate;
use wallet_proto::reply::{Body as Answered, Reply, Stage};
use wallet_proto::request::{Page, Question, Request};

const EQUAL: [u64; 4] = [1_000; 4];

fn data(nonce: u64) -> Vec<u8> {
    let body = Body::data(nonce, vec![7; 100]).unwrap();
    let transaction = Transaction {
        body,
        witnesses: codec::List::empty(),
    };
    codec::encode(&transaction).unwrap()
}

/// Spends the one genesis output of wallet `from` for `to`.
fn payment(network: &Network, from: u64, to: u64) -> Vec<u8> {
    let (key, to) = (secret(from), secret(to).public());
    let outputs = network.genesis.outputs.iter();
    let (index, output) = (0..)
        .zip(outputs)
        .find(|(_, output)| output.owner == key.public())
        .unwrap();
    let transaction = genesis_transaction(&network.chain);
    let coin = Coin {
        outpoint: Outpoint { transaction, index },
        output: *output,
    };
    let paid = Output::new(to, output.amount.minus(Amount::new(1)).unwrap());
    let draft = TransferDraft {
        inputs: vec![coin],
        outputs: vec![paid],
        ..TransferDraft::default()
    };
    let signed = sign(draft.body().unwrap(), &[&key], &network.chain).unwrap();
    codec::encode(&signed).unwrap()
}

/// Every stage told for position 0 of a session's submission.
fn stages(network: &Network, session: u64) -> Vec<Stage> {
    let replies = network
        .replies
        .iter()
        .filter(|(_, ticket, _)| ticket.session == session);
    replies
        .filter_map(|(_, _, reply)| match reply {
            Reply::Progress(steps) => Some(steps.to_vec()),
            Reply::Error(_) | Reply::Answer(_) | Reply::Manifest(_) | Reply::Chunk(_) => None,
        })
        .flatten()
        .map(|step| step.stage)
        .collect()
}

fn assert_agreement(network: &Network, peers: &[usize]) {
    let mut longest = Vec::new();
    for peer in peers {
        let blocks = network.blocks(*peer);
        let common = blocks.len().min(longest.len());
        assert_eq!(blocks[..common], longest[..common], "peer {peer}");
        if blocks.len() > longest.len() {
            longest = blocks;
        }
    }
}

#[test]
fn a_payment_passes_every_grade_and_all_peers_agree() {
    let mut network = Network::start(1, &EQUAL, &[(secret(1).public(), 500)]);
    network.run_until(5_000, "genesis certified", |network| {
        network.running().all(|peer| peer.certified().is_some())
    });
    let payment = payment(&network, 1, 2);
    network.submit(0, 9, vec![payment]);
    network.run_until(5_000, "payment proven", |network| {
        matches!(stages(network, 9).last(), Some(Stage::Proven { .. }))
    });
    let told = stages(&network, 9);
    assert!(matches!(told[0], Stage::Seen), "{told:?}");
    assert!(
        told.contains(&Stage::Endorsed) && told.contains(&Stage::Official),
        "{told:?}"
    );
    let applied = |stage: &Stage| {
        matches!(
            stage,
            Stage::Final {
                outcome: Outcome::Applied,
                ..
            }
        )
    };
    assert!(told.iter().any(applied), "{told:?}");
    network.run(2_000);
    assert_agreement(&network, &[0, 1, 2, 3]);
    let key = secret(2).public();
    network.request(
        3,
        10,
        Request::History {
            of: Subject::Key(key),
            page: Page::All,
        },
    );
    network.run(500);
    let (_, _, reply) = network.replies.last().unwrap();
    let Reply::Answer(answer) = reply else {
        panic!("{reply:?}")
    };
    assert!(matches!(answer.body, Answered::History(_)));
    assert!(answer.snapshot.certificate.aggregate.nonces.len() >= 3);
}

#[test]
fn what_stands_under_a_block_that_the_wallet_holds_is_answered_at_once_without_certificate() {
    let mut network = Network::start(3, &EQUAL, &[(secret(1).public(), 500)]);
    network.run(1_000);
    let payment = payment(&network, 1, 2);
    network.submit(0, 9, vec![payment.clone()]);
    network.run_until(5_000, "payment proven", |network| {
        matches!(stages(network, 9).last(), Some(Stage::Proven { .. }))
    });
    let trust = Trust::new(&network.genesis).unwrap();
    let mut ask = |request: Request, held| {
        network.replies.clear();
        network.ask(0, 10, Question { held, request });
        let Some((_, _, Reply::Answer(answer))) = network.replies.pop() else {
            panic!("not answered at once")
        };
        *answer
    };
    let whole = ask(Request::Head, None).snapshot;
    trust.certify(&whole).unwrap();
    let id = *ledger::tx::check_alone(payment, trust.chain()).id();
    let held = Some(whole.header.height);
    for request in [
        Request::Transaction { id },
        Request::Record {
            of: Subject::Key(secret(2).public()),
        },
    ] {
        let answer = ask(request.clone(), held);
        assert_eq!(answer.snapshot.header, whole.header, "{request:?}");
        let bare = Certificate::empty(whole.header.epoch);
        assert_eq!(answer.snapshot.certificate, bare, "{request:?}");
        assert_ne!(ask(request.clone(), None).snapshot.certificate, bare);
        // A block that is not there yet is not held by anybody.
        let above = Some(whole.header.height.later(9));
        assert_ne!(ask(request, above).snapshot.certificate, bare);
    }
}

#[test]
fn an_idle_network_falls_silent() {
    let mut network = Network::start(2, &EQUAL, &[]);
    network.run(10_000);
    let created: Vec<u64> = network
        .running()
        .map(|peer| peer.stats().events_created)
        .collect();
    network.run(60_000);
    let later: Vec<u64> = network
        .running()
        .map(|peer| peer.stats().events_created)
        .collect();
    assert_eq!(created, later);
    assert!(created.iter().all(|count| *count <= 4), "{created:?}");
}

#[test]
fn of_two_conflicting_payments_one_is_applied_and_the_loser_learns_which() {
    for seed in 0..10 {
        let mut network = Network::start(seed, &EQUAL, &[(secret(1).public(), 500)]);
        network.run(1_000);
        let (one, other) = (payment(&network, 1, 2), payment(&network, 1, 3));
        network.submit(0, 20, vec![one]);
        network.submit(2, 21, vec![other]);
        network.run_until(20_000, "both settled", |network| {
            [20, 21].iter().all(|session| {
                matches!(stages(network, *session).last(), Some(Stage::Proven { .. }))
            })
        });
        let outcomes: Vec<Outcome> = [20, 21]
            .into_iter()
            .flat_map(|session| stages(&network, session))
            .filter_map(|stage| match stage {
                Stage::Final { outcome, .. } => Some(outcome),
                Stage::Refused { .. }
                | Stage::Seen
                | Stage::Endorsed
                | Stage::Official
                | Stage::Proven { .. } => None,
            })
            .collect();
        assert_eq!(
            outcomes
                .iter()
                .filter(|outcome| outcome.is_applied())
                .count(),
            1,
            "seed {seed}"
        );
        let named = |outcome: &&Outcome| {
            matches!(
                outcome,
                Outcome::Rejected {
                    winner: Some(_),
                    ..
                }
            )
        };
        assert_eq!(
            outcomes.iter().filter(named).count(),
            1,
            "seed {seed}: {outcomes:?}"
        );
    }
}

#[test]
fn a_killed_peer_catches_up_from_its_store_and_from_nothing() {
    for keep_store in [true, false] {
        let mut network = Network::start(3, &[1_000; 5], &[]);
        network.run(1_000);
        for nonce in 0..20 {
            network.submit(0, 100 + nonce, vec![data(nonce)]);
            network.run(200);
        }
        network.kill(4);
        for nonce in 20..120 {
            network.submit(1, 100 + nonce, vec![data(nonce)]);
            network.run(200);
        }
        assert!(
            network.peer(0).engine().height() > Height::new(60),
            "{}",
            network.summary()
        );
        if !keep_store {
            network.wipe(4);
        }
        network.boot(4);
        network.run_until(30_000, "caught up", |network| {
            network.peer(4).engine().height() == network.peer(0).engine().height()
        });
        assert_agreement(&network, &[0, 1, 2, 3, 4]);
        // Whoever knows how far it has signed goes on, with its store or without.
        network.run(2_000);
        let active = *network.peer(4).standing() == primus_replica::replica::Standing::Active;
        assert!(active, "{}", network.summary());
    }
}

#[test]
fn a_side_without_a_quorum_settles_nothing_and_both_agree_after_healing() {
    let mut network = Network::start(4, &[1_000; 7], &[]);
    network.run(1_000);
    network.partition(&[0, 1, 2]);
    let before = network.peer(0).engine().height();
    for nonce in 0..10 {
        network.submit(0, 200 + nonce, vec![data(nonce)]);
        network.submit(5, 300 + nonce, vec![data(100 + nonce)]);
        network.run(1_000);
    }
    assert_eq!(network.peer(0).engine().height(), before);
    assert_eq!(network.peer(5).engine().height(), before);
    network.heal();
    network.run_until(60_000, "everything final", |network| {
        network
            .running()
            .all(|peer| peer.stats().transactions_applied == 20)
    });
    assert_agreement(&network, &[0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_chain_of_one_peer_settles_alone() {
    let mut network = Network::start(5, &[1_000], &[]);
    network.submit(0, 1, vec![data(1)]);
    network.run_until(2_000, "proven", |network| {
        matches!(stages(network, 1).last(), Some(Stage::Proven { .. }))
    });
}

#[test]
fn one_seed_gives_one_transcript() {
    let run = |seed| {
        let mut network = Network::start(seed, &[900, 1_000, 1_100, 1_200, 50], &[]);
        for nonce in 0..30 {
            let peer = usize::try_from(nonce % 5).unwrap();
            network.submit(peer, 100 + nonce, vec![data(nonce)]);
            network.run(50);
        }
        network.run(5_000);
        network.transcript()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
