//! A peer that serves wallets over the real transport, from a real ledger; honest or not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use net::{Bytes, Config, Endpoint, Limits, Part, WalletEvent};
use primitives::codec::List;
use wallet_proto::certificate::Certificate;
use wallet_proto::reply::{Answer, Body, Code, History, Refusal, Reply, Stage, Step};
use wallet_proto::test_chain::{TestChain, secret};
use wallet_proto::{Question, Request, wire};

/// How a host behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should.
    Honest,
    /// Takes payments and then says nothing more.
    Drops,
    /// Shows another state root under the same certificate.
    OtherStateRoot,
    /// Withholds the newest entry of each page.
    MissingEntry,
    /// Shows the signatures of too little stake.
    BelowQuorum,
    /// Changes one signature.
    WrongSignature,
    /// Leaves out certificates that the wallet does not have.
    LeavesOut,
}

/// A running host.
pub(crate) struct Host {
    pub(crate) endpoint: Endpoint,
    pub(crate) chain: Arc<Mutex<TestChain>>,
    /// How many certificates it has sent.
    pub(crate) certificates: Arc<AtomicUsize>,
}

impl Host {
    /// Serves `chain` under the transport key of `seed`.
    pub(crate) fn start(seed: u8, chain: Arc<Mutex<TestChain>>, manner: Manner) -> Self {
        let id = *chain.lock().unwrap().ledger.chain();
        Self::start_as(seed, chain, manner, id)
    }

    /// Serves `chain` while calling it `id` in the handshake.
    pub(crate) fn start_as(
        seed: u8,
        chain: Arc<Mutex<TestChain>>,
        manner: Manner,
        id: primitives::Digest,
    ) -> Self {
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            chain: id,
            peers: Vec::new(),
            limits: Limits::default(),
            link_faults: false,
        };
        let mut served = Endpoint::serve(config, secret(seed)).unwrap();
        let (endpoint, state) = (served.endpoint.clone(), Arc::clone(&chain));
        let certificates = Arc::new(AtomicUsize::new(0));
        let sent = Arc::clone(&certificates);
        tokio::spawn(async move {
            while let Some(event) = served.wallets.recv().await {
                let WalletEvent::Request {
                    session,
                    request,
                    bytes,
                } = event
                else {
                    continue;
                };
                let replies = replies(&state, manner, &bytes);
                let whole = replies.iter().filter(|reply| is_whole(reply)).count();
                sent.fetch_add(whole, Ordering::Relaxed);
                let last = replies.len() - 1;
                for (place, reply) in replies.iter().enumerate() {
                    let part = if place == last {
                        Part::Last
                    } else {
                        Part::More
                    };
                    let bytes = Bytes::from(wire::to_bytes(reply).unwrap());
                    // The wallet may have gone.
                    let _ = endpoint.reply(session, request, bytes, part);
                }
            }
        });
        Self {
            endpoint: served.endpoint,
            chain,
            certificates,
        }
    }

    /// How a wallet names this host.
    pub(crate) fn address(&self) -> primus_wallet::HostAddress {
        primus_wallet::HostAddress {
            address: self.endpoint.local_address(),
            key: self.endpoint.public(),
        }
    }
}

fn replies(chain: &Mutex<TestChain>, manner: Manner, bytes: &[u8]) -> Vec<Reply> {
    let mut chain = chain.lock().unwrap();
    let question: Question = match wire::from_bytes(bytes) {
        Ok(question) => question,
        Err(error) => {
            let refusal = Refusal::new(Code::Unknown, &error.to_string());
            return vec![Reply::Error(refusal)];
        }
    };
    if let Request::Submit { transactions, .. } = question.request {
        let transactions: Vec<_> = transactions.iter().map(|bytes| bytes.to_vec()).collect();
        return submit(&mut chain, manner, &transactions);
    }
    match chain.answer_to(&question) {
        Err(refusal) => vec![Reply::Error(refusal)],
        Ok(answer) => vec![Reply::Answer(Box::new(twisted(&chain, manner, answer)))],
    }
}

/// Whether it is an answer with a certificate.
fn is_whole(reply: &Reply) -> bool {
    let Reply::Answer(answer) = reply else {
        return false;
    };
    let snapshot = &answer.snapshot;
    snapshot.certificate != Certificate::empty(snapshot.header.epoch)
}

fn submit(chain: &mut TestChain, manner: Manner, transactions: &[Vec<u8>]) -> Vec<Reply> {
    let step = |stage| Reply::Progress(List::new(vec![Step { position: 0, stage }]).unwrap());
    if manner == Manner::Drops {
        return vec![step(Stage::Seen)];
    }
    let outcomes = chain.settle(transactions);
    let height = chain.ledger.height();
    vec![
        step(Stage::Seen),
        step(Stage::Endorsed),
        step(Stage::Official),
        step(Stage::Final {
            height,
            index: 0,
            outcome: outcomes[0].1,
        }),
        step(Stage::Proven { height }),
    ]
}

fn twisted(chain: &TestChain, manner: Manner, mut answer: Answer) -> Answer {
    let header = answer.snapshot.header;
    match manner {
        Manner::Honest | Manner::Drops => {}
        Manner::LeavesOut => answer.snapshot.certificate = Certificate::empty(header.epoch),
        Manner::OtherStateRoot => answer.snapshot.header.state.0[0] ^= 1,
        Manner::BelowQuorum => answer.snapshot = chain.certify(header, &[0, 1]),
        Manner::WrongSignature => {
            answer.snapshot.certificate.aggregate.sum.0[5] ^= 1;
        }
        Manner::MissingEntry => {
            if let Body::History(History::From(page)) = &mut answer.body {
                let mut entries = page.entries.to_vec();
                entries.pop();
                page.entries = List::new(entries).unwrap();
            }
        }
    }
    answer
}
