//! What a proof file has proven, in plain words.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use ledger::committee::Member;
use ledger::subject::Subject;
use ledger::tx::{Kind, Outpoint};
use merkle::proof::output::OutputStatus;
use primitives::Digest;
use primitives::units::{Epoch, Height, Stake};

use crate::check::{
    KeyCommit, KnownBlock, KnownOutput, ProvenHistory, ProvenName, ProvenRecord,
    SettledTransaction, StatusAt,
};
use crate::trust::Certified;

/// What a proof file has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// What became of a transaction.
    Transaction(Box<SettledTransaction>),
    /// What an output holds and whether it is spent.
    Output(KnownOutput),
    /// The transactions of a key or name.
    History(ProvenHistory),
    /// A block's header.
    Block(KnownBlock),
    /// That the certified block continues an older one.
    Consistency {
        /// The certified block.
        as_of: Certified,
        /// The height of the older one.
        height: Height,
        /// Its consensus root.
        root: Digest,
    },
    /// The committee of an epoch.
    Committee {
        /// The block that hands over to it.
        as_of: Certified,
        /// The epoch.
        epoch: Epoch,
        /// Its members, by ascending peer key.
        members: Vec<Member>,
    },
    /// The record of a key or name, or that it has none.
    Record(ProvenRecord),
    /// What a key committed to in a block, or that it did not.
    Commit(KeyCommit),
    /// Who holds a name as of a block.
    Name(ProvenName),
    /// Whether an output was spent as of an earlier block.
    OutputAt {
        /// The output.
        output: KnownOutput,
        /// The earlier block.
        height: Height,
        /// How things stood there.
        status: StatusAt,
    },
    /// The transactions of a key or name up to an earlier block.
    HistoryAt {
        /// Those up to that block.
        history: ProvenHistory,
        /// The earlier block.
        height: Height,
    },
}

impl Statement {
    /// The certified block it is proven under.
    #[must_use]
    pub const fn as_of(&self) -> &Certified {
        match self {
            Self::Transaction(proven) => &proven.as_of,
            Self::Output(proven) | Self::OutputAt { output: proven, .. } => &proven.as_of,
            Self::History(proven)
            | Self::HistoryAt {
                history: proven, ..
            } => &proven.as_of,
            Self::Block(proven) => &proven.as_of,
            Self::Record(proven) => &proven.as_of,
            Self::Commit(proven) => &proven.as_of,
            Self::Name(proven) => &proven.as_of,
            Self::Consistency { as_of, .. } | Self::Committee { as_of, .. } => as_of,
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transaction(proven) => write_transaction(proven, f)?,
            Self::Output(proven) => write_output(proven, f)?,
            Self::History(proven) => write!(f, "{proven}")?,
            Self::Block(proven) => write_block(proven, f)?,
            Self::Consistency {
                as_of,
                height,
                root,
            } => {
                let newest = as_of.height();
                write!(
                    f,
                    "block {newest} continues block {height}, whose root is {root}"
                )?;
            }
            Self::Committee { epoch, members, .. } => write_committee(*epoch, members, f)?,
            Self::Record(proven) => write_record(proven, f)?,
            Self::Commit(proven) => write_commit(proven, f)?,
            Self::Name(proven) => write_name(proven, f)?,
            Self::OutputAt {
                output,
                height,
                status,
            } => write_output_at(output, *height, status, f)?,
            Self::HistoryAt { history, height } => write_history(history, *height, f)?,
        }
        write!(f, "; {}", self.as_of())
    }
}

impl fmt::Display for ProvenHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_history(self, self.as_of.height(), f)
    }
}

impl fmt::Display for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, root) = (self.height(), self.root());
        if height == Height::ZERO {
            return write!(f, "root {root} of block 0 is that of the genesis");
        }
        let percent = self.percent();
        write!(
            f,
            "root {root} of block {height} is signed by {percent} % of the stake"
        )
    }
}

/// A key or name in a sentence.
struct Spoken<'a>(&'a Subject);

impl fmt::Display for Spoken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Subject::Key(key) => write!(f, "key {key}"),
            Subject::Name(name) => write!(f, "name {name}"),
        }
    }
}

fn write_history(
    history: &ProvenHistory,
    height: Height,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (of, count, first) = (Spoken(&history.of), history.entries.len(), history.first);
    if first == 0 {
        write!(
            f,
            "complete to block {height}: these are all {count} transactions of "
        )?;
        return write!(f, "{of}, no more exist");
    }
    write!(
        f,
        "up to block {height}: these are the newest {count} transactions of "
    )?;
    write!(f, "{of}; {first} older ones exist")
}

