//! Frames that wait for their stream.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::error::SendError;

/// Bytes gathered for one write: large enough to pay for the write, small enough not to delay.
const BATCH_BYTES: usize = 256 * 1024;

/// A bounded queue that many push to without blocking and one stream drains.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    frames_max: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Takes frames.
    Open,
    /// Takes no more frames; what waits is still sent.
    Finished,
    /// Takes no frames.
    Closed,
}

impl Queue {
    /// A closed queue of at most `frames_max` frames and `bytes_max` bytes.
    pub(crate) fn new(frames_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                frames: VecDeque::new(),
                bytes: 0,
                state: State::Closed,
            }),
            changed: Notify::new(),
            frames_max,
            bytes_max,
        }
    }

    /// Takes frames from here on, beginning empty.
    pub(crate) fn open(&self) {
        self.restart(State::Open);
    }

    /// Drops what waits and takes no more.
    pub(crate) fn close(&self) {
        self.restart(State::Closed);
        self.changed.notify_one();
    }

    /// Takes no more frames; the draining stream ends after the last one.
    pub(crate) fn finish(&self) {
        let mut waiting = lock(&self.waiting);
        if waiting.state == State::Open {
            waiting.state = State::Finished;
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Appends a frame. Never blocks; an empty queue takes a frame of any size.
    ///
    /// # Errors
    /// [`SendError::NotConnected`] unless open, [`SendError::QueueFull`] at the bound.
    pub(crate) fn push(&self, frame: Bytes) -> Result<(), SendError> {
        let mut waiting = lock(&self.waiting);
        if waiting.state != State::Open {
            return Err(SendError::NotConnected);
        }
        let bytes = waiting.bytes + frame.len();
        let was_empty = waiting.frames.is_empty();
        if !was_empty && (bytes > self.bytes_max || waiting.frames.len() >= self.frames_max) {
            return Err(SendError::QueueFull);
        }
        waiting.bytes = bytes;
        waiting.frames.push_back(frame);
        drop(waiting);
        if was_empty {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Waits for frames and moves up to about 256 KiB of them into `batch`; false after the end.
    pub(crate) async fn take(&self, batch: &mut Vec<Bytes>) -> bool {
        loop {
            if let Some(more) = self.take_waiting(batch) {
                return more;
            }
            self.changed.notified().await;
        }
    }

    /// None when there is nothing yet.
    fn take_waiting(&self, batch: &mut Vec<Bytes>) -> Option<bool> {
        let mut waiting = lock(&self.waiting);
        let mut bytes = 0;
        while bytes < BATCH_BYTES
            && let Some(frame) = waiting.frames.pop_front()
        {
            bytes += frame.len();
            batch.push(frame);
        }
        waiting.bytes -= bytes;
        match (batch.is_empty(), waiting.state) {
            (false, _) => Some(true),
            (true, State::Open) => None,
            (true, State::Finished | State::Closed) => Some(false),
        }
    }

    fn restart(&self, state: State) {
        let mut waiting = lock(&self.waiting);
        waiting.frames.clear();
        waiting.bytes = 0;
        waiting.state = state;
    }
}

/// Locks; no holder of these locks can panic half way, so a poisoned one is as good.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
