//! `.primusproof`: a claim and all it takes to check it offline, from the genesis alone.
//!
//! One canonical byte string: version, chain id, claim, the handovers from the genesis committee to
//! the one that signs, and the answer of a peer. Nothing in it is optional: checked from the genesis,
//! whichever byte is changed, the file is refused and the failing part named.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ledger::subject::Subject;
use ledger::tx::{Name, Outpoint};
use primitives::Digest;
use primitives::codec::{self, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height};

use crate::check;
use crate::error::{Error, Part};
use crate::reply::{Answer, Handover};
use crate::request::{Page, Request};
use crate::trust::{Trust, same};
use crate::wire;

mod statement;

pub use statement::Statement;

/// Handovers of one file: with epochs of 4,096 blocks, as many as a million blocks have.
pub const HANDOVERS_MAX: usize = 256;

/// A claim with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct ProofFile {
    /// The chain.
    pub chain: Digest,
    /// What is claimed.
    pub claim: Claim,
    /// `derive("primus v1 receipt", chain id + canonical claim)`: an absence holds for many keys, so
    /// a damaged claim could be as true as the one that was meant.
    pub seal: Digest,
    /// One for each epoch from the first to that of the answer's snapshot.
    pub handovers: List<Handover, HANDOVERS_MAX>,
    /// The proof.
    pub answer: Answer,
}

impl Canonical for ProofFile {
    const BYTES_MAX: usize = 32 * 1024 * 1024;
}

impl ProofFile {
    /// The file for what `claim` says on `chain`.
    ///
    /// # Errors
    /// [`Error::Encoding`] above [`HANDOVERS_MAX`].
    pub fn new(
        chain: Digest,
        claim: Claim,
        handovers: Vec<Handover>,
        answer: Answer,
    ) -> Result<Self, Error> {
        Ok(Self {
            chain,
            claim,
            seal: seal(&chain, &claim)?,
            handovers: List::new(handovers)?,
            answer,
        })
    }
}

/// What a proof file claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Claim {
    /// What became of a transaction.
    Transaction {
        /// Its id.
        id: Digest,
    },
    /// What an output holds and whether it is spent.
    Output {
        /// Its name.
        outpoint: Outpoint,
    },
    /// The transactions of a key or name: all of them, or the newest page.
    History {
        /// Which.
        of: Subject,
    },
    /// One block's header.
    Block {
        /// Its height.
        height: Height,
    },
    /// That the certified block continues an older one.
    Consistency {
        /// The height of the older one.
        height: Height,
        /// Its consensus root.
        root: Digest,
    },
    /// Who the members of an epoch's committee are.
    Committee {
        /// The epoch, 1 or later.
        epoch: Epoch,
    },
    /// The record of a key or name, or that no transaction ever touched it.
    Record {
        /// Which.
        of: Subject,
    },
    /// The newest transactions of a key or name.
    Newest {
        /// Which.
        of: Subject,
        /// How many, at most a page.
        count: u32,
    },
    /// Whether an output was spent as of an earlier block.
    OutputAt {
        /// Its name.
        outpoint: Outpoint,
        /// The block.
        height: Height,
    },
    /// The transactions of a key or name up to an earlier block.
    HistoryAt {
        /// Which.
        of: Subject,
        /// The block.
        height: Height,
    },
    /// The only commit of a key in a block, or that it made none there.
    Commit {
        /// The key.
        key: PublicKey,
        /// The block.
        height: Height,
    },
    /// Who holds a name, or that nobody does.
    Name {
        /// The name.
        name: Name,
        /// As of which block; the certified one if none is given.
        height: Option<Height>,
    },
}

impl Canonical for Claim {
    const BYTES_MAX: usize = 4 + Subject::BYTES_MAX + 9;
}

impl Claim {
    /// The same claim as of an earlier block; none for what is the same as of every block.
    #[must_use]
    pub const fn as_of(&self, height: Height) -> Option<Self> {
        match *self {
            Self::Output { outpoint } | Self::OutputAt { outpoint, .. } => {
                Some(Self::OutputAt { outpoint, height })
            }
            Self::History { of } | Self::HistoryAt { of, .. } => {
                Some(Self::HistoryAt { of, height })
            }
            Self::Name { name, .. } => Some(Self::Name {
                name,
                height: Some(height),
            }),
            Self::Transaction { .. }
            | Self::Block { .. }
            | Self::Consistency { .. }
            | Self::Committee { .. }
            | Self::Record { .. }
            | Self::Newest { .. }
            | Self::Commit { .. } => None,
        }
    }

