use super::*;

fn network(address: &str) -> Network {
    Network::of(address.parse().unwrap())
}

#[test]
fn networks_are_24_bits_of_ipv4_and_48_bits_of_ipv6() {
    assert_eq!(network("10.1.2.3"), network("10.1.2.250"));
    assert_ne!(network("10.1.2.3"), network("10.1.3.3"));
    assert_eq!(network("::ffff:10.1.2.3"), network("10.1.2.4"));
    assert_eq!(network("2001:db8:1::1"), network("2001:db8:1:ffff::2"));
    assert_ne!(network("2001:db8:1::1"), network("2001:db8:2::1"));
}

#[test]
fn newcomers_must_prove_their_address_above_one_bound_and_are_refused_above_another() {
    let limits = Limits {
        handshakes_unproven: 2,
        handshakes: 4,
        handshakes_per_network: 3,
        ..Limits::default()
    };
    let (here, there) = (network("10.0.0.1"), network("10.0.1.1"));
    let flights = Arc::new(Flights::default());
    let judge = |network, proven| lock(&flights.networks).judge(network, proven, &limits);
    let mut all = Vec::new();
    for expected in [Verdict::Accept, Verdict::Accept, Verdict::ProveAddress] {
        assert_eq!(judge(here, false), expected);
        assert_eq!(judge(here, true), Verdict::Accept);
        all.push(Flight::start(&flights, here));
    }
    assert_eq!(judge(here, true), Verdict::Refuse);
    assert_eq!(judge(there, true), Verdict::Accept);
    all.push(Flight::start(&flights, there));
    assert_eq!(judge(there, true), Verdict::Refuse);
    all.clear();
    assert_eq!(judge(here, false), Verdict::Accept);
    assert!(lock(&flights.networks).by_network.is_empty());
}
