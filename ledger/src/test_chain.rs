//! A chain of four peers and eight owners with its rows in memory, for the tests of this crate.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::{self, Bytes, Canonical, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, Role, SecretKey, Signer};
use primitives::store::{Batch, Row, Store, StoreError, Table};
use primitives::units::{Amount, Height, Round, Time};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::genesis::{Genesis, Parameters, Peer};
use crate::state::{Block, Executed, Ledger, OrderedEvent};
use crate::tx::draft::Coin;
use crate::tx::evidence::SignedHeader;
use crate::tx::{
    Body, Evidence, Kind, Name, Outpoint, Output, Transaction, TransferDraft, check_batch,
    genesis_transaction,
};

/// Rows in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows(pub(crate) BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl Rows {
    pub(crate) fn write(&mut self, batch: &Batch) {
        for (table, key, value) in batch.writes() {
            match value {
                Some(value) => self.0.insert((table, key.to_vec()), value.to_vec()),
                None => self.0.remove(&(table, key.to_vec())),
            };
        }
    }
}

impl Store for Rows {
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

pub(crate) fn signer(seed: u8) -> SecretKey<ChaCha20Rng> {
    let randomness = ChaCha20Rng::from_seed([seed; 32]);
    SecretKey::from_seed(&Zeroizing::new([seed; 32]), randomness)
}

pub(crate) fn public(seed: u8) -> PublicKey {
    signer(seed).public()
}

/// Owners have the seeds 1 to 8, peer `index` those from 100 + 10 * `index` on.
pub(crate) fn genesis() -> Genesis {
    let peer = |index: u8| {
        let seed = 100 + 10 * index;
        Peer {
            name: Bytes::new(vec![b'a' + index]).unwrap(),
            peer_key: public(seed),
            event_key: public(seed + 1),
            transport_key: public(seed + 2),
            payout_key: public(seed + 3),
        }
    };
    let mut peers: Vec<_> = (0..4).map(peer).collect();
    peers.sort_by_key(|peer| peer.peer_key);
    let output = |index: u8| Output {
        host: (index < 6).then(|| peers[usize::from(index) % 4].peer_key),
        ..Output::new(public(1 + index % 8), Amount::new(1_000))
    };
    let outputs = (0..16).map(output).collect();
    let parameters = Parameters {
        lag: 2,
        period: 3,
        data_free: true,
        fee_min: Amount::new(2),
        ..Parameters::default()
    };
    Genesis {
        version: 1,
        parameters,
        peers: List::new(peers).unwrap(),
        outputs: List::new(outputs).unwrap(),
    }
}

/// A ledger with its rows.
#[derive(Debug, Clone)]
pub(crate) struct TestChain {
    pub(crate) genesis: Genesis,
    pub(crate) ledger: Ledger,
    pub(crate) rows: Rows,
}

impl TestChain {
    pub(crate) fn new() -> Self {
        Self::of(genesis())
    }

    pub(crate) fn of(genesis: Genesis) -> Self {
        let (ledger, batch) = Ledger::genesis(&genesis).unwrap();
        let mut rows = Rows::default();
        rows.write(&batch);
        Self {
            genesis,
            ledger,
            rows,
        }
    }

    pub(crate) fn chain(&self) -> Digest {
        *self.ledger.chain()
    }

    /// The genesis output `index`: 1,000 for owner 1 + `index` % 8.
    pub(crate) fn coin(&self, index: u32) -> Coin {
        let transaction = genesis_transaction(&self.chain());
        Coin {
            outpoint: Outpoint { transaction, index },
            output: self.genesis.outputs[usize::try_from(index).unwrap()],
        }
    }

    /// A signed transfer of `coins`, owned by the keys of seeds 1 to 8.
    pub(crate) fn transfer(&self, coins: &[Coin], outputs: &[(u8, u64)]) -> Transaction {
        let outputs = outputs
            .iter()
            .map(|(owner, amount)| Output::new(public(*owner), Amount::new(*amount)));
        let draft = TransferDraft {
            inputs: coins.to_vec(),
            outputs: outputs.collect(),
            ..TransferDraft::default()
        };
        let signers: Vec<_> = (1..9).map(signer).collect();
        let signers: Vec<_> = signers.iter().map(|signer| signer as &dyn Signer).collect();
        draft.sign(&signers, &self.chain()).unwrap()
    }

    /// What the output `index` of `transaction` will be to its spender.
    pub(crate) fn coin_of(&self, transaction: &Transaction, index: u32) -> Coin {
        let id = transaction.id(&self.chain()).unwrap();
        Coin {
            outpoint: Outpoint {
                transaction: id,
                index,
            },
            output: transaction.body.outputs[usize::try_from(index).unwrap()],
        }
    }

