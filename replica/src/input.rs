//! What happens to a peer: everything that crosses into the pure core.

use alloc::boxed::Box;
use alloc::vec::Vec;

use dag::brief::Brief;
use dag::event::{Signed, payload_digest};
use dag::gossip::{Cursor, Head, Message, Parcel};
use dag::{Committee, Event};
use ledger::tx::{self, Checked};
use primitives::keys::{PublicKey, Signature};
use primitives::planted::{self, Bug};
use primitives::units::{Epoch, Height, PeerIndex, Round, Time};
use primitives::{Digest, codec};
use wallet_proto::request::{Question, Report};

use crate::briefs::Load;
use crate::error::Error;

/// The time at which an input is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Milliseconds of a clock that never goes back.
    pub mono_ms: u64,
    /// Milliseconds since 1970 by this machine's clock; only claimed times come from it.
    pub wall: Time,
}

/// One request stream of one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// The session.
    pub session: u64,
    /// The request within the session.
    pub request: u64,
}

/// One input. A peer at the other end of a link is named by its peer key, which no change of epoch
/// touches; one that is not registered by the key that its link proves.
#[derive(Debug)]
pub enum Input {
    /// A peer said something; its events have been verified.
    Gossip {
        /// Who sent it.
        from: PublicKey,
        /// What it said.
        gossip: Gossip,
    },
    /// A peer sent bytes that were refused before they came here.
    Refused {
        /// Who sent them.
        from: PublicKey,
    },
    /// A wallet sent bytes that were refused before they came here.
    RefusedWallet,
    /// A wallet asks.
    Wallet {
        /// Where the answer goes.
        ticket: Ticket,
        /// What it asks; a submission comes as [`Input::Submit`].
        question: Question,
    },
    /// A wallet hands in transactions; their signatures have been checked.
    Submit {
        /// Where the reports go.
        ticket: Ticket,
        /// The transactions in the wallet's order.
        transactions: Vec<Checked>,
        /// How much to report.
        report: Report,
    },
    /// A wallet's session ended.
    WalletGone {
        /// The session.
        session: u64,
    },
    /// A peer is connected.
    PeerUp(PublicKey),
    /// A peer is not connected any more.
    PeerDown(PublicKey),
    /// The transport has measured how far a connected peer is (C34).
    Delay {
        /// Which peer.
        from: PublicKey,
        /// Half of the round trip, in milliseconds, rounded down.
        one_way_ms: u64,
    },
    /// Time has passed.
    Tick,
}

/// An event with its payload, all signatures checked.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The event.
    pub event: Event,
    /// The payload's bytes, as committed to.
    pub payload: Vec<u8>,
    /// The payload's transactions; none if the payload is no list of transactions.
    pub transactions: Vec<Checked>,
}

/// A gossip message whose events have been verified.
#[derive(Debug, Clone)]
pub enum Gossip {
    /// See [`Message::Events`].
    Events(Vec<Arrival>),
    /// See [`Message::Want`].
    Want(Vec<Digest>),
    /// See [`Message::Frontier`].
    Frontier {
        /// The sender's epoch.
        epoch: Epoch,
        /// The sender's last settled height.
        height: Height,
        /// The sender's floor.
        floor: Round,
        /// The sender's heads.
        heads: Vec<Head>,
    },
    /// See [`Message::Follow`].
    Follow {
        /// The epoch.
        epoch: Epoch,
        /// The first place wanted.
        from: Cursor,
    },
    /// See [`Message::Followed`].
    Followed {
        /// The epoch of the question.
        epoch: Epoch,
        /// The events.
        events: Vec<Arrival>,
        /// Where to go on.
        next: Option<Cursor>,
    },
    /// See [`Message::Attested`]; the signatures have not been checked.
    Attested {
        /// The epoch whose committee signs.
        epoch: Epoch,
        /// The block.
        height: Height,
        /// Its consensus root.
        root: Digest,
        /// Signatures by ascending index.
        signatures: Vec<(PeerIndex, Signature)>,
    },
    /// See [`Message::WantSeal`].
    WantSeal {
        /// The epoch.
        epoch: Epoch,
    },
    /// See [`Message::Brief`]; nothing of it has been checked but the transactions' signatures.
    Brief {
        /// The event without the ids of its parents.
        brief: Box<Brief>,
        /// What came with it.
        load: Load,
    },
    /// See [`Message::Passed`].
    Passed(Vec<Checked>),
}

