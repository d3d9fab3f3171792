//! Drawn blocks against a ledger that is as simple as it can be.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;
use crate::tx::draft::{Coin, in_order_of_appearance};
use crate::tx::{Holder, Kind, Name, Outpoint};

/// All outputs with their spender, and the ids that were applied.
struct Model {
    outputs: BTreeMap<Outpoint, (Output, Option<Digest>)>,
    applied: BTreeSet<Digest>,
    /// By block and key.
    commits: BTreeMap<(Height, PublicKey), Digest>,
    /// The holders of each name and by what they hold it, oldest first.
    names: BTreeMap<Name, Vec<(PublicKey, Digest)>>,
    parameters: Parameters,
}

impl Model {
    fn apply(&mut self, checked: &Checked, height: Height) -> Result<u64, Outcome> {
        let rejected = Outcome::rejected;
        if let Some(fault) = checked.fault() {
            return Err(rejected(*fault));
        }
        let (id, body) = (*checked.id(), &checked.transaction().unwrap().body);
        let lost = |reason, winner| Outcome::Rejected {
            reason,
            winner: Some(winner),
        };
        if self.applied.contains(&id) {
            return Err(lost(Reason::Duplicate, id));
        }
        if let Some(valid_until) = body.valid_until.filter(|until| *until < height) {
            return Err(rejected(Reason::Expired { valid_until }));
        }
        let mut owners: Vec<PublicKey> = Vec::new();
        let mut paid: u64 = 0;
        for (input, outpoint) in (0..).zip(body.inputs.iter()) {
            match self.outputs.get(outpoint) {
                None => return Err(rejected(Reason::MissingInput { input })),
                Some((_, Some(winner))) => return Err(lost(Reason::SpentInput { input }, *winner)),
                Some((output, None)) => {
                    paid += output.amount.get();
                    if !owners.contains(&output.owner) {
                        owners.push(output.owner);
                    }
                }
            }
        }
        if let Kind::Commit { key, .. } = body.kind
            && !owners.contains(&key)
        {
            owners.push(key);
        }
        if let Kind::Name { to, from, .. } = &body.kind {
            let signer = from.map_or(*to, |holder| holder.key);
            if !owners.contains(&signer) {
                owners.push(signer);
            }
        }
        let witnesses = &checked.transaction().unwrap().witnesses;
        let signers: Vec<_> = witnesses.iter().map(|it| it.owner).collect();
        if signers != owners {
            return Err(rejected(Reason::NotOwner));
        }
        let made: u64 = body.outputs.iter().map(|it| it.amount.get()).sum();
        if made > paid {
            let (inputs, outputs) = (Amount::new(paid), Amount::new(made));
            return Err(rejected(Reason::NotConserved { inputs, outputs }));
        }
        let is_paid = matches!(body.kind, Kind::Transfer | Kind::Name { .. });
        let free = !is_paid && body.inputs.is_empty();
        let wanted = self.parameters.fee_min;
        if !free && paid - made < wanted.get() {
            let fee = Amount::new(paid - made);
            return Err(rejected(Reason::FeeTooLow { fee, wanted }));
        }
        if let Kind::Commit { key, .. } = body.kind {
            if let Some(first) = self.commits.get(&(height, key)) {
                return Err(lost(Reason::SecondCommit, *first));
            }
            self.commits.insert((height, key), id);
        }
        if let Kind::Name { name, to, from } = &body.kind {
            let holders = self.names.entry(*name).or_default();
            let number = from.map_or(0, |holder| usize::try_from(holder.number).unwrap() + 1);
            if let Some((_, first)) = holders.get(number) {
                return Err(lost(Reason::NameTaken, *first));
            }
            let last = holders.last().map(|(key, _)| *key);
            if number > holders.len() || last != from.map(|holder| holder.key) {
                return Err(rejected(Reason::NameNotHeld));
            }
            holders.push((*to, id));
        }
        for outpoint in body.inputs.iter() {
            self.outputs.get_mut(outpoint).unwrap().1 = Some(id);
        }
        for (index, output) in (0..).zip(body.outputs.iter()) {
            self.create(id, index, *output);
        }
        self.applied.insert(id);
        Ok(paid - made)
    }

    fn create(&mut self, transaction: Digest, index: u32, output: Output) {
        let outpoint = Outpoint { transaction, index };
        self.outputs.insert(outpoint, (output, None));
    }

    fn unspent(&self) -> BTreeMap<Outpoint, Output> {
        let unspent = self
            .outputs
            .iter()
            .filter(|(_, (_, spent))| spent.is_none());
        unspent
            .map(|(outpoint, (output, _))| (*outpoint, *output))
            .collect()
    }