    /// The secret event key of the peer at this place of the genesis.
    pub(crate) fn event_signer(&self, peer: usize) -> SecretKey<ChaCha20Rng> {
        let key = self.genesis.peers[peer].event_key;
        let mut signers = (0..4).map(|index| signer(101 + 10 * index));
        signers.find(|signer| signer.public() == key).unwrap()
    }

    /// A header with the fixed fields of an event's, `(epoch, creator, seq)` among them, and `rest`
    /// behind them, signed by `signer`.
    pub(crate) fn header(
        &self,
        (epoch, creator, seq): (u64, u16, u64),
        rest: u8,
        signer: &dyn Signer,
    ) -> SignedHeader {
        let mut bytes = vec![1];
        bytes.extend(self.chain().0);
        bytes.extend(epoch.to_le_bytes());
        bytes.extend(creator.to_le_bytes());
        bytes.extend([u64::from(rest).to_le_bytes(), seq.to_le_bytes()].concat());
        bytes.extend([rest; 40]);
        let id = derive(Domain::Event, &[&bytes]);
        let signature = signer.sign(Role::Event, &self.chain(), &id);
        SignedHeader::new(bytes, signature).unwrap()
    }

    /// Evidence that the peer at this place of the genesis, which has the same place in the committee of
    /// `epoch`, signed two events of one seq.
    pub(crate) fn evidence(&self, peer: usize, epoch: u64, seq: u64) -> Evidence {
        let place = (epoch, u16::try_from(peer).unwrap(), seq);
        let signer = self.event_signer(peer);
        let [one, other] = [1, 2].map(|rest| self.header(place, rest, &signer));
        let accused = &self.genesis.peers[peer];
        Evidence::new(accused.peer_key, accused.event_key, one, other)
    }

    /// The next block with one event of the first peer.
    pub(crate) fn block(&self, transactions: &[Vec<u8>]) -> Block {
        let height = self.ledger.height().later(1);
        let number = height.get().to_le_bytes();
        Block {
            height,
            epoch: self.ledger.epoch(),
            round: Round::new(2 * height.get()),
            leader: derive(Domain::Audit, &[b"leader", &number]),
            time: Time::new(5_000 * height.get()),
            seed: derive(Domain::Audit, &[b"seed", &number]),
            events: vec![OrderedEvent {
                creator: self.genesis.peers[0].peer_key,
                transactions: check_batch(transactions.to_vec(), &self.chain()),
            }],
        }
    }

    /// Executes a block and writes its batch.
    pub(crate) fn execute(&mut self, block: Block) -> Executed {
        let executed = self.ledger.execute(block, &self.rows).unwrap();
        self.rows.write(&executed.batch);
        executed
    }

    /// Executes the next block with these transactions in one event.
    pub(crate) fn run(&mut self, transactions: &[&Transaction]) -> Executed {
        let transactions: Vec<_> = transactions.iter().map(|it| bytes(*it)).collect();
        self.execute(self.block(&transactions))
    }
}

pub(crate) fn named(text: &str) -> Name {
    text.parse().unwrap()
}

/// Evidence as anyone may send it.
pub(crate) fn accusation(evidence: Evidence) -> Transaction {
    Transaction::unsigned(Body::of(Kind::Evidence(Box::new(evidence))))
}

pub(crate) fn bytes<T: Canonical>(value: &T) -> Vec<u8> {
    codec::encode(value).unwrap()
}

/// Checks that `value` survives its encoding and that the encoding is the golden one.
#[track_caller]
pub(crate) fn check_golden<T: Canonical + PartialEq + core::fmt::Debug>(value: &T, golden: &str) {
    let encoded = bytes(value);
    assert_eq!(codec::decode::<T>(&encoded).as_ref(), Ok(value));
    let digest = derive(Domain::Audit, &[&encoded]);
    check_text(&format!("{} bytes {digest:?}", encoded.len()), golden);
}

/// Checks that `found` is the golden text.
#[track_caller]
pub(crate) fn check_text(found: &str, golden: &str) {
    assert_eq!(found, golden);
}

/// The number of outputs that the rows hold as unspent, and their sum.
pub(crate) fn unspent(rows: &Rows) -> BTreeMap<Outpoint, Output> {
    let rows = rows
        .0
        .iter()
        .filter(|((table, _), _)| *table == Table::Output);
    let rows = rows.map(|(_, row)| codec::decode::<crate::rows::OutputRow>(row).unwrap());
    let unspent = rows.filter(|row| row.spent.is_none());
    unspent
        .map(|row| (row.created.outpoint, row.created.output))
        .collect()
}

pub(crate) const fn height(height: u64) -> Height {
    Height::new(height)
}
