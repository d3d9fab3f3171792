//! What an event costs one peer from admission to its block, and the memory that it takes there beside
//! the event itself, at full broadcast: every root votes for every root of the round before.
//! Signatures and beacons are not checked here.

use anyhow::{Context, Result};
use consensus::{BeaconCheck, Engine};
use dag::committee::Member;
use dag::event::{Header, Kind, Reference, Signed, payload_digest};
use dag::{Committee, Dag, Event};
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::{Beacon, PublicKey, SecretKey, Signature, Signer};
use primitives::units::{Epoch, PeerIndex, Round, Seq, Stake, Time};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::timed;

/// Events of one measurement.
const EVENTS: usize = 20_000;

struct Trusting;

impl BeaconCheck for Trusting {
    fn is_valid(&self, _: PeerIndex, _: Round, _: &Beacon) -> bool {
        true
    }
}

pub(crate) fn run() -> Result<()> {
    let mut least = f64::INFINITY;
    for peers in [4, 13, 50, 100, 300, 999] {
        let committee = committee(peers)?;
        let events = events(&committee, EVENTS.div_ceil(peers))?;
        let before = resident_bytes()?;
        let Settled {
            dag,
            seconds: [admit, settle],
            blocks,
            ordered,
        } = settle(&committee, &events);
        let bytes = resident_bytes()?.saturating_sub(before);
        let micros =
            |seconds: f64| seconds * 1e6 / f64::from(u32::try_from(events.len()).unwrap_or(1));
        let (admit, settle) = (micros(admit), micros(settle));
        let each = admit + settle;
        least = least.min(each);
        println!(
            "engine::settle/peers={peers}  {each:.1} us an event ({:.1} times the least): admission \
             {admit:.1}, election and order {settle:.1}; {:.2} us a parent; {blocks} blocks, {ordered} \
             of {} events ordered, {} bytes an event in memory",
            each / least,
            each / f64::from(u32::try_from(peers)?),
            events.len(),
            bytes.checked_div(dag.size()).unwrap_or(0),
        );
    }
    Ok(())
}

/// The memory of this process that is really there, in bytes.
fn resident_bytes() -> Result<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split_whitespace().nth(1).context("statm")?;
    Ok(resident.parse::<usize>()?.saturating_mul(4_096))
}

struct Settled {
    dag: Dag,
    /// Of admission, then of election and order.
    seconds: [f64; 2],
    blocks: usize,
    ordered: usize,
}

fn settle(committee: &Committee, events: &[Event]) -> Settled {
    let mut dag = Dag::new(committee.clone());
    let mut engine = Engine::new(committee);
    let (mut blocks, mut ordered) = (0, 0);
    let mut seconds = [0.0; 2];
    for event in events {
        let (took, _) = timed(|| dag.admit(event.clone()));
        seconds[0] += took;
        let (took, settled) = timed(|| engine.advance(&dag, &Trusting));
        seconds[1] += took;
        for block in settled {
            blocks += 1;
            ordered += block.order.len();
        }
        dag.raise_floor(engine.floor());
    }
    Settled {
        dag,
        seconds,
        blocks,
        ordered,
    }
}

fn committee(peers: usize) -> Result<Committee> {
    let secret = SecretKey::from_seed(&Zeroizing::new([1; 32]), ChaCha20Rng::from_seed([1; 32]));
    let event_key = secret.public().to_verifying()?;
    let members = (1..=peers)
        .map(|index| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&u64::try_from(index)?.to_be_bytes());
            Ok(Member {
                key: PublicKey(key),
                event_key,
                stake: Stake::new(1_000),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Committee::new(Digest([7; 32]), Epoch::ZERO, members)?)
}

fn events(committee: &Committee, rounds: usize) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut before: Vec<Reference> = Vec::new();
    for round in 0..u64::try_from(rounds)? {
        let mut roots = Vec::new();
        for (creator, _) in committee.iter() {
            let event = root(committee, creator, round, &before)?;
            roots.push(event.reference());
            events.push(event);
        }
        before = roots;
    }
    Ok(events)
}

fn root(
    committee: &Committee,
    creator: PeerIndex,
    round: u64,
    before: &[Reference],
) -> Result<Event> {
    let own = before.get(creator.position()).copied();
    let mut pre_output = [0; 32];
    pre_output[..8].copy_from_slice(&round.to_le_bytes());
    let header = Header {
        version: 1,
        chain: *committee.chain(),
        epoch: committee.epoch(),
        creator,
        round: Round::new(round),
        seq: Seq::new(round),
        kind: Kind::Root,
        self_parent: own,
        sealing: None,
        votes: List::new(before.to_vec())?,
        parents: List::empty(),
        time: Time::new(round),
        payload: payload_digest(&[]),
        payload_bytes: 0,
        beacon: Some(Beacon {
            pre_output,
            proof: [0; 64],
        }),
        attestations: List::empty(),
    };
    Ok(Event::trust(Signed::new(header, Signature([0; 64]))?))
}
