use std::io::Read;
use std::net::TcpListener as BlockingListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use primitives::Digest;
use serde_json::Value;

use super::*;
use crate::error::Exit;
use crate::home::{Secrets, create_dev};
use crate::status::{Grade, tests::example};
use crate::store::Kind;

/// Pages on a free port of loopback, with a driver that answers one block.
struct Site {
    address: SocketAddr,
    status: watch::Sender<Option<Arc<Status>>>,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

fn view(height: Height) -> BlockView {
    BlockView {
        height: height.get(),
        grade: Grade::Final,
        root: Digest([1; 32]),
        previous: Digest([2; 32]),
        epoch: 3,
        round: 4,
        leader: Digest([5; 32]),
        time_ms: 6,
        state: Digest([7; 32]),
        transactions: 8,
    }
}

impl Site {
    async fn start() -> Self {
        let home = tempfile::TempDir::new().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let dev = create_dev(&home.path().join("home"), (any, any), Kind::Memory).unwrap();
        let (status_sender, status) = watch::channel(None);
        let (queries, mut asked) = mpsc::channel(4);
        let shared = Arc::new(Shared {
            status,
            queries,
            timings: Arc::new(Timings::new().unwrap()),
            logs: Arc::default(),
            genesis: dev.genesis,
            store: OnceLock::new(),
            endpoint: OnceLock::new(),
        });
        tokio::spawn(async move {
            while let Some(query) = asked.recv().await {
                let Query::Block { height, reply } = query else {
                    return;
                };
                let found = (height.get() == 42).then(|| view(height));
                reply.send(Ok(found)).unwrap();
            }
        });
        let listener = bind(any).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(serve(listener, router(Arc::clone(&shared)), stopped));
        Self {
            address,
            status: status_sender,
            shared,
            _stop: stop,
        }
    }

