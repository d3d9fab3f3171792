//! The whole of one peer, and the one function that it is.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use consensus::Engine;
use consensus::creation::Parameters;
use dag::event::{Attestation, Reference};
use dag::pending::Pending;
use dag::{Committee, Dag, Event};
use ledger::state::Ledger;
use ledger::{Genesis, Header};
use primitives::Digest;
use primitives::codec::{self, Canonical, List};
use primitives::keys::{PublicKey, Signer};
use primitives::quorum::Threshold;
use primitives::store::{Batch, Store};
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq, Stake, Time};
use wallet_proto::reply::{Answer, Reply};

use crate::allowance::Allowance;
use crate::briefs::Briefs;
use crate::certify::{Certified, Certifier};
use crate::effect::Effect;
use crate::error::Error;
use crate::fetch::Fetch;
use crate::input::{Arrival, Input, Now, Ticket};
use crate::inquiry::Inquiry;
use crate::outlook::Outlook;
use crate::pool::Pool;
use crate::seat::{Seat, committee_of, index_of};
use crate::stats::Stats;
use crate::strays::Strays;
use crate::turn::Turn;
use crate::unsettled::Unsettled;
use crate::watch::Watches;

/// What a peer starts from.
pub struct Setup {
    /// The chain.
    pub genesis: Genesis,
    /// The peer's event key.
    pub signer: Box<dyn Signer + Send>,
    /// When to create events; the chain's parameters where they say so.
    pub creation: Parameters,
    /// The newest own event that may have left, where somebody else than the store remembers it.
    pub watermark: Option<Watermark>,
}

/// The newest own event that may have left this peer (C32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark {
    /// The epoch of the event.
    pub epoch: Epoch,
    /// Its place on the own chain of that epoch.
    pub seq: Seq,
    /// Its id.
    pub id: Digest,
}

impl Watermark {
    /// The mark that `event` would leave.
    pub(crate) fn of(event: &Event) -> Self {
        let header = event.header();
        Self {
            epoch: header.epoch,
            seq: header.seq,
            id: *event.id(),
        }
    }

    /// Whether an own event with this mark was signed before, or is this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        (other.epoch, other.seq) < (self.epoch, self.seq) || self == other
    }
}

impl core::fmt::Debug for Setup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Setup(of {:?})", self.signer.public())
    }
}

/// Whether own events may be made (C32).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Asking which own events the others know.
    Asking(Inquiry),
    /// Free to create events.
    Active,
    /// An event signed with the own key came that this store lacks: silent for good.
    Quarantined,
}

/// The newest own event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnHead {
    pub(crate) reference: Reference,
    pub(crate) time: Time,
}

/// One connected peer.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// The epoch it last told.
    pub(crate) epoch: Epoch,
    /// The settled height it last told.
    pub(crate) height: Height,
    /// When it last said anything, in monotonic milliseconds.
    pub(crate) heard_ms: u64,
    /// What it has cost to answer it lately.
    pub(crate) allowance: Allowance,
}

/// A wallet's answer that waits for its block's certificate.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) ticket: Ticket,
    pub(crate) answer: Box<Answer>,
    pub(crate) until_ms: u64,
}

/// One peer.
pub struct Replica {
    /// The place in the committee in force; an observer has none.
    pub(crate) seat: Option<Seat>,
    pub(crate) creation: Parameters,
    pub(crate) chain: Digest,
    pub(crate) committee: Committee,
    pub(crate) signer: Box<dyn Signer + Send>,
    pub(crate) dag: Dag,
    pub(crate) pending: Pending<Arrival>,
    pub(crate) briefs: Briefs,
    pub(crate) engine: Engine,
    pub(crate) ledger: Ledger,
    pub(crate) unsettled: Unsettled,
    pub(crate) strays: Strays,
    pub(crate) pool: Pool,
    pub(crate) watches: Watches,
    /// The newest certificate.
    pub(crate) certified: Option<Certified>,
    pub(crate) certifier: Certifier,
    /// The certifiers of the epoch before and of the oldest epochs that are asked about, until their
    /// sealing block is certified.
    pub(crate) sealed: BTreeMap<Epoch, Certifier>,
    /// Sealed epochs whose sealing block this peer has no certificate of.
    pub(crate) unsealed: BTreeSet<Epoch>,
    /// The leader that sealed the epoch before, which first events name (C30).
    pub(crate) sealing: Option<Digest>,
    /// Own attestations not yet in an own event.
    pub(crate) attestations: Vec<Attestation>,
    pub(crate) peers: BTreeMap<PublicKey, Peer>,
    pub(crate) fetch: Fetch,
    pub(crate) standing: Standing,
    pub(crate) own_head: Option<OwnHead>,
    pub(crate) watermark: Option<Watermark>,
    /// Added to the DAG's own count of admissions, which begins anew at each start.
    pub(crate) admission_base: u64,
    /// The certified root that contradicts the own one, if any (C29).
    pub(crate) diverged: Option<Height>,
    pub(crate) held: Vec<Held>,
    pub(crate) frontier_due_ms: u64,
    pub(crate) sweep_due_ms: u64,
    /// The member to which transactions were passed on last.
    pub(crate) passed_to: PublicKey,
    /// Whom to ask next for what pending events miss, and from which place on.
    pub(crate) retry: (PublicKey, Round, Digest),
    pub(crate) outlook: Outlook,
    pub(crate) stats: Stats,
}

