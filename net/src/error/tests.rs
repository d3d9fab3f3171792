use super::*;

#[test]
fn every_close_reason_comes_back_from_its_code() {
    for code in (0..16).chain([u64::MAX]) {
        assert_eq!(CloseReason::from_code(code).code(), code);
    }
    let known = [
        CloseReason::Stopping,
        CloseReason::UnknownPeer,
        CloseReason::WrongDialer,
        CloseReason::Oversized,
        CloseReason::Malformed,
        CloseReason::SessionsFull,
        CloseReason::Replaced,
        CloseReason::TimedOut,
        CloseReason::Busy,
    ];
    for (code, reason) in (0..).zip(known) {
        assert_eq!(
            (reason.code(), CloseReason::from_code(code)),
            (code, reason)
        );
    }
}
