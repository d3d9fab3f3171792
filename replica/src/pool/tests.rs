use ledger::tx::check_alone;

use super::*;

fn pool(sizes: &[usize]) -> Pool {
    let mut pool = Pool::default();
    for (number, size) in (0..).zip(sizes) {
        let checked = check_alone(alloc::vec![number; *size], &Digest::ZERO);
        assert_eq!(pool.add(checked), Pooled::Taken);
    }
    pool
}

#[test]
fn what_is_taken_together_always_fits_one_payload() {
    let long = limits::TRANSACTION_BYTES_MAX;
    let rest = limits::PAYLOAD_BYTES_MAX - 3 * (long + 4) - 4;
    for last in rest - 8..rest + 8 {
        let mut pool = pool(&[long, long, long, last]);
        while !pool.is_empty() {
            let taken = pool.take_payload();
            assert!(!taken.is_empty());
            let bytes = taken.into_iter().map(Checked::into_bytes).collect();
            assert!(Payload::bytes(bytes).is_ok(), "last of {last} bytes");
        }
    }
    let sizes = alloc::vec![1; 200];
    assert_eq!(pool(&sizes).take_payload().len(), 200);
}
