use super::*;

#[test]
fn a_host_is_written_as_it_is_read() {
    let text = format!("127.0.0.1:7000#{}", "0a".repeat(32));
    let host: HostAddress = text.parse().unwrap();
    assert_eq!(host.to_string(), text);
    assert_eq!(host.key, PublicKey([10; 32]));
    let wrong = [
        String::new(),
        "127.0.0.1:7000".to_owned(),
        format!("127.0.0.1#{}", "0a".repeat(32)),
        "127.0.0.1:7000#0a".to_owned(),
        format!("{text}#"),
    ];
    for text in wrong {
        assert_eq!(text.parse::<HostAddress>(), Err(HostSyntax), "{text}");
    }
}

#[test]
fn turning_goes_round_and_needs_no_host() {
    let host = |byte| HostAddress {
        address: ([127, 0, 0, 1], 9).into(),
        key: PublicKey([byte; 32]),
    };
    let seed = zeroize::Zeroizing::new([1; 32]);
    let patience = Duration::from_secs(1);
    let mut hosts = Hosts::new(vec![host(1), host(2)], Digest::ZERO, seed.clone(), patience);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(hosts.current);
        hosts.turn();
    }
    assert_eq!(seen, [0, 1, 0]);
    let mut none = Hosts::new(Vec::new(), Digest::ZERO, seed, patience);
    none.turn();
    assert_eq!(none.count(), 0);
}
