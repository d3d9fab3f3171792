//! A run as a file: who there is, what is done to them, what is asked of them. A seed gives the
//! numbers that are drawn while it runs; taking an entry out leaves the draws of the others alone.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ledger::genesis::ONE_EPOCH;
use serde::{Deserialize, Serialize};

use super::clock::Skew;
use crate::error::Error;

mod draw;

pub use draw::{Profile, draw};

/// The longest file of a plan.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this form, 1.
    pub version: u32,
    /// What every random number of the run follows from.
    pub seed: u64,
    /// The stake of each peer; a peer's number is its place here and in the genesis.
    pub stakes: Vec<u64>,
    /// The parameters of the chain.
    #[serde(default)]
    pub chain: Chain,
    /// What signatures are.
    #[serde(default)]
    pub crypto: Crypto,
    /// Every link while no fault touches it.
    #[serde(default)]
    pub lane: Lane,
    /// What wallets do.
    #[serde(default)]
    pub workload: Workload,
    /// Peers that do not follow the rules, by number.
    #[serde(default)]
    pub liars: Vec<Liar>,
    /// What goes wrong by itself.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How long anything may go wrong.
    pub safety_ms: u64,
    /// What is demanded afterwards; nothing if absent.
    #[serde(default)]
    pub heal: Option<Heal>,
}

/// The parameters of the chain that a plan may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {
    /// Blocks between a snapshot of stake and its epoch (C2).
    pub lag: u64,
    /// Blocks of one epoch (C30).
    pub period: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            lag: 1_000,
            period: ONE_EPOCH,
        }
    }
}

/// What signatures are in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crypto {
    /// schnorrkel; every check is made wherever a peer makes it.
    #[default]
    Real,
}

/// One direction of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lane {
    /// The least delay, in microseconds.
    pub delay_us: u64,
    /// The mean of what comes on top, exponentially distributed, in microseconds.
    pub tail_us: u64,
    /// How many of a thousand messages are lost.
    pub loss: u32,
    /// How many of a thousand messages may be overtaken.
    pub reorder: u32,
    /// How many of a thousand messages arrive twice.
    pub duplicate: u32,
    /// How many of a thousand messages bring an old one along.
    pub replay: u32,
    /// How many of a thousand messages arrive with a flipped bit.
    pub corrupt: u32,
    /// Bytes a second; 0 is without limit.
    pub bandwidth: u64,
}

impl Lane {
    /// At once and without fault; as what a fault does to a lane, nothing.
    pub const NONE: Self = Self {
        delay_us: 0,
        tail_us: 0,
        loss: 0,
        reorder: 0,
        duplicate: 0,
        replay: 0,
        corrupt: 0,
        bandwidth: 0,
    };
}

impl Default for Lane {
    /// A continent: 20 ms and some.
    fn default() -> Self {
        Self {
            delay_us: 20_000,
            tail_us: 3_000,
            ..Self::NONE
        }
    }
}

/// What wallets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Workload {
    /// Wallets with coin in the genesis.
    pub wallets: usize,
    /// The mean time between two submissions, in milliseconds; 0 for none at all.
    pub every_ms: u64,
    /// How many of a thousand submissions spend a coin twice, at two peers.
    pub double_spends: u32,
    /// How many of a thousand submissions are opaque data instead of a payment.
    pub data: u32,
    /// How many of a thousand payments move stake: to a peer of the core, away from one outside it that
    /// leaves so, or back to one that had left.
    pub moves: u32,
}

/// A peer that does not follow the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liar {
    /// Its number.
    pub peer: usize,
    /// What it does.
    pub lie: Lie,
}

/// The ways of lying, one file each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Lie {
    /// Connects, listens, and never says a word.
    Mute,
    /// Grows two self-chains from some time on, each shown to its side.
    Equivocate {
        /// Who is shown the first.
        side: Peers,
        /// When they part.
        from_ms: u64,
        /// Whether they part at a root, or at a data event.
        at_root: bool,
    },
    /// Signs many roots of one sequence number, again and again.
    Bomb {
        /// How many.
        twins: u32,
    },
    /// Shows its events late.
    Withhold {
        /// How late; beyond the end of the run is never.
        hold_ms: u64,
    },
    /// Shows its events to some only.
    Select {
        /// To whom.
        to: Peers,
    },
    /// Shows the events of each round to every second peer, those of the next to the others.
    Alternate,
    /// Signs events that break a rule, and payloads that are none.
    Misshape,
    /// Signs roots that the blocks do not have.
    Misattest,
}

