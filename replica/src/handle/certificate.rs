//! What becomes known at the end of a turn: certificates, grades, and the answers they release.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use primitives::codec::{self, List};
use primitives::store::{Store, Table};
use wallet_proto::certificate::{Certificate, attestation_digest};
use wallet_proto::reply::Reply;

use crate::certify::{Certified, Verdict};
use crate::error::Error;
use crate::replica::{Held, Replica};
use crate::rows::{self, CertificateRow};
use crate::turn::Turn;

impl Replica {
    /// Certifies what can be certified and tells wallets what they wait for.
    pub(crate) fn report<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        self.raise_grades(turn);
        let wanted: BTreeSet<_> = self
            .held
            .iter()
            .map(|held| held.answer.snapshot.header.height)
            .collect();
        let executed = self.ledger.height();
        match self
            .certifier
            .advance(&self.committee, executed, &wanted, &self.roots)
        {
            Verdict::Certified(certificates) => {
                for certified in certificates {
                    self.take_certificate(&certified, turn)?;
                }
            }
            Verdict::Diverged { height, theirs } => {
                let ours = self.roots.get(&height).copied().unwrap_or_default();
                self.diverged = Some(height);
                return Err(Error::Diverged {
                    height,
                    theirs,
                    ours,
                });
            }
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

    fn take_certificate<S: Store>(
        &mut self,
        certified: &Certified,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        self.stats.certificates = self.stats.certificates.saturating_add(1);
        self.roots = self.roots.split_off(&certified.height.later(1));
        let row = CertificateRow {
            height: certified.height,
            root: certified.root,
            signatures: List::new(certified.signatures.clone())?,
        };
        turn.store.batch.put(
            Table::Meta,
            rows::CERTIFICATE.to_vec(),
            codec::encode(&row)?,
        );
        self.watches.prove(certified.height);
        let certificate = self.certificate(certified)?;
        let (ready, held): (Vec<Held>, Vec<Held>) = core::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.answer.snapshot.header.height == certified.height);
        self.held = held;
        for mut held in ready {
            held.answer.snapshot.certificate = certificate.clone();
            turn.end(held.ticket, Reply::Answer(held.answer));
        }
        Ok(())
    }

    pub(crate) fn certificate(&self, certified: &Certified) -> Result<Certificate, Error> {
        let Certified {
            height,
            root,
            signatures,
        } = certified;
        let epoch = self.committee.epoch();
        let signed = signatures.iter().map(|(creator, signature)| {
            let member = self.committee.member(*creator)?;
            Ok((*creator, member.event_key, *signature))
        });
        let signed: Vec<_> = signed.collect::<Result<_, dag::Error>>()?;
        let digest = attestation_digest(epoch, *height, root);
        let size = self.committee.size();
        let made = Certificate::new(epoch, size, &self.chain, &digest, &signed);
        // The signatures were checked when the certificate came about.
        made.map_err(|_| Error::Damaged {
            what: "certificate",
        })
    }
}
