//! What becomes known at the end of a turn: certificates, grades, and the answers they release.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use primitives::store::{Store, Table};
use wallet_proto::certificate::{Certificate, attestation_digest};
use wallet_proto::reply::Reply;

use crate::certify::{Certified, Verdict};
use crate::error::Error;
use crate::handle::seal::certificate_row;
use crate::replica::{Held, Replica};
use crate::rows;
use crate::turn::Turn;

impl Replica {
    /// Certifies what can be certified and tells wallets what they wait for.
    pub(crate) fn report<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        self.raise_grades(turn)?;
        let wanted: BTreeSet<_> = self
            .held
            .iter()
            .map(|held| held.answer.snapshot.header.height)
            .collect();
        let executed = self.ledger.height();
        let parameters = *self.ledger.parameters();
        let sealed = self.sealed.iter_mut();
        let mut verdicts: Vec<Verdict> = sealed
            .map(|(epoch, sealed)| sealed.advance(parameters.last_height(*epoch), &wanted))
            .collect();
        verdicts.push(self.certifier.advance(executed, &wanted));
        for verdict in verdicts {
            self.take_verdict(verdict, turn)?;
        }
        self.expire_held(turn)?;
        for (ticket, reply, last) in self.watches.take() {
            if last {
                turn.end(ticket, reply);
            } else {
                turn.reply(ticket, reply);
            }
        }
        Ok(())
    }

    /// Keeps new certificates, or stops at a root that a quorum contradicts.
    pub(crate) fn take_verdict<S: Store>(
        &mut self,
        verdict: Verdict,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        match verdict {
            Verdict::Certified(certificates) => {
                for certified in certificates {
                    self.take_certificate(certified, turn)?;
                }
                Ok(())
            }
            Verdict::Diverged {
                height,
                theirs,
                ours,
            } => {
                self.diverged = Some(height);
                Err(Error::Diverged {
                    height,
                    theirs,
                    ours,
                })
            }
        }
    }

    fn take_certificate<S: Store>(
        &mut self,
        certified: Certified,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        self.stats.certificates = self.stats.certificates.saturating_add(1);
        let certificate = self.certificate(&certified, &turn.store)?;
        self.keep_seal(&certified, turn)?;
        self.watches.prove(certified.height);
        let (ready, held): (Vec<Held>, Vec<Held>) = core::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.answer.snapshot.header.height == certified.height);
        self.held = held;
        for mut held in ready {
            held.answer.snapshot.certificate = certificate.clone();
            turn.end(held.ticket, Reply::Answer(held.answer));
        }
        let newest = self.certified.as_ref().map(|newest| newest.height);
        if newest < Some(certified.height) {
            let row = certificate_row(&certified)?;
            let key = rows::CERTIFICATE.to_vec();
            turn.store.batch.put(Table::Meta, key, row);
            self.certified = Some(certified);
        }
        Ok(())
    }

    pub(crate) fn certificate<S: Store>(
        &self,
        certified: &Certified,
        store: &S,
    ) -> Result<Certificate, Error> {
        let Certified {
            height,
            root,
            signatures,
        } = certified;
        let committee = self.committee_at(*height, store)?;
        let epoch = committee.epoch();
        let signed = signatures.iter().map(|(creator, signature)| {
            let member = committee.member(*creator)?;
            Ok((*creator, member.event_key, *signature))
        });
        let signed: Vec<_> = signed.collect::<Result<_, dag::Error>>()?;
        let digest = attestation_digest(epoch, *height, root);
        let size = committee.size();
        let made = Certificate::new(epoch, size, &self.chain, &digest, &signed);
        // The signatures were checked when the certificate came about.
        made.map_err(|_| Error::Damaged {
            what: "certificate",
        })
    }
}
