//! Many numbered cases, one after another: how it goes, and which of them are at fault.

use std::ops::Range;
use std::time::Instant;

use crate::sim::swarm::{caught, millis};
use crate::voice::Voice;

/// How often it is said how it goes, in seconds.
const TELL_S: u64 = 10;

/// What came of all cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    /// Time that passed, in milliseconds.
    pub(crate) wall_ms: u64,
    /// The cases that are not as they should be.
    pub(crate) at_fault: Vec<u64>,
}

/// Carries out each case; one that panics is at fault like any other.
pub(crate) fn each(
    cases: Range<u64>,
    voice: Voice,
    mut carry_out: impl FnMut(u64) -> Result<(), String>,
) -> Done {
    let begun = Instant::now();
    let count = cases.end.saturating_sub(cases.start);
    let mut at_fault = Vec::new();
    let mut told_s = 0;
    for (done, case) in (1..).zip(cases) {
        if let Err(what) = caught(|| carry_out(case)) {
            voice.progress(&format!("case {case}: {what}"));
            at_fault.push(case);
        }
        let wall_ms = millis(begun);
        if wall_ms / 1_000 >= told_s + TELL_S {
            told_s = wall_ms / 1_000;
            let faults = at_fault.len();
            let pace = done * 1_000 / wall_ms;
            voice.progress(&format!(
                "{done} of {count}, {faults} at fault, {pace} a second"
            ));
        }
    }
    Done {
        wall_ms: millis(begun),
        at_fault,
    }
}

/// The first of so many cases that fails or panics.
#[cfg(feature = "planted")]
pub(crate) fn first_at_fault(
    cases: u64,
    mut carry_out: impl FnMut(u64) -> Result<(), String>,
) -> Option<u64> {
    (0..cases).find(|case| caught(|| carry_out(*case)).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Form;

    #[test]
    fn cases_that_fail_or_panic_are_named_and_the_others_are_carried_out() {
        let mut seen = Vec::new();
        let done = each(3..8, Voice::new(Form::Words), |case| {
            seen.push(case);
            assert_ne!(case, 4);
            match case {
                6 => Err(String::from("wrong")),
                _ => Ok(()),
            }
        });
        assert_eq!(done.at_fault, [4, 6]);
        assert_eq!(seen, [3, 4, 5, 6, 7]);
    }
}
