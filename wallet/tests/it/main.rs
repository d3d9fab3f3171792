//! A wallet against peers over the real transport: what it has, what it pays, whom it refuses.
#![allow(clippy::unwrap_used, reason = "a failure in a test should be loud")]

mod cli;
mod host;
mod names;
mod notary;
mod trust;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use host::{Host, Manner};
use ledger::Outcome;
use ledger::subject::Subject;
use primitives::units::{Amount, Height, Time};
use primus_wallet::error::Error;
use primus_wallet::{Home, HostAddress, Options, Payment, Settings, Wallet};
use wallet_proto::Trust;
use wallet_proto::proof_file::{self, Claim, Statement};
use wallet_proto::reply::Stage;
use wallet_proto::test_chain::{TestChain, genesis, public};
use zeroize::Zeroizing;

const OWNER: u8 = 50;
const LIMIT: Duration = Duration::from_secs(60);

/// A chain of two empty blocks, on which the owner has 100 and 50.
fn chain() -> Arc<Mutex<TestChain>> {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    chain.settle(&[]);
    chain.settle(&[]);
    Arc::new(Mutex::new(chain))
}

/// The home of a key on `chain` with these hosts.
fn home(folder: &Path, seed: u8, chain: &Mutex<TestChain>, hosts: Vec<HostAddress>) -> Options {
    let path = folder.join(format!("wallet{seed}"));
    let file = folder.join("genesis.bin");
    let bytes = primitives::codec::encode(&chain.lock().unwrap().genesis);
    std::fs::write(&file, bytes.unwrap()).unwrap();
    let settings = Settings {
        genesis: Some(file),
        hosts,
        ..Settings::default()
    };
    Wallet::create(
        &Home::new(path.clone()),
        &Zeroizing::new([seed; 32]),
        &settings,
    )
    .unwrap();
    Options {
        clock: || Time::new(5_000),
        ..Options::new(path, LIMIT)
    }
}

/// Only takes what another thread may go on with, as bots in their tasks need.
fn movable<T: Send>(future: T) -> T {
    future
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_payment_is_seen_settled_and_proven_and_both_sides_see_it() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(21, chain(), Manner::Honest);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let before = wallet.balance().await.unwrap();
        assert_eq!((before.proven, before.coins), (Amount::new(150), 2));
        assert_eq!(before.as_of.height(), Height::new(2));

        let mut stages = Vec::new();
        let mut on_stage = |stage: &Stage, _| stages.push(stage.clone());
        let payment = Payment::new(public(51), Amount::new(120));
        let paying = movable(wallet.pay(&payment, LIMIT, &mut on_stage));
        let paid = paying.await.unwrap();
        let height = Height::new(3);
        let expected = [
            Stage::Seen,
            Stage::Endorsed,
            Stage::Official,
            Stage::Final {
                height,
                index: 0,
                outcome: Outcome::Applied,
            },
            Stage::Proven { height },
        ];
        assert_eq!(stages, expected);
        let after = wallet.balance().await.unwrap();
        assert_eq!(after.proven, Amount::new(29));
        assert!(after.pending.is_empty(), "{:?}", after.pending);
        assert_eq!(wallet.head().height, height);

        let options = home(folder.path(), 51, &host.chain, vec![host.address()]);
        let mut other = Wallet::open(&options).unwrap();
        assert_eq!(other.balance().await.unwrap().proven, Amount::new(120));

        let trust = Trust::new(&host.chain.lock().unwrap().genesis).unwrap();
        let statement = proof_file::verify(&paid.proof, &trust).unwrap();
        let Statement::Transaction(settled) = &statement else {
            panic!("{statement}")
        };
        assert!(settled.outcome.is_applied());
        // Fees belong to the payout key of the event's creator, by a pseudo transaction.
        let options = home(folder.path(), 31, &host.chain, vec![host.address()]);
        let mut payout = Wallet::open(&options).unwrap();
        assert_eq!(payout.balance().await.unwrap().proven, Amount::new(1));
    });
}

