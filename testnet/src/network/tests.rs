use node::config::{Overrides, load};
use primitives::units::Stake;

use super::*;
use crate::purse::Purse;
use crate::replay::plan::Plan as Replay;
use crate::replay::shape::bundled_block;

#[test]
fn a_network_has_equal_stakes_funded_wallets_and_whole_homes() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, network) = make(folder.path(), &[]);
    network.genesis.check().unwrap();
    let stakes = network.genesis.stake().unwrap();
    assert_eq!(stakes.len(), 4);
    let wanted = Stake::from(STAKE);
    assert!(stakes.values().all(|stake| *stake == wanted));
    for (name, coins, _) in WALLETS {
        let purse = Purse::of_genesis(name, &network.genesis).unwrap();
        assert_eq!(purse.count(), coins, "{name}");
    }
    for (run, host) in cluster.peers().iter().zip(&network.hosts) {
        let config = load(&run.home, &Overrides::default()).unwrap();
        assert_eq!((config.listen, config.http), (run.address, run.http));
        assert_eq!(
            home::read_genesis(&config.genesis).unwrap(),
            network.genesis
        );
        let addresses = Peers::read(&config.peers).unwrap();
        let addresses = addresses.resolve(&config.peers, &network.genesis).unwrap();
        let own = addresses.iter().find(|one| one.key == host.key).unwrap();
        assert_eq!((own.address, addresses.len()), (run.address, 4));
    }
}

#[test]
fn another_invocation_finds_the_same_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, network) = make(folder.path(), &[]);
    let opened = Network::open(cluster.folder(), cluster.peers()).unwrap();
    assert_eq!(opened.hosts, network.hosts);
    assert_eq!(opened.chain, network.chain);
    let mut runs = cluster.peers().to_vec();
    runs[2].name = "nobody".into();
    let refused = Network::open(cluster.folder(), &runs);
    assert!(matches!(refused, Err(Error::Stranger { .. })));
}

#[test]
fn a_replay_can_be_signed_on_a_network_that_was_funded_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let replay = Replay::new(bundled_block()).unwrap();
    let (_cluster, network) = make(folder.path(), replay.funding());
    let payments = replay.sign(&network.genesis).unwrap();
    assert_eq!(payments.len(), 2_499);
}

fn make(folder: &Path, funding: &[Output]) -> (Cluster, Network) {
    create(&Setup {
        folder: &folder.join("net"),
        program: Path::new("/bin/false"),
        stakes: &equal_stakes(4, 0),
        epochs: Epochs::default(),
        store: Kind::Redb,
        funding,
        stay: Stay::Attached,
    })
    .unwrap()
}
