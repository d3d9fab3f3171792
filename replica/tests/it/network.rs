//! A whole network in virtual time: replicas, seeded delays, one queue. The same seed gives the same
//! transcript, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use consensus::creation::Parameters;
use dag::gossip::Message;
use ledger::Genesis;
use ledger::genesis::{ONE_EPOCH, Parameters as Chain, Peer};
use ledger::rows::HeadRow;
use ledger::tx::{Checked, Output, check_alone};
use primitives::Digest;
use primitives::codec::{self, Bytes, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, SecretKey, Signer};
use primitives::store::{Batch, Row, Store, StoreError, Table};
use primitives::units::{Amount, Epoch, PeerIndex, Time};
use primus_replica::{Effect, Input, Now, Recipient, Replica, Setup, Ticket, Watermark, prune};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use wallet_proto::reply::Reply;
use wallet_proto::request::{Question, Report, Request};
use zeroize::Zeroizing;

/// A store in memory; what was applied is durable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl Memory {
    fn apply(&mut self, batch: &Batch) {
        for (table, key, value) in batch.writes() {
            match value {
                Some(value) => self.0.insert((table, key.to_vec()), value.to_vec()),
                None => self.0.remove(&(table, key.to_vec())),
            };
        }
    }
}

impl Store for Memory {
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
        let rows = rows.take(limit);
        Ok(rows
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// What the queue holds.
#[derive(Debug)]
enum Happening {
    Message {
        from: usize,
        to: usize,
        bytes: Vec<u8>,
    },
    Wake {
        peer: usize,
    },
}

/// A peer that runs, or the store it left behind.
#[derive(Debug)]
struct Node {
    replica: Option<Replica>,
    store: Memory,
    guard: Option<Watermark>,
    wake: Option<u64>,
    /// Restarts so far; messages and wakes of an earlier life are void.
    life: u32,
}

/// The network.
pub(crate) struct Network {
    pub(crate) genesis: Genesis,
    pub(crate) chain: Digest,
    nodes: Vec<Node>,
    queue: BTreeMap<(u64, u64), (u32, Happening)>,
    sent: u64,
    pub(crate) now_ms: u64,
    rng: ChaCha20Rng,
    /// Pairs (lower, higher) that cannot reach each other.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    /// Pairs (from, to) whose messages are lost, though both ends think themselves connected.
    pub(crate) deaf: BTreeSet<(usize, usize)>,
    pub(crate) delay_ms: std::ops::Range<u64>,
    pub(crate) replies: Vec<(usize, Ticket, Reply)>,
    transcript: Digest,
    /// Who may sign two events of one seq.
    pub(crate) forkers: BTreeSet<PeerIndex>,
    /// Own events ever sent, by creator and seq.
    pub(crate) signed: BTreeMap<(Epoch, PeerIndex, u64), Digest>,
}

/// The secret key of `seed`, with nonces from the same seed.
pub(crate) fn secret(seed: u64) -> SecretKey<ChaCha20Rng> {
    let bytes = derive(Domain::TestKey, &[&seed.to_le_bytes()]).0;
    SecretKey::from_seed(&Zeroizing::new(bytes), ChaCha20Rng::from_seed(bytes))
}

fn genesis(stakes: &[u64], funded: &[(PublicKey, u64)]) -> Genesis {
    let mut peers: Vec<(u64, Peer)> = (0..)
        .zip(stakes)
        .map(|(index, stake)| {
            let key = |role: u64| secret(1_000 * (index + 1) + role).public();
            let peer = Peer {
                name: Bytes::new(format!("peer{index}").into_bytes()).unwrap(),
                peer_key: key(0),
                event_key: key(1),
                transport_key: key(2),
                payout_key: key(3),
            };
            (*stake, peer)
        })
        .collect();
    peers.sort_by_key(|(_, peer)| peer.peer_key);
    let staked = peers.iter().filter(|(stake, _)| *stake > 0);
    let hosted = staked.map(|(stake, peer)| Output {
        host: Some(peer.peer_key),
        ..Output::new(peer.payout_key, Amount::new(*stake))
    });
    let wallets = funded
        .iter()
        .map(|(owner, amount)| Output::new(*owner, Amount::new(*amount)));
    let outputs = hosted.chain(wallets).collect();
    Genesis {
        version: 1,
        parameters: Chain {
            data_free: true,
            period: ONE_EPOCH,
            ..Chain::default()
        },
        peers: List::new(peers.into_iter().map(|(_, peer)| peer).collect()).unwrap(),
        outputs: List::new(outputs).unwrap(),
    }
}

impl Network {
    /// Peers with these stakes, all connected at time 0.
    pub(crate) fn start(seed: u64, stakes: &[u64], funded: &[(PublicKey, u64)]) -> Self {
        Self::start_with(seed, stakes, genesis(stakes, funded))
    }

    /// The same with epochs of `period` blocks, after a first one that is longer by `lag`.
    pub(crate) fn with_epochs(
        seed: u64,
        stakes: &[u64],
        funded: &[(PublicKey, u64)],
        (lag, period): (u64, u64),
    ) -> Self {
        let mut genesis = genesis(stakes, funded);
        (genesis.parameters.lag, genesis.parameters.period) = (lag, period);
        Self::start_with(seed, stakes, genesis)
    }

    fn start_with(seed: u64, stakes: &[u64], genesis: Genesis) -> Self {
        let chain = genesis.chain_id().unwrap();
        let mut network = Self {
            genesis,
            chain,
            nodes: Vec::new(),
            queue: BTreeMap::new(),
            sent: 0,
            now_ms: 0,
            rng: ChaCha20Rng::seed_from_u64(seed),
            cut: BTreeSet::new(),
            deaf: BTreeSet::new(),
            delay_ms: 1..20,
            replies: Vec::new(),
            transcript: Digest::ZERO,
            forkers: BTreeSet::new(),
            signed: BTreeMap::new(),
        };
        for _ in stakes {
            network.nodes.push(Node {
                replica: None,
                store: Memory::default(),
                guard: None,
                wake: None,
                life: 0,
            });
        }
        for peer in 0..stakes.len() {
            network.boot(peer);
        }
        network
    }

    /// Starts a stopped peer from its store and connects it to all that run.
    pub(crate) fn boot(&mut self, peer: usize) {
        let event_key = self.event_key(peer);
        let setup = Setup {
            genesis: self.genesis.clone(),
            signer: Box::new(event_key),
            creation: Parameters::default(),
            watermark: self.nodes[peer].guard,
        };
        let node = &mut self.nodes[peer];
        let (replica, batch) = Replica::start(setup, &node.store).unwrap();
        node.store.apply(&batch);
        node.replica = Some(replica);
        node.wake = None;
        node.life += 1;
        for other in 0..self.nodes.len() {
            if other != peer && self.nodes[other].replica.is_some() && !self.is_cut(peer, other) {
                self.input(peer, Input::PeerUp(self.key(other)));
                self.input(other, Input::PeerUp(self.key(peer)));
            }
        }
        self.input(peer, Input::Tick);
    }

    /// Stops a peer at once; its store keeps what was applied.
    pub(crate) fn kill(&mut self, peer: usize) {
        self.nodes[peer].replica = None;
        self.nodes[peer].life += 1;
        for other in 0..self.nodes.len() {
            if other != peer && self.nodes[other].replica.is_some() {
                self.input(other, Input::PeerDown(self.key(peer)));
            }
        }
    }

    /// Loses a stopped peer's disk.
    pub(crate) fn wipe(&mut self, peer: usize) {
        self.nodes[peer].store = Memory::default();
    }

    /// Changes what a peer that is down remembers of how far its key has signed.
    pub(crate) fn set_guard(&mut self, peer: usize, mark: Option<Watermark>) {
        self.nodes[peer].guard = mark;
    }

    /// What a peer's disk holds.
    pub(crate) fn disk(&self, peer: usize) -> Memory {
        self.nodes[peer].store.clone()
    }

    /// Lets a peer, running or not, let go of all but its newest sealed epoch.
    pub(crate) fn prune(&mut self, peer: usize) {
        let store = &mut self.nodes[peer].store;
        let head = store.get(Table::Meta, b"head").unwrap().unwrap();
        let head: HeadRow = codec::decode(&head).unwrap();
        let parameters = &self.genesis.parameters;
        while let Some(batch) =
            prune::step(store, parameters, head.height, NonZeroU64::MIN).unwrap()
        {
            store.apply(&batch);
        }
    }

    /// Gives a stopped peer another disk, as from a backup.
    pub(crate) fn replace_disk(&mut self, peer: usize, disk: Memory) {
        self.nodes[peer].store = disk;
    }

    /// Flips a bit of the newest payload that a peer, which is down, holds.
    pub(crate) fn rot_payload(&mut self, peer: usize) {
        let rows = self.nodes[peer].store.0.iter_mut();
        let payloads = rows.filter(|((table, _), _)| *table == Table::Payload);
        let (_, payload) = payloads.last().unwrap();
        *payload.last_mut().unwrap() ^= 1;
    }

    /// Lets every peer, all down, lose the certificate of the block that seals `epoch`.
    pub(crate) fn lose_seal(&mut self, epoch: Epoch) {
        let key = [b"seal".as_slice(), &epoch.get().to_be_bytes()].concat();
        for node in &mut self.nodes {
            let lost = node.store.0.remove(&(Table::Meta, key.clone()));
            assert!(lost.is_some(), "no certificate of epoch {epoch}");
        }
    }

    /// Cuts every link between the two sides.
    pub(crate) fn partition(&mut self, side: &[usize]) {
        for a in 0..self.nodes.len() {
            for b in a + 1..self.nodes.len() {
                if side.contains(&a) != side.contains(&b) && self.cut.insert((a, b)) {
                    self.input(a, Input::PeerDown(self.key(b)));
                    self.input(b, Input::PeerDown(self.key(a)));
                }
            }
        }
    }

    /// Mends every link.
    pub(crate) fn heal(&mut self) {
        for (a, b) in std::mem::take(&mut self.cut) {
            self.input(a, Input::PeerUp(self.key(b)));
            self.input(b, Input::PeerUp(self.key(a)));
        }
    }

    /// Submits transactions at a peer, as the wallet session `session`.
    pub(crate) fn submit(&mut self, peer: usize, session: u64, transactions: Vec<Vec<u8>>) {
        let check = |bytes| check_alone(bytes, &self.chain);
        let transactions: Vec<Checked> = transactions.into_iter().map(check).collect();
        let ticket = Ticket {
            session,
            request: 0,
        };
        self.input(
            peer,
            Input::Submit {
                ticket,
                transactions,
                report: Report::All,
            },
        );
    }

    /// Asks a peer something, for a wallet that holds no certificate.
    pub(crate) fn request(&mut self, peer: usize, session: u64, request: Request) {
        self.ask(peer, session, request.into());
    }

    /// Asks a peer something.
    pub(crate) fn ask(&mut self, peer: usize, session: u64, question: Question) {
        let ticket = Ticket {
            session,
            request: 1,
        };
        self.input(peer, Input::Wallet { ticket, question });
    }

    /// Lets virtual time pass.
    pub(crate) fn run(&mut self, duration_ms: u64) {
        let end = self.now_ms + duration_ms;
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), (life, happening)) = entry.remove_entry();
            self.now_ms = at;
            match happening {
                Happening::Wake { peer } => {
                    // A wake that an earlier one has replaced is void.
                    if self.nodes[peer].life == life && self.nodes[peer].wake == Some(at) {
                        self.nodes[peer].wake = None;
                        self.input(peer, Input::Tick);
                    }
                }
                Happening::Message { from, to, bytes } => {
                    if self.nodes[to].life == life && !self.is_cut(from, to) {
                        self.deliver(from, to, &bytes);
                    }
                }
            }
        }
        self.now_ms = end;
    }

    /// Runs until `done` or fails after `limit_ms` of virtual time.
    pub(crate) fn run_until(&mut self, limit_ms: u64, what: &str, done: impl Fn(&Self) -> bool) {
        let end = self.now_ms + limit_ms;
        while !done(self) {
            assert!(
                self.now_ms < end,
                "{what}: not within {limit_ms} ms; {}",
                self.summary()
            );
            self.run(20);
        }
    }

    /// A running peer.
    pub(crate) fn peer(&self, peer: usize) -> &Replica {
        self.nodes[peer].replica.as_ref().unwrap()
    }

    /// The running peers.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Replica> {
        self.nodes.iter().filter_map(|node| node.replica.as_ref())
    }

    /// The block ids of a peer, oldest first: (header root, order).
    pub(crate) fn blocks(&self, peer: usize) -> Vec<(Digest, Vec<Digest>)> {
        let node = &self.nodes[peer];
        let replica = node.replica.as_ref().unwrap();
        (1..=replica.engine().height().get())
            .map(|height| {
                let height = primitives::units::Height::new(height);
                let header = replica
                    .ledger()
                    .header_at(height, &node.store)
                    .unwrap()
                    .unwrap();
                let order = Replica::order_at(&node.store, height).unwrap().unwrap();
                (header.root().unwrap(), order)
            })
            .collect()
    }

    /// A digest of everything that was sent, in order.
    pub(crate) fn transcript(&self) -> Digest {
        self.transcript
    }

    /// One line a peer, for failures.
    pub(crate) fn summary(&self) -> String {
        let line = |replica: &Replica| {
            format!(
                "peer {:?}: height {} round {:?} settled {:?} standing {:?} pending {} pool {} {:?}\n",
                replica.own(),
                replica.engine().height(),
                replica.dag().highest_round(),
                replica.engine().settled_round(),
                replica.standing(),
                replica.suspended(),
                replica.pooled(),
                replica.stats(),
            )
        };
        self.running().map(line).collect()
    }

    /// The peer key by which others know a peer.
    pub(crate) fn key(&self, peer: usize) -> PublicKey {
        self.genesis.peers[peer].peer_key
    }

    fn position(&self, key: &PublicKey) -> usize {
        let mut peers = self.genesis.peers.iter();
        peers.position(|peer| peer.peer_key == *key).unwrap()
    }

    /// With what a peer signs its events.
    pub(crate) fn event_key(&self, peer: usize) -> SecretKey<ChaCha20Rng> {
        let wanted = self.genesis.peers[peer].event_key;
        let mut keys = (0..self.nodes.len() as u64).map(|index| secret(1_000 * (index + 1) + 1));
        keys.find(|key| key.public() == wanted).unwrap()
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cut.contains(&(a.min(b), a.max(b)))
    }

    fn deliver(&mut self, from: usize, to: usize, bytes: &[u8]) {
        let Some(replica) = &self.nodes[to].replica else {
            return;
        };
        let committee = std::slice::from_ref(replica.committee());
        let gossip = primus_replica::input::verify(bytes, committee).unwrap();
        self.input(
            to,
            Input::Gossip {
                from: self.key(from),
                gossip,
            },
        );
    }

    /// Hands a running peer one input now.
    pub(crate) fn input(&mut self, peer: usize, input: Input) {
        let now = Now {
            mono_ms: self.now_ms,
            wall: Time::new(1_700_000_000_000 + self.now_ms),
        };
        let node = &mut self.nodes[peer];
        let Some(replica) = &mut node.replica else {
            return;
        };
        for effect in replica.handle(now, input, &node.store).unwrap() {
            self.carry_out(peer, effect);
        }
    }

    fn carry_out(&mut self, peer: usize, effect: Effect) {
        match effect {
            Effect::Persist { batch, .. } => self.nodes[peer].store.apply(&batch),
            Effect::Send { to, message, .. } => {
                self.note_signed(peer, &message);
                let bytes = codec::encode::<Message>(&message).unwrap();
                let recipients = match to {
                    Recipient::Peer(to) => vec![self.position(&to)],
                    Recipient::Everyone => (0..self.nodes.len()).collect(),
                };
                for to in recipients {
                    if to != peer && !self.is_cut(peer, to) {
                        self.send(peer, to, bytes.clone());
                    }
                }
            }
            Effect::Reply { ticket, reply, .. } => self.replies.push((peer, ticket, reply)),
            Effect::WakeAt(at) => {
                let node = &mut self.nodes[peer];
                let at = at.max(self.now_ms);
                if node.wake.is_none_or(|wake| at < wake) {
                    node.wake = Some(at);
                    let life = node.life;
                    self.enqueue(at, life, Happening::Wake { peer });
                }
            }
            Effect::Guard(mark) => self.nodes[peer].guard = Some(mark),
            Effect::Accuse(_) => {}
        }
    }

    /// No honest key ever signs two events of one seq (C32).
    fn note_signed(&mut self, peer: usize, message: &Message) {
        let Message::Brief { brief, .. } = message else {
            return;
        };
        let place = (brief.epoch, brief.creator, brief.seq.get());
        let first = self.signed.entry(place).or_insert(brief.id);
        let fine = *first == brief.id || self.forkers.contains(&brief.creator);
        assert!(fine, "peer {peer} sends a second {}", brief.seq);
    }

    /// Whether a peer runs.
    pub(crate) fn is_running(&self, peer: usize) -> bool {
        self.nodes[peer].replica.is_some()
    }

    /// Hands a peer bytes as if `from` had sent them; false if they are refused.
    pub(crate) fn inject(&mut self, from: usize, to: usize, message: &Message) -> bool {
        let bytes = codec::encode(message).unwrap();
        let committee = std::slice::from_ref(self.peer(to).committee());
        let Ok(gossip) = primus_replica::input::verify(&bytes, committee) else {
            return false;
        };
        let from = self.key(from);
        self.input(to, Input::Gossip { from, gossip });
        true
    }

    fn send(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let seen: &[&[u8]] = &[&self.transcript.0, &[from as u8, to as u8], &bytes];
        self.transcript = derive(Domain::Audit, seen);
        if self.deaf.contains(&(from, to)) {
            return;
        }
        let span = self.delay_ms.end - self.delay_ms.start;
        let delay = self.delay_ms.start + self.rng.next_u64() % span;
        let life = self.nodes[to].life;
        self.enqueue(
            self.now_ms + delay,
            life,
            Happening::Message { from, to, bytes },
        );
    }

    fn enqueue(&mut self, at: u64, life: u32, happening: Happening) {
        self.sent += 1;
        self.queue.insert((at, self.sent), (life, happening));
    }
}

pub(crate) fn index(peer: usize) -> PeerIndex {
    PeerIndex(u16::try_from(peer).unwrap())
}
