//! Names: looked up with proof, registered, handed over.

use std::collections::BTreeSet;

use ledger::tx::{Body, Holder, Kind, Name};
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Amount, Height};
use wallet_proto::Request;
use wallet_proto::check::{self, ProvenName};

use super::balance::decode;
use super::{Prepared, Wallet};
use crate::error::Error;

impl Wallet {
    /// Who holds a name, or that nobody does; as of the newest certified block without a height.
    ///
    /// # Errors
    /// The last host's failure, where none proves it.
    pub async fn name(&mut self, name: Name, height: Option<Height>) -> Result<ProvenName, Error> {
        let request = Request::Name { name, height };
        let check = |answer: &_, trust: &_| check::name(&name, height, answer, trust);
        self.ask(&request, check).await
    }

    /// Prepares the transaction that registers a free name for this wallet's key, signs it and puts it
    /// into the outbox; [`Wallet::send`] carries it through. It pays the fee of a transfer.
    ///
    /// # Errors
    /// [`Error::NameHeld`]; as [`Wallet::prepare`].
    pub async fn prepare_registration(
        &mut self,
        name: Name,
        fee: Option<Amount>,
    ) -> Result<Prepared, Error> {
        if let Some(holder) = self.holder(name).await? {
            return Err(Error::NameHeld {
                name,
                by: holder.key,
            });
        }
        self.prepare_name(name, self.key, None, fee).await
    }

    /// Prepares the transaction by which this wallet's key hands a name over to the key `to`, else as
    /// [`Wallet::prepare_registration`].
    ///
    /// # Errors
    /// [`Error::NameFree`]; [`Error::NameHeld`] by another key; as [`Wallet::prepare`].
    pub async fn prepare_handover(
        &mut self,
        name: Name,
        to: PublicKey,
        fee: Option<Amount>,
    ) -> Result<Prepared, Error> {
        to.to_verifying()?;
        let holder = self.holder(name).await?;
        let holder = holder.ok_or(Error::NameFree { name })?;
        if holder.key != self.key {
            return Err(Error::NameHeld {
                name,
                by: holder.key,
            });
        }
        self.prepare_name(name, to, Some(holder), fee).await
    }

    async fn holder(&mut self, name: Name) -> Result<Option<Holder>, Error> {
        let held = self.name(name, None).await?.held;
        Ok(held.map(|(holder, _)| holder))
    }

    /// The transactions of the outbox whose places in their names others have taken: they can never be
    /// applied any more, though nothing else spends their coins.
    pub(super) async fn beaten(&mut self) -> Result<BTreeSet<Digest>, Error> {
        let mut beaten = BTreeSet::new();
        for bytes in self.home.outbox()? {
            let body = decode(&bytes)?.body;
            if let Kind::Name { name, from, .. } = body.kind
                && let Some((holder, newest)) = self.name(name, None).await?.held
            {
                let id = body.id(self.trust.chain())?;
                let is_taken = holder.number >= Holder::next_number(from.as_ref());
                if is_taken && newest.txid != id {
                    beaten.insert(id);
                }
            }
        }
        Ok(beaten)
    }

    async fn prepare_name(
        &mut self,
        name: Name,
        to: PublicKey,
        from: Option<Holder>,
        fee: Option<Amount>,
    ) -> Result<Prepared, Error> {
        let body = Body::of(Kind::Name { name, to, from });
        self.enqueue(body, Vec::new(), fee, |_| Ok(())).await
    }
}
