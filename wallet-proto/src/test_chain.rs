//! For tests: a real ledger on a store in memory, with four peers that attest every block.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "only tests build this, and a failure there should be loud"
)]

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use ledger::committee::Member;
use ledger::genesis::{Parameters, Peer};
use ledger::tx::draft::{Coin, TransferDraft};
use ledger::tx::{Holder, Kind, Outpoint, Output, check_alone, genesis_transaction};
use ledger::{Block, Genesis, Ledger, OrderedEvent, Outcome, Transaction};
use primitives::Digest;
use primitives::codec::{self, Bytes, List};
use primitives::keys::{PublicKey, Role, SecretKey, Signer};
use primitives::store::{Batch, Row, Store, StoreError, Table};
use primitives::units::{Amount, Epoch, PeerIndex, Round, Time};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::certificate::{Certificate, attestation_digest};
use crate::reply::{Answer, Body, Code, Handover, Refusal, Snapshot};
use crate::request::{Question, Request};
use crate::serve::{Served, Unserved, serve};

/// The four peers' stakes, in the order of their peer keys' seeds.
pub const STAKES: [u64; 4] = [4, 3, 3, 3];

/// The key of a seed of 32 equal bytes, with fixed nonces.
#[must_use]
pub fn secret(seed: u8) -> SecretKey<ChaCha20Rng> {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]), ChaCha20Rng::from_seed([0; 32]))
}

/// Its public half.
#[must_use]
pub fn public(seed: u8) -> PublicKey {
    secret(seed).public()
}

