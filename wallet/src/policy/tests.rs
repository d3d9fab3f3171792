use wallet_proto::test_chain::{TestChain, genesis};

use super::*;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_policy_names_its_start_and_how_much_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = TestChain::new(genesis(50, &[100]));
    chain.settle(&[]);
    let bytes = primitives::codec::encode(&chain.genesis).unwrap();
    std::fs::write(folder.path().join("genesis.bin"), bytes).unwrap();
    let id = chain.ledger.chain();

    let text = format!("chain = \"{id}\"\ngenesis = \"genesis.bin\"\nsigners_percent_min = 80\n");
    let policy = Policy::read(&write(folder.path(), "a.toml", &text)).unwrap();
    assert_eq!(policy.head.height, Height::ZERO);
    assert_eq!(
        (policy.trust_period_ms, policy.hosts_min),
        (TRUST_PERIOD_MS, 2)
    );
    // Two of four hold 7 of 13, three hold 9 or 10: below 80 %.
    let header = *chain.ledger.header();
    assert!(
        policy
            .trust
            .certify(&chain.certify(header, &[0, 1, 2]))
            .is_err()
    );
    assert!(
        policy
            .trust
            .certify(&chain.certify(header, &[0, 1, 2, 3]))
            .is_ok()
    );

    for (wrong, words) in [
        (format!("chain = \"{id}\"\n"), "a genesis or a checkpoint"),
        (text.replace("80", "101"), "above 100"),
        (text.replace("signers", "singers"), "unknown field"),
        (text.replace(&id.to_string(), &"00".repeat(32)), "chain"),
    ] {
        let refused = Policy::read(&write(folder.path(), "b.toml", &wrong)).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

#[test]
fn a_written_checkpoint_is_read_back_and_certifies_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = TestChain::new(genesis(50, &[100]));
    while chain.ledger.height() < Height::new(6) {
        chain.settle(&[]);
    }
    let mut trust = Trust::new(&chain.genesis).unwrap();
    let handovers = chain.handovers(Epoch::ZERO, Epoch::new(1));
    trust.follow_all(&handovers).unwrap();
    let certified = trust.certify(chain.snapshots.last().unwrap()).unwrap();
    let head = Head {
        height: certified.height(),
        root: *certified.root(),
        time: certified.header().time,
    };
    let path = folder.path().join("policy.toml");
    let text = Policy::checkpoint(&trust, &head, &path).unwrap();
    std::fs::write(&path, text).unwrap();
    let policy = Policy::read(&path).unwrap();
    assert_eq!(policy.head, head);
    assert_eq!(policy.trust.members(), trust.members());
    chain.settle(&[]);
    assert!(
        policy
            .trust
            .certify(chain.snapshots.last().unwrap())
            .is_ok()
    );
    assert!(policy.trust.certify(&chain.snapshots[5]).is_err());
}
