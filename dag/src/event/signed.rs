//! Header and signature, encoded and hashed once for all copies.

use alloc::sync::Arc;
use alloc::vec::Vec;

use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::enc::write::Writer;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{self, Canonical, Decode, Encode, bincode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::Signature;
use primitives::{Digest, limits};

use crate::error::Error;
use crate::event::{Header, Reference};

/// An event as it travels and is stored: header and signature. The payload goes beside it. Copies
/// share one header and its canonical bytes, which are encoded and hashed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed(Arc<Sealed>);

#[derive(Debug, PartialEq, Eq)]
struct Sealed {
    id: Digest,
    header: Header,
    signature: Signature,
    /// The encoding: that of the header, then the signature's bytes.
    bytes: Arc<[u8]>,
}

impl Signed {
    /// `header` with its creator's signature over the id, which nobody has checked. Cost: one
    /// encoding and one hash of the header.
    ///
    /// # Errors
    /// Never for a header within its bounds.
    pub fn new(header: Header, signature: Signature) -> Result<Self, Error> {
        let encoded = codec::encode(&header)?;
        let id = derive(Domain::Event, &[&encoded]);
        Ok(Self::of(id, header, signature, encoded))
    }

    pub(super) fn of(id: Digest, header: Header, signature: Signature, encoded: Vec<u8>) -> Self {
        let mut bytes = encoded;
        bytes.extend_from_slice(&signature.0);
        Self(Arc::new(Sealed {
            id,
            header,
            signature,
            bytes: bytes.into(),
        }))
    }

    /// The id: the digest of the header's canonical bytes (C4).
    #[must_use]
    pub fn id(&self) -> &Digest {
        &self.0.id
    }

    /// The signed header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// The event key's signature over the id; randomised, so not part of the identity.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.0.signature
    }

    /// The canonical bytes, shared with every copy.
    #[must_use]
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.0.bytes
    }

    /// How others name it.
    #[must_use]
    pub fn reference(&self) -> Reference {
        self.0.header.reference(self.0.id)
    }
}

impl Encode for Signed {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encoder.writer().write(&self.0.bytes)
    }
}

impl<C> Decode<C> for Signed {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let header = Header::decode(decoder)?;
        let signature = Signature::decode(decoder)?;
        Self::new(header, signature).map_err(|_| DecodeError::Other("a header is too long"))
    }
}

bincode::impl_borrow_decode!(Signed);

impl Canonical for Signed {
    const BYTES_MAX: usize = limits::EVENT_HEADER_BYTES_MAX + 64;
}