/// A store in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl MemoryStore {
    fn apply(&mut self, batch: &Batch) {
        for (table, key, value) in batch.writes() {
            let key = (table, key.to_vec());
            match value {
                Some(value) => self.0.insert(key, value.to_vec()),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.0.range((table, from.to_vec())..(table, to.to_vec()));
        let rows = rows.map(|((_, key), value)| (key.clone(), value.clone()));
        Ok(rows.take(limit).collect())
    }
}

/// Four peers of keys 1 to 4 (events 11 to 14, transport 21 to 24, payout 31), who host coin of
/// owner 40; key `owner` has the coins `amounts`. Epochs change at heights 5, 8, 11 and so on.
#[must_use]
pub fn genesis(owner: u8, amounts: &[u64]) -> Genesis {
    genesis_of(4, &STAKES, owner, amounts)
}

/// Eight peers, of whom the first four host a thousand coins each; else as [`genesis`]. For
/// [`TestChain::turn_over`].
#[must_use]
pub fn genesis_of_eight(owner: u8, amounts: &[u64]) -> Genesis {
    genesis_of(8, &[1_000; 4], owner, amounts)
}

fn genesis_of(peers: u8, stakes: &[u64], owner: u8, amounts: &[u64]) -> Genesis {
    let mut peers: Vec<_> = (1..=peers).map(peer).collect();
    peers.sort_by_key(|peer| peer.peer_key);
    let hosted = (1..).zip(stakes).map(|(seed, stake)| Output {
        host: Some(public(seed)),
        ..Output::new(public(STAKER), Amount::new(*stake))
    });
    let coins = amounts
        .iter()
        .map(|amount| Output::new(public(owner), Amount::new(*amount)));
    Genesis {
        version: 1,
        parameters: Parameters {
            lag: 2,
            period: 3,
            data_free: true,
            ..Parameters::default()
        },
        peers: List::new(peers).unwrap(),
        outputs: List::new(hosted.chain(coins).collect()).unwrap(),
    }
}

/// The owner of the coin that counts as stake.
pub const STAKER: u8 = 40;

fn peer(seed: u8) -> Peer {
    Peer {
        name: Bytes::new(vec![b'a' + seed]).unwrap(),
        peer_key: public(seed),
        event_key: public(10 + seed),
        transport_key: public(20 + seed),
        payout_key: public(31),
    }
}

/// A chain that grows block by block, each certified at once.
#[derive(Debug)]
pub struct TestChain {
    /// What it began with.
    pub genesis: Genesis,
    /// The newest state.
    pub ledger: Ledger,
    /// Every row.
    pub store: MemoryStore,
    /// Each block with its certificate, by height.
    pub snapshots: Vec<Snapshot>,
}

impl TestChain {
    /// The chain of `genesis` at height 0.
    #[must_use]
    pub fn new(genesis: Genesis) -> Self {
        let (ledger, batch) = Ledger::genesis(&genesis).unwrap();
        let mut store = MemoryStore::default();
        store.apply(&batch);
        let first = Snapshot {
            header: *ledger.header(),
            certificate: Certificate::empty(Epoch::ZERO),
        };
        Self {
            genesis,
            ledger,
            store,
            snapshots: vec![first],
        }
    }

    /// The members of the committee of `epoch`.
    #[must_use]
    pub fn committee(&self, epoch: Epoch) -> Vec<Member> {
        self.ledger.committee_of(epoch, &self.store).unwrap()
    }

    /// Settles a block with these transactions in one event of peer 1, attested by all; returns what
    /// became of each.
    pub fn settle(&mut self, transactions: &[Vec<u8>]) -> Vec<(Digest, Outcome)> {
        let height = self.ledger.height().later(1);
        let epoch = self.ledger.epoch();
        let chain = *self.ledger.chain();
        let checked = transactions
            .iter()
            .map(|bytes| check_alone(bytes.clone(), &chain));
        let block = Block {
            height,
            epoch,
            round: Round::new(height.get()),
            leader: Digest([7; 32]),
            time: Time::new(1_000 + height.get()),
            seed: Digest([8; 32]),
            events: vec![OrderedEvent {
                creator: public(1),
                transactions: checked.collect(),
            }],
        };
        let executed = self.ledger.execute(block, &self.store).unwrap();
        self.store.apply(&executed.batch);
        let signers: Vec<_> = (0..self.committee(epoch).len()).collect();
        let snapshot = self.certify(executed.header, &signers);
        self.snapshots.push(snapshot);
        executed.outcomes
    }

    /// Settles blocks until the chain has come to `epoch`. In each epoch two of the four members of
    /// [`genesis_of_eight`] leave: their coin moves on to the peers four further on.
    pub fn turn_over(&mut self, epoch: Epoch) {
        let mut coins: Vec<_> = self.coins(STAKER);
        while self.ledger.header().epoch < epoch {
            let moving = self.ledger.height().get().is_multiple_of(3);
            let mut transactions = Vec::new();
            for coin in coins
                .drain(..if moving { 2 } else { 0 })
                .collect::<Vec<_>>()
            {
                let (bytes, moved) = self.move_on(&coin);
                transactions.push(bytes);
                coins.push(moved);
            }
            for (_, outcome) in self.settle(&transactions) {
                assert!(outcome.is_applied(), "{outcome}");
            }
        }
    }

    /// Hosts a coin of the staker with the peer four further on.
    fn move_on(&self, coin: &Coin) -> (Vec<u8>, Coin) {
        let at = (1..=8).position(|seed| coin.output.host == Some(public(seed)));
        let host = (at.unwrap() as u8 + 4) % 8 + 1;
        let output = Output {
            host: Some(public(host)),
            amount: coin.output.amount.minus(Amount::new(1)).unwrap(),
            ..coin.output
        };
        let draft = TransferDraft {
            inputs: vec![*coin],
            outputs: vec![output],
            ..TransferDraft::default()
        };
        let signed = draft.sign(&[&secret(STAKER)], self.ledger.chain()).unwrap();
        let transaction = signed.id(self.ledger.chain()).unwrap();
        let index = 0;
        let outpoint = Outpoint { transaction, index };
        (codec::encode(&signed).unwrap(), Coin { outpoint, output })
    }

    /// A header with the attestations of the members at `signers`.
    #[must_use]
    pub fn certify(&self, header: ledger::Header, signers: &[usize]) -> Snapshot {
        self.sign(header, &self.committee(header.epoch), signers)
    }

    /// A header that all of `members` sign, as if they were its committee.
    #[must_use]
    pub fn certify_by(&self, header: ledger::Header, members: &[Member]) -> Snapshot {
        let all: Vec<_> = (0..members.len()).collect();
        self.sign(header, members, &all)
    }

    fn sign(&self, header: ledger::Header, members: &[Member], signers: &[usize]) -> Snapshot {
        let digest = attestation_digest(header.epoch, header.height, &header.root().unwrap());
        let chain = self.ledger.chain();
        let sign = |signer: &usize| {
            let key = members[*signer].event_key;
            let secret = (11..=18)
                .map(secret)
                .find(|secret| secret.public() == key)
                .unwrap();
            let signature = secret.sign(Role::Attestation, chain, &digest);
            let index = PeerIndex(*signer as u16);
            (index, key.to_verifying().unwrap(), signature)
        };
        let signed: Vec<_> = signers.iter().map(sign).collect();
        let (epoch, size) = (header.epoch, members.len());
        Snapshot {
            header,
            certificate: Certificate::new(epoch, size, chain, &digest, &signed).unwrap(),
        }
    }

    /// The handovers from `from` to `to`.
    #[must_use]
    pub fn handovers(&self, from: Epoch, to: Epoch) -> Vec<Handover> {
        let epochs = from.get() + 1..=to.get();
        let handover = |epoch| {
            let request = Request::Committee {
                epoch: Epoch::new(epoch),
            };
            let answer = self.answer(&request).unwrap();
            let Body::Committee(members) = answer.body else {
                panic!("{:?}", answer.body)
            };
            let sealing = answer.snapshot;
            Handover { sealing, members }
        };
        epochs.map(handover).collect()
    }

    /// What an honest peer answers.
    ///
    /// # Errors
    /// Its refusal.
    pub fn answer(&self, request: &Request) -> Result<Answer, Refusal> {
        self.answer_to(&request.clone().into())
    }

    /// What an honest peer answers to a wallet that may hold a block.
    ///
    /// # Errors
    /// Its refusal.
    pub fn answer_to(&self, question: &Question) -> Result<Answer, Refusal> {
        let Served { under, body } = match serve(question, &self.ledger, &self.store) {
            Ok(served) => served,
            Err(Unserved::Refused(refusal)) => return Err(refusal),
            Err(Unserved::Broken(error)) => panic!("{error}"),
        };
        let at = usize::try_from(under.get()).unwrap();
        let snapshot = self.snapshots.get(at).cloned();
        let mut snapshot = snapshot.ok_or_else(|| Refusal::new(Code::TooEarly, "not certified"))?;
        if question.held == Some(under) {
            snapshot.certificate = Certificate::empty(snapshot.header.epoch);
        }
        Ok(Answer { snapshot, body })
    }

    /// The coins of the genesis that `owner` has.
    #[must_use]
    pub fn coins(&self, owner: u8) -> Vec<Coin> {
        let transaction = genesis_transaction(self.ledger.chain());
        let coin = |(index, output): (u32, &Output)| Coin {
            outpoint: Outpoint { transaction, index },
            output: *output,
        };
        let own = |coin: &Coin| coin.output.owner == public(owner);
        (0..)
            .zip(self.genesis.outputs.iter())
            .map(coin)
            .filter(own)
            .collect()
    }

    /// The bytes of a payment that spends `coins` of `owner`, with a fee of 1 and the rest as change.
    #[must_use]
    pub fn payment(&self, owner: u8, coins: &[Coin], to: PublicKey, amount: u64) -> Vec<u8> {
        let inputs = Amount::sum(coins.iter().map(|coin| coin.output.amount)).unwrap();
        let change = inputs.minus(Amount::new(amount + 1)).unwrap();
        let draft = TransferDraft {
            inputs: coins.to_vec(),
            outputs: vec![
                Output::new(to, Amount::new(amount)),
                Output::new(public(owner), change),
            ],
            memo: None,
            valid_until: None,
        };
        let signer: Box<dyn Signer> = Box::new(secret(owner));
        let signed = draft.sign(&[signer.as_ref()], self.ledger.chain()).unwrap();
        codec::encode(&signed).unwrap()
    }

    /// The output at `index` of the transaction with these bytes.
    #[must_use]
    pub fn coin_of(&self, transaction: &[u8], index: u32) -> Coin {
        let transaction: Transaction = codec::decode(transaction).unwrap();
        Coin {
            outpoint: Outpoint {
                transaction: transaction.id(self.ledger.chain()).unwrap(),
                index,
            },
            output: transaction.body.outputs[usize::try_from(index).unwrap()],
        }
    }

    /// The bytes of a commit of `owner`, without a fee.
    #[must_use]
    pub fn commit(&self, owner: u8, hash: Digest) -> Vec<u8> {
        let key = public(owner);
        let body = ledger::tx::Body::of(Kind::Commit { key, hash });
        let signed = ledger::tx::sign(body, &[&secret(owner)], self.ledger.chain()).unwrap();
        codec::encode(&signed).unwrap()
    }

    /// The bytes of a transaction of a name that pays a fee of 1 with `coin`; it is handed over by the
    /// key of a seed, which holds it since the transaction with that number, or registered.
    #[must_use]
    pub fn name(&self, coin: &Coin, name: &str, from: Option<(u8, u64)>, to: u8) -> Vec<u8> {
        let kind = Kind::Name {
            name: name.parse().unwrap(),
            to: public(to),
            from: from.map(|(seed, number)| Holder {
                key: public(seed),
                number,
            }),
        };
        let paid = coin.output.amount.minus(Amount::new(1)).unwrap();
        let body = ledger::tx::Body {
            inputs: List::new(vec![coin.outpoint]).unwrap(),
            outputs: List::new(vec![Output::new(coin.output.owner, paid)]).unwrap(),
            ..ledger::tx::Body::of(kind)
        };
        let holder = from.map_or(to, |(seed, _)| seed);
        let seeds = (0..=u8::MAX).filter(|seed| public(*seed) == coin.output.owner);
        let mut seeds: Vec<u8> = seeds.take(1).collect();
        if !seeds.contains(&holder) {
            seeds.push(holder);
        }
        let signers: Vec<_> = seeds.iter().map(|seed| secret(*seed)).collect();
        let signers: Vec<_> = signers.iter().map(|it| it as &dyn Signer).collect();
        let signed = ledger::tx::sign(body, &signers, self.ledger.chain()).unwrap();
        codec::encode(&signed).unwrap()
    }

    /// The id of these bytes.
    #[must_use]
    pub fn id(&self, bytes: &[u8]) -> Digest {
        let transaction: Transaction = codec::decode(bytes).unwrap();
        transaction.id(self.ledger.chain()).unwrap()
    }
}
