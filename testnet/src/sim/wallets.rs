//! The wallets of a run: they pay, put data on record, spend coins twice, and remember what they
//! were told.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Outcome;
use ledger::tx::draft::Coin;
use ledger::tx::{
    Body, Checked, Outpoint, Output, Transaction, TransferDraft, check_alone, genesis_transaction,
};
use primitives::codec;
use primitives::units::{Amount, Height};
use replica::Ticket;
use wallet_proto::reply::{Reply, Stage};

use super::clock::Moment;
use super::liar::Heard;
use super::random::Stream;
use super::world::{COIN, COINS, STRANGERS, World};
use crate::error::Error;
use crate::keys::TestKey;

/// How long a wallet waits before it looks whether its host has been restarted, in microseconds.
const RETRY_US: u64 = 5_000_000;

/// One transaction on its way, at one host.
#[derive(Debug)]
pub struct Submission {
    /// The transaction.
    pub transaction: Checked,
    /// The one that spends the same coin, by number.
    pub rival: Option<usize>,
    /// When it was first submitted.
    pub at: Moment,
    /// The process that has it now, and which of its lives.
    pub host: (usize, u32),
    /// How often it was submitted.
    pub tries: u64,
    /// Everything told about it: when, by which process, what.
    pub told: Vec<(Moment, usize, Stage)>,
}

/// All wallets of a run.
#[derive(Debug)]
pub struct Wallets {
    stream: Stream,
    every_us: u64,
    submissions: Vec<Submission>,
    /// Submissions that wait to become final.
    open: BTreeSet<usize>,
    payments: usize,
    moves: Moves,
    retry_at: Moment,
    is_closed: bool,
}

impl Submission {
    /// Where and how it became final, as first told.
    #[must_use]
    pub fn outcome(&self) -> Option<(Height, Outcome)> {
        self.told.iter().find_map(|(_, _, stage)| match stage {
            Stage::Final {
                height, outcome, ..
            } => Some((*height, *outcome)),
            Stage::Refused { .. }
            | Stage::Seen
            | Stage::Endorsed
            | Stage::Official
            | Stage::Proven { .. } => None,
        })
    }
}

impl Wallets {
    pub(super) fn new(world: &World) -> Self {
        Self {
            stream: Stream::new(world.plan.seed, &[b"wallets"]),
            every_us: 1_000 * world.plan.workload.every_ms,
            submissions: Vec::new(),
            open: BTreeSet::new(),
            payments: 0,
            moves: Moves::new(world),
            retry_at: Moment::ZERO,
            is_closed: false,
        }
    }

    /// Every transaction submitted, by number.
    #[must_use]
    pub fn submissions(&self) -> &[Submission] {
        &self.submissions
    }

    /// The submissions that nobody has called final or refused yet.
    #[must_use]
    pub const fn open(&self) -> &BTreeSet<usize> {
        &self.open
    }

    /// Submits nothing new from now on.
    pub(super) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// When to visit again after `now`.
    pub(super) fn next(&mut self, now: Moment) -> Option<Moment> {
        if self.every_us == 0 {
            return None;
        }
        Some(now + 1 + self.stream.exponential(self.every_us))
    }

    /// Submits one thing or two, and again what a restarted host has forgotten. `running` are the
    /// processes that can be reached, with their lives.
    pub(super) fn visit(
        &mut self,
        world: &World,
        now: Moment,
        running: &BTreeSet<(usize, u32)>,
    ) -> Result<Vec<(usize, Heard)>, Error> {
        let hosts: Vec<(usize, u32)> = running.iter().copied().collect();
        let mut given = Vec::new();
        if hosts.is_empty() {
            return Ok(given);
        }
        if now >= self.retry_at {
            self.retry_at = now + RETRY_US;
            let lost = |number: &usize| !running.contains(&self.submissions[*number].host);
            for number in self.open.iter().copied().filter(lost).collect::<Vec<_>>() {
                let host = hosts[self.stream.place(hosts.len())];
                given.push(self.hand_in(number, host));
            }
        }
        if self.is_closed {
            return Ok(given);
        }
        let load = world.plan.workload;
        let is_data = self.stream.chance(load.data) || load.wallets == 0;
        let is_double = self.stream.chance(load.double_spends);
        let change = self.moves.draw(world, &self.submissions);
        let first = self.submissions.len();
        if is_data {
            let body = Body::data(first as u64, vec![7; 64])?;
            self.add(world, now, &Transaction::unsigned(body), None)?;
        } else if let Some(Change::Leave(peer)) = change {
            self.moves.left.insert(peer, first);
            self.add(world, now, &leave(world, peer)?, None)?;
        } else if self.payments < load.wallets * COINS {
            let coin = self.payments;
            self.payments += 1;
            let host = change.and_then(|change| self.moves.host(change));
            self.add(world, now, &payment(world, coin, 0, host)?, None)?;
            if is_double {
                self.submissions[first].rival = Some(first + 1);
                self.add(world, now, &payment(world, coin, 1, None)?, Some(first))?;
            }
        }
        for number in first..self.submissions.len() {
            let host = hosts[self.stream.place(hosts.len())];
            given.push(self.hand_in(number, host));
        }
        Ok(given)
    }