    /// Status line's number and body of `path`, by the node's own client.
    async fn get(&self, path: &str) -> Result<String, Error> {
        let (address, path) = (self.address, path.to_owned());
        let read = move || {
            let mut text = String::new();
            let mut answer = client::get(address, &path)?;
            answer.body.read_to_string(&mut text).unwrap();
            Ok(text)
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    fn publish(&self, change: impl FnOnce(&mut Status)) {
        let mut status = example();
        change(&mut status);
        self.status.send_replace(Some(Arc::new(status)));
    }
}

#[tokio::test]
async fn a_starting_node_is_alive_and_measured_but_not_ready() {
    let site = Site::start().await;
    assert_eq!(site.get("/livez").await.unwrap(), "ok\n");
    let metrics = site.get("/metrics").await.unwrap();
    assert!(
        metrics.contains("primus_ready{check=\"started\"} 0"),
        "{metrics}"
    );
    for path in ["/readyz", "/v1/status", "/v1/dag/export?epoch=0"] {
        match site.get(path).await {
            Err(Error::Refused { status, .. }) => assert_eq!(status, 503, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn readiness_follows_the_status_and_names_its_reasons() {
    let site = Site::start().await;
    site.publish(|_| ());
    let ready: Readiness = serde_json::from_str(&site.get("/readyz").await.unwrap()).unwrap();
    assert_eq!(ready, Readiness::of(Some(&example())));
    assert!(ready.ready);
    site.publish(|status| status.quarantined = true);
    let refused = site.get("/readyz").await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused);
    let metrics = site.get("/metrics").await.unwrap();
    assert!(
        metrics.contains("primus_ready{check=\"signing\"} 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("primus_ready{check=\"synced\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn the_status_is_what_the_driver_published_last() {
    let site = Site::start().await;
    for height in [1, 2] {
        site.publish(|status| status.height = height);
        let status: Status = serde_json::from_str(&site.get("/v1/status").await.unwrap()).unwrap();
        assert_eq!(status.height, height);
    }
}

#[tokio::test]
async fn blocks_are_asked_of_the_driver() {
    let site = Site::start().await;
    let block: BlockView = serde_json::from_str(&site.get("/v1/blocks/42").await.unwrap()).unwrap();
    assert_eq!(block, view(Height::new(42)));
    let absent = site.get("/v1/blocks/43").await.unwrap_err();
    assert_eq!(absent.exit(), Exit::No);
    match site.get("/v1/blocks/x").await {
        Err(Error::Refused { status, detail }) => {
            assert_eq!(status, 400);
            assert_eq!(detail, "the height must be a number");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_export_is_streamed_from_the_store() {
    let site = Site::start().await;
    site.shared
        .store
        .set(Arc::new(Database::in_memory()))
        .unwrap();
    let text = site.get("/v1/dag/export?epoch=0").await.unwrap();
    let object: Value = serde_json::from_str(&text).unwrap();
    let chain = site.shared.genesis.chain_id().unwrap();
    assert_eq!(object["chain_id"], chain.to_string());
    assert_eq!(object["events"], Value::Array(Vec::new()));
    let absent = site.get("/v1/dag/export?epoch=1").await.unwrap_err();
    assert_eq!(absent.exit(), Exit::No);
    for path in ["/v1/dag/export", "/v1/dag/export?epoch=x"] {
        match site.get(path).await {
            Err(Error::Refused { status, .. }) => assert_eq!(status, 400, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_error_is_a_problem_with_a_stable_code() {
    let site = Site::start().await;
    let address = site.address;
    let raw = tokio::task::spawn_blocking(move || {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /nowhere HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    let raw = raw.await.unwrap();
    assert!(
        raw.contains("content-type: application/problem+json"),
        "{raw}"
    );
    let (_, body) = raw.split_once("\r\n\r\n").unwrap();
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], "not_found");
    assert_eq!(problem["status"], 404);
    assert_eq!(problem["title"], "Not Found");
}

#[test]
fn the_client_says_when_no_node_answers() {
    // A port that was free a moment ago, with nobody behind it.
    let listener = BlockingListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client::json::<Status>(address, "/v1/status").unwrap_err();
    assert_eq!(error.exit(), Exit::Unreachable);
    assert!(error.to_string().contains("primus run"), "{error}");
}

#[test]
fn the_client_refuses_what_is_not_http() {
    for answer in [
        "",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.0 200 OK\r\nno end",
        "HTTP/1.0 x\r\n\r\n",
    ] {
        let listener = BlockingListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                use std::io::Write;
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 512];
                let length = stream.read(&mut request).unwrap();
                served.store(u64::try_from(length).unwrap(), Ordering::Release);
                stream.write_all(answer.as_bytes()).unwrap();
            });
            let error = client::get(address, "/").unwrap_err();
            assert_eq!(error.exit(), Exit::Unreachable, "{answer:?}: {error}");
        });
        assert!(served.into_inner() > 0);
    }
}

#[tokio::test]
async fn links_are_changed_by_the_owner_of_the_home_over_its_socket() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::start().await;
    let home = tempfile::TempDir::new().unwrap();
    // What a killed node leaves is replaced.
    drop(admin::bind(home.path()).unwrap());
    let listener = admin::bind(home.path()).unwrap();
    let mode = std::fs::metadata(home.path().join(admin::SOCKET)).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let (_stop, stopped) = oneshot::channel();
    let controls = admin::router(Arc::clone(&site.shared));
    tokio::spawn(serve(listener, controls, stopped));
    let put = async |path: &'static str, body: Value| {
        let home = home.path().to_owned();
        let put = move || client::put::<admin::Links>(&home, path, &body);
        tokio::task::spawn_blocking(put).await.unwrap()
    };
    let starting = put("/v1/links", Value::Object(Default::default())).await;
    assert!(
        matches!(starting, Err(Error::Refused { status: 503, .. })),
        "{starting:?}"
    );
    let own = Secrets::generate().unwrap();
    let peer = site.shared.genesis.peers[0].clone();
    let config = net::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        chain: Digest([7; 32]),
        peers: vec![net::PeerAddress {
            key: peer.transport_key,
            address: SocketAddr::from(([127, 0, 0, 1], 9)),
        }],
        limits: net::Limits::default(),
        link_faults: true,
    };
    let served = Endpoint::serve(config, own.transport.signer().unwrap()).unwrap();
    site.shared.endpoint.set(served.endpoint.clone()).unwrap();
    let key = peer.peer_key.to_string();
    let cut = serde_json::json!({&key: {"cut": true, "delay_us": 7}});
    let link = net::Link {
        cut: true,
        delay_us: 7,
        ..net::Link::default()
    };
    let set = put("/v1/links", cut).await.unwrap();
    assert_eq!(set, [(key, link)].into());
    let healed = put("/v1/links", serde_json::json!({})).await.unwrap();
    assert!(healed.is_empty(), "{healed:?}");
    let unknown = put("/v1/links/x", serde_json::json!({"cut": true})).await;
    assert_eq!(unknown.unwrap_err().exit(), Exit::No);
    let wrong = put("/v1/links", serde_json::json!({"x": {"lost": 1}})).await;
    match wrong {
        Err(Error::Refused { status, detail }) => {
            assert_eq!(status, 400);
            assert!(detail.contains("unknown field `lost`"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
}