    /// What to ask a peer for the proof.
    #[must_use]
    pub const fn request(&self) -> Request {
        match *self {
            Self::Transaction { id } => Request::Transaction { id },
            Self::Output { outpoint } | Self::OutputAt { outpoint, .. } => {
                Request::Output { outpoint }
            }
            Self::History { of } | Self::HistoryAt { of, .. } => Request::History {
                of,
                page: Page::All,
            },
            Self::Block { height } => Request::Block { height },
            Self::Consistency { height, .. } => Request::Consistency { old: height },
            Self::Committee { epoch } => Request::Committee { epoch },
            Self::Record { of } => Request::Record { of },
            Self::Commit { key, height } => Request::Commit { key, height },
            Self::Name { name, height } => Request::Name { name, height },
            Self::Newest { of, count } => Request::History {
                of,
                page: Page::Newest { count },
            },
        }
    }

    /// Checks the answer to [`Claim::request`].
    ///
    /// # Errors
    /// As the function of [`check`] for the kind; [`Error::AfterSnapshot`] for a claim about a block
    /// above the certified one.
    pub fn check(&self, answer: &Answer, trust: &Trust) -> Result<Statement, Error> {
        match self {
            Self::Transaction { id } => check::transaction(id, answer, trust)
                .map(|settled| Statement::Transaction(Box::new(settled))),
            Self::Output { outpoint } => {
                check::output(outpoint, answer, trust).map(Statement::Output)
            }
            Self::History { of } => {
                check::history(of, Page::All, answer, trust).map(Statement::History)
            }
            Self::Block { height } => check::block(*height, answer, trust).map(Statement::Block),
            Self::Consistency { height, root } => {
                let as_of = check::consistency(*height, root, answer, trust)?;
                let (height, root) = (*height, *root);
                Ok(Statement::Consistency {
                    as_of,
                    height,
                    root,
                })
            }
            Self::Committee { epoch } => committee(*epoch, answer, trust),
            Self::Record { of } => check::record(of, answer, trust).map(Statement::Record),
            Self::Commit { key, height } => {
                check::commit(key, *height, answer, trust).map(Statement::Commit)
            }
            Self::Name { name, height } => {
                check::name(name, *height, answer, trust).map(Statement::Name)
            }
            Self::Newest { of, count } => {
                let page = Page::Newest { count: *count };
                check::history(of, page, answer, trust).map(Statement::History)
            }
            Self::OutputAt { outpoint, height } => {
                let output = check::output(outpoint, answer, trust)?;
                let (status, height) = (output.status_at(*height)?, *height);
                Ok(Statement::OutputAt {
                    output,
                    height,
                    status,
                })
            }
            Self::HistoryAt { of, height } => {
                let history = check::history(of, Page::All, answer, trust)?;
                let (history, height) = (history.up_to(*height)?, *height);
                Ok(Statement::HistoryAt { history, height })
            }
        }
    }
}

fn committee(epoch: Epoch, answer: &Answer, trust: &Trust) -> Result<Statement, Error> {
    let mut trust = trust.clone();
    let as_of = trust.certify(&answer.snapshot)?;
    check::committee(answer.clone(), &mut trust)?;
    if trust.epoch() != epoch {
        return Err(Error::OtherEpoch {
            found: trust.epoch(),
            wanted: epoch,
        });
    }
    Ok(Statement::Committee {
        as_of,
        epoch,
        members: trust.members(),
    })
}

/// The bytes of a proof file.
///
/// # Errors
/// [`Error::Encoding`] above the limit of a file.
pub fn to_bytes(file: &ProofFile) -> Result<Vec<u8>, Error> {
    wire::to_bytes(file)
}

/// Checks a proof file offline. Only what `trust` starts from counts: committees that it followed
/// since are proven by the file itself. Cost: about 20 us a signature.
///
/// # Errors
/// A typed error naming the part that fails; whoever made the file is to blame.
pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Statement, Error> {
    verify_file(&wire::from_bytes(bytes)?, trust)
}

/// As [`verify`], for a file that stands in another message.
pub(crate) fn verify_file(file: &ProofFile, trust: &Trust) -> Result<Statement, Error> {
    let mut trust = trust.from_start();
    same(Part::Chain, file.chain, *trust.chain())?;
    same(Part::Claim, seal(&file.chain, &file.claim)?, file.seal)?;
    trust.follow_all(&file.handovers)?;
    // A handover beyond the snapshot's epoch would be idle.
    let epoch = file.answer.snapshot.header.epoch;
    if trust.epoch() != epoch {
        return Err(Error::OtherEpoch {
            found: trust.epoch(),
            wanted: epoch,
        });
    }
    file.claim.check(&file.answer, &trust)
}

fn seal(chain: &Digest, claim: &Claim) -> Result<Digest, Error> {
    Ok(derive(Domain::Receipt, &[&chain.0, &codec::encode(claim)?]))
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod vectors;