    fn run(&mut self, block: &Block, chain: &TestChain) -> Vec<Outcome> {
        let mut fees: BTreeMap<PublicKey, u64> = BTreeMap::new();
        let mut outcomes = Vec::new();
        for event in &block.events {
            for checked in &event.transactions {
                match self.apply(checked, block.height) {
                    Ok(fee) => {
                        *fees.entry(event.creator).or_default() += fee;
                        outcomes.push(Outcome::Applied);
                    }
                    Err(outcome) => outcomes.push(outcome),
                }
            }
        }
        for (creator, fee) in fees.into_iter().filter(|(_, fee)| *fee > 0) {
            let id = fee_transaction(&chain.chain(), block.height, &creator);
            let peer = chain.genesis.peers.iter().find(|it| it.peer_key == creator);
            let payout = peer.unwrap().payout_key;
            self.create(id, 0, Output::new(payout, Amount::new(fee)));
        }
        outcomes
    }
}

/// Draws transactions, most of them valid, from what may be spent or once could.
pub(super) struct Draw {
    randomness: ChaCha20Rng,
    coins: Vec<Coin>,
    past: Vec<Vec<u8>>,
}

impl Draw {
    /// Begins with the coins of the genesis.
    pub(super) fn new(seed: u8, chain: &TestChain) -> Self {
        Self {
            randomness: ChaCha20Rng::from_seed([seed; 32]),
            coins: (0..16).map(|index| chain.coin(index)).collect(),
            past: Vec::new(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.randomness.next_u32()).unwrap() % bound
    }

    fn transaction(&mut self, chain: &TestChain) -> Vec<u8> {
        let drawn = match self.below(16) {
            0 => return vec![u8::try_from(self.below(256)).unwrap(); 40],
            1 | 2 if !self.past.is_empty() => {
                let index = self.below(self.past.len());
                return self.past[index].clone();
            }
            3 => {
                let mut bytes = bytes(&self.transfer(chain));
                let position = self.below(bytes.len());
                bytes[position] ^= 1 << self.below(8);
                return bytes;
            }
            4 | 5 => {
                let nonce = u64::try_from(self.below(6)).unwrap();
                Transaction::unsigned(Body::data(nonce, vec![1; 9]).unwrap())
            }
            6 | 7 => self.commit(chain),
            8 | 9 => self.name(chain),
            _ => self.transfer(chain),
        };
        self.past.push(bytes(&drawn));
        bytes(&drawn)
    }

    fn commit(&mut self, chain: &TestChain) -> Transaction {
        let mut drawn = || u8::try_from(1 + self.below(3)).unwrap();
        let (by, of, hash) = (drawn(), drawn(), Digest([drawn(); 32]));
        let (by, key) = (signer(by), public(of));
        let body = Body::of(Kind::Commit { key, hash });
        sign(body, &[&by], &chain.chain()).unwrap()
    }

    fn name(&mut self, chain: &TestChain) -> Transaction {
        let mut drawn = |bound| u8::try_from(1 + self.below(bound)).unwrap();
        let (of, number, to, by) = (drawn(3), u64::from(drawn(3)) - 1, drawn(3), drawn(4));
        let key = public(drawn(3));
        let kind = Kind::Name {
            name: named(["ann", "bob", "eve"][usize::from(of) - 1]),
            to: public(to),
            from: (by > 1).then_some(Holder { key, number }),
        };
        let paid = self.transfer(chain);
        let owners = paid.witnesses.iter().map(|it| it.owner);
        let due = in_order_of_appearance(owners.chain(kind.signers()));
        let all: Vec<_> = (1..9).map(signer).collect();
        let find = |key: &PublicKey| all.iter().find(|signer| signer.public() == *key).unwrap();
        let signers: Vec<_> = due.iter().map(|key| find(key) as &dyn Signer).collect();
        let body = Body {
            kind,
            ..paid.body.clone()
        };
        let named = sign(body, &signers, &chain.chain()).unwrap();
        let id = |transaction: &Transaction| transaction.id(&chain.chain()).unwrap();
        // The coins it makes are those of another transaction than the draft's.
        for coin in &mut self.coins {
            if coin.outpoint.transaction == id(&paid) {
                coin.outpoint.transaction = id(&named);
            }
        }
        named
    }

    fn transfer(&mut self, chain: &TestChain) -> Transaction {
        let mut inputs: Vec<Coin> = Vec::new();
        for _ in 0..1 + self.below(3) {
            // Late coins are more likely unspent.
            let back = self.below(24).min(self.coins.len() - 1);
            let coin = self.coins[self.coins.len() - 1 - back];
            if inputs.iter().all(|it| it.outpoint != coin.outpoint) {
                inputs.push(coin);
            }
        }
        let paid: u64 = inputs.iter().map(|it| it.output.amount.get()).sum();
        let fee = [0, 2, 3, 5][self.below(4)];
        let mut left = paid.saturating_sub(fee) + u64::from(self.below(20) == 0) * 10;
        let count = self.below(4);
        let mut outputs = Vec::new();
        for index in 0..count {
            let last = index + 1 == count;
            let amount = if last { left } else { left / 2 };
            left -= amount;
            let host = self.below(6);
            outputs.push(Output {
                host: chain.genesis.peers.get(host).map(|it| it.peer_key),
                ..Output::new(
                    public(1 + u8::try_from(self.below(8)).unwrap()),
                    Amount::new(amount),
                )
            });
        }
        let until = self.below(24);
        let draft = TransferDraft {
            inputs,
            outputs,
            memo: None,
            valid_until: (until < 8).then(|| height(u64::try_from(until).unwrap())),
        };
        let signers: Vec<_> = (1..9).map(signer).collect();
        let mut signers: Vec<_> = signers.iter().map(|it| it as &dyn Signer).collect();
        let transaction = draft.sign(&signers, &chain.chain()).unwrap();
        let id = transaction.id(&chain.chain()).unwrap();
        for (index, output) in (0..).zip(&draft.outputs) {
            self.coins.push(Coin {
                outpoint: Outpoint {
                    transaction: id,
                    index,
                },
                output: *output,
            });
        }
        if self.below(16) == 0 {
            signers.reverse();
            let thief = &signers[..transaction.witnesses.len()];
            return sign(transaction.body, thief, &chain.chain()).unwrap();
        }
        transaction
    }

    pub(super) fn block(&mut self, chain: &TestChain) -> Block {
        let unspent = unspent(&chain.rows).into_iter();
        let unspent = unspent.map(|(outpoint, output)| Coin { outpoint, output });
        // Not the fees, whose owners draw nothing.
        let is_drawn = |coin: &Coin| (1..9).any(|owner| public(owner) == coin.output.owner);
        self.coins.extend(unspent.filter(is_drawn).take(16));
        let mut block = chain.block(&[]);
        block.events.clear();
        for _ in 0..self.below(5) {
            let transactions: Vec<_> = (0..self.below(12))
                .map(|_| self.transaction(chain))
                .collect();
            let creator = chain.genesis.peers[self.below(4)].peer_key;
            block.events.push(OrderedEvent {
                creator,
                ..chain.block(&transactions).events.remove(0)
            });
        }
        block
    }
}

fn check_seed(seed: u8) -> BTreeMap<String, usize> {
    let mut chain = TestChain::new();
    let mut draw = Draw::new(seed, &chain);
    let mut model = Model {
        outputs: draw
            .coins
            .iter()
            .map(|it| (it.outpoint, (it.output, None)))
            .collect(),
        applied: BTreeSet::new(),
        commits: BTreeMap::new(),
        names: BTreeMap::new(),
        parameters: chain.genesis.parameters,
    };
    let mut seen = BTreeMap::new();
    for _ in 0..14 {
        let block = draw.block(&chain);
        let wanted = model.run(&block, &chain);
        let executed = chain.execute(block.clone());
        let at = format!("seed {seed}, height {}", block.height);
        assert_eq!(outcomes(&executed), wanted, "{at}");
        assert_eq!(unspent(&chain.rows), model.unspent(), "{at}");
        let sum: u64 = model.unspent().values().map(|it| it.amount.get()).sum();
        assert_eq!(sum, chain.ledger.supply().get(), "{at}");
        let counts = executed.header.counts;
        assert_eq!(
            counts.outputs,
            u64::try_from(model.outputs.len()).unwrap(),
            "{at}"
        );
        assert_eq!(
            counts.applied,
            u64::try_from(model.applied.len()).unwrap(),
            "{at}"
        );
        let named = model.names.values().filter(|holders| !holders.is_empty());
        assert_eq!(counts.names, u64::try_from(named.count()).unwrap(), "{at}");
        for outcome in wanted {
            let word = match outcome {
                Outcome::Applied => "Applied".to_owned(),
                Outcome::Rejected { reason, .. } => format!("{reason:?}"),
            };
            *seen.entry(word).or_default() += 1;
        }
        if draw.below(3) == 0 {
            let restored = Ledger::restore(&chain.genesis, &chain.rows)
                .unwrap()
                .unwrap();
            assert_eq!(restored.header(), chain.ledger.header(), "{at}");
            assert_eq!(restored.root(), chain.ledger.root(), "{at}");
            assert_eq!(restored.roots, chain.ledger.roots, "{at}");
            assert_eq!(restored.stakes(), chain.ledger.stakes(), "{at}");
            // The restored one goes on in the place of the other.
            chain.ledger = restored;
        }
    }
    seen
}

#[test]
fn drawn_blocks_end_as_in_a_naive_ledger_and_restore_at_any_moment() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..24 {
        for (outcome, count) in check_seed(seed) {
            *seen.entry(outcome).or_default() += count;
        }
    }
    let words = [
        "Applied",
        "Undecodable",
        "BadSignature",
        "Duplicate",
        "Expired",
        "MissingInput",
        "SpentInput",
        "NotOwner",
        "NotConserved",
        "FeeTooLow",
        "SecondCommit",
        "NameTaken",
        "NameNotHeld",
    ];
    for word in words {
        assert!(
            seen.keys().any(|it| it.starts_with(word)),
            "{word} never drawn: {seen:?}"
        );
    }
}
