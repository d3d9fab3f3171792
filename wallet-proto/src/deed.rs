//! A deed: named fields that a transaction commits to by its memo, each under a salt.
//!
//! ```text
//!   field = { salt, name, value }        leaf = derive("primus v1 deed field", chain + field)
//!   root  = tree over the leaves by ascending name, shaped and joined as that of a block's
//!           transactions
//!   memo  = derive("primus v1 deed", chain + number of fields + root)
//! ```
//!
//! The salts are what hides a field that is not shown: without them whoever guesses a value could
//! try it. Their owner draws them by chance and keeps the deed; a [`crate::receipt`] shows a part.

use alloc::vec::Vec;
use core::fmt;

use merkle::TreeKeys;
use merkle::transactions::TransactionTree;
use primitives::Digest;
use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::limits::{DEED_FIELDS_MAX, FIELD_NAME_BYTES_MAX, FIELD_VALUE_BYTES_MAX};

use crate::error::{Error, Part};
use crate::wire;

/// The name of the field whose value is the digest of a document.
pub const DOCUMENT: &str = "document";

/// A name and a value, hidden by a salt as long as they are not shown.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Field {
    /// 32 bytes of chance.
    pub salt: [u8; 32],
    /// What is said by it.
    pub name: Bytes<FIELD_NAME_BYTES_MAX>,
    /// What it says; of [`DOCUMENT`] a digest of 32 bytes.
    pub value: Bytes<FIELD_VALUE_BYTES_MAX>,
}

impl Canonical for Field {
    const BYTES_MAX: usize = 40 + FIELD_NAME_BYTES_MAX + FIELD_VALUE_BYTES_MAX;
}

// Logs and panics must not tell a salt.
impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?})", self.name)
    }
}

impl Field {
    /// The leaf of the deed's tree.
    ///
    /// # Errors
    /// None for a field that was decoded.
    pub fn leaf(&self, chain: &Digest) -> Result<Digest, Error> {
        let bytes = codec::encode(self)?;
        Ok(derive(Domain::DeedField, &[&chain.0, &bytes]))
    }
}

/// The fields of a deed, by strictly ascending names.
pub type Fields = List<Field, DEED_FIELDS_MAX>;

/// What the owner of a deed keeps, and shows to nobody as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Deed {
    /// The chain.
    pub chain: Digest,
    /// The transaction that commits to it.
    pub transaction: Digest,
    /// All of its fields.
    pub fields: Fields,
}

impl Canonical for Deed {
    const BYTES_MAX: usize = 68 + DEED_FIELDS_MAX * Field::BYTES_MAX;
}

impl Deed {
    /// The bytes of its file.
    ///
    /// # Errors
    /// None for fields within their bounds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        wire::to_bytes(self)
    }

    /// The deed of a file.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Encoding`]; [`Error::FieldOrder`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let deed: Self = wire::from_bytes(bytes)?;
        check_order(deed.fields.iter())?;
        Ok(deed)
    }
}

/// The memo by which a transaction commits to these fields. Cost: a hash of each field, and one
/// compression each.
///
/// # Errors
/// [`Error::FieldOrder`] unless there is a field and the names ascend strictly.
pub fn memo(chain: &Digest, fields: &Fields) -> Result<Digest, Error> {
    let tree = tree(chain, fields)?;
    Ok(memo_of(chain, tree.count(), &tree.root()))
}

/// The digest by which the field [`DOCUMENT`] names a document.
#[must_use]
pub fn document_digest(document: &[u8]) -> Digest {
    derive(Domain::Document, &[document])
}

pub(crate) fn memo_of(chain: &Digest, count: u32, root: &Digest) -> Digest {
    derive(Domain::Deed, &[&chain.0, &count.to_le_bytes(), &root.0])
}

pub(crate) fn tree(chain: &Digest, fields: &Fields) -> Result<TransactionTree, Error> {
    check_order(fields.iter())?;
    let leaves: Result<Vec<_>, _> = fields.iter().map(|field| field.leaf(chain)).collect();
    let keys = TreeKeys::new(chain);
    let tree = TransactionTree::new(keys.transactions(), &leaves?);
    tree.map_err(in_deed)
}

/// One order, so that a deed has one memo and a name shown twice is noticed.
pub(crate) fn check_order<'a>(fields: impl Iterator<Item = &'a Field>) -> Result<(), Error> {
    let mut before = None;
    for (index, field) in fields.enumerate() {
        if before >= Some(&field.name) {
            return Err(Error::FieldOrder { index });
        }
        before = Some(&field.name);
    }
    let nothing = Error::FieldOrder { index: 0 };
    before.map(|_| ()).ok_or(nothing)
}

pub(crate) const fn in_deed(source: merkle::Error) -> Error {
    Error::Proof {
        part: Part::Deed,
        source,
    }
}

#[cfg(test)]
pub(crate) mod tests;
