//! What happens to a peer that signed two events for one place: the pair is written down, and
//! somebody brings it before the ledger (C10).

use alloc::boxed::Box;
use alloc::vec::Vec;

use dag::Committee;
use dag::event::{Evidence, Signed};
use ledger::tx::evidence::SignedHeader;
use ledger::tx::{Body, Checked, Kind, Transaction, check_alone};
use primitives::codec;
use primitives::store::{Store, Table};
use primitives::units::PeerIndex;

use crate::error::Error;
use crate::replica::{Replica, decode_row};
use crate::rows;
use crate::seat::committee_of;
use crate::turn::Turn;

/// How many members after the forker accuse it at once. The others wait for them, so that one fork
/// does not make a whole committee talk.
const FIRST_ACCUSERS: usize = 3;
/// Rows read at once.
const PAGE: usize = 64;

impl Replica {
    /// Writes down the first evidence against a member in this epoch and sees to it that it comes
    /// into a block.
    pub(crate) fn note_evidence<S: Store>(
        &mut self,
        evidence: Evidence,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let header = evidence.first.header();
        let forker = self.committee.member(header.creator)?;
        let key = rows::evidence_key(header.epoch, &forker.key);
        if turn.store.get(Table::Evidence, &key)?.is_some() {
            return Ok(());
        }
        self.stats.equivocations = self.stats.equivocations.saturating_add(1);
        let row = codec::encode(&evidence)?;
        turn.store.batch.put(Table::Evidence, key, row);
        let accusation = accusation(&evidence, &self.committee)?;
        self.accuse(accusation, header.creator, &turn.store, turn.now.mono_ms)?;
        turn.accuse(evidence);
        Ok(())
    }

    /// Accuses anew whom no block has convicted: what waited to be submitted was lost in a restart.
    pub(crate) fn restore_evidence<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let end = rows::evidence_end();
        let mut from = Vec::new();
        loop {
            let page = store.range(Table::Evidence, &from, &end, PAGE)?;
            for (_, row) in &page {
                let evidence: Evidence = decode_row(row, "evidence")?;
                let header = evidence.first.header();
                let (epoch, creator) = (header.epoch, header.creator);
                let committee = committee_of(&self.ledger, epoch, store)?;
                let peer = committee.member(creator)?.key;
                if self.ledger.conviction(&peer, store)?.is_none() {
                    let accusation = accusation(&evidence, &committee)?;
                    self.accuse(accusation, creator, store, 0)?;
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => {
                    from = key.iter().copied().chain([0]).collect();
                }
                _ => return Ok(()),
            }
        }
    }

    fn accuse<S: Store>(
        &mut self,
        accusation: Checked,
        forker: PeerIndex,
        store: &S,
        now_ms: u64,
    ) -> Result<(), Error> {
        if self.is_brought_in(accusation.id(), store)? {
            return Ok(());
        }
        let size = self.committee.size();
        let places = |own: PeerIndex| {
            let ahead = own.position().saturating_add(size);
            ahead.saturating_sub(forker.position()).checked_rem(size)
        };
        let is_first = self.own().and_then(places);
        let is_first = is_first.is_some_and(|places| (1..=FIRST_ACCUSERS).contains(&places));
        self.bring_in_again(accusation, is_first, now_ms);
        Ok(())
    }
}

/// The transaction that tells the ledger.
///
/// # Errors
/// An accused that is not of the committee.
fn accusation(evidence: &Evidence, committee: &Committee) -> Result<Checked, Error> {
    let accused = committee.member(evidence.first.header().creator)?;
    let signed = |event: &Signed| -> Result<SignedHeader, Error> {
        let header = codec::encode(event.header())?;
        Ok(SignedHeader::new(header, *event.signature())?)
    };
    let evidence = ledger::tx::Evidence::new(
        accused.key,
        accused.event_key.to_public(),
        signed(&evidence.first)?,
        signed(&evidence.second)?,
    );
    let body = Body::of(Kind::Evidence(Box::new(evidence)));
    let bytes = codec::encode(&Transaction::unsigned(body))?;
    Ok(check_alone(bytes, committee.chain()))
}