impl core::fmt::Debug for Replica {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "Replica({:?} at height {})",
            self.own(),
            self.engine.height()
        )
    }
}

impl Replica {
    /// Starts a peer: from genesis if the store is empty, else from its checkpoint (C31). Returns the
    /// writes to be made before the first input.
    ///
    /// # Errors
    /// A faulty genesis, or a store that is missing rows or does not hash to the root it claims.
    ///
    /// # Cost
    /// Rebuilds the trees from their leaves, about 0.5 s per million.
    pub fn start<S: Store>(setup: Setup, store: &S) -> Result<(Self, Batch), Error> {
        let Setup {
            genesis,
            signer,
            creation,
            watermark,
        } = setup;
        let chain = genesis.chain_id()?;
        let restored = Ledger::restore(&genesis, store)?;
        let is_new = restored.is_none();
        let (ledger, mut batch) = match restored {
            Some(ledger) => (ledger, Batch::new()),
            None => Ledger::genesis(&genesis)?,
        };
        let parameters = &genesis.parameters;
        let committee = committee_of(&ledger, ledger.epoch(), store)?;
        let last = parameters.last_height(committee.epoch());
        let engine = Engine::new(&committee).with_last_height(last);
        let mut replica = Self {
            seat: Seat::find(&committee, signer.as_ref(), creation),
            creation,
            chain,
            dag: Dag::new(committee.clone()),
            pending: Pending::new(committee.size()),
            briefs: Briefs::default(),
            engine: engine.with_time(parameters.time),
            certifier: Certifier::new(committee.clone(), Height::ZERO),
            committee,
            signer,
            ledger,
            unsettled: Unsettled::default(),
            strays: Strays::default(),
            pool: Pool::default(),
            watches: Watches::default(),
            certified: None,
            sealed: BTreeMap::new(),
            unsealed: BTreeSet::new(),
            sealing: None,
            attestations: Vec::new(),
            peers: BTreeMap::new(),
            fetch: Fetch::default(),
            standing: Standing::Asking(Inquiry::default()),
            own_head: None,
            watermark,
            admission_base: 0,
            diverged: None,
            held: Vec::new(),
            frontier_due_ms: 0,
            sweep_due_ms: 0,
            passed_to: PublicKey::default(),
            retry: (PublicKey::default(), Round::ZERO, Digest::ZERO),
            outlook: Outlook::default(),
            stats: Stats::default(),
        };
        if is_new {
            replica.save_checkpoint(&mut batch)?;
            replica.attest(Height::ZERO, *replica.ledger.root());
        } else {
            replica.restore(store)?;
        }
        // A crash may have come between the store and the watermark.
        replica.watermark = replica.watermark.max(replica.own_head());
        replica.conclude_alone();
        Ok((replica, batch))
    }