impl Lie {
    /// The names of all.
    pub const NAMES: [&'static str; 8] = [
        "mute",
        "equivocate",
        "bomb",
        "withhold",
        "select",
        "alternate",
        "misshape",
        "misattest",
    ];

    /// The name, as a plan has it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mute => "mute",
            Self::Equivocate { .. } => "equivocate",
            Self::Bomb { .. } => "bomb",
            Self::Withhold { .. } => "withhold",
            Self::Select { .. } => "select",
            Self::Alternate => "alternate",
            Self::Misshape => "misshape",
            Self::Misattest => "misattest",
        }
    }

    /// The peers that it names.
    pub(super) const fn peers_mut(&mut self) -> Option<&mut Peers> {
        match self {
            Self::Equivocate { side: peers, .. } | Self::Select { to: peers } => Some(peers),
            Self::Mute
            | Self::Bomb { .. }
            | Self::Withhold { .. }
            | Self::Alternate
            | Self::Misshape
            | Self::Misattest => None,
        }
    }
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When it begins.
    pub from_ms: u64,
    /// When it ends.
    pub to_ms: u64,
    /// What it is.
    #[serde(flatten)]
    pub trouble: Trouble,
}

/// Peers by number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peers {
    /// Every one.
    #[default]
    All,
    /// These.
    Only(Vec<usize>),
    /// All but these.
    Except(Vec<usize>),
}

impl Peers {
    /// Whether `peer` is meant.
    #[must_use]
    pub fn contain(&self, peer: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(peers) => peers.contains(&peer),
            Self::Except(peers) => !peers.contains(&peer),
        }
    }
}

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "trouble")]
pub enum Trouble {
    /// Links are worse than planned: each number but zero replaces that of the lane.
    Lane {
        /// Senders.
        #[serde(default)]
        from: Peers,
        /// Receivers.
        #[serde(default)]
        to: Peers,
        /// The worse lane.
        lane: Lane,
    },
    /// Nothing goes from one side to the other; what goes back arrives, unless cut too.
    Cut {
        /// Senders.
        from: Peers,
        /// Receivers.
        to: Peers,
    },
    /// A side is cut off and joined again in turn.
    Flap {
        /// The side.
        side: Peers,
        /// How long it is cut off.
        down_ms: u64,
        /// How long it is joined.
        up_ms: u64,
    },
    /// A process is killed at the first effect after `steps` more, and started again at the end.
    Crash {
        /// Whose.
        peer: usize,
        /// How many effects it still carries out.
        steps: u32,
    },
    /// Every process is killed at once, and all are started again at the end.
    CrashAll,
    /// A process stands still and goes on at the end.
    Pause {
        /// Whose.
        peer: usize,
    },
    /// A process is killed, its disk lost, and an empty one started at the end.
    Wipe {
        /// Whose.
        peer: usize,
        /// Whether the guard of its key is lost as well.
        #[serde(default = "with_guard")]
        whole: bool,
    },
    /// A process is killed and started at the end with the disk as it was when the fault began,
    /// while it runs on until then.
    Rollback {
        /// Whose.
        peer: usize,
        /// Whether the guard of its key is put back as well.
        #[serde(default = "with_guard")]
        whole: bool,
    },
    /// A second process with the same keys and an empty disk runs beside the first.
    Twin {
        /// Whose.
        peer: usize,
    },
    /// Syncs take long.
    SlowDisk {
        /// Whose.
        peer: usize,
        /// How long.
        sync_us: u64,
    },
    /// Syncs are acknowledged and not done.
    LyingDisk {
        /// Whose.
        peer: usize,
    },
    /// The process is killed, a bit of its disk flips, and it is started at the end.
    Rot {
        /// Whose.
        peer: usize,
    },
    /// Clocks go wrong.
    Clock {
        /// Whose.
        peers: Peers,
        /// How.
        skew: Skew,
    },
}

