//! Many epochs: committees that change, payments across every boundary, peers that were away.

mod boundary;

use std::collections::BTreeSet;

use ledger::tx::draft::{Coin, TransferDraft};
use ledger::tx::{Outpoint, Output, genesis_transaction, sign};
use ledger::{Genesis, Outcome};
use primitives::codec;
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Amount, Epoch, Height};
use wallet_proto::reply::{Answer, Reply, Stage};
use wallet_proto::request::Request;
use wallet_proto::{Trust, check};

use crate::network::{Network, secret};
use crate::{assert_agreement, data, stages};

/// The epochs of these tests: 12 blocks, the first 17.
pub(crate) const EPOCHS: (u64, u64) = (5, 12);

/// A coin of a wallet that goes from host to host.
struct Stake {
    wallet: u64,
    coin: Coin,
}

impl Stake {
    /// The genesis coin of a wallet.
    fn of(network: &Network, wallet: u64) -> Self {
        let owner = secret(wallet).public();
        let transaction = genesis_transaction(&network.chain);
        let outputs = network.genesis.outputs.iter();
        let mine = (0..).zip(outputs).find(|(_, it)| it.owner == owner);
        let (index, output) = mine.unwrap();
        let outpoint = Outpoint { transaction, index };
        let coin = Coin {
            outpoint,
            output: *output,
        };
        Self { wallet, coin }
    }

    /// Hosts it with another peer, for a fee of 1.
    fn host_with(&mut self, host: Option<PublicKey>, network: &Network) -> Vec<u8> {
        let key = secret(self.wallet);
        let amount = self.coin.output.amount.minus(Amount::new(1)).unwrap();
        let output = Output {
            host,
            ..Output::new(key.public(), amount)
        };
        let draft = TransferDraft {
            inputs: vec![self.coin],
            outputs: vec![output],
            ..TransferDraft::default()
        };
        let signed = sign(draft.body().unwrap(), &[&key], &network.chain).unwrap();
        let transaction = signed.body.id(&network.chain).unwrap();
        let outpoint = Outpoint {
            transaction,
            index: 0,
        };
        self.coin = Coin { outpoint, output };
        codec::encode(&signed).unwrap()
    }
}

/// Submits data to peers in turn until every running peer is in `epoch`; returns the sessions.
pub(crate) fn run_to_epoch(
    network: &mut Network,
    epoch: u64,
    nonce: &mut u64,
    peers: &[usize],
) -> Vec<u64> {
    let mut sessions = Vec::new();
    let arrived = |network: &Network| {
        let mut running = network.running();
        running.all(|peer| peer.committee().epoch() >= Epoch::new(epoch))
    };
    while !arrived(network) {
        let peer = peers[usize::try_from(*nonce).unwrap() % peers.len()];
        network.submit(peer, 1_000 + *nonce, vec![data(*nonce)]);
        sessions.push(1_000 + *nonce);
        *nonce += 1;
        network.run(120);
        assert!(*nonce < 5_000, "{}", network.summary());
    }
    sessions
}

fn is_applied(network: &Network, session: u64) -> bool {
    let applied = |stage: &Stage| {
        matches!(
            stage,
            Stage::Final {
                outcome: Outcome::Applied,
                ..
            }
        )
    };
    let told = stages(network, session);
    told.iter().any(applied) && matches!(told.last(), Some(Stage::Proven { .. }))
}

fn all_proven(network: &mut Network, sessions: &[u64]) {
    network.run_until(60_000, "every payment proven", |network| {
        let mut sessions = sessions.iter();
        sessions.all(|session| is_applied(network, *session))
    });
}

/// The answer to a wallet's question.
fn ask(network: &mut Network, peer: usize, session: u64, request: Request) -> Answer {
    network.request(peer, session, request);
    network.run(100);
    let (_, _, reply) = network.replies.last().unwrap();
    let answer = match reply {
        Reply::Answer(answer) => Ok((**answer).clone()),
        other @ (Reply::Progress(_) | Reply::Error(_) | Reply::Manifest(_) | Reply::Chunk(_)) => {
            Err(other)
        }
    };
    answer.unwrap()
}

/// A wallet that starts from the genesis follows every handover that `peer` serves, and then believes
/// its newest certified block.
fn follow_handovers(network: &mut Network, peer: usize) -> Epoch {
    let genesis: Genesis = network.genesis.clone();
    let mut trust = Trust::new(&genesis).unwrap();
    let newest = network.peer(peer).committee().epoch();
    while trust.epoch() < newest {
        let epoch = trust.epoch().later(1);
        let session = 900_000 + epoch.get();
        let answer = ask(network, peer, session, Request::Committee { epoch });
        check::committee(answer, &mut trust).unwrap();
    }
    let answer = ask(network, peer, 900_000, Request::Head);
    let head = check::head(&answer, &trust).unwrap();
    assert!(head.height() > Height::ZERO);
    trust.epoch()
}

fn members(network: &Network, peer: usize) -> BTreeSet<PublicKey> {
    let committee = network.peer(peer).committee();
    committee.members().iter().map(|it| it.key).collect()
}

#[test]
fn committees_change_over_many_epochs_and_no_payment_is_lost() {
    let funded: Vec<_> = (1..=2).map(|it| (secret(it).public(), 3_000)).collect();
    let stakes = [1_000, 1_000, 1_000, 1_000, 0, 0];
    let mut network = Network::with_epochs(31, &stakes, &funded, EPOCHS);
    let mut coins = [Stake::of(&network, 1), Stake::of(&network, 2)];
    let all: Vec<usize> = (0..6).collect();
    let (mut nonce, mut sessions, mut seen) = (0, Vec::new(), Vec::new());
    for epoch in 1..=8 {
        for (number, coin) in (0..).zip(&mut coins) {
            let host = usize::try_from(epoch + 2 * number).unwrap() % 6;
            let moved = coin.host_with(Some(network.key(host)), &network);
            let session = 100_000 + 10 * epoch + number;
            network.submit(host, session, vec![moved]);
            sessions.push(session);
        }
        sessions.extend(run_to_epoch(&mut network, epoch, &mut nonce, &all));
        seen.push(members(&network, 0));
    }
    all_proven(&mut network, &sessions);
    network.run(3_000);
    assert_agreement(&network, &all);
    let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes >= 4, "{seen:?}");
    let summary = network.summary();
    for peer in all {
        let epoch = network.peer(peer).committee().epoch();
        assert_eq!(follow_handovers(&mut network, peer), epoch, "{summary}");
        assert_eq!(network.peer(peer).strays(), 0, "{summary}");
    }
}
