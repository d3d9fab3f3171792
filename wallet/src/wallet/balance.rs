//! What a wallet has: proven coins, and apart from them what its pending payments hold.

use std::collections::BTreeSet;

use ledger::Transaction;
use ledger::subject::Subject;
use ledger::tx::Outpoint;
use ledger::tx::draft::Coin;
use merkle::LogEntry;
use primitives::Digest;
use primitives::codec::{self, Bytes, List};
use primitives::limits::PAGE_ENTRIES_MAX;
use primitives::units::Amount;
use wallet_proto::request::{Page, Report};
use wallet_proto::{Certified, Request, check};

use super::Wallet;
use crate::book::{Effect, Origin};
use crate::error::Error;

/// What a wallet has as of one certified block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The certified block.
    pub as_of: Certified,
    /// All proven unspent coins together.
    pub proven: Amount,
    /// How many coins these are.
    pub coins: usize,
    /// How much of it counts as the stake of a peer.
    pub hosted: Amount,
    /// How much of it no pending payment spends.
    pub free: Amount,
    /// Payments of the outbox, not proven yet.
    pub pending: Vec<Pending>,
}

/// A payment that is not proven yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The transaction.
    pub id: Digest,
    /// The proven coins it spends.
    pub spends: Amount,
    /// What comes back to the own key.
    pub returns: Amount,
}

impl Wallet {
    /// Reads the key's log to its end and says what is left. Payments that are proven, or can never
    /// be applied, leave the outbox; the others are handed to a host again.
    ///
    /// # Errors
    /// The last host's failure where none proves the log.
    pub async fn balance(&mut self) -> Result<Balance, Error> {
        self.advance().await?;
        let as_of = self.sync().await?;
        let beaten = self.beaten().await?;
        let pending = self.settle_outbox(&beaten)?;
        self.resubmit().await?;
        let coins: Vec<Coin> = self.book.unspent().collect();
        let hosted = coins.iter().filter(|coin| coin.output.host.is_some());
        Ok(Balance {
            as_of,
            proven: sum(&coins)?,
            coins: coins.len(),
            hosted: Amount::sum(hosted.map(|coin| coin.output.amount))?,
            free: sum(&self.free_coins(&self.home.outbox()?)?)?,
            pending,
        })
    }

    /// Reads the key's log to its end, each entry with its transaction.
    ///
    /// # Errors
    /// The last host's failure where none proves the log.
    pub async fn sync(&mut self) -> Result<Certified, Error> {
        loop {
            let (of, known) = (Subject::Key(self.key), self.book.frontier().clone());
            let request = Request::History {
                of,
                page: Page::From {
                    index: known.size(),
                    count: u32::try_from(PAGE_ENTRIES_MAX).unwrap_or(u32::MAX),
                },
            };
            let page = self
                .ask(&request, |answer, trust| {
                    check::history_page(&of, &known, answer, trust)
                })
                .await?;
            let effects = self.effects(&page.page.entries).await?;
            for (entry, effect) in page.page.entries.iter().zip(&effects) {
                self.book.add(*entry, effect)?;
            }
            self.book.set_frontier(page.page.frontier);
            if page.page.remaining == 0 {
                self.book.complete(page.as_of);
                return Ok(page.as_of);
            }
        }
    }

    /// The coins that neither a proven transaction nor one of `outbox` spends.
    pub(super) fn free_coins(&self, outbox: &[Vec<u8>]) -> Result<Vec<Coin>, Error> {
        let mut held = BTreeSet::new();
        for bytes in outbox {
            held.extend(decode(bytes)?.body.inputs.iter().copied());
        }
        let unspent = self.book.unspent();
        Ok(unspent
            .filter(|coin| !held.contains(&coin.outpoint))
            .collect())
    }

    /// Drops what is proven or lost from the outbox; the rest is pending.
    fn settle_outbox(&self, beaten: &BTreeSet<Digest>) -> Result<Vec<Pending>, Error> {
        self.home.change_outbox(|transactions| {
            let (mut kept, mut pending) = (Vec::new(), Vec::new());
            for bytes in transactions.drain(..) {
                let transaction = decode(&bytes)?;
                let id = transaction.id(self.trust.chain())?;
                let is_lost = beaten.contains(&id) || self.is_lost(&transaction);
                if self.book.contains(&id) || is_lost {
                    continue;
                }
                pending.push(self.pending(id, &transaction)?);
                kept.push(bytes);
            }
            *transactions = kept;
            Ok(pending)
        })
    }

