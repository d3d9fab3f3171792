use super::*;

fn frame(length: usize) -> Bytes {
    Bytes::from(vec![7; length])
}

#[test]
fn a_closed_queue_takes_nothing_and_forgets_what_waited() {
    let queue = Queue::new(4, 100);
    assert_eq!(queue.push(frame(1)), Err(SendError::NotConnected));
    queue.open();
    assert_eq!(queue.push(frame(1)), Ok(()));
    queue.close();
    assert_eq!(queue.push(frame(1)), Err(SendError::NotConnected));
    let mut batch = Vec::new();
    assert_eq!(queue.take_waiting(&mut batch), Some(false));
    queue.open();
    assert_eq!(queue.take_waiting(&mut batch), None);
}

#[test]
fn the_bounds_hold_at_their_edge_in_frames_and_in_bytes() {
    for (frames_max, bytes_max, length, fits) in [(4, 1_000, 1, 4), (100, 30, 10, 3)] {
        let queue = Queue::new(frames_max, bytes_max);
        queue.open();
        for _ in 0..fits {
            assert_eq!(queue.push(frame(length)), Ok(()));
        }
        assert_eq!(queue.push(frame(length)), Err(SendError::QueueFull));
        let mut batch = Vec::new();
        assert_eq!(queue.take_waiting(&mut batch), Some(true));
        assert_eq!(batch.len(), fits);
        assert_eq!(queue.push(frame(length)), Ok(()));
    }
}

#[test]
fn an_empty_queue_takes_a_frame_above_its_bound() {
    let queue = Queue::new(4, 10);
    queue.open();
    assert_eq!(queue.push(frame(11)), Ok(()));
    assert_eq!(queue.push(frame(0)), Err(SendError::QueueFull));
}

#[test]
fn a_finished_queue_gives_what_waits_and_then_ends() {
    let queue = Queue::new(4, 10);
    queue.open();
    assert_eq!(queue.push(frame(3)), Ok(()));
    queue.finish();
    assert_eq!(queue.push(frame(1)), Err(SendError::NotConnected));
    let mut batch = Vec::new();
    assert_eq!(queue.take_waiting(&mut batch), Some(true));
    batch.clear();
    assert_eq!(queue.take_waiting(&mut batch), Some(false));
}

#[test]
fn a_batch_ends_with_the_frame_that_fills_it() {
    let queue = Queue::new(100, 10 * BATCH_BYTES);
    queue.open();
    for _ in 0..8 {
        assert_eq!(queue.push(frame(BATCH_BYTES / 3)), Ok(()));
    }
    for expected in [4, 4] {
        let mut batch = Vec::new();
        assert_eq!(queue.take_waiting(&mut batch), Some(true));
        assert_eq!(batch.len(), expected);
    }
    assert_eq!(queue.take_waiting(&mut Vec::new()), None);
}
