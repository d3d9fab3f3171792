//! The seam for judges: whoever watches a run and says what must not have happened.
//!
//! A judge sees every effect of every honest process and the end of the run. It is written from what
//! is promised, and asks none of the predicates that the core decides by.

use primitives::units::Height;
use replica::{Effect, Replica};
use serde::Serialize;

use super::clock::Moment;
use super::cluster::Cluster;
use super::disk::Disk;
use super::plan::{Plan, Trouble};
use super::world::World;

mod accounted;
mod agreement;
mod blamed;
mod equivocation;
mod times;
mod told;

pub use accounted::Accounted;
pub(super) use accounted::are_level;
pub use agreement::Agreement;
pub use blamed::Blamed;
pub use equivocation::Equivocation;
pub use times::Times;
pub use told::Told;

/// Something that was promised and is not so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// When, in milliseconds of virtual time.
    pub at_ms: u64,
    /// The judge.
    pub judge: &'static str,
    /// What happened, to whom.
    pub what: String,
}

/// What judges may watch, at one process that follows the rules.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The common ground.
    pub world: &'a World,
    /// When.
    pub at: Moment,
    /// Which process.
    pub process: usize,
    /// The peer that it is of.
    pub peer: usize,
    /// Its disk.
    pub disk: &'a Disk,
    /// What happened.
    pub sight: Sight<'a>,
}

/// What happened.
#[derive(Debug)]
pub enum Sight<'a> {
    /// It started, from what its disk held.
    Started(&'a Replica),
    /// It has handled an input; nothing of it has been carried out.
    Handled {
        /// The replica afterwards.
        replica: &'a Replica,
        /// What it wants done.
        effects: &'a [Effect],
    },
    /// An effect leaves it: a message to some peer, or a word to a wallet.
    Left(&'a Effect),
    /// It was killed; the disk is as it will be found.
    Killed,
}

/// Who watches.
pub trait Judge {
    /// The judge's name.
    fn name(&self) -> &'static str;

    /// Something happened. Returns what was wrong with it.
    fn see(&mut self, seen: &Seen<'_>) -> Option<String>;

    /// The run is over. Returns everything that is wrong.
    fn end(&mut self, cluster: &Cluster) -> Vec<String> {
        let _ = cluster;
        Vec::new()
    }
}

/// Every judge.
#[must_use]
pub fn all() -> Vec<Box<dyn Judge>> {
    vec![
        Box::new(Accounted),
        Box::new(Agreement::default()),
        Box::new(Blamed::default()),
        Box::new(Equivocation::default()),
        Box::new(Times::default()),
        Box::new(Told::default()),
    ]
}

/// The heights that a replica has settled down to the first that is known, highest first: one input may
/// settle several blocks.
pub(crate) fn new_heights(replica: &Replica, is_known: impl Fn(Height) -> bool) -> Vec<Height> {
    let newest = replica.header().height;
    std::iter::successors(Some(newest), |height| Some(height.earlier(1)))
        .take_while(|height| *height > Height::ZERO && !is_known(*height))
        .collect()
}

/// Whether a process of `peer` may lack what the peer once wrote.
fn forgets(plan: &Plan, peer: usize) -> bool {
    let is_lost = |trouble: &Trouble| {
        let lost = matches!(trouble, Trouble::Wipe { .. } | Trouble::Rollback { .. });
        lost && trouble.peer() == Some(peer)
    };
    let mut faults = plan.faults.iter();
    forgets_what_it_signed(plan, peer) || faults.any(|fault| is_lost(&fault.trouble))
}

/// Whether a process of `peer` may not even know how far its key has signed.
fn forgets_what_it_signed(plan: &Plan, peer: usize) -> bool {
    plan.faults.iter().any(|fault| match fault.trouble {
        Trouble::Wipe { peer: one, whole } | Trouble::Rollback { peer: one, whole } => {
            whole && one == peer
        }
        Trouble::Twin { peer: one }
        | Trouble::LyingDisk { peer: one }
        | Trouble::Rot { peer: one } => one == peer,
        Trouble::Lane { .. }
        | Trouble::Cut { .. }
        | Trouble::Flap { .. }
        | Trouble::Crash { .. }
        | Trouble::CrashAll
        | Trouble::Pause { .. }
        | Trouble::SlowDisk { .. }
        | Trouble::Clock { .. } => false,
    })
}