    /// Handles one input and says what is to be done about it, in order.
    ///
    /// # Errors
    /// Only what this peer itself cannot go on after: a failed disk, a broken invariant, a certified
    /// root that differs from its own. Faults of others are counted, never returned.
    pub fn handle<S: Store>(
        &mut self,
        now: Now,
        input: Input,
        store: &S,
    ) -> Result<Vec<Effect>, Error> {
        let mut turn = Turn::new(now, store);
        match input {
            Input::Gossip { from, gossip } => self.handle_gossip(from, gossip, &mut turn)?,
            Input::Refused { from: _ } => {
                self.stats.events_refused = self.stats.events_refused.saturating_add(1);
            }
            Input::RefusedWallet => {
                self.stats.wallet_requests_refused =
                    self.stats.wallet_requests_refused.saturating_add(1);
            }
            Input::Wallet { ticket, question } => {
                self.handle_wallet(ticket, question, &mut turn)?
            }
            Input::Submit {
                ticket,
                transactions,
                report,
            } => {
                if transactions.is_empty() {
                    turn.end(ticket, Reply::Progress(List::empty()));
                }
                self.handle_submission(ticket, transactions, report, &mut turn)?;
            }
            Input::WalletGone { session } => self.watches.forget(session),
            Input::PeerUp(peer) => self.handle_peer_up(peer, &mut turn),
            Input::PeerDown(peer) => {
                self.peers.remove(&peer);
            }
            Input::Delay { from, one_way_ms } => self.observe_delay(&from, one_way_ms),
            Input::Tick => self.handle_tick(&mut turn),
        }
        self.settle(&mut turn)?;
        self.create(&mut turn)?;
        self.weigh_conflicts(&mut turn);
        self.report(&mut turn)?;
        Ok(turn.finish())
    }

    /// This peer's index in the committee in force; none for an observer.
    #[must_use]
    pub fn own(&self) -> Option<PeerIndex> {
        self.seat.as_ref().map(|seat| seat.index)
    }

    /// How long the next own root waits for the roots that are late (C34), in milliseconds; none for
    /// an observer.
    #[must_use]
    pub fn wait_ms(&self) -> Option<u64> {
        self.seat.as_ref().map(|seat| seat.creation.wait_ms())
    }

    /// The committee in force.
    #[must_use]
    pub const fn committee(&self) -> &Committee {
        &self.committee
    }

    /// The events held.
    #[must_use]
    pub const fn dag(&self) -> &Dag {
        &self.dag
    }

    /// The commit rule's state.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The executed state.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The newest certificate.
    #[must_use]
    pub const fn certified(&self) -> Option<&Certified> {
        self.certified.as_ref()
    }

    /// Whether own events may be made.
    #[must_use]
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The height at which the own root contradicts a certified one, if there is one: nothing is
    /// signed or taken from wallets any more (C29).
    #[must_use]
    pub const fn diverged(&self) -> Option<Height> {
        self.diverged
    }

    /// How many transactions wait for an own event.
    #[must_use]
    pub fn pooled(&self) -> usize {
        self.pool.len()
    }

    /// How many transactions wait for somebody else to bring them in again.
    #[must_use]
    pub fn strays(&self) -> usize {
        self.strays.len()
    }

    /// Whether an event with transactions waits to be ordered.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Whether an answer waits for its certificate.
    #[must_use]
    pub const fn holds_answers(&self) -> bool {
        !self.held.is_empty()
    }

    /// How many events wait for missing parents.
    #[must_use]
    pub fn suspended(&self) -> usize {
        self.pending.size().saturating_add(self.briefs.size())
    }

    /// The connected peers with the height each last told.
    pub fn peers(&self) -> impl Iterator<Item = (PublicKey, Height)> {
        self.peers.iter().map(|(key, peer)| (*key, peer.height))
    }

    /// The stake of the connected peers and oneself.
    #[must_use]
    pub fn stake_connected(&self) -> Stake {
        self.stake_of(self.members_of(self.peers.keys()).chain(self.own()))
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The newest executed header.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.ledger.header()
    }

    /// This peer's index in a committee.
    pub(crate) fn index_in(&self, committee: &Committee) -> Option<PeerIndex> {
        index_of(committee, self.signer.as_ref())
    }

    /// The indices of those who are in the committee in force.
    pub(crate) fn members_of<'a>(
        &self,
        keys: impl Iterator<Item = &'a PublicKey>,
    ) -> impl Iterator<Item = PeerIndex> {
        keys.filter_map(|key| self.committee.index_of(key))
    }

    pub(crate) fn stake_of(&self, peers: impl Iterator<Item = PeerIndex>) -> Stake {
        // A committee's whole stake fits 64 bits, and no peer comes twice.
        Stake::sum(peers.map(|peer| self.committee.stake(peer))).unwrap_or(self.committee.total())
    }

    pub(crate) fn is_quorum(&self, peers: impl Iterator<Item = PeerIndex>) -> bool {
        self.committee
            .meets(Threshold::Quorum, self.stake_of(peers))
    }
}

/// Decodes a row that this peer itself wrote.
pub(crate) fn decode_row<T: Canonical>(bytes: &[u8], what: &'static str) -> Result<T, Error> {
    codec::decode(bytes).map_err(|_| Error::Damaged { what })
}
