//! The demo: a network is started, used, broken and healed before the reader's eyes, then judged.
//!
//! Every number is measured while it runs. Each wait has a deadline; what is not there in time ends
//! the demo with the verdict STALLED and the last complaint of the peer that was waited for.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ledger::tx::{Body, Transaction};
use node::store::Kind;
use primitives::units::{Amount, Height};
use serde_json::json;
use wallet::{Payment, Wallet};
use wallet_proto::Trust;
use wallet_proto::reply::Stage;
use wallet_proto::request::Report;

use crate::cluster::{Cluster, Stay};
use crate::error::Error;
use crate::network::{Epochs, Network, Setup, create};
use crate::purse::Purse;
use crate::recompute::recompute;
use crate::replay::plan::Plan;
use crate::replay::run as replay;
use crate::session::{self, Session};
use crate::verdict::{Judgement, Verdict, judge, reach, status};
use crate::voice::Voice;
use crate::{double_spend, wallets};

/// How long a payment may take until it is proven.
const PAYMENT: Duration = Duration::from_secs(60);

/// What a demo is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The network's folder; whatever network was there is gone.
    pub folder: PathBuf,
    /// The node's program.
    pub node: PathBuf,
    /// The wallet's program.
    pub wallet: PathBuf,
    /// The coin hosted with each peer; at least 4 peers.
    pub stakes: Vec<Amount>,
    /// How long epochs are.
    pub epochs: Epochs,
    /// The backend of their stores.
    pub store: Kind,
    /// The raw Bitcoin block to replay.
    pub block: Vec<u8>,
}

/// Plays every scene and judges. No process is left, however it ends.
///
/// # Errors
/// What keeps the demo from being played at all; what a peer does wrong is the verdict.
pub async fn run(options: &Options, voice: Voice) -> Result<Judgement, Error> {
    let plan = Plan::new(&options.block)?;
    let (cluster, network) = create(&Setup {
        folder: &options.folder,
        program: &options.node,
        stakes: &options.stakes,
        epochs: options.epochs,
        store: options.store,
        funding: plan.funding(),
        stay: Stay::Attached,
    })?;
    let mut demo = Demo {
        options,
        voice,
        cluster,
        network,
        sessions: Vec::new(),
    };
    let played = demo.play(&plan).await;
    let judgement = match played {
        Ok(judgement) => judgement,
        Err(error) => Judgement::of_error(error)?,
    };
    demo.cluster.down().await?;
    Ok(judgement)
}

struct Demo<'a> {
    options: &'a Options,
    voice: Voice,
    cluster: Cluster,
    network: Network,
    /// One for each peer, in their order.
    sessions: Vec<Session>,
}