/// Decodes a peer's bytes and verifies every event in them of the epochs of `committees`; events of
/// other epochs are left out (C30). Pure and without state, so that any thread can do it. Cost: a
/// signature check per event and about 20 us per transaction witness.
///
/// # Errors
/// The first fault found; the whole message is refused.
pub fn verify(bytes: &[u8], committees: &[Committee]) -> Result<Gossip, Error> {
    let verify_all = |parcels: Vec<Parcel>| -> Result<Vec<Arrival>, Error> {
        parcels
            .into_iter()
            .filter_map(|parcel| {
                let epoch = parcel.signed.header().epoch;
                let committee = committees.iter().find(|it| it.epoch() == epoch)?;
                Some(verify_parcel(parcel, committee))
            })
            .collect()
    };
    Ok(match codec::decode::<Message>(bytes)? {
        Message::Events(parcels) => Gossip::Events(verify_all(parcels.into_vec())?),
        Message::Want(ids) => Gossip::Want(ids.into_vec()),
        Message::Frontier {
            epoch,
            height,
            floor,
            heads,
        } => Gossip::Frontier {
            epoch,
            height,
            floor,
            heads: heads.into_vec(),
        },
        Message::Follow { epoch, from } => Gossip::Follow { epoch, from },
        Message::Followed {
            epoch,
            events,
            next,
        } => Gossip::Followed {
            epoch,
            events: verify_all(events.into_vec())?,
            next,
        },
        Message::Attested {
            epoch,
            height,
            root,
            signatures,
        } => Gossip::Attested {
            epoch,
            height,
            root,
            signatures: signatures.into_vec(),
        },
        Message::WantSeal { epoch } => Gossip::WantSeal { epoch },
        Message::Brief { brief, payload } => {
            let committee = committees.iter().find(|it| it.epoch() == brief.epoch);
            let Some(committee) = committee else {
                return Ok(Gossip::Events(Vec::new()));
            };
            let load = Load {
                digest: payload_digest(&payload),
                transactions: check_payload(&payload, committee),
                payload: payload.into_vec(),
            };
            Gossip::Brief { brief, load }
        }
        Message::Passed(payload) => {
            let chain = committees.first().map(Committee::chain);
            let check = |chain| tx::check_payload(&payload, chain);
            Gossip::Passed(chain.map(check).unwrap_or_default())
        }
    })
}

fn verify_parcel(parcel: Parcel, committee: &Committee) -> Result<Arrival, Error> {
    let event = Event::verify(parcel.signed, &parcel.payload, committee)?;
    Ok(arrival(event, parcel.payload.into_vec(), committee))
}

/// An event that this peer itself stored, with its payload checked again.
pub(crate) fn restore(signed: Signed, payload: Vec<u8>, committee: &Committee) -> Arrival {
    arrival(Event::trust(signed), payload, committee)
}

fn arrival(event: Event, payload: Vec<u8>, committee: &Committee) -> Arrival {
    Arrival {
        event,
        transactions: check_payload(&payload, committee),
        payload,
    }
}

fn check_payload(payload: &[u8], committee: &Committee) -> Vec<Checked> {
    let transactions = tx::check_payload(payload, committee.chain());
    assert!(
        !planted::has(Bug::PanicOnPayload) || transactions.iter().all(|it| it.fault().is_none()),
        "a planted bug"
    );
    transactions
}