#[test]
fn one_certificate_is_loaded_however_many_answers_stand_under_its_block() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(21, chain(), Manner::Honest);
        let sent = || host.certificates.load(std::sync::atomic::Ordering::Relaxed);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let balance = wallet.balance().await.unwrap();
        assert_eq!((balance.coins, sent()), (2, 1));
        // The payment is in a newer block, which everything after it stands under.
        let payment = Payment::new(public(51), Amount::new(20));
        let paid = wallet.pay(&payment, LIMIT, &mut |_, _| ()).await;
        assert!(paid.unwrap().settled.outcome.is_applied());
        wallet.balance().await.unwrap();
        assert_eq!((wallet.book().lines().len(), sent()), (2, 2));
        // Transactions stay with the hosts, which cannot withhold one.
        let files = std::fs::read_dir(&options.home).unwrap();
        let stored: u64 = files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        assert!(stored < 1_000, "{stored}");
        // What leaves the wallet is whole all the same.
        let key = *wallet.key();
        let file = wallet
            .proof(Claim::History {
                of: Subject::Key(key),
            })
            .await
            .unwrap();
        let trust = Trust::new(&host.chain.lock().unwrap().genesis).unwrap();
        proof_file::verify(&file, &trust).unwrap();
        assert_eq!(sent(), 2);
    });
}

#[test]
fn more_than_the_proven_coin_cannot_be_paid() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(21, chain(), Manner::Honest);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let payment = Payment::new(public(51), Amount::new(150));
        let refused = wallet.prepare(&payment).await.unwrap_err();
        let wanted = Amount::new(151);
        assert!(matches!(refused, Error::Insufficient { wanted: found, .. } if found == wanted));
        assert_eq!(refused.exit_code(), 6);
    });
}

#[test]
fn a_payment_that_lost_names_the_winner() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(21, chain(), Manner::Honest);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let payment = Payment::new(public(51), Amount::new(20));
        let prepared = wallet.prepare(&payment).await.unwrap();
        // The same coin is spent elsewhere, behind the wallet's back.
        let winner = {
            let mut chain = host.chain.lock().unwrap();
            let coins = chain.coins(OWNER);
            let winner = chain.payment(OWNER, &coins, public(60), 7);
            chain.settle(std::slice::from_ref(&winner));
            chain.id(&winner)
        };
        let rejected = wallet
            .send(&prepared, LIMIT, &mut |_, _| {})
            .await
            .unwrap_err();
        assert_eq!(rejected.exit_code(), 6);
        assert!(
            rejected.to_string().contains(&winner.to_string()),
            "{rejected}"
        );
        let after = wallet.balance().await.unwrap();
        assert_eq!(after.proven, Amount::new(142));
        assert!(after.pending.is_empty());
    });
}

#[test]
fn a_payment_dropped_by_one_host_goes_through_another() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let chain = chain();
        let drops = Host::start(21, Arc::clone(&chain), Manner::Drops);
        let honest = Host::start(22, Arc::clone(&chain), Manner::Honest);
        let hosts = vec![drops.address(), honest.address()];
        let options = home(folder.path(), OWNER, &chain, hosts);
        let mut wallet = Wallet::open(&options).unwrap();
        let payment = Payment::new(public(51), Amount::new(20));
        let paid = wallet.pay(&payment, LIMIT, &mut |_, _| {}).await.unwrap();
        assert_eq!(paid.settled.header.height, Height::new(3));
    });
}

#[test]
fn a_pending_payment_stands_apart_and_is_resubmitted() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let chain = chain();
        let drops = Host::start(21, Arc::clone(&chain), Manner::Drops);
        let options = home(folder.path(), OWNER, &chain, vec![drops.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let payment = Payment::new(public(51), Amount::new(20));
        let prepared = wallet.prepare(&payment).await.unwrap();
        assert_eq!(
            (prepared.fee, prepared.remains),
            (Amount::new(1), Amount::new(129))
        );
        let balance = wallet.balance().await.unwrap();
        assert_eq!(
            (balance.proven, balance.free),
            (Amount::new(150), Amount::new(50))
        );
        assert_eq!(balance.pending[0].id, prepared.id);
        assert_eq!(balance.pending[0].returns, Amount::new(79));

        // Another process of the same home, with another host, carries it on.
        let honest = Host::start(22, Arc::clone(&chain), Manner::Honest);
        let settings = Settings {
            hosts: vec![honest.address()],
            ..Settings::default()
        };
        Wallet::configure(&Home::new(options.home.clone()), &settings).unwrap();
        let mut wallet = Wallet::open(&options).unwrap();
        wallet.balance().await.unwrap();
        let balance = wallet.balance().await.unwrap();
        assert_eq!(
            (balance.proven, balance.pending.len()),
            (Amount::new(129), 0)
        );
    });
}

