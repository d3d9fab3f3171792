//! A head older than the trust period is followed only where several hosts lead (checklist 24, 25).

use std::sync::{Arc, Mutex};

use primitives::units::{Epoch, Height, Time};
use primus_wallet::error::Error;
use primus_wallet::home::Head;
use primus_wallet::{Home, Options, Policy, Settings, Wallet};
use wallet_proto::test_chain::{TestChain, genesis_of_eight, public};
use wallet_proto::trust::TRUST_PERIOD_MS;

use crate::host::{Host, Manner};
use crate::{OWNER, home, runtime};

/// A chain to `epoch`; the forged one pays the owner's coin away in block 2, which a quorum of the
/// first committee signs as readily.
fn chain(epoch: u64, forged: bool) -> Arc<Mutex<TestChain>> {
    let mut chain = TestChain::new(genesis_of_eight(OWNER, &[100, 50]));
    chain.settle(&[]);
    if forged {
        let coins = chain.coins(OWNER);
        let theft = chain.payment(OWNER, &coins, public(66), 149);
        chain.settle(&[theft]);
    }
    chain.settle(&[]);
    while chain.ledger.height() < Height::new(3) {
        chain.settle(&[]);
    }
    chain.turn_over(Epoch::new(epoch));
    Arc::new(Mutex::new(chain))
}

/// A clock by which every block of the tests is older than the trust period.
fn late() -> Time {
    Time::new(TRUST_PERIOD_MS * 2)
}

/// The owner's wallet, which has followed `chain` to block 1 long ago.
fn old_wallet(folder: &std::path::Path, chain: &Arc<Mutex<TestChain>>, hosts: &[&Host]) -> Options {
    let hosts = hosts.iter().map(|host| host.address()).collect();
    let options = home(folder, OWNER, chain, hosts);
    let header = chain.lock().unwrap().snapshots[1].header;
    let head = Head {
        height: header.height,
        root: header.root().unwrap(),
        time: header.time,
    };
    Home::new(options.home.clone()).advance_head(head).unwrap();
    Options {
        clock: late,
        ..options
    }
}

#[test]
fn an_old_head_needs_two_hosts_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let chain = chain(5, false);
        let first = Host::start(21, Arc::clone(&chain), Manner::Honest);
        let second = Host::start(22, Arc::clone(&chain), Manner::Honest);
        let options = old_wallet(folder.path(), &chain, &[&first]);
        let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
        assert!(
            matches!(
                refused,
                Error::Stale {
                    heard: 1,
                    due: 2,
                    ..
                }
            ),
            "{refused}"
        );
        assert!(refused.advice().contains("checkpoint"));
        assert_eq!(refused.exit_code(), 6);
        // Twice the same host is no second one.
        let hosts = vec![first.address(), first.address()];
        let settings = Settings {
            hosts,
            ..Settings::default()
        };
        let home = Home::new(options.home.clone());
        Wallet::configure(&home, &settings).unwrap();
        let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
        assert!(
            matches!(refused, Error::Stale { heard: 1, .. }),
            "{refused}"
        );

        let settings = Settings {
            hosts: vec![first.address(), second.address()],
            ..Settings::default()
        };
        Wallet::configure(&home, &settings).unwrap();
        let mut wallet = Wallet::open(&options).unwrap();
        let balance = wallet.balance().await.unwrap();
        assert_eq!(balance.as_of.header().epoch, Epoch::new(5));
        assert_eq!(balance.proven.get(), 150);
    });
}

#[test]
fn a_chain_forged_by_keys_that_left_two_epochs_ago_is_refused_however_well_it_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (honest, forged) = (chain(5, false), chain(5, true));
        let liar = Host::start(21, forged, Manner::Honest);
        let host = Host::start(22, Arc::clone(&honest), Manner::Honest);
        // Alone the liar proves everything from the old head on, but one host does not do.
        let options = old_wallet(folder.path(), &honest, &[&liar]);
        let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
        assert!(matches!(refused, Error::Stale { .. }), "{refused}");
        let home = Home::new(options.home.clone());
        let head = home.head().unwrap().unwrap();
        assert_eq!(head.height, Height::new(1), "nothing was believed");
        assert!(home.handovers().unwrap().is_empty());

        for hosts in [[&liar, &host], [&host, &liar]] {
            let settings = Settings {
                hosts: hosts.iter().map(|host| host.address()).collect(),
                ..Settings::default()
            };
            Wallet::configure(&home, &settings).unwrap();
            let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
            assert!(matches!(refused, Error::HostsDisagree { .. }), "{refused}");
            assert_eq!(refused.exit_code(), 10);
            assert_eq!(home.head().unwrap().unwrap(), head);
        }
    });
}

#[test]
fn a_checkpoint_takes_an_old_wallet_over_through_one_host() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let honest = chain(5, false);
        let host = Host::start(22, Arc::clone(&honest), Manner::Honest);
        // Somebody trustworthy, whose wallet is up to date, writes a policy.
        let theirs = home(folder.path(), 51, &honest, vec![host.address()]);
        let path = folder.path().join("policy.toml");
        let text = Wallet::open(&theirs)
            .unwrap()
            .checkpoint(&path)
            .await
            .unwrap();
        // The test chain is of 1970, so its age is forgiven.
        let text = text.replace("trust_period_hours = 168", "trust_period_hours = 1000");
        std::fs::write(&path, text).unwrap();

        let options = old_wallet(folder.path(), &honest, &[&host]);
        let settings = Settings {
            policy: Some(path.clone()),
            ..Settings::default()
        };
        Wallet::configure(&Home::new(options.home.clone()), &settings).unwrap();
        let mut wallet = Wallet::open(&options).unwrap();
        let start = Policy::read(&path).unwrap().head;
        assert_eq!(wallet.head(), &start);
        let balance = wallet.balance().await.unwrap();
        assert_eq!(balance.proven.get(), 150);

        // Through a liar it leads nowhere.
        let liar = Host::start(21, chain(5, true), Manner::Honest);
        let settings = Settings {
            hosts: vec![liar.address()],
            ..Settings::default()
        };
        Wallet::configure(&Home::new(options.home.clone()), &settings).unwrap();
        let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
        assert!(matches!(refused, Error::Unproven { .. }), "{refused}");
    });
}

#[test]
fn a_first_contact_through_two_hosts_notices_two_chains() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (honest, forged) = (chain(0, false), chain(0, true));
        let hosts = [
            Host::start(21, forged, Manner::Honest),
            Host::start(22, Arc::clone(&honest), Manner::Honest),
        ];
        let options = home(
            folder.path(),
            OWNER,
            &honest,
            hosts.iter().map(Host::address).collect(),
        );
        let options = Options {
            clock: late,
            ..options
        };
        let refused = Wallet::open(&options).unwrap().balance().await.unwrap_err();
        assert!(matches!(refused, Error::HostsDisagree { .. }), "{refused}");
    });
}
