//! Settled blocks: executed, written down, attested; then what lies below the floor is dropped.

use alloc::sync::Arc;
use alloc::vec::Vec;

use consensus::{Grade, Settled, finality};
use ledger::state::{Block, OrderedEvent};
use merkle::workers::Workers;
use primitives::Digest;
use primitives::codec;
use primitives::store::{Batch, Store, Table};
use primitives::units::Round;
use wallet_proto::reply::Stage;

use crate::error::Error;
use crate::replica::Replica;
use crate::rows;
use crate::turn::Turn;

/// The least time between two looks at how far unsettled transactions have come, in milliseconds.
const SWEEP_MS: u64 = 20;
/// Transactions looked at in one sweep.
const SWEPT_MAX: usize = 1_024;

impl Replica {
    /// Who hashes the trees of the blocks to come, instead of the caller's own thread.
    pub fn hash_with(&mut self, workers: Arc<dyn Workers>) {
        self.ledger.hash_with(workers);
    }

    /// Executes every block that the DAG settles by now.
    pub(crate) fn settle<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        let before = self.engine.settled_round();
        let settled = self.engine.advance(&self.dag, &self.committee);
        if settled.is_empty() && self.engine.settled_round() == before {
            return Ok(());
        }
        for block in settled {
            if let Some(seat) = &mut self.seat {
                seat.creation.settle(&block);
            }
            self.compare_head(&block);
            self.execute(block, turn)?;
        }
        let next = |settled: Option<Round>| settled.map_or(0, |round| round.later(1).get());
        let rounds = next(self.engine.settled_round()).saturating_sub(next(before));
        self.strays.pass(rounds);
        if self.engine.is_sealed() {
            self.enter_epoch(turn)?;
        } else {
            self.rescue_stale(turn.now.mono_ms);
        }
        self.save_checkpoint(&mut turn.store.batch)?;
        turn.require_durability();
        self.drop_below_floor(turn)
    }

    fn execute<S: Store>(&mut self, settled: Settled, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        let height = settled.height;
        let mut events = Vec::with_capacity(settled.order.len());
        for id in &settled.order {
            let header = self
                .dag
                .event(id)
                .ok_or(Error::Damaged {
                    what: "ordered event",
                })?
                .header();
            let creator = self.committee.member(header.creator)?.key;
            let transactions = self.unsettled.remove(id);
            events.push(OrderedEvent {
                creator,
                transactions,
            });
        }
        let block = Block {
            height,
            epoch: self.committee.epoch(),
            round: settled.round,
            leader: settled.leader,
            time: settled.time,
            seed: settled.seed_after,
            events,
        };
        let executed = self.ledger.execute(block, &turn.store)?;
        turn.store.batch.append(executed.batch);
        let order: Vec<u8> = settled.order.iter().flat_map(|id| id.0).collect();
        turn.store
            .batch
            .put(Table::Order, rows::height_key(height), order);
        for (index, (id, outcome)) in (0..).zip(executed.outcomes) {
            let counter = match outcome.is_applied() {
                true => &mut self.stats.transactions_applied,
                false => &mut self.stats.transactions_rejected,
            };
            *counter = counter.saturating_add(1);
            self.compare_official(&id, outcome.is_applied());
            // Anybody may repeat a transaction: whoever was told that it is applied is told no more.
            let is_told = self.watches.grade(&id) == Some(Grade::Final);
            if is_told && !outcome.is_applied() {
                continue;
            }
            self.watches.settle(
                &id,
                height,
                &Stage::Final {
                    height,
                    index,
                    outcome,
                },
            );
        }
        let ordered = u64::try_from(settled.order.len()).unwrap_or(u64::MAX);
        self.stats.events_ordered = self.stats.events_ordered.saturating_add(ordered);
        self.stats.blocks = self.stats.blocks.saturating_add(1);
        self.attest(height, executed.root);
        Ok(())
    }

    /// Writes the engine's checkpoint (C31). The ids ordered lately are left out: table `Order` has
    /// them, and they would be most of every block's writes.
    pub(crate) fn save_checkpoint(&self, batch: &mut Batch) -> Result<(), Error> {
        let checkpoint = self.engine.checkpoint_without_order(&self.dag)?;
        batch.put(
            Table::Meta,
            rows::CHECKPOINT.to_vec(),
            codec::encode(&checkpoint)?,
        );
        Ok(())
    }

    // C9a, C31.
    fn drop_below_floor<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        let floor = self.engine.floor();
        if floor <= self.dag.floor() {
            return Ok(());
        }
        for id in self.dag.raise_floor(floor) {
            // Long stale: its creator has put the payload into new events.
            self.unsettled.remove(&id);
        }
        self.briefs.raise_floor(floor);
        for (_, arrival) in self.pending.raise_floor(floor) {
            if self.dag.missing(&arrival.event).is_empty() {
                // Others may wait for it, that name nothing below the floor themselves.
                self.admit_with_waiting(arrival, turn)?;
            }
        }
        Ok(())
    }

    // C30: stale payload is emitted again.
    fn rescue_stale(&mut self, now_ms: u64) {
        let is_stale = |id: &&Digest| {
            let event = self.dag.event(id);
            event.is_none_or(|event| self.engine.is_stale(event.header().round))
        };
        let stale: Vec<Digest> = self.unsettled.events().filter(is_stale).copied().collect();
        for id in stale {
            self.rescue(&id, now_ms);
        }
    }

    /// Tells wallets how far their unsettled transactions have come (C25).
    /// A sweep looks at some of them in turn: how many there are is the wallets' choice.
    pub(crate) fn raise_grades<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        if self.watches.is_still() {
            return Ok(());
        }
        let now = turn.now.mono_ms;
        if now < self.sweep_due_ms {
            turn.wake_at(self.sweep_due_ms);
            return Ok(());
        }
        self.sweep_due_ms = now.saturating_add(SWEEP_MS);
        let mut risen = Vec::new();
        for (id, grade) in self.watches.next_rising(SWEPT_MAX) {
            let events = self.unsettled.carriers(&id);
            if events.is_empty() {
                continue;
            }
            let Some(rivals) = self.unsettled.rivals(&id) else {
                continue;
            };
            let carried = |transaction| self.unsettled.carried(transaction);
            let rivals: Vec<_> = rivals.iter().map(carried).collect();
            let mut new = finality::grade(&self.dag, carried(&id), &rivals);
            // C25: against a rival in a block it cannot win, whoever backs it among those left.
            if new > grade && new == Grade::Official && self.is_beaten(&id, &turn.store)? {
                new = Grade::Endorsed;
            }
            if new > grade {
                risen.push((id, grade, new));
            }
        }
        for (id, old, new) in risen {
            for grade in [Grade::Endorsed, Grade::Official] {
                if old < grade && grade <= new {
                    self.watches.rise(&id, grade);
                }
            }
        }
        Ok(())
    }

    /// Whether a block has applied another transaction that takes what this one takes.
    fn is_beaten<S: Store>(&self, id: &Digest, store: &S) -> Result<bool, Error> {
        for taken in self.unsettled.takes(id) {
            let taker = self.ledger.taker(&taken, store)?;
            if taker.is_some_and(|taker| taker != *id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The stored order of a block, as event ids.
    ///
    /// # Errors
    /// A failing or damaged store.
    pub fn order_at<S: Store>(
        store: &S,
        height: primitives::units::Height,
    ) -> Result<Option<Vec<Digest>>, Error> {
        let Some(bytes) = store.get(Table::Order, &rows::height_key(height))? else {
            return Ok(None);
        };
        let (ids, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(Error::Damaged { what: "order" });
        }
        Ok(Some(ids.iter().map(|id| Digest(*id)).collect()))
    }
}
