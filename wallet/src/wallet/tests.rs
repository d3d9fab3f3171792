use wallet_proto::reply::Refusal;

use super::*;

#[test]
fn only_what_passes_by_itself_is_waited_for_and_lies_outweigh_absence() {
    let host = PublicKey([1; 32]);
    let refuses = |code| Error::HostRefuses {
        host,
        refusal: Refusal::new(code, ""),
    };
    for (code, passes) in [
        (Code::Busy, true),
        (Code::TooEarly, true),
        (Code::NotFound, false),
        (Code::Quarantined, false),
    ] {
        assert_eq!(passes_by(&refuses(code)), passes, "{code}");
    }
    let lie = || Error::Unproven {
        host,
        source: Box::new(wallet_proto::Error::OtherKind),
    };
    assert!(!passes_by(&lie()));
    assert_eq!(worse(lie(), Error::Silent { host }).code(), "host.unproven");
    assert_eq!(worse(Error::Silent { host }, lie()).code(), "host.unproven");
}
