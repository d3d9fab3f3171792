//! What the replica itself keeps in the store, and under which keys.

use alloc::vec::Vec;

use dag::gossip::Cursor;
use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::keys::{PublicKey, Signature};
use primitives::units::{Epoch, Height, PeerIndex, Round};
use primitives::{Digest, limits};

/// Key of [`primitives::store::Table::Meta`]: the engine's checkpoint (C31).
pub const CHECKPOINT: &[u8] = b"checkpoint";
/// Key of [`primitives::store::Table::Meta`]: the newest certificate.
pub const CERTIFICATE: &[u8] = b"certificate";
/// Key of [`primitives::store::Table::Meta`]: the id of the newest own event.
pub const OWN_HEAD: &[u8] = b"own head";
/// Key of [`primitives::store::Table::Meta`]: there once this peer must never sign again (C32).
pub const QUARANTINED: &[u8] = b"quarantined";

/// Table `Meta`: the certificate of the block that seals `epoch` (C30).
#[must_use]
pub fn seal_key(epoch: Epoch) -> Vec<u8> {
    [b"seal".as_slice(), &epoch.get().to_be_bytes()].concat()
}

/// Table `Chain`: epoch, round, admission. Parents come before children in this order.
#[must_use]
pub fn chain_key(epoch: Epoch, at: Cursor) -> Vec<u8> {
    [
        epoch.get().to_be_bytes(),
        at.round.get().to_be_bytes(),
        at.admission.to_be_bytes(),
    ]
    .concat()
}

/// The first key of table `Chain` after those of an epoch; the last epoch of all has none.
#[must_use]
pub fn chain_end(epoch: Epoch) -> Vec<u8> {
    let begin = Cursor {
        round: Round::ZERO,
        admission: 0,
    };
    chain_key(epoch.later(1), begin)
}

/// Table `Evidence`: epoch, peer key. One pair is enough.
#[must_use]
pub fn evidence_key(epoch: Epoch, peer: &PublicKey) -> Vec<u8> {
    [epoch.get().to_be_bytes().as_slice(), &peer.0].concat()
}

/// The first key after all those of table `Evidence`.
#[must_use]
pub fn evidence_end() -> Vec<u8> {
    alloc::vec![u8::MAX; 41]
}

/// The place that a key of table `Chain` stands for.
#[must_use]
pub fn chain_cursor(key: &[u8]) -> Option<Cursor> {
    let (_, rest) = key.split_first_chunk::<8>()?;
    let (round, rest) = rest.split_first_chunk::<8>()?;
    let (admission, _) = rest.split_first_chunk::<8>()?;
    let round = Round::new(u64::from_be_bytes(*round));
    Some(Cursor {
        round,
        admission: u64::from_be_bytes(*admission),
    })
}

/// Tables `Block` and `Order`: the height.
#[must_use]
pub fn height_key(height: Height) -> Vec<u8> {
    height.get().to_be_bytes().to_vec()
}

/// Meta rows [`CERTIFICATE`] and [`seal_key`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct CertificateRow {
    /// The block's height.
    pub height: Height,
    /// Its consensus root.
    pub root: Digest,
    /// By ascending creator.
    pub signatures: List<(PeerIndex, Signature), { limits::PEERS_MAX }>,
}

impl Canonical for CertificateRow {
    const BYTES_MAX: usize = 48 + 66 * limits::PEERS_MAX;
}
