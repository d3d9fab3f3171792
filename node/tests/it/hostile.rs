//! A running node against a peer and a wallet that send whatever they like.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dag::gossip::{Message, Parcel};
use ledger::Genesis;
use ledger::genesis::{ONE_EPOCH, Parameters};
use ledger::tx::{Body, Output, Transaction};
use net::{Bytes, Client, Endpoint, Lane, Limits, PeerAddress, PeerEvent, Served};
use primitives::Digest;
use primitives::codec::{self, List};
use primitives::units::{Amount, PeerIndex};
use primus_node::config::Switch;
use primus_node::home::{self, Plan, Secrets};
use primus_node::http::client::json;
use primus_node::keyfile::Secret;
use primus_node::peers::Peers;
use primus_node::status::Status;
use primus_node::store::Kind as StoreKind;
use tempfile::TempDir;
use wallet_proto::reply::{Reply, Stage};
use wallet_proto::request::{Question, Report, Request};
use wallet_proto::wire;

use crate::root;

/// Long for anything that is waited for here; a wait that reaches it fails.
const LONG: Duration = Duration::from_secs(30);

struct Victim {
    process: Child,
    http: SocketAddr,
    address: SocketAddr,
    secrets: Secrets,
    hostile: Secrets,
    hostile_address: SocketAddr,
    genesis: Genesis,
    chain: Digest,
    folder: TempDir,
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have ended by itself, which the test tells.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A node that is a quorum alone, and the keys of a second peer with a fifth of the stake.
fn victim() -> Victim {
    let folder = TempDir::new().unwrap();
    let (secrets, hostile) = (Secrets::generate().unwrap(), Secrets::generate().unwrap());
    let genesis = genesis(&secrets, &hostile);
    let udp = || {
        UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    };
    let (address, hostile_address) = (udp(), udp());
    let http = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let listen = [(&secrets, address), (&hostile, hostile_address)];
    let listen = listen.map(|(one, address)| (one.peer.public(), address.to_string()));
    let home = folder.path().join("home");
    home::create(&Plan {
        home: &home,
        listen: address,
        http,
        store: StoreKind::Memory,
        genesis: Some(&genesis),
        peers: &Peers(listen.into()),
        secrets: &secrets,
        link_faults: Switch::Off,
    })
    .unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_primus"))
        .args(["run", "--exit-on-stdin-close", "--home"])
        .arg(&home)
        .stdin(Stdio::piped())
        .stderr(File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let chain = genesis.chain_id().unwrap();
    Victim {
        process,
        http,
        address,
        secrets,
        hostile,
        hostile_address,
        genesis,
        chain,
        folder,
    }
}

fn genesis(secrets: &Secrets, hostile: &Secrets) -> Genesis {
    let mut peers = vec![
        secrets.genesis_peer("victim").unwrap(),
        hostile.genesis_peer("hostile").unwrap(),
    ];
    let stake = |one: &Secrets, amount| Output {
        host: Some(one.peer.public()),
        ..Output::new(one.payout.public(), Amount::new(amount))
    };
    let outputs = vec![stake(secrets, 4_000), stake(hostile, 1_000)];
    peers.sort_by_key(|peer| peer.peer_key);
    Genesis {
        version: 1,
        parameters: Parameters {
            period: ONE_EPOCH,
            data_free: true,
            ..Parameters::default()
        },
        peers: List::new(peers).unwrap(),
        outputs: List::new(outputs).unwrap(),
    }
}

impl Victim {
    fn status(&self) -> Option<Status> {
        json(self.http, "/v1/status").ok()
    }

    /// Waits until the status is as wished, and fails with what was found.
    async fn until(&self, what: &str, wished: impl Fn(&Status) -> bool) -> Status {
        let begun = Instant::now();
        loop {
            let found = tokio::task::block_in_place(|| self.status());
            if let Some(status) = &found
                && wished(status)
            {
                return found.unwrap();
            }
            assert!(begun.elapsed() < LONG, "{what}: {found:?}\n{}", self.log());
            tokio::task::yield_now().await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn hostile_index(&self) -> PeerIndex {
        let key = self.hostile.peer.public();
        let position = self
            .genesis
            .peers
            .iter()
            .position(|peer| peer.peer_key == key);
        PeerIndex(u16::try_from(position.unwrap()).unwrap())
    }

    /// The hostile peer's root of round 0 at `time`, signed with `key`.
    fn root(&self, chain: Digest, time: u64, key: &Secret) -> Vec<u8> {
        let event = root(chain, self.hostile_index(), time, key);
        let signed = event.signed().clone();
        let parcel = Parcel {
            signed,
            payload: codec::Bytes::default(),
        };
        codec::encode(&Message::Events(List::new(vec![parcel]).unwrap())).unwrap()
    }

    async fn connect_as_peer(&self) -> Served {
        let served = Endpoint::serve(
            net::Config {
                listen: self.hostile_address,
                chain: self.chain,
                peers: vec![PeerAddress {
                    key: self.secrets.transport.public(),
                    address: self.address,
                }],
                limits: Limits::default(),
                link_faults: false,
            },
            self.hostile.transport.signer().unwrap(),
        );
        let mut served = served.unwrap();
        let up = async {
            while let Some(event) = served.peers.recv().await {
                if matches!(event, PeerEvent::Up { .. }) {
                    return;
                }
            }
        };
        tokio::time::timeout(LONG, up).await.unwrap();
        served
    }

    async fn wallet(&self) -> Client {
        let key = Secret::generate().unwrap().signer().unwrap();
        Client::connect(
            self.address,
            self.secrets.transport.public(),
            self.chain,
            key,
        )
        .await
        .unwrap()
    }
}

async fn ask(client: &Client, bytes: Vec<u8>) -> Reply {
    let mut replies = client.request(bytes).await.unwrap();
    let reply = tokio::time::timeout(LONG, replies.next()).await.unwrap();
    wire::from_bytes(&reply.unwrap().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_peers_messages_are_counted_and_the_node_goes_on() {
    let victim = victim();
    victim.until("node is up", |_| true).await;
    let served = victim.connect_as_peer().await;
    let send = |bytes: Vec<u8>| {
        let key = victim.secrets.transport.public();
        served
            .endpoint
            .send(&key, Lane::Consensus, Bytes::from(bytes))
            .unwrap();
    };
    let good = victim.root(victim.chain, 1, &victim.hostile.event);
    let mut trailing = good.clone();
    trailing.push(0);
    let refused = [
        vec![],
        vec![0xff; 1_000],
        good[..good.len() - 1].to_vec(),
        trailing,
        victim.root(victim.chain, 1, &victim.hostile.payout),
        victim.root(Digest([9; 32]), 1, &victim.hostile.event),
    ];
    let count = u64::try_from(refused.len()).unwrap();
    refused.into_iter().for_each(send);
    victim
        .until("refusals are counted", |status| {
            status.counters.events_refused >= count
        })
        .await;
    send(good.clone());
    send(good);
    let fork = victim.root(victim.chain, 2, &victim.hostile.event);
    send(fork);
    let status = victim
        .until("the replay and the fork are counted", |status| {
            status.counters.events_repeated >= 1 && status.counters.equivocations >= 1
        })
        .await;
    assert_eq!(status.counters.events_refused, count);
    assert!(!ask_head(&victim).await, "the node serves");
    served.endpoint.close().await;
    assert!(!victim.log().contains("panicked"), "{}", victim.log());
}

/// Whether the node fails to answer a plain question.
async fn ask_head(victim: &Victim) -> bool {
    let client = victim.wallet().await;
    let reply = ask(
        &client,
        wire::to_bytes(&Question::from(Request::Head)).unwrap(),
    )
    .await;
    client.close().await;
    !matches!(reply, Reply::Answer(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_wallets_requests_are_refused_in_words_and_the_node_goes_on() {
    let victim = victim();
    victim.until("node is up", |_| true).await;
    let client = victim.wallet().await;
    let head = wire::to_bytes(&Question::from(Request::Head)).unwrap();
    let mut trailing = head.clone();
    trailing.push(0);
    let mut other_version = head.clone();
    other_version[0] = 2;
    for bytes in [
        vec![],
        vec![0xff; 1_000],
        head[..head.len() - 1].to_vec(),
        trailing,
        other_version,
    ] {
        let reply = ask(&client, bytes.clone()).await;
        assert!(matches!(reply, Reply::Error(_)), "{bytes:?}: {reply:?}");
    }
    victim
        .until("refusals are counted", |status| {
            status.counters.wallet_requests_refused >= 5
        })
        .await;
    let oversized = client.request(vec![0; 2 * 1024 * 1024]).await;
    assert!(oversized.is_err(), "an oversized request is not even sent");

    let submit = |bytes: Vec<u8>| {
        let transactions = List::new(vec![codec::Bytes::new(bytes).unwrap()]).unwrap();
        let request = Request::Submit {
            transactions,
            report: Report::Final,
        };
        wire::to_bytes(&Question::from(request)).unwrap()
    };
    let garbage = ask(&client, submit(vec![7; 100])).await;
    assert!(
        is_stage(&garbage, |stage| matches!(stage, Stage::Refused { .. })),
        "{garbage:?}"
    );
    let data = Transaction::unsigned(Body::data(1, vec![1; 10]).unwrap());
    let data = codec::encode(&data).unwrap();
    let first = ask(&client, submit(data.clone())).await;
    let applied = |reply: &Reply| {
        is_stage(
            reply,
            |stage| matches!(stage, Stage::Final { outcome, .. } if outcome.is_applied()),
        )
    };
    assert!(applied(&first), "{first:?}");
    let replayed = ask(&client, submit(data)).await;
    assert_eq!(replayed, first, "told where it stands, not ordered again");
    assert!(!ask_head(&victim).await, "the node serves");
    client.close().await;
    assert!(!victim.log().contains("panicked"), "{}", victim.log());
}

fn is_stage(reply: &Reply, wished: impl Fn(&Stage) -> bool) -> bool {
    match reply {
        Reply::Progress(steps) => steps.iter().any(|step| wished(&step.stage)),
        Reply::Error(_) | Reply::Answer(_) | Reply::Manifest(_) | Reply::Chunk(_) => false,
    }
}