/// Plans older than guards mean everything.
const fn with_guard() -> bool {
    true
}

impl Trouble {
    /// The one peer that it is about, if it is about one.
    #[must_use]
    pub const fn peer(&self) -> Option<usize> {
        match self {
            Self::Crash { peer, .. }
            | Self::Pause { peer }
            | Self::Wipe { peer, .. }
            | Self::Rollback { peer, .. }
            | Self::Twin { peer }
            | Self::SlowDisk { peer, .. }
            | Self::LyingDisk { peer }
            | Self::Rot { peer } => Some(*peer),
            Self::Lane { .. }
            | Self::Cut { .. }
            | Self::Flap { .. }
            | Self::CrashAll
            | Self::Clock { .. } => None,
        }
    }

    /// The peer that a second process is started of, if that is what goes wrong.
    #[must_use]
    pub const fn twin(&self) -> Option<usize> {
        if let Self::Twin { peer } = self {
            Some(*peer)
        } else {
            None
        }
    }
}

/// What is demanded after the safety phase: every fault ends, the core runs, and everything that
/// wallets were told is on its way becomes final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heal {
    /// The peers that run; the others stop for good. More than two thirds of all stake, honest.
    pub core: Vec<usize>,
    /// Until when everything must be final.
    pub limit_ms: u64,
}

impl Plan {
    /// A quiet run of these peers.
    #[must_use]
    pub fn quiet(seed: u64, stakes: Vec<u64>, safety_ms: u64) -> Self {
        Self {
            version: 1,
            seed,
            stakes,
            chain: Chain::default(),
            crypto: Crypto::default(),
            lane: Lane::default(),
            workload: Workload::default(),
            liars: Vec::new(),
            faults: Vec::new(),
            safety_ms,
            heal: None,
        }
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// [`Error::File`], or [`Error::RunFile`] for a file that is no plan of this version.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        // A device or pipe has no length to ask for.
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|error| Error::file(path, error))?;
        let faulty = |reason: String| Error::RunFile {
            path: path.to_path_buf(),
            reason,
        };
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(faulty(format!("no plan: more than {FILE_BYTES_MAX} bytes")));
        }
        let plan: Self =
            serde_json::from_slice(&bytes).map_err(|error| faulty(format!("no plan: {error}")))?;
        plan.check().map_err(|reason| faulty(reason.to_owned()))?;
        Ok(plan)
    }

    /// Whether the plan says what can be done, and demands no more than is promised: healing needs a
    /// sound core with more than two thirds of the stake.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.version != 1 {
            return Err("a plan of another version");
        }
        if self.stakes.is_empty() {
            return Err("a plan without peers");
        }
        let peers = self.liars.iter().map(|liar| liar.peer);
        let core = self.heal.iter().flat_map(|heal| heal.core.iter().copied());
        let faults = self.faults.iter().filter_map(|fault| fault.trouble.peer());
        if peers
            .chain(core)
            .chain(faults)
            .any(|peer| peer >= self.peers())
        {
            return Err("a plan about a peer that there is not");
        }
        let Some(heal) = &self.heal else {
            return Ok(());
        };
        let of_core = |peer: &usize| heal.core.contains(peer) && self.is_honest(*peer);
        let core: u64 = (0..self.peers())
            .filter(of_core)
            .map(|peer| self.stakes[peer])
            .sum();
        let total: u64 = self.stakes.iter().sum();
        match 3 * u128::from(core) > 2 * u128::from(total) {
            true => Ok(()),
            false => Err("a core without a quorum"),
        }
    }

    /// Writes a plan, and the folders that lead to it.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(path, self.text()));
        written.map_err(|error| Error::file(path, error))
    }

    /// The plan as a file holds it.
    #[must_use]
    pub fn text(&self) -> String {
        // Numbers, strings and lists always have a form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// How many peers there are.
    #[must_use]
    pub const fn peers(&self) -> usize {
        self.stakes.len()
    }

    /// Whether `peer` follows the rules.
    #[must_use]
    pub fn is_honest(&self, peer: usize) -> bool {
        self.liars.iter().all(|liar| liar.peer != peer)
    }
}
