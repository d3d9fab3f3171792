//! A peer whose files are damaged one after the other: it must refuse to run, or say what the others say.
//!
//! ```text
//!   whole home --copy--> damage one file --start--> ends with an error: noticed
//!                                              `--> answers as the others do: harmless, or repaired
//!                                              `--> anything else: a violation
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::tx::{Outpoint, genesis_transaction};
use node::store::Kind;
use primitives::Digest;
use primitives::keys::Signer;
use primitives::units::{Amount, Height};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use wallet_proto::request::Report as Told;
use wallet_proto::{Request, Trust, check};

use crate::cluster::{Cluster, Stay};
use crate::error::Error;
use crate::files::{DATA, copy, files, remove};
use crate::network::{Epochs, Network, Setup, create, equal_stakes};
use crate::purse::{Purse, wallet_key};
use crate::session::{Session, bytes};
use crate::sim::random::Stream;
use crate::submit::outcomes;
use crate::verdict::{Verdict, follow, head, reach};
use crate::voice::Voice;

/// How many peers; the first is damaged.
const PEERS: usize = 4;
/// Payments made beforehand.
const PAYMENTS: usize = 300;
/// Outputs of the genesis that are asked for.
const OUTPUTS: u32 = 200;
/// How long a damaged peer may take until it answers or ends.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// How often it is said how it goes, in damages.
const TELL: usize = 50;

/// What is damaged.
#[derive(Debug)]
pub struct Options {
    /// The network's folder; whatever network was there is gone.
    pub folder: PathBuf,
    /// The node's program.
    pub node: PathBuf,
    /// The backend of the peers' stores.
    pub store: Kind,
    /// How many damages.
    pub count: usize,
    /// What they are drawn from.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Damages tried.
    pub tried: usize,
    /// The peer ended with an error, by exit code.
    pub noticed: BTreeMap<i32, usize>,
    /// The peer answered as the others do, by kind of damage.
    pub same: BTreeMap<String, usize>,
    /// The peer answered nothing in time, or something else.
    pub violations: Vec<String>,
}

impl Report {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of_run(self.violations.len(), 0)
    }
}

/// One damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Damage {
    Flip,
    Cut,
    Zeros,
    Missing,
    Swapped,
}

impl Damage {
    const ALL: [Self; 5] = [
        Self::Flip,
        Self::Cut,
        Self::Zeros,
        Self::Missing,
        Self::Swapped,
    ];
}

/// Damages the files of one peer of four, `count` times, each time from the whole home.
///
/// # Errors
/// What keeps the network from being made; what the damaged peer does is in the report.
pub async fn run(options: &Options, voice: Voice) -> Result<Report, Error> {
    let (mut cluster, network) = create(&Setup {
        folder: &options.folder,
        program: &options.node,
        stakes: &equal_stakes(PEERS, 0),
        epochs: Epochs::default(),
        store: options.store,
        funding: &[],
        stay: Stay::Attached,
    })?;
    cluster.start_all()?;
    let sessions = network.sessions("alice", cluster.peers(), 0..PEERS).await?;
    let ids = pay(&network, &sessions).await?;
    let witness = &sessions[1];
    let mut trust = Trust::new(&network.genesis)?;
    let height = head(witness, &mut trust).await?.height();
    reach(&sessions[0], &mut trust, height).await?;
    let wanted = sayings(&network, witness, height, &ids).await?;
    cluster.kill(0).await?;
    let home = cluster.peer(0)?.home.clone();
    let (whole, other) = (home.with_extension("whole"), cluster.peer(1)?.home.clone());
    remove(&home.join(node::http::admin::SOCKET))?;
    copy(&home, &whole)?;
    let mut stream = Stream::new(options.seed, &[b"mutate"]);
    let mut report = Report::default();
    while report.tried < options.count {
        remove(&home)?;
        copy(&whole, &home)?;
        // Two of three hurt the store itself.
        let below = match stream.below(3) {
            0 => whole.clone(),
            _ => whole.join(DATA),
        };
        let paths = files(&below)?;
        let path = &paths[stream.place(paths.len())];
        let path = path.strip_prefix(&whole).unwrap_or(path);
        let damage = Damage::ALL[stream.place(Damage::ALL.len())];
        let name = format!("{damage:?} {}", path.display());
        if !hurt(damage, &home.join(path), &other.join(path), &mut stream)? {
            continue;
        }
        report.tried += 1;
        cluster.start(0)?;
        let found = watch(&mut cluster, &network, height, &ids).await?;
        let violation = match found {
            Found::Ended(code) => {
                *report.noticed.entry(code).or_default() += 1;
                None
            }
            Found::Said(said) if said == wanted => {
                *report.same.entry(name).or_default() += 1;
                None
            }
            Found::Said(said) => {
                let mut pairs = said.iter().zip(&wanted);
                let other = pairs.find(|(said, wanted)| said != wanted);
                Some(format!("{name}: {other:?}"))
            }
            Found::Silent(reason) => Some(format!("{name}: {reason}")),
        };
        if let Some(violation) = violation {
            voice.progress(&violation);
            report.violations.push(violation);
        }
        if cluster.peer(0)?.runs() {
            cluster.kill(0).await?;
        }
        if report.tried.is_multiple_of(TELL) {
            voice.progress(&format!(
                "{} of {}: {} noticed, {} the same, {} violations",
                report.tried,
                options.count,
                report.noticed.values().sum::<usize>(),
                report.same.values().sum::<usize>(),
                report.violations.len()
            ));
        }
    }
    cluster.down().await?;
    Ok(report)
}

