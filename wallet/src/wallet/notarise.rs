//! Notarising: a transaction commits to the fields of a deed by its memo, or a key to a hash as its one
//! word in a block.

use ledger::tx::{Body, Kind};
use primitives::Digest;
use primitives::codec::Bytes;
use primitives::units::Amount;
use wallet_proto::deed::{self, Deed, Fields};

use super::{Prepared, Wallet};
use crate::error::Error;

impl Wallet {
    /// Prepares the transaction that commits to `fields`, signs it and puts it into the outbox;
    /// [`Wallet::send`] carries it through. It pays the fee of a transfer also where data is free: so
    /// it bears the key's signature and stands in the key's log.
    ///
    /// `keep` stores the deed before the outbox has its transaction: a commitment whose salts are
    /// lost can never be opened.
    ///
    /// # Errors
    /// [`Error::Insufficient`]; [`Error::FeeTooLow`]; [`Error::Proof`] for fields out of order; those
    /// of `keep`; the last host's failure where none proves the coins.
    pub async fn prepare_deed(
        &mut self,
        fields: Fields,
        fee: Option<Amount>,
        keep: impl FnOnce(&Deed) -> Result<(), Error>,
    ) -> Result<Prepared, Error> {
        let chain = *self.trust.chain();
        let body = Body {
            memo: Some(deed::memo(&chain, &fields)?),
            ..Body::of(Kind::Data {
                nonce: 0,
                bytes: Bytes::default(),
            })
        };
        let keep = |prepared: &Prepared| {
            keep(&Deed {
                chain,
                transaction: prepared.id,
                fields,
            })
        };
        self.enqueue(body, Vec::new(), fee, keep).await
    }

    /// Prepares the transaction by which this wallet's key commits to `hash`, signs it and puts it into
    /// the outbox; [`Wallet::send`] carries it through. It pays the fee of a transfer.
    ///
    /// # Errors
    /// As [`Wallet::prepare`].
    pub async fn prepare_commit(
        &mut self,
        hash: Digest,
        fee: Option<Amount>,
    ) -> Result<Prepared, Error> {
        let key = self.key;
        let body = Body::of(Kind::Commit { key, hash });
        self.enqueue(body, Vec::new(), fee, |_| Ok(())).await
    }
}
