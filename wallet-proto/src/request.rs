//! What a wallet asks. One question travels alone on its stream, as [`crate::wire`] bytes.

use primitives::codec::{Bytes, Canonical, Decode, Encode, List};
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height};
use primitives::{Digest, limits};

use ledger::subject::Subject;
use ledger::tx::{Name, Outpoint};

/// The bytes of one signed transaction.
pub type TransactionBytes = Bytes<{ limits::TRANSACTION_BYTES_MAX }>;

/// Transactions of one request.
pub const TRANSACTIONS_MAX: usize = 1_024;

/// A request, and which certificate need not come with the answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Question {
    /// A block whose certificate the wallet has: what can be proven under this block is, and an answer
    /// under it comes with an empty certificate, for which the wallet puts its own.
    pub held: Option<Height>,
    /// What is asked.
    pub request: Request,
}

impl Canonical for Question {
    const BYTES_MAX: usize = limits::WALLET_REQUEST_BYTES_MAX - 1;
}

impl From<Request> for Question {
    fn from(request: Request) -> Self {
        Self {
            held: None,
            request,
        }
    }
}

/// What a wallet asks of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Request {
    /// The newest certified block.
    Head,
    /// Take these transactions, and report how far each one gets.
    Submit {
        /// Each one's canonical bytes; a step names its position in this list.
        transactions: List<TransactionBytes, TRANSACTIONS_MAX>,
        /// How much to report.
        report: Report,
    },
    /// Report on transactions submitted earlier, here or elsewhere.
    Track {
        /// Their ids; a step names its position in this list.
        ids: List<Digest, TRANSACTIONS_MAX>,
        /// How much to report.
        report: Report,
    },
    /// The transactions that touch a key or name.
    History {
        /// Which.
        of: Subject,
        /// Which of them.
        page: Page,
    },
    /// One output and whether it is spent.
    Output {
        /// Its name.
        outpoint: Outpoint,
    },
    /// One ordered transaction with its outcome and its block.
    Transaction {
        /// Its id.
        id: Digest,
    },
    /// One block's header.
    Block {
        /// Its height.
        height: Height,
    },
    /// That the newest certified block continues an older one.
    Consistency {
        /// The height of the older one.
        old: Height,
    },
    /// The committee of an epoch, certified by the one before.
    Committee {
        /// The epoch, 1 or later.
        epoch: Epoch,
    },
    /// How many transactions touched a key or name, and the root over them; or that none did.
    Record {
        /// Which.
        of: Subject,
    },
    /// The commit of a key in a block, or that it made none there.
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
        /// As of which block; the newest if none is given.
        height: Option<Height>,
    },
    /// The manifest of the newest snapshot that the peer keeps.
    Manifest,
    /// One chunk of that snapshot.
    Chunk {
        /// The height of its sealing block.
        height: Height,
        /// The chunk's place in the manifest.
        index: u32,
    },
}

/// How much of a transaction's way is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Report {
    /// Every stage as it is reached, until proven or refused.
    All,
    /// Refusal or finality alone.
    Final,
    /// Refusal or acceptance, then the end.
    None,
}

/// Which entries of a log, counted from its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Page {
    /// All of them, if one page holds them; else the newest page.
    All,
    /// The newest.
    Newest {
        /// How many at most.
        count: u32,
    },
    /// A range.
    From {
        /// The first, from 0.
        index: u64,
        /// How many at most.
        count: u32,
    },
}
