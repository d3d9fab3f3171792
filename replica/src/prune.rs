//! Letting go of old epochs: their events, the order of these, and their transactions.
//!
//! A pruned peer still follows, orders, executes and proves what the newest state can prove
//! ([`ledger::prune`]). It helps nobody any more who is behind the first epoch that it keeps. One
//! sealed epoch always stays: payload that no block of it has ordered may have to come in again
//! (C30), and peers that are a little behind want its events.

use core::num::NonZeroU64;

use ledger::genesis::Parameters;
use ledger::prune::{self, KeptFrom};
use primitives::store::{Batch, Store, Table};
use primitives::units::{Epoch, Height};

use crate::error::Error;
use crate::rows;

/// Events or blocks that go in one step.
const ROWS_MAX: usize = 1_024;
/// Transactions that go in one step; each is read.
const TRANSACTIONS_MAX: usize = 256;

/// The next step of pruning `store`, whose newest block is at `head`, to the epoch in force and
/// `sealed` ones before it; none when nothing is left to do. Each batch must be applied before the
/// next step; a store in which only some were is a pruned store with some idle rows.
///
/// # Errors
/// A failing disk, or rows that do not decode.
pub fn step<S: Store>(
    store: &S,
    parameters: &Parameters,
    head: Height,
    sealed: NonZeroU64,
) -> Result<Option<Batch>, Error> {
    let in_force = parameters.epoch_of(head.later(1));
    let epoch = in_force.earlier(sealed.get());
    let mut mark = KeptFrom::read(store)?;
    let mut batch = Batch::new();
    if mark.epoch < epoch {
        mark = KeptFrom {
            epoch,
            height: parameters.first_height(epoch),
        };
        mark.write(&mut batch)?;
        return Ok(Some(batch));
    }
    prune_events(store, mark.epoch, &mut batch)?;
    if batch.is_empty() {
        let end = rows::height_key(mark.height);
        for (key, _) in store.range(Table::Order, &[], &end, ROWS_MAX)? {
            batch.delete(Table::Order, key);
        }
    }
    if batch.is_empty() {
        batch = prune::prune(store, mark.height, TRANSACTIONS_MAX)?;
    }
    Ok((!batch.is_empty()).then_some(batch))
}

fn prune_events<S: Store>(store: &S, first: Epoch, batch: &mut Batch) -> Result<(), Error> {
    if first == Epoch::ZERO {
        return Ok(());
    }
    let own_head = store.get(Table::Meta, rows::OWN_HEAD)?;
    let own_head = own_head.as_deref().and_then(|row| row.get(8..));
    let end = rows::chain_end(first.earlier(1));
    for (key, id) in store.range(Table::Chain, &[], &end, ROWS_MAX)? {
        // Of an epoch that is over: it binds nobody any more (C32).
        if own_head == Some(id.as_slice()) {
            batch.delete(Table::Meta, rows::OWN_HEAD.to_vec());
        }
        batch.delete(Table::Event, id.clone());
        batch.delete(Table::Payload, id);
        batch.delete(Table::Chain, key);
    }
    Ok(())
}