impl Demo<'_> {
    async fn play(&mut self, plan: &Plan) -> Result<Judgement, Error> {
        self.meet().await?;
        self.replay(plan).await?;
        let mut alice = self.wallet("alice")?;
        let mut bob = self.wallet("bob")?;
        self.pay_and_prove(&mut alice, &mut bob).await?;
        self.kill_and_restart(&mut alice, *bob.key()).await?;
        self.double_spend().await?;
        self.voice
            .scene("6 every epoch so far is decided again by the slow reference");
        let newest = status(self.cluster.peer(0)?.http).await?.epoch;
        for epoch in 0..=newest {
            self.export(epoch)?;
        }
        self.voice.scene("the judge asks every peer");
        judge(&self.network, &self.sessions, &self.pages()).await
    }

    async fn meet(&mut self) -> Result<(), Error> {
        let count = self.options.stakes.len();
        self.voice.scene(&format!("1 {count} peers meet"));
        let start = Instant::now();
        self.cluster.start_all()?;
        for index in 0..count {
            let runs = self.cluster.peers();
            let session = self.network.sessions("alice", runs, [index]).await?;
            self.sessions.extend(session);
            self.voice
                .progress(&format!("{} of {count} peers answer wallets", index + 1));
        }
        self.greet().await?;
        let mut trust = Trust::new(&self.network.genesis)?;
        for session in &self.sessions {
            reach(session, &mut trust, Height::new(1)).await?;
        }
        let seconds = start.elapsed().as_secs_f64();
        let chain = self.network.chain;
        self.voice.say(
            "met",
            &format!("  {count} peers hold a certified block after {seconds:.1} s; chain {chain}"),
            &json!({"peers": count, "seconds": seconds, "chain": chain.to_string()}),
        );
        Ok(())
    }

    /// Gives the peers something to order: an idle network makes no blocks.
    async fn greet(&self) -> Result<(), Error> {
        let body = Body::data(0, b"hello".to_vec())?;
        let greeting = session::bytes(&Transaction::unsigned(body))?;
        if let Some(first) = self.sessions.first() {
            let mut told = first.submit(&[greeting], Report::Final).await?;
            while told.next().await?.is_some() {}
        }
        Ok(())
    }

    async fn replay(&self, plan: &Plan) -> Result<(), Error> {
        let totals = plan.shape().totals;
        self.voice.scene(&format!(
            "2 a Bitcoin block: {} payments with {} inputs ({} of the same block, chains of {}) and \
             {} outputs",
            totals.payments, totals.inputs, totals.inputs_inside, totals.depth, totals.outputs
        ));
        let planned = plan.sign(&self.network.genesis)?;
        let replayed = crate::replay::carry_out(&planned, &self.sessions, self.voice).await?;
        self.voice.progress("asking every peer for all of them");
        replay::check_everywhere(&planned, &self.sessions).await?;
        let peers = self.sessions.len();
        self.voice.say(
            "everywhere",
            &format!(
                "  all {} are applied on all {peers} peers; {} satoshi in, {} out, {} in fees",
                replayed.payments, totals.funded, totals.unspent, totals.fees
            ),
            &json!({
                "payments": replayed.payments,
                "peers": peers,
                "funded": totals.funded.to_string(),
                "unspent": totals.unspent.to_string(),
                "fees": totals.fees.to_string(),
            }),
        );
        Ok(())
    }

    async fn pay_and_prove(&self, alice: &mut Wallet, bob: &mut Wallet) -> Result<(), Error> {
        self.voice.scene("3 alice pays bob");
        let proof = self.pay(alice, *bob.key()).await?;
        let file = self.options.folder.join("payment.primusproof");
        std::fs::write(&file, proof).map_err(|error| Error::file(&file, error))?;
        let balance = bob.balance().await?;
        self.voice.say(
            "balance",
            &format!(
                "  bob has {}, proven as of block {} by {} % of stake",
                balance.proven,
                balance.as_of.height(),
                balance.as_of.percent()
            ),
            &json!({
                "wallet": "bob",
                "amount": balance.proven.to_string(),
                "height": balance.as_of.height().get(),
                "percent": balance.as_of.percent(),
            }),
        );
        self.verify(&file)
    }

    /// Has the stand-alone verifier check the proof, from the genesis alone.
    fn verify(&self, file: &Path) -> Result<(), Error> {
        let program = &self.options.wallet;
        let output = Command::new(program)
            .arg("verify")
            .arg(file)
            .arg("--genesis")
            .arg(&self.network.path)
            .env("NO_COLOR", "1")
            .output()
            .map_err(|error| Error::Start {
                program: program.clone(),
                error,
            })?;
        let words = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Unverified {
                file: file.to_path_buf(),
                status: output.status,
                said: format!("{words} {said}"),
            });
        }
        let shown = words.lines().map(|line| format!("  | {line}\n"));
        self.voice.say(
            "verified",
            &format!(
                "  {} is checked offline:\n{}",
                file.display(),
                shown.collect::<String>().trim_end()
            ),
            &json!({"file": file.display().to_string(), "said": words}),
        );
        Ok(())
    }

    async fn kill_and_restart(
        &mut self,
        alice: &mut Wallet,
        bob: primitives::keys::PublicKey,
    ) -> Result<(), Error> {
        let index = self.options.stakes.len() - 1;
        let name = self.cluster.peer(index)?.name.clone();
        self.voice
            .scene(&format!("4 {name} is killed and comes back"));
        self.cluster.kill(index).await?;
        self.voice.say(
            "killed",
            &format!("  {name} is killed with SIGKILL; alice pays on"),
            &json!({"peer": name}),
        );
        self.pay(alice, bob).await?;
        let mut trust = Trust::new(&self.network.genesis)?;
        let ahead = reach(&self.sessions[0], &mut trust, Height::new(1)).await?;
        let start = Instant::now();
        self.cluster.start(index)?;
        let session = self
            .network
            .sessions("alice", self.cluster.peers(), [index])
            .await?;
        self.sessions.truncate(index);
        self.sessions.extend(session);
        let height = reach(&self.sessions[index], &mut trust, ahead).await?;
        let seconds = start.elapsed().as_secs_f64();
        self.voice.say(
            "caught up",
            &format!("  {name} is back and at block {height} after {seconds:.1} s"),
            &json!({"peer": name, "height": height.get(), "seconds": seconds}),
        );
        Ok(())
    }

    async fn double_spend(&self) -> Result<(), Error> {
        self.voice
            .scene("5 one coin is spent twice, at two peers at once");
        let mut purse = Purse::of_genesis("load", &self.network.genesis)?;
        let found = double_spend::run(1, &self.sessions, &mut purse, |_| {}).await?;
        self.voice.say(
            "double spend",
            "  exactly one is final, on every peer; the loser was told which",
            &found,
        );
        Ok(())
    }

    fn export(&self, epoch: u64) -> Result<(), Error> {
        let path = self.options.folder.join(format!("dag-export-{epoch}.json"));
        let program = &self.options.node;
        let file = File::create(&path).map_err(|error| Error::file(&path, error))?;
        let status = Command::new(program)
            .args([
                "dag",
                "export",
                "--epoch",
                &epoch.to_string(),
                "--json",
                "--home",
            ])
            .arg(&self.cluster.peer(0)?.home)
            .stdin(Stdio::null())
            .stdout(file)
            .status()
            .map_err(|error| Error::Start {
                program: program.clone(),
                error,
            })?;
        if !status.success() {
            return Err(Error::Export { status });
        }
        let length = path
            .metadata()
            .map_err(|error| Error::file(&path, error))?
            .len();
        self.voice.say(
            "exported",
            &format!(
                "  the DAG of epoch {epoch} is in {} ({length} bytes)",
                path.display()
            ),
            &json!({"epoch": epoch, "file": path.display().to_string(), "bytes": length}),
        );
        let found = recompute(&path)?;
        self.voice.say(
            "recomputed",
            &format!(
                "  the slow reference finds the same {} blocks in its {} events",
                found.blocks, found.events
            ),
            &json!({"epoch": epoch, "blocks": found.blocks, "events": found.events}),
        );
        Ok(())
    }

    /// Pays, says each grade with its time, and returns the proof.
    async fn pay(
        &self,
        from: &mut Wallet,
        to: primitives::keys::PublicKey,
    ) -> Result<Vec<u8>, Error> {
        let amount = Amount::new(250_000);
        let voice = self.voice;
        let mut grade = |stage: &Stage, after: Duration| {
            let name = stage_name(stage);
            let milliseconds = after.as_millis();
            voice.say(
                "grade",
                &format!("  {name:<9} after {milliseconds} ms"),
                &json!({"grade": name, "milliseconds": milliseconds}),
            );
        };
        let payment = Payment::new(to, amount);
        let paid = from.pay(&payment, PAYMENT, &mut grade).await?;
        let (height, index) = (paid.settled.header.height, paid.settled.index);
        voice.say(
            "paid",
            &format!("  {amount} paid in block {height} at place {index}"),
            &json!({"amount": amount.to_string(), "height": height.get(), "index": index}),
        );
        Ok(paid.proof)
    }

    fn wallet(&self, name: &str) -> Result<Wallet, Error> {
        wallets::open(&self.options.folder, &self.network, name)
    }

    fn pages(&self) -> Vec<SocketAddr> {
        self.cluster.peers().iter().map(|peer| peer.http).collect()
    }
}

