use super::*;
use crate::test_chain::{check_golden, check_text, genesis, public};

#[test]
fn the_encoding_and_the_chain_id_are_golden() {
    check_golden(&genesis(), "1511 bytes 8060e205");
    check_golden(&genesis().parameters, "58 bytes 007f94fb");
    check_text(
        &genesis().chain_id().unwrap().to_string(),
        "c6028ebf594865ea1387efbb79ad897ee08da641db8ec998b858a9c54257401a",
    );
}

#[test]
fn stake_is_the_coin_hosted_with_each_peer() {
    let genesis = genesis();
    let stakes: Vec<_> = genesis
        .stake()
        .unwrap()
        .into_values()
        .map(Stake::get)
        .collect();
    assert_eq!(stakes, [2_000, 2_000, 1_000, 1_000]);
    assert_eq!(genesis.supply(), Ok(Amount::new(16_000)));
    assert_eq!(genesis.committee().unwrap().len(), 4);
    assert_eq!(genesis.check(), Ok(()));
}

fn with_peer(change: impl Fn(&mut Vec<Peer>)) -> Genesis {
    let mut genesis = genesis();
    let mut peers = genesis.peers.to_vec();
    change(&mut peers);
    genesis.peers = List::new(peers).unwrap();
    genesis
}

fn with_output(change: impl Fn(&mut Output)) -> Genesis {
    let mut genesis = genesis();
    let mut outputs = genesis.outputs.to_vec();
    change(&mut outputs[0]);
    genesis.outputs = List::new(outputs).unwrap();
    genesis
}

fn with_parameters(change: impl Fn(&mut Parameters)) -> Genesis {
    let mut genesis = genesis();
    change(&mut genesis.parameters);
    genesis
}

#[test]
fn every_fault_of_a_genesis_is_named() {
    let invalid = PublicKey([0xff; 32]);
    let key = primitives::Error::InvalidKey {
        key: Digest(invalid.0),
    };
    let invalid_key = || Error::Primitive(key.clone());
    let good = genesis();
    let (second, third) = (good.peers[1].clone(), good.peers[2].clone());
    let (one, two) = (second.peer_key, third.peer_key);
    let overflow = primitives::Error::Overflow { unit: "amount" };
    let name = |text: &[u8]| Bytes::new(text.to_vec()).unwrap();
    let first_name = good.peers[0].name.to_ascii_uppercase();
    let cases = [
        (with_peer(|it| it.swap(1, 2)), Error::PeerOrder { key: one }),
        (
            with_peer(|it| it[2] = it[1].clone()),
            Error::PeerOrder { key: one },
        ),
        (
            with_peer(|it| it[1].name = name(b"")),
            Error::PeerName { key: one },
        ),
        (
            with_peer(|it| it[1].name = name(b"a b")),
            Error::PeerName { key: one },
        ),
        (
            with_peer(|it| it[1].name = name(&first_name)),
            Error::PeerName { key: one },
        ),
        (
            with_peer(|it| it[2].event_key = it[1].event_key),
            Error::PeerKeyRepeated {
                key: second.event_key,
            },
        ),
        (
            with_peer(|it| it[2].transport_key = it[1].peer_key),
            Error::PeerKeyRepeated { key: one },
        ),
        (with_peer(|it| it[2].event_key = invalid), invalid_key()),
        (with_peer(|it| it[2].payout_key = invalid), invalid_key()),
        (with_output(|it| it.owner = invalid), invalid_key()),
        (
            with_output(|it| it.host = Some(public(99))),
            Error::UnknownHost { host: public(99) },
        ),
        (
            with_output(|it| it.amount = Amount::MAX),
            Error::Primitive(overflow),
        ),
        (
            with_parameters(|it| it.lag = 0),
            Error::Epochs { lag: 0, period: 3 },
        ),
        (
            with_parameters(|it| it.period = 0),
            Error::Epochs { lag: 2, period: 0 },
        ),
        (with_parameters(|it| it.mint = true), Error::Mint),
        (
            with_parameters(|it| it.wait_ms_min = 251),
            Error::Waits {
                least: 251,
                most: 250,
            },
        ),
        (
            Genesis {
                outputs: List::empty(),
                ..good.clone()
            },
            Error::NoStake,
        ),
        (
            Genesis { version: 2, ..good },
            Error::GenesisVersion { found: 2 },
        ),
    ];
    for (genesis, error) in cases {
        assert_eq!(genesis.check(), Err(error));
    }
    assert_eq!(Error::PeerOrder { key: two }.culprit(), Some(&two));
}

#[test]
fn one_key_may_serve_a_peer_in_all_its_roles() {
    let genesis = with_peer(|peers| {
        let key = peers[1].peer_key;
        (peers[1].event_key, peers[1].transport_key) = (key, key);
        peers[1].payout_key = peers[0].payout_key;
    });
    assert_eq!(genesis.check(), Ok(()));
}