    /// Whether the transaction can never be applied any more.
    fn is_lost(&self, transaction: &Transaction) -> bool {
        let mut inputs = transaction.body.inputs.iter();
        let spent = inputs.any(|input| self.book.spender(input).is_some());
        let expired = self.book.as_of().is_some_and(|as_of| {
            transaction
                .body
                .valid_until
                .is_some_and(|until| until <= as_of.height())
        });
        spent || expired
    }

    fn pending(&self, id: Digest, transaction: &Transaction) -> Result<Pending, Error> {
        let coins = transaction.body.inputs.iter();
        let spends = coins.filter_map(|input| self.book.coin(input));
        let outputs = transaction.body.outputs.iter();
        let returns = outputs.filter(|output| output.owner == self.key);
        Ok(Pending {
            id,
            spends: Amount::sum(spends.map(|output| output.amount))?,
            returns: Amount::sum(returns.map(|output| output.amount))?,
        })
    }

    /// Hands pending payments to the host in use: whichever host had them may have dropped them.
    async fn resubmit(&mut self) -> Result<(), Error> {
        let outbox = self.home.outbox()?;
        if outbox.is_empty() {
            return Ok(());
        }
        let transactions: Result<Vec<_>, _> = outbox.into_iter().map(Bytes::new).collect();
        for some in transactions?.chunks(1) {
            let request = Request::Submit {
                transactions: List::new(some.to_vec())?,
                report: Report::None,
            };
            match self.hosts.steps(&request, &mut |_| true).await {
                Err(error) if error.another_host_may_help() => self.hosts.turn(),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// What each entry did, asked for together and, where that fails, one by one.
    async fn effects(&mut self, entries: &[LogEntry]) -> Result<Vec<Effect>, Error> {
        let requests: Vec<_> = entries.iter().filter_map(request_of).collect();
        let together = match self.hosts.answers(&requests).await {
            Ok((host, answers)) => answers
                .into_iter()
                .map(|answer| Some((host, answer)))
                .collect(),
            Err(error) if error.another_host_may_help() => vec![None; requests.len()],
            Err(error) => return Err(error),
        };
        let mut answers = together.into_iter();
        let mut effects = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(request) = request_of(entry) else {
                let chain = self.trust.chain();
                effects.push(Effect::of_genesis(chain, &self.genesis, &self.key));
                continue;
            };
            let key = self.key;
            let check = |answer: &_, trust: &_| effect(entry, &key, answer, trust);
            let given = answers.next().flatten();
            let judged = given.and_then(|(host, answer)| self.judge(host, &answer, check).ok());
            effects.push(match judged {
                Some(effect) => effect,
                None => self.ask(&request, check).await?,
            });
        }
        Ok(effects)
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Transaction, Error> {
    Ok(codec::decode(bytes)?)
}

pub(super) fn sum(coins: &[Coin]) -> Result<Amount, Error> {
    Ok(Amount::sum(coins.iter().map(|coin| coin.output.amount))?)
}

const fn fee_outpoint(entry: &LogEntry) -> Outpoint {
    Outpoint {
        transaction: entry.txid,
        index: 0,
    }
}

/// What to ask about an entry; nothing about the genesis, which the wallet has.
const fn request_of(entry: &LogEntry) -> Option<Request> {
    match Origin::of(entry) {
        Origin::Genesis => None,
        Origin::Fee => Some(Request::Output {
            outpoint: fee_outpoint(entry),
        }),
        Origin::Transaction => Some(Request::Transaction { id: entry.txid }),
    }
}

fn effect(
    entry: &LogEntry,
    key: &primitives::keys::PublicKey,
    answer: &wallet_proto::reply::Answer,
    trust: &wallet_proto::Trust,
) -> Result<Effect, wallet_proto::Error> {
    if Origin::of(entry) == Origin::Fee {
        let known = check::output(&fee_outpoint(entry), answer, trust)?;
        return Ok(Effect::of_fee(Coin {
            outpoint: known.created.outpoint,
            output: known.created.output,
        }));
    }
    let settled = check::transaction(&entry.txid, answer, trust)?;
    // The log entry proves that the transaction was applied; its bytes are bound by its id.
    let transaction = settled
        .checked
        .transaction()
        .ok_or(wallet_proto::Error::OtherKind)?;
    Ok(Effect::of_transaction(entry.txid, transaction, key))
}