#[test]
fn a_lying_host_is_refused_with_the_failing_part_and_another_one_asked() {
    let cases = [
        (Manner::OtherStateRoot, "certificate: not all of the 4"),
        (Manner::BelowQuorum, "certificate: stake"),
        (Manner::WrongSignature, "certificate: not all of the 4"),
        (Manner::LeavesOut, "certificate: "),
        (Manner::MissingEntry, "history: "),
    ];
    for (manner, part) in cases {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let chain = chain();
            let liar = Host::start(21, Arc::clone(&chain), manner);
            let options = home(folder.path(), OWNER, &chain, vec![liar.address()]);
            let mut wallet = Wallet::open(&options).unwrap();
            let refused = wallet.balance().await.unwrap_err();
            assert_eq!(refused.exit_code(), 3, "{manner:?}");
            let Error::Unproven { host, source } = refused else {
                panic!("{manner:?}: {refused}")
            };
            assert_eq!(host, public(21));
            assert!(source.to_string().starts_with(part), "{manner:?}: {source}");

            let honest = Host::start(22, Arc::clone(&chain), Manner::Honest);
            let settings = Settings {
                hosts: vec![liar.address(), honest.address()],
                ..Settings::default()
            };
            Wallet::configure(&Home::new(options.home.clone()), &settings).unwrap();
            let mut wallet = Wallet::open(&options).unwrap();
            let balance = wallet.balance().await.unwrap();
            assert_eq!(balance.proven, Amount::new(150), "{manner:?}");
        });
    }
}

#[test]
fn a_host_of_another_chain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let chain = chain();
        let mut other = TestChain::new(genesis(OWNER, &[1_000]));
        other.settle(&[]);
        let other = Arc::new(Mutex::new(other));
        let id = *chain.lock().unwrap().ledger.chain();
        // It even claims to be of the right chain in the handshake.
        let liar = Host::start_as(21, Arc::clone(&other), Manner::Honest, id);
        let options = home(folder.path(), OWNER, &chain, vec![liar.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let refused = wallet.balance().await.unwrap_err();
        let Error::Unproven { source, .. } = refused else {
            panic!("{refused}")
        };
        // The signatures are made over the other chain's id.
        assert!(
            source.to_string().starts_with("certificate: not all of"),
            "{source}"
        );

        let elsewhere = Host::start(21, other, Manner::Honest);
        let settings = Settings {
            hosts: vec![elsewhere.address()],
            ..Settings::default()
        };
        Wallet::configure(&Home::new(options.home.clone()), &settings).unwrap();
        let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
        assert_eq!(refused.exit_code(), 4, "{refused}");
    });
}

#[test]
fn the_trusted_head_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(21, chain(), Manner::Honest);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        wallet.balance().await.unwrap();
        let head = *wallet.head();
        let home = Home::new(options.home.clone());
        let older = primus_wallet::home::Head {
            height: Height::new(1),
            ..head
        };
        home.advance_head(older).unwrap();
        assert_eq!(home.head().unwrap(), Some(head));
    });
}

#[test]
fn a_wallet_follows_committees_and_its_proofs_carry_the_handovers() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let chain = chain();
        while chain.lock().unwrap().ledger.height() < Height::new(9) {
            chain.lock().unwrap().settle(&[]);
        }
        let host = Host::start(21, chain, Manner::Honest);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let payment = Payment::new(public(51), Amount::new(20));
        let paid = wallet.pay(&payment, LIMIT, &mut |_, _| {}).await.unwrap();
        let trust = Trust::new(&host.chain.lock().unwrap().genesis).unwrap();
        proof_file::verify(&paid.proof, &trust).unwrap();
        let mut reopened = Wallet::open(&options).unwrap();
        let key = public(51);
        let proof = reopened
            .proof(Claim::History {
                of: Subject::Key(key),
            })
            .await
            .unwrap();
        let statement = proof_file::verify(&proof, &trust).unwrap().to_string();
        assert!(
            statement.contains("these are all 1 transactions"),
            "{statement}"
        );
    });
}