    /// A process tells a wallet something.
    pub(super) fn hear(&mut self, at: Moment, process: usize, ticket: Ticket, reply: &Reply) {
        let Ok(number) = usize::try_from(ticket.session) else {
            return;
        };
        let (Some(submission), Reply::Progress(steps)) = (self.submissions.get_mut(number), reply)
        else {
            return;
        };
        for step in steps.iter() {
            submission.told.push((at, process, step.stage.clone()));
            match &step.stage {
                Stage::Final { .. } => {
                    self.open.remove(&number);
                }
                // Try another host.
                Stage::Refused { .. } => submission.host.1 = 0,
                Stage::Seen | Stage::Endorsed | Stage::Official | Stage::Proven { .. } => {}
            }
        }
    }

    fn add(
        &mut self,
        world: &World,
        now: Moment,
        transaction: &Transaction,
        rival: Option<usize>,
    ) -> Result<(), Error> {
        let bytes = codec::encode(transaction)?;
        self.open.insert(self.submissions.len());
        self.submissions.push(Submission {
            transaction: check_alone(bytes, &world.chain),
            rival,
            at: now,
            host: (0, 0),
            tries: 0,
            told: Vec::new(),
        });
        Ok(())
    }

    fn hand_in(&mut self, number: usize, host: (usize, u32)) -> (usize, Heard) {
        let submission = &mut self.submissions[number];
        submission.host = host;
        submission.tries += 1;
        let ticket = Ticket {
            session: number as u64,
            request: submission.tries,
        };
        let transactions = vec![submission.transaction.clone()];
        (host.0, Heard::Submitted(ticket, transactions))
    }
}

/// Who moves stake between peers, so that committees change. The core of a plan only gains and the
/// others never have more than at first: what the plan says of a third and a quorum goes on to hold.
#[derive(Debug)]
struct Moves {
    stream: Stream,
    /// Peers outside the core that left, with the submission that says so.
    left: BTreeMap<usize, usize>,
    /// Those that came back.
    back: BTreeSet<usize>,
}

/// What may become of a payment.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Instead, a peer's owner takes all that it hosts of its own away.
    Leave(usize),
    /// Its coin is hosted with a peer of the core.
    Host(usize),
    /// Its coin is hosted with a peer that had left.
    Return(usize),
}

impl Moves {
    fn new(world: &World) -> Self {
        Self {
            stream: Stream::new(world.plan.seed, &[b"stake"]),
            left: BTreeMap::new(),
            back: BTreeSet::new(),
        }
    }

    fn draw(&mut self, world: &World, submissions: &[Submission]) -> Option<Change> {
        let core = &world.plan.heal.as_ref()?.core;
        let peer = self.stream.place(world.peers());
        if !self.stream.chance(world.plan.workload.moves) {
            return None;
        }
        if core.contains(&peer) {
            return Some(Change::Host(peer));
        }
        let Some(left) = self.left.get(&peer) else {
            return Some(Change::Leave(peer));
        };
        let is_gone = matches!(submissions[*left].outcome(), Some((_, Outcome::Applied)));
        (is_gone && !self.back.contains(&peer)).then_some(Change::Return(peer))
    }

    /// With whom a payment hosts its coin.
    fn host(&mut self, change: Change) -> Option<usize> {
        match change {
            Change::Host(peer) => Some(peer),
            Change::Return(peer) => self.back.insert(peer).then_some(peer),
            Change::Leave(_) => None,
        }
    }
}

/// Spends coin number `coin` of the genesis and hosts it with `host`; `version` tells rivals apart.
pub(crate) fn payment(
    world: &World,
    coin: usize,
    version: usize,
    host: Option<usize>,
) -> Result<Transaction, Error> {
    let wallets = world.plan.workload.wallets;
    let (wallet, place) = (coin % wallets, coin / wallets);
    let to = world.purse((wallet + 1 + version) % (wallets + STRANGERS));
    let paid = Output {
        host: host.map(|host| world.key(host)),
        ..Output::new(to, COIN.minus(Amount::new(1))?)
    };
    let coin = world.coin(wallet, place);
    let spent = world.genesis.outputs[coin];
    spend(world, coin, spent, &World::wallet(wallet), paid)
}

/// Takes the coin away that a peer hosts of its own since the genesis.
fn leave(world: &World, peer: usize) -> Result<Transaction, Error> {
    let spent = world.genesis.outputs[peer];
    let paid = Output::new(spent.owner, spent.amount.minus(Amount::new(1))?);
    spend(world, peer, spent, &world.payout(peer), paid)
}

fn spend(
    world: &World,
    coin: usize,
    spent: Output,
    key: &TestKey,
    paid: Output,
) -> Result<Transaction, Error> {
    let coin = Coin {
        outpoint: Outpoint {
            transaction: genesis_transaction(&world.chain),
            index: coin as u32,
        },
        output: spent,
    };
    let draft = TransferDraft {
        inputs: vec![coin],
        outputs: vec![paid],
        ..TransferDraft::default()
    };
    Ok(draft.sign(&[key], &world.chain)?)
}
