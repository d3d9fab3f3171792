//! Certificates of sealing blocks: the committee that signs them makes no more events, so its
//! attestations travel as messages, and whoever was away asks for them (C29, C30).

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use dag::Committee;
use dag::event::Attestation;
use dag::gossip::Message;
use ledger::Header;
use primitives::Digest;
use primitives::codec::{self, List};
use primitives::keys::{PublicKey, Signature};
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height, PeerIndex};

use crate::certify::{Certified, Certifier, Gathered, holding};
use crate::error::Error;
use crate::replica::{Replica, decode_row};
use crate::rows::{self, CertificateRow};
use crate::seat::committee_of;
use crate::turn::Turn;

/// Epochs whose certificates are asked for at a time.
const ASKED_MAX: usize = 4;
/// What a signature from a message counts for a peer's allowance, in bytes: it costs a check.
const SIGNATURE_BYTES: usize = 16 * 1024;

/// A message with attestations of one block.
#[derive(Debug)]
pub(crate) struct Attested {
    pub(crate) epoch: Epoch,
    pub(crate) height: Height,
    pub(crate) root: Digest,
    pub(crate) signatures: Vec<(PeerIndex, Signature)>,
}

impl Replica {
    /// Tells everybody the own attestations that no event of the sealed epoch has carried.
    pub(crate) fn hand_in_attestations<S: Store>(
        &mut self,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let attestations = core::mem::take(&mut self.attestations);
        let Some(own) = self.own() else {
            return Ok(());
        };
        let executed = self.ledger.height();
        self.certifier.gather(own, &attestations, executed);
        let epoch = self.committee.epoch();
        for Attestation {
            height,
            root,
            signature,
        } in attestations
        {
            turn.broadcast(Message::Attested {
                epoch,
                height,
                root,
                signatures: List::new(alloc::vec![(own, signature)])?,
            });
        }
        Ok(())
    }

    /// Takes attestations from a message, of the present epoch or of one whose sealing block lacks a
    /// certificate. Only signatures that hold are kept: whoever sends them need not have made them.
    pub(crate) fn take_attested<S: Store>(
        &mut self,
        from: PublicKey,
        attested: &Attested,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let Attested { epoch, height, .. } = *attested;
        let is_sealed = self.unsealed.contains(&epoch);
        let allowance = &mut self.peers.entry(from).or_default().allowance;
        if !(is_sealed || epoch == self.committee.epoch()) || !allowance.is_left(turn.now.mono_ms) {
            return Ok(());
        }
        allowance.spend(attested.signatures.len().saturating_mul(SIGNATURE_BYTES));
        let last = self.ledger.parameters().last_height(epoch);
        if epoch == self.committee.epoch() {
            let executed = self.ledger.height();
            gather(&mut self.certifier, attested, executed);
            return Ok(());
        }
        let is_asked = self.unsealed.iter().take(ASKED_MAX).any(|it| *it == epoch);
        if is_asked && height == last && !self.sealed.contains_key(&epoch) {
            let certifier = self.certifier_of_seal(epoch, &turn.store)?;
            self.sealed.insert(epoch, certifier);
        }
        if let Some(certifier) = self.sealed.get_mut(&epoch) {
            gather(certifier, attested, last);
        }
        Ok(())
    }

    /// Keeps the certifier of the epoch that has just ended, until it has certified its last block.
    pub(crate) fn keep_certifier(&mut self, certifier: Certifier) {
        let epoch = certifier.committee().epoch();
        self.unsealed.insert(epoch);
        let asked: BTreeSet<Epoch> = self.unsealed.iter().take(ASKED_MAX).copied().collect();
        self.sealed.retain(|epoch, _| asked.contains(epoch));
        self.sealed.insert(epoch, certifier);
    }

    /// A certifier of the block that sealed `epoch`, with what this peer attests of it.
    fn certifier_of_seal<S: Store>(&self, epoch: Epoch, store: &S) -> Result<Certifier, Error> {
        let height = self.ledger.parameters().last_height(epoch);
        let mut certifier = Certifier::new(committee_of(&self.ledger, epoch, store)?, height);
        let root = self.stored_header(height, store)?.root()?;
        certifier.note_root(height, root);
        if let Some(own) = self.index_in(certifier.committee()) {
            let attestation = self.sign_attestation(epoch, height, root);
            certifier.gather(own, &[attestation], height);
        }
        Ok(certifier)
    }

    /// What this peer attests of the block that sealed `epoch`, if it was a member then. An executed
    /// block has one root, so that attesting it again says nothing new.
    fn own_seal<S: Store>(&self, epoch: Epoch, store: &S) -> Result<Option<Gathered>, Error> {
        let members = self.ledger.committee_of(epoch, store)?;
        let key = self.signer.public();
        let own = members.iter().position(|member| member.event_key == key);
        let Some(own) = own.and_then(|own| u16::try_from(own).ok()).map(PeerIndex) else {
            return Ok(None);
        };
        let height = self.ledger.parameters().last_height(epoch);
        let root = self.stored_header(height, store)?.root()?;
        let attestation = self.sign_attestation(epoch, height, root);
        Ok(Some((root, alloc::vec![(own, attestation.signature)])))
    }