fn write_transaction(proven: &SettledTransaction, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (id, height) = (proven.checked.id(), proven.header.height);
    let (index, outcome) = (proven.index, &proven.outcome);
    write!(
        f,
        "transaction {id} was {outcome}, in block {height} at place {index}, "
    )?;
    write!(f, "time {} ms", proven.header.time)?;
    let Some(transaction) = proven.checked.transaction() else {
        return write!(f, "; its bytes are not a transaction");
    };
    match &transaction.body.kind {
        Kind::Transfer => {}
        Kind::Data { bytes, .. } => write!(f, "; it carries {} bytes", bytes.len())?,
        Kind::Evidence(evidence) => {
            let peer = evidence.peer;
            write!(f, "; it accuses peer {peer} of two events for one place")?;
        }
        Kind::Commit { key, hash } => write!(f, "; key {key} commits to {hash}")?,
        Kind::Name { name, to, from } => match from {
            None => write!(f, "; it registers name {name} for key {to}")?,
            Some(holder) => write!(f, "; key {} hands name {name} over to key {to}", holder.key)?,
        },
    }
    for output in transaction.body.outputs.iter() {
        write!(f, "; {} to key {}", output.amount, output.owner)?;
    }
    Ok(())
}

fn write_block(proven: &KnownBlock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (header, root) = (&proven.header, proven.root);
    let (height, time, count) = (header.height, header.time, header.transaction_count);
    write!(
        f,
        "block {height} has the root {root}, time {time} ms, state {} and {count} transactions",
        header.state
    )
}

fn write_committee(epoch: Epoch, members: &[Member], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let whole = Stake::sum(members.iter().map(|member| member.stake)).unwrap_or_default();
    let count = members.len();
    write!(
        f,
        "the committee of epoch {epoch} has {count} members with stake {whole}"
    )?;
    for member in members {
        write!(f, "; {} with {}", member.peer_key, member.stake)?;
    }
    Ok(())
}

fn write_record(proven: &ProvenRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (of, height) = (Spoken(&proven.of), proven.as_of.height());
    let Some(record) = &proven.record else {
        return write!(f, "no transaction up to block {height} touched {of}");
    };
    let (count, last) = (record.count, record.last_block);
    write!(
        f,
        "up to block {height} {of} has {count} transactions, the newest in block {last}"
    )
}

fn write_commit(proven: &KeyCommit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (key, height) = (proven.key, proven.height);
    let Some(commit) = &proven.commit else {
        return write!(f, "key {key} committed to nothing in block {height}");
    };
    let (hash, id) = (commit.hash, commit.entry.txid);
    write!(
        f,
        "in block {height} key {key} committed to {hash}, by transaction {id}; it committed to \
         nothing else in that block"
    )
}

fn write_name(proven: &ProvenName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (name, height) = (proven.name, proven.height);
    let Some((holder, entry)) = &proven.held else {
        return write!(f, "as of block {height} nobody holds name {name}");
    };
    let (key, since, id) = (holder.key, entry.block, entry.txid);
    write!(
        f,
        "as of block {height} key {key} holds name {name}, since block {since} by transaction {id}"
    )
}

fn write_output(proven: &KnownOutput, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_created(proven, f)?;
    match &proven.status {
        OutputStatus::Unspent { as_of } => write!(f, "is unspent as of block {as_of}"),
        OutputStatus::Spent(spent) => {
            let (block, id) = (spent.block, spent.txid);
            write!(f, "was spent in block {block} by transaction {id}")
        }
    }
}

fn write_output_at(
    proven: &KnownOutput,
    height: Height,
    status: &StatusAt,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write_created(proven, f)?;
    match status {
        StatusAt::NotYet => write!(f, "did not exist yet as of block {height}"),
        StatusAt::Unspent => write!(f, "was unspent as of block {height}"),
        StatusAt::Spent(spent) => write!(
            f,
            "was spent as of block {height}: in block {} by transaction {}",
            spent.block, spent.txid
        ),
    }
}

fn write_created(proven: &KnownOutput, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (created, outpoint) = (&proven.created, &proven.created.outpoint);
    let (amount, owner) = (created.output.amount, created.output.owner);
    let Outpoint { transaction, index } = outpoint;
    write!(f, "output {transaction}:{index} ")?;
    write!(
        f,
        "of {amount} for key {owner}, made in block {}, ",
        created.height
    )
}