/// What a damaged peer did.
enum Found {
    Ended(i32),
    Said(Vec<String>),
    Silent(String),
}

async fn watch(
    cluster: &mut Cluster,
    network: &Network,
    height: Height,
    ids: &[Digest],
) -> Result<Found, Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(code) = cluster.ended(0)? {
            return Ok(Found::Ended(code));
        }
        let asked = async {
            let key = wallet_key("alice");
            let session = Session::connect(&network.hosts[0], network.chain, key).await?;
            sayings(network, &session, height, ids).await
        };
        let left = until.saturating_duration_since(Instant::now());
        let said = tokio::select! {
            said = tokio::time::timeout(left, asked) => said,
            () = gone(cluster) => continue,
        };
        match said {
            Ok(Ok(said)) => return Ok(Found::Said(said)),
            Ok(Err(error)) if Instant::now() >= until => {
                return Ok(Found::Silent(error.to_string()));
            }
            Ok(Err(_)) => sleep(PAUSE).await,
            Err(_) => return Ok(Found::Silent("no answer in time".to_owned())),
        }
    }
}

/// Ends once the damaged peer has.
async fn gone(cluster: &Cluster) {
    while cluster.peers()[0].runs() {
        sleep(PAUSE).await;
    }
}

/// What a peer proves of blocks and outputs, and says of transactions.
async fn sayings(
    network: &Network,
    session: &Session,
    height: Height,
    ids: &[Digest],
) -> Result<Vec<String>, Error> {
    let mut trust = Trust::new(&network.genesis)?;
    let newest = head(session, &mut trust).await?;
    if newest.height() < height {
        return Err(Error::Behind {
            peer: session.name().to_owned(),
            height: newest.height().get(),
        });
    }
    let mut said = Vec::new();
    for number in 1..=height.get() {
        let height = Height::new(number);
        let answer = session.ask(Request::Block { height }).await?;
        follow(session, &mut trust, answer.snapshot.header.epoch).await?;
        said.push(format!("{}", check::block(height, &answer, &trust)?.root));
    }
    for index in 0..OUTPUTS {
        let outpoint = Outpoint {
            transaction: genesis_transaction(&network.chain),
            index,
        };
        let answer = session.ask(Request::Output { outpoint }).await?;
        let known = check::output(&outpoint, &answer, &trust)?;
        said.push(format!("{:?} {:?}", known.created, known.status));
    }
    let stages = outcomes(session, ids).await?;
    said.extend(stages.iter().map(|stage| format!("{stage:?}")));
    Ok(said)
}

async fn pay(network: &Network, sessions: &[Session]) -> Result<Vec<Digest>, Error> {
    let mut purse = Purse::of_genesis("load", &network.genesis)?;
    let to = wallet_key("bob").public();
    let mut ids = Vec::new();
    for session in sessions.iter().cycle().take(PAYMENTS / 10) {
        let mut batch = Vec::new();
        for _ in 0..10 {
            let paid = purse.pay(to, Amount::new(1))?;
            ids.push(paid.id);
            batch.push(bytes(&paid.transaction)?);
        }
        let mut told = session.submit(&batch, Told::Final).await?;
        while told.next().await?.is_some() {}
    }
    Ok(ids)
}

/// Does `damage` to a file; false if it would change nothing.
fn hurt(damage: Damage, path: &Path, other: &Path, stream: &mut Stream) -> Result<bool, Error> {
    let failed = |error| Error::file(path, error);
    let mut bytes = fs::read(path).map_err(failed)?;
    let before = bytes.clone();
    if damage == Damage::Missing {
        return remove(path).map(|()| true);
    }
    if bytes.is_empty() {
        return Ok(false);
    }
    let place = stream.place(bytes.len());
    match damage {
        Damage::Flip => bytes[place] ^= 1 << stream.below(8),
        Damage::Cut => bytes.truncate(place),
        Damage::Zeros => {
            let end = bytes.len().min(place + 512);
            bytes[place..end].fill(0);
        }
        Damage::Swapped => bytes = fs::read(other).unwrap_or_default(),
        Damage::Missing => {}
    }
    fs::write(path, &bytes).map_err(failed)?;
    Ok(bytes != before)
}
