//! Waiting for something outside of this process, never longer than a deadline.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cluster::log::last_error;
use crate::error::Error;

/// How often something is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// One look at what is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe<T> {
    /// It is there.
    Done(T),
    /// What is there instead, in words for the message of a timeout.
    Found(String),
}

/// Looks every 50 ms until `probe` is done.
///
/// # Errors
/// [`Error::TimedOut`] after `deadline` with what was awaited and what was found last; an error of
/// `probe` at once.
pub async fn until<T>(
    awaited: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Result<Probe<T>, Error>,
) -> Result<T, Error> {
    let end = Instant::now() + deadline;
    loop {
        match probe().await? {
            Probe::Done(value) => return Ok(value),
            Probe::Found(found) if Instant::now() >= end => {
                return Err(Error::TimedOut {
                    awaited: awaited.to_owned(),
                    after: deadline,
                    found,
                });
            }
            Probe::Found(_) => sleep(PAUSE).await,
        }
    }
}

/// Adds the last complaint in the log of the peer that was waited for.
#[must_use]
pub fn with_log(found: &str, peer: &str, log: &Path) -> String {
    format!("{found}; {peer} last said: {}", last_error(log))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timeout_names_what_was_awaited_and_what_was_found_last() {
        let mut looks = 0;
        let result: Result<(), Error> = until("rain", Duration::from_secs(1), async || {
            looks += 1;
            Ok(Probe::Found(format!("sun {looks}")))
        })
        .await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "waited 1s for rain, found sun 21"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_look_can_be_enough_and_an_error_ends_the_wait() {
        let done = until("rain", Duration::ZERO, async || Ok(Probe::Done(7))).await;
        assert_eq!(done.unwrap(), 7);
        let failed: Result<(), Error> = until("rain", Duration::from_secs(9), async || {
            Err(Error::NoPeer { index: 3, count: 2 })
        })
        .await;
        assert!(matches!(failed, Err(Error::NoPeer { .. })));
    }
}
