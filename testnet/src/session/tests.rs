use super::*;

#[test]
fn batches_cover_every_transaction_once_and_in_order() {
    let sizes: Vec<usize> = (0..3_000).map(|one| 100 + one * 7 % 5_000).collect();
    for count_max in [0, 1, 7, 256, usize::MAX] {
        let ranges = batches(&sizes, count_max);
        let covered: Vec<usize> = ranges.iter().cloned().flatten().collect();
        assert_eq!(covered, (0..sizes.len()).collect::<Vec<_>>());
        assert!(ranges.iter().all(|range| range.len() <= count_max.max(1)));
    }
    assert!(batches(&[], 5).is_empty());
}

#[test]
fn a_full_batch_fits_into_a_request() {
    let size = 512;
    let sizes = vec![size; 2_000];
    for range in batches(&sizes, usize::MAX) {
        let transactions = range.map(|_| Bytes::new(vec![7; size]).unwrap()).collect();
        let request = Request::Submit {
            transactions: List::new(transactions).unwrap(),
            report: Report::Final,
        };
        let bytes = wire::to_bytes(&Question::from(request)).unwrap();
        assert!(bytes.len() <= WALLET_REQUEST_BYTES_MAX, "{}", bytes.len());
    }
}

#[test]
fn the_largest_transaction_travels_alone() {
    let largest = primitives::limits::TRANSACTION_BYTES_MAX;
    assert_eq!(batches(&[2_000, largest, 2_000], 9), [0..1, 1..2, 2..3]);
}