const fn stage_name(stage: &Stage) -> &'static str {
    match stage {
        Stage::Refused { .. } => "refused",
        Stage::Seen => "seen",
        Stage::Endorsed => "endorsed",
        Stage::Official => "official",
        Stage::Final { .. } => "final",
        Stage::Proven { .. } => "proven",
    }
}

/// Says a judgement, and keeps a divergence as `counterexample.json` in `folder`.
///
/// # Errors
/// [`Error::File`] when the counterexample cannot be written.
pub fn pronounce(judgement: &Judgement, folder: &Path, voice: Voice) -> Result<Verdict, Error> {
    let verdict = judgement.verdict;
    let words = match (&judgement.reason, judgement.peers.first()) {
        (Some(reason), _) => format!("verdict {verdict}: {reason}"),
        (None, Some(first)) => format!(
            "verdict {verdict}: {} peers, block {}, root {}{}",
            judgement.peers.len(),
            judgement.height,
            first
                .roots
                .last()
                .map_or_else(String::new, |newest| newest.root.to_string()),
            first
                .supply
                .map_or_else(String::new, |supply| format!(", supply {supply}")),
        ),
        (None, None) => format!("verdict {verdict}"),
    };
    if verdict == Verdict::Diverged {
        let path = folder.join("counterexample.json");
        let text = serde_json::to_string_pretty(judgement).unwrap_or_default();
        std::fs::write(&path, text).map_err(|error| Error::file(&path, error))?;
        voice.progress(&format!("the counterexample is in {}", path.display()));
    }
    voice.say("verdict", &words, judgement);
    Ok(verdict)
}
