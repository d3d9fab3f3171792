//! `.primusreceipt`: some fields of a deed, and all it takes to check offline that a transaction
//! commits to them.
//!
//! One canonical byte string: the fields shown with their salts, the siblings that lead from them to
//! the memo, and the proof file of the transaction. Of the other fields it tells how many there are
//! and nothing else.

use alloc::vec::Vec;
use core::fmt;

use ledger::Outcome;
use merkle::transactions::root_by_transactions;
use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::digest::to_hex;
use primitives::keys::PublicKey;
use primitives::limits::DEED_FIELDS_MAX;

use crate::check::SettledTransaction;
use crate::deed::{DOCUMENT, Deed, Field, check_order, in_deed, memo_of, tree};
use crate::error::{Error, Part};
use crate::proof_file::{self, Claim, ProofFile, Statement};
use crate::trust::{Certified, Trust, same};
use crate::wire;

/// A field of a deed that a receipt shows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Shown {
    /// Its place in the deed, from 0.
    pub index: u32,
    /// Its salt, name and value.
    pub field: Field,
}

/// Some fields of a deed with their proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Receipt {
    /// The fields shown, by ascending place and name.
    pub shown: List<Shown, DEED_FIELDS_MAX>,
    /// How many fields the deed has.
    pub count: u32,
    /// Level by level from the leaves, left to right.
    pub siblings: List<Digest, DEED_FIELDS_MAX>,
    /// Proves the transaction whose memo commits to the deed.
    pub proof: ProofFile,
}

impl Canonical for Receipt {
    const BYTES_MAX: usize = 12 + DEED_FIELDS_MAX * (36 + Field::BYTES_MAX) + ProofFile::BYTES_MAX;
}

impl Receipt {
    /// The receipt that shows the fields of `deed` that `chosen` picks; `proof` is that of the deed's
    /// transaction.
    ///
    /// # Errors
    /// [`Error::Proof`] if no field is chosen; [`Error::FieldOrder`] for a deed out of order.
    pub fn new(
        deed: &Deed,
        chosen: impl Fn(&Field) -> bool,
        proof: ProofFile,
    ) -> Result<Self, Error> {
        let tree = tree(&deed.chain, &deed.fields)?;
        let fields = (0..).zip(deed.fields.iter());
        let shown = fields.filter(|(_, field)| chosen(field));
        let shown = shown.map(|(index, field)| Shown {
            index,
            field: field.clone(),
        });
        let shown: Vec<_> = shown.collect();
        let indices: Vec<_> = shown.iter().map(|shown| shown.index).collect();
        Ok(Self {
            shown: List::new(shown)?,
            count: tree.count(),
            siblings: List::new(tree.prove(&indices).map_err(in_deed)?)?,
            proof,
        })
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// None for parts within their bounds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        wire::to_bytes(self)
    }
}

/// What a receipt has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notarised {
    /// The transaction that commits to the deed.
    pub settled: SettledTransaction,
    /// Who signed it; nobody where data is free.
    pub signers: Vec<PublicKey>,
    /// The fields shown.
    pub shown: Vec<Shown>,
    /// How many fields the deed has.
    pub count: u32,
}

impl Notarised {
    /// The certified block it is proven under.
    #[must_use]
    pub const fn as_of(&self) -> &Certified {
        &self.settled.as_of
    }

    /// The digest of the document, if that field is shown.
    #[must_use]
    pub fn document(&self) -> Option<Digest> {
        let mut shown = self.shown.iter().map(|shown| &shown.field);
        let field = shown.find(|field| *field.name == *DOCUMENT.as_bytes())?;
        <[u8; 32]>::try_from(&*field.value).ok().map(Digest)
    }
}

/// Checks a receipt offline, as [`proof_file::verify`] does a proof file.
///
/// # Errors
/// Those of [`proof_file::verify`]; [`Error::OtherKind`] for the proof of anything but a transaction;
/// [`Error::NotApplied`]; [`Error::NoMemo`]; [`Error::FieldOrder`]; [`Error::Other`] for fields that
/// the memo does not commit to. Whoever made the receipt is to blame.
pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Notarised, Error> {
    let receipt: Receipt = wire::from_bytes(bytes)?;
    let Claim::Transaction { id } = receipt.proof.claim else {
        return Err(Error::OtherKind);
    };
    let Statement::Transaction(settled) = proof_file::verify_file(&receipt.proof, trust)? else {
        return Err(Error::OtherKind);
    };
    if settled.outcome != Outcome::Applied {
        return Err(Error::NotApplied { id });
    }
    let transaction = settled
        .checked
        .transaction()
        .ok_or(Error::NotApplied { id })?;
    let wanted = transaction.body.memo.ok_or(Error::NoMemo { id })?;
    let signers = transaction.witnesses.iter().map(|witness| witness.owner);
    let signers = signers.collect();
    same(Part::Deed, memo_by(&receipt, trust.chain())?, wanted)?;
    Ok(Notarised {
        settled: *settled,
        signers,
        shown: receipt.shown.into_vec(),
        count: receipt.count,
    })
}

/// The memo that the fields of a receipt lead to.
fn memo_by(receipt: &Receipt, chain: &Digest) -> Result<Digest, Error> {
    check_order(receipt.shown.iter().map(|shown| &shown.field))?;
    let leaf = |shown: &Shown| Ok::<_, Error>((shown.index, shown.field.leaf(chain)?));
    let leaves: Result<Vec<_>, _> = receipt.shown.iter().map(leaf).collect();
    let root = root_by_transactions(receipt.count, &leaves?, &receipt.siblings);
    Ok(memo_of(chain, receipt.count, &root.map_err(in_deed)?))
}

impl fmt::Display for Notarised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, id) = (&self.settled.header, self.settled.checked.id());
        let (height, time, shown) = (header.height, header.time, self.shown.len());
        let count = self.count;
        write!(f, "on record since block {height}, time {time} ms, ")?;
        write!(f, "by transaction {id}")?;
        for (place, signer) in self.signers.iter().enumerate() {
            let joint = if place == 0 { " signed by" } else { " and" };
            write!(f, "{joint} key {signer}")?;
        }
        write!(f, ": {shown} of the {count} fields of a deed")?;
        for shown in &self.shown {
            let Field { name, value, .. } = &shown.field;
            write!(f, "; {} = {}", Plain(name), Plain(value))?;
        }
        write!(f, "; {}", self.as_of())
    }
}

/// Bytes of a stranger: as quoted text where they are text, else as digits, so that they forge no
/// line of a terminal.
struct Plain<'a>(&'a [u8]);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(self.0) {
            Ok(text) => write!(f, "{text:?}"),
            Err(_) => f.write_str(&to_hex(self.0)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