    /// Asks the next peer for the certificates of the oldest epochs that lack theirs.
    pub(crate) fn ask_for_seals<S: Store>(&self, peer: PublicKey, turn: &mut Turn<'_, S>) {
        for epoch in self.unsealed.iter().take(ASKED_MAX) {
            turn.send(peer, Message::WantSeal { epoch: *epoch });
        }
    }

    /// Answers with the certificate, or with what has been gathered for it.
    pub(crate) fn answer_want_seal<S: Store>(
        &mut self,
        to: PublicKey,
        epoch: Epoch,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let allowance = &mut self.peers.entry(to).or_default().allowance;
        if epoch >= self.committee.epoch() || !allowance.is_left(turn.now.mono_ms) {
            return Ok(());
        }
        let height = self.ledger.parameters().last_height(epoch);
        let (root, signatures) = match seal_of(epoch, &turn.store)? {
            Some(certified) => (certified.root, certified.signatures),
            None => {
                let sealed = self.sealed.get(&epoch);
                let gathered = sealed.and_then(|sealed| sealed.gathered(height));
                let own = || self.own_seal(epoch, &turn.store);
                match gathered.map_or_else(own, |gathered| Ok(Some(gathered)))? {
                    Some(gathered) => gathered,
                    None => return Ok(()),
                }
            }
        };
        let signatures = List::new(signatures)?;
        let allowance = &mut self.peers.entry(to).or_default().allowance;
        allowance.spend(signatures.len().saturating_mul(66).max(SIGNATURE_BYTES));
        let attested = Message::Attested {
            epoch,
            height,
            root,
            signatures,
        };
        turn.send_bulk(to, attested);
        Ok(())
    }

    /// Keeps the certificate of a sealing block for whoever asks.
    pub(crate) fn keep_seal<S: Store>(
        &mut self,
        certified: &Certified,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let parameters = self.ledger.parameters();
        let epoch = parameters.epoch_of(certified.height);
        if certified.height != parameters.last_height(epoch) {
            return Ok(());
        }
        self.unsealed.remove(&epoch);
        self.sealed.remove(&epoch);
        let (key, row) = (rows::seal_key(epoch), certificate_row(certified)?);
        turn.store.batch.put(Table::Meta, key, row);
        Ok(())
    }

    /// The committee of the epoch that `height` is in.
    pub(crate) fn committee_at<S: Store>(
        &self,
        height: Height,
        store: &S,
    ) -> Result<Cow<'_, Committee>, Error> {
        let epoch = self.ledger.parameters().epoch_of(height);
        if epoch == self.committee.epoch() {
            return Ok(Cow::Borrowed(&self.committee));
        }
        match self.sealed.get(&epoch) {
            Some(sealed) => Ok(Cow::Borrowed(sealed.committee())),
            None => committee_of(&self.ledger, epoch, store).map(Cow::Owned),
        }
    }

    /// After a start: which epochs lack their certificate, and what this peer attests of the last.
    pub(crate) fn restore_seals<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let mut epoch = Epoch::ZERO;
        while epoch < self.committee.epoch() {
            if seal_of(epoch, store)?.is_none() {
                self.unsealed.insert(epoch);
            }
            epoch = epoch.later(1);
        }
        if self.committee.epoch() == Epoch::ZERO {
            return Ok(());
        }
        let before = self.committee.epoch().earlier(1);
        let height = self.ledger.parameters().last_height(before);
        self.sealing = Some(self.stored_header(height, store)?.leader);
        if self.unsealed.contains(&before) {
            let certifier = self.certifier_of_seal(before, store)?;
            self.sealed.insert(before, certifier);
        }
        Ok(())
    }

    /// The header of a block that has been executed.
    pub(crate) fn stored_header<S: Store>(
        &self,
        height: Height,
        store: &S,
    ) -> Result<Header, Error> {
        let header = self.ledger.header_at(height, store)?;
        header.ok_or(Error::Damaged { what: "block" })
    }
}

fn gather(certifier: &mut Certifier, attested: &Attested, executed: Height) {
    let Attested { height, root, .. } = *attested;
    let committee = certifier.committee();
    for (creator, signature) in holding(committee, height, &root, &attested.signatures) {
        let attestation = Attestation {
            height,
            root,
            signature,
        };
        certifier.gather(creator, &[attestation], executed);
    }
}

/// The stored certificate of the block that seals an epoch.
pub(crate) fn seal_of<S: Store>(epoch: Epoch, store: &S) -> Result<Option<Certified>, Error> {
    let row = store.get(Table::Meta, &rows::seal_key(epoch))?;
    row.map(|row| certified_of(&row)).transpose()
}

/// A certificate as a row.
pub(crate) fn certificate_row(certified: &Certified) -> Result<Vec<u8>, Error> {
    let row = CertificateRow {
        height: certified.height,
        root: certified.root,
        signatures: List::new(certified.signatures.clone())?,
    };
    Ok(codec::encode(&row)?)
}

/// The certificate of a row.
pub(crate) fn certified_of(row: &[u8]) -> Result<Certified, Error> {
    let CertificateRow {
        height,
        root,
        signatures,
    } = decode_row(row, "certificate")?;
    Ok(Certified {
        height,
        root,
        signatures: signatures.into_vec(),
    })
}
