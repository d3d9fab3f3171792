//! P7: the time of blocks never goes back, and never beyond every honest clock, while less than a
//! third of stake has a wrong one.

use std::collections::BTreeMap;

use primitives::units::{Height, Time};

use super::{Judge, Seen, Sight};
use crate::sim::clock::WALL_START_MS;
use crate::sim::plan::{Peers, Plan, Trouble};

/// Remembers the newest block of each process.
#[derive(Debug, Default)]
pub struct Times {
    newest: BTreeMap<usize, (Height, Time)>,
}

impl Judge for Times {
    fn name(&self) -> &'static str {
        "times"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        let replica = match seen.sight {
            Sight::Started(replica) => {
                self.newest.remove(&seen.process);
                replica
            }
            Sight::Handled { replica, .. } => replica,
            Sight::Left(_) | Sight::Killed => return None,
        };
        let (height, time) = (replica.header().height, replica.header().time);
        let before = self.newest.insert(seen.process, (height, time));
        if before.is_some_and(|(before, _)| before == height) {
            return None;
        }
        let most = WALL_START_MS + seen.at.ms() + ahead_ms(&seen.world.plan);
        if before.is_some_and(|(_, before)| time < before) || time.get() > most {
            let process = seen.process;
            return Some(format!(
                "block {height} is of {time:?} at process {process}, after {before:?} and at most {most}"
            ));
        }
        None
    }
}

/// How far the clocks of all are ahead at most.
fn ahead_ms(plan: &Plan) -> u64 {
    let steps = plan.faults.iter().filter_map(|fault| match &fault.trouble {
        Trouble::Clock {
            peers: Peers::All,
            skew,
        } => u64::try_from(skew.step_ms).ok(),
        Trouble::Clock { .. }
        | Trouble::Lane { .. }
        | Trouble::Cut { .. }
        | Trouble::Flap { .. }
        | Trouble::Crash { .. }
        | Trouble::CrashAll
        | Trouble::Pause { .. }
        | Trouble::Wipe { .. }
        | Trouble::Rollback { .. }
        | Trouble::Twin { .. }
        | Trouble::SlowDisk { .. }
        | Trouble::LyingDisk { .. }
        | Trouble::Rot { .. } => None,
    });
    steps.sum()
}
