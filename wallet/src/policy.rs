//! Trust policies: what a wallet or a verifier starts from, and how much it asks for.
//!
//! ```toml
//! chain = "9e1c.."            # the chain's id
//! genesis = "genesis.bin"     # beside the policy; or a checkpoint, not both
//! signers_percent_min = 80    # of the stake, beside the quorum that is always due
//! trust_period_hours = 168    # how old a head may be to be followed through one host
//! hosts_min = 2               # how many hosts must agree after that
//!
//! [checkpoint]
//! height = 4095
//! root = "51f0.."             # its consensus root
//! epoch = 0
//! time_ms = 1764000000000     # its block time
//! members = [{ peer = "aa..", event = "bb..", stake = 1000 }]   # the epoch's committee
//! ```

use std::path::{Path, PathBuf};

use ledger::committee::Member;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height, Stake, Time};
use serde::{Deserialize, Serialize};
use wallet_proto::Trust;
use wallet_proto::trust::{Start, TRUST_PERIOD_MS};

use crate::error::Error;
use crate::home::{self, Head};

/// Hosts that must agree on a head that is too old to be followed through one of them.
pub const HOSTS_MIN: usize = 2;
const HOUR_MS: u64 = 3_600_000;

/// What is trusted, and how much is asked for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// From where.
    pub trust: Trust,
    /// The block it starts from.
    pub head: Head,
    /// For how long after its block time a head may be followed through one host, in milliseconds.
    pub trust_period_ms: u64,
    /// How many hosts must agree after that, if the committee has as many members.
    pub hosts_min: usize,
    /// Whether somebody chose it: without a policy a wallet that has only its genesis may begin with
    /// the hosts it has.
    pub chosen: bool,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    chain: String,
    genesis: Option<PathBuf>,
    signers_percent_min: Option<u64>,
    trust_period_hours: Option<u64>,
    hosts_min: Option<usize>,
    checkpoint: Option<Checkpoint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    height: u64,
    root: String,
    epoch: u64,
    time_ms: u64,
    members: Vec<MemberLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberLine {
    peer: String,
    event: String,
    stake: u64,
}

impl Policy {
    /// What a genesis file alone amounts to.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`]; [`Error::Proof`] for a genesis that is none.
    pub fn of_genesis(path: &Path) -> Result<Self, Error> {
        let genesis = home::read_genesis(path)?;
        let trust = Trust::new(&genesis)?;
        Ok(Self {
            head: first_head(&trust, genesis.parameters.time),
            trust,
            trust_period_ms: TRUST_PERIOD_MS,
            hosts_min: HOSTS_MIN,
            chosen: false,
        })
    }

    /// The policy of a file.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`] naming what is wrong with it; [`Error::OtherChain`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let content = |reason: String| Error::Content {
            path: path.to_path_buf(),
            reason,
        };
        let bytes = home::read(path)?;
        let file: PolicyFile = toml::from_str(&String::from_utf8_lossy(&bytes))
            .map_err(|error| content(error.to_string()))?;
        let wanted: Digest = file.chain.parse()?;
        let start = match (&file.genesis, &file.checkpoint) {
            (Some(genesis), None) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                Self::of_genesis(&folder.join(genesis))?
            }
            (None, Some(checkpoint)) => checkpoint.policy(&wanted)?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(content("name a genesis or a checkpoint, not both".into()));
            }
        };
        let found = *start.trust.chain();
        if found != wanted {
            return Err(Error::OtherChain { found, wanted });
        }
        let percent = file.signers_percent_min.unwrap_or(0);
        if percent > 100 {
            return Err(content("signers_percent_min is above 100".into()));
        }
        let hours = file.trust_period_hours;
        Ok(Self {
            trust: start.trust.with_percent_min(percent),
            trust_period_ms: hours.map_or(TRUST_PERIOD_MS, |hours| hours.saturating_mul(HOUR_MS)),
            hosts_min: file.hosts_min.unwrap_or(HOSTS_MIN).max(1),
            chosen: true,
            ..start
        })
    }

    /// The text of a policy that starts from `head`, which `trust` has found certified in its newest
    /// epoch.
    ///
    /// # Errors
    /// [`Error::Content`] never.
    pub fn checkpoint(trust: &Trust, head: &Head, path: &Path) -> Result<String, Error> {
        let line = |member: &Member| MemberLine {
            peer: member.peer_key.to_string(),
            event: member.event_key.to_string(),
            stake: member.stake.get(),
        };
        let file = PolicyFile {
            chain: trust.chain().to_string(),
            genesis: None,
            signers_percent_min: None,
            trust_period_hours: Some(TRUST_PERIOD_MS.div_euclid(HOUR_MS)),
            hosts_min: Some(HOSTS_MIN),
            checkpoint: Some(Checkpoint {
                height: head.height.get(),
                root: head.root.to_string(),
                epoch: trust.epoch().get(),
                time_ms: head.time.get(),
                members: trust.members().iter().map(line).collect(),
            }),
        };
        toml::to_string(&file).map_err(|error| Error::Content {
            path: path.to_path_buf(),
            reason: error.to_string(),
        })
    }
}

impl Checkpoint {
    fn policy(&self, chain: &Digest) -> Result<Policy, Error> {
        let member = |line: &MemberLine| {
            Ok(Member {
                peer_key: line.peer.parse::<PublicKey>()?,
                event_key: line.event.parse::<PublicKey>()?,
                stake: Stake::new(line.stake),
            })
        };
        let members: Result<Vec<_>, Error> = self.members.iter().map(member).collect();
        let start = Start {
            height: Height::new(self.height),
            root: self.root.parse()?,
            epoch: Epoch::new(self.epoch),
        };
        let trust = Trust::from_checkpoint(chain, start, &members?)?;
        Ok(Policy {
            head: first_head(&trust, Time::new(self.time_ms)),
            trust,
            trust_period_ms: TRUST_PERIOD_MS,
            hosts_min: HOSTS_MIN,
            chosen: true,
        })
    }
}

/// The block that a wallet starts from.
const fn first_head(trust: &Trust, time: Time) -> Head {
    let start = trust.start();
    Head {
        height: start.height,
        root: start.root,
        time,
    }
}

#[cfg(test)]
mod tests;
