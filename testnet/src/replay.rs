//! The payments of a real Bitcoin block, carried over one by one.

use crate::error::Error;
use crate::session::Session;
use crate::voice::Voice;

pub mod plan;
pub mod run;
pub mod shape;

use plan::Planned;
use run::Replayed;

/// Carries a plan out and says how it goes, a line for every tenth of it.
///
/// # Errors
/// As [`run::run`].
pub async fn carry_out(
    planned: &[Planned],
    sessions: &[Session],
    voice: Voice,
) -> Result<Replayed, Error> {
    let mut tenths = 0;
    let replayed = run::run(planned, sessions, |progress| {
        let now = progress.applied * 10 / progress.payments.max(1);
        if now > tenths {
            tenths = now;
            voice.progress(&format!(
                "{} of {} payments final, {} submitted anew",
                progress.applied, progress.payments, progress.resubmitted
            ));
        }
    })
    .await?;
    let words = format!(
        "  {} payments final in {:.1} s ({:.0} a second; p50 {} ms, p99 {} ms; {} came before their \
         parents and were submitted anew)",
        replayed.payments,
        replayed.seconds,
        replayed.per_second,
        replayed.p50_ms,
        replayed.p99_ms,
        replayed.resubmitted
    );
    voice.say("replayed", &words, &replayed);
    Ok(replayed)
}
