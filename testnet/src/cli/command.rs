//! One function a command: what to do with the network, what to say.

use std::net::SocketAddr;
use std::time::Duration;

use primitives::keys::PublicKey;
use primitives::units::Amount;
use serde_json::json;
use wallet::Payment;

use super::{AskArguments, Context, Fresh, Up, block};
use crate::asking::{self, Asking};
use crate::cluster::run::PeerRun;
use crate::cluster::{Cluster, Stay};
use crate::demo::{self, Options, pronounce};
use crate::double_spend;
use crate::error::Error;
use crate::load::{self, Load};
use crate::network::{Network, Setup, create};
use crate::purse::Purse;
use crate::recompute::recompute;
use crate::replay::plan::Plan;
use crate::replay::{self, run as replay_run};
use crate::session::Session;
use crate::verdict::{Verdict, judge, status};
use crate::wait::{Probe, until, with_log};
use crate::wallets;

/// Sessions that the load has with each peer: one session takes 16 requests at a time.
const LOAD_SESSIONS: usize = 4;
/// How long a network stays up when nobody ends it.
const UP_FOR: Duration = Duration::from_secs(365 * 24 * 3_600);
/// How long a peer may take until it answers.
const COME_UP: Duration = Duration::from_secs(60);
/// How long a payment of the faucet may take.
const MINT: Duration = Duration::from_secs(60);

impl Context {
    pub(super) async fn up(&self, up: &Up) -> Result<u8, Error> {
        let stay = if up.detach {
            Stay::Detached
        } else {
            Stay::Attached
        };
        let plan = Plan::new(&block(up.fresh.block.as_deref())?)?;
        let (mut cluster, network) = self.create(&up.fresh, &plan, stay).await?;
        for (peer, host) in cluster.peers().iter().zip(&network.hosts) {
            let wallet_host = format!("{}#{}", peer.address, host.key);
            let words = format!("{} {wallet_host} http://{}", peer.name, peer.http);
            let facts = json!({
                "peer": peer.name,
                "wallet_host": wallet_host,
                "address": peer.address.to_string(),
                "http": peer.http.to_string(),
                "home": peer.home.display().to_string(),
            });
            self.voice.say("peer", &words, &facts);
        }
        let words = format!(
            "up: {} peers, chain {}, genesis {}",
            network.hosts.len(),
            network.chain,
            network.path.display()
        );
        let facts = json!({
            "peers": network.hosts.len(),
            "chain": network.chain.to_string(),
            "genesis": network.path.display().to_string(),
        });
        self.voice.say("up", &words, &facts);
        if stay == Stay::Attached {
            self.voice.progress("Ctrl-C ends them");
            // Somebody may end them from elsewhere.
            until("the network to be ended", UP_FOR, async || {
                cluster.refresh()?;
                let ended = cluster.peers().iter().all(|peer| peer.process.is_none());
                Ok(if ended {
                    Probe::Done(())
                } else {
                    Probe::Found("peers".into())
                })
            })
            .await?;
        }
        Ok(0)
    }

    pub(super) async fn down(&self) -> Result<u8, Error> {
        let mut cluster = Cluster::open(&self.folder)?;
        let running = cluster.peers().iter().filter(|peer| peer.runs()).count();
        cluster.down().await?;
        let words = format!("down: {running} peers ended");
        self.voice.say("down", &words, &json!({"ended": running}));
        Ok(0)
    }

    pub(super) async fn status(&self) -> Result<u8, Error> {
        let cluster = Cluster::open(&self.folder)?;
        let mut verdict = Verdict::Agree;
        for peer in cluster.peers() {
            let pid = peer
                .process
                .filter(|process| process.runs())
                .map(|process| process.pid);
            let found = match pid {
                Some(_) => status(peer.http).await.map_err(|error| error.to_string()),
                None => Err("does not run".into()),
            };
            let words = match &found {
                Ok(status) => format!(
                    "{} at height {} ({} certified), {} peers connected",
                    peer.name, status.height, status.certified_height, status.peers_connected
                ),
                Err(reason) => format!("{}: {reason}", peer.name),
            };
            if found.is_err() {
                verdict = Verdict::Stalled;
            }
            let status = found.as_ref().ok();
            let facts = json!({
                "peer": peer.name,
                "pid": pid,
                "height": status.map(|status| status.height),
                "certified_height": status.map(|status| status.certified_height),
                "peers_connected": status.map(|status| status.peers_connected),
                "reason": found.as_ref().err(),
            });
            self.voice.say("peer", &words, &facts);
        }
        Ok(verdict.exit())
    }

    pub(super) async fn kill(&self, peer: usize) -> Result<u8, Error> {
        let mut cluster = Cluster::open(&self.folder)?;
        cluster.kill(peer).await?;
        let words = format!("peer {peer} is killed");
        self.voice.say("killed", &words, &json!({"peer": peer}));
        Ok(0)
    }

    pub(super) async fn restart(&self, peer: usize) -> Result<u8, Error> {
        let mut cluster = Cluster::open(&self.folder)?;
        if cluster.peer(peer)?.runs() {
            cluster.kill(peer).await?;
        }
        cluster.start(peer)?;
        answers(cluster.peer(peer)?).await?;
        let words = format!("peer {peer} is started");
        self.voice.say("started", &words, &json!({"peer": peer}));
        Ok(0)
    }

    pub(super) async fn load(&self, load: Load) -> Result<u8, Error> {
        let (cluster, network) = self.open()?;
        let mut sessions = Vec::new();
        for _ in 0..LOAD_SESSIONS {
            sessions.extend(running(&cluster, &network, "load").await?);
        }
        let path = self.folder.join("purse-load");
        let mut purse = Purse::load("load", &network.genesis, &path)?;
        let measured = load::run(load, &sessions, &mut purse).await?;
        purse.save(&path)?;
        let words = format!(
            "{} submitted, {} final in {:.1} s: {:.0} a second, p50 {} ms, p99 {} ms; {} rejected, \
             {} refused, {} unfinished, {} skipped for want of coins",
            measured.submitted,
            measured.applied,
            measured.seconds,
            measured.per_second,
            measured.p50_ms,
            measured.p99_ms,
            measured.rejected,
            measured.refused,
            measured.unfinished,
            measured.skipped,
        );
        self.voice.say("load", &words, &measured);
        let whole = measured.applied == measured.submitted;
        let verdict = if whole {
            Verdict::Agree
        } else {
            Verdict::Stalled
        };
        Ok(verdict.exit())
    }

    pub(super) async fn ask(&self, arguments: AskArguments) -> Result<u8, Error> {
        let (cluster, network) = self.open()?;
        let AskArguments {
            wallets,
            rate,
            seconds,
            peer,
        } = arguments;
        let process = cluster.peer(peer)?.process.filter(|process| process.runs());
        let process = process.ok_or(Error::PeerDown { index: peer })?;
        let asking = Asking {
            wallets: wallets as usize,
            rate,
            seconds,
        };
        let measured = asking::run(asking, &network, &network.hosts[peer], process.pid).await?;
        let words = format!(
            "{wallets} wallets logged in within {:.1} s, {} KiB of the peer's memory each; {} of {} \
             questions answered and proven, p50 {} us, p99 {} us, slowest {} us{}",
            measured.login_seconds,
            measured.bytes_a_wallet / 1_024,
            measured.proven,
            measured.asked,
            measured.p50_us,
            measured.p99_us,
            measured.max_us,
            measured
                .failed
                .as_ref()
                .map_or_else(String::new, |failed| format!("; {failed}")),
        );
        self.voice.say("asked", &words, &measured);
        let verdict = match measured.proven == measured.asked {
            true => Verdict::Agree,
            false => Verdict::Stalled,
        };
        Ok(verdict.exit())
    }

    pub(super) async fn replay(&self, fresh: &Fresh) -> Result<u8, Error> {
        let plan = Plan::new(&block(fresh.block.as_deref())?)?;
        let runs = Cluster::open(&self.folder)
            .is_ok_and(|cluster| cluster.peers().iter().any(|peer| peer.runs()));
        let (mut cluster, network) = if runs {
            self.open()?
        } else {
            self.voice.progress("no network runs: starting one");
            self.create(fresh, &plan, Stay::Attached).await?
        };
        let sessions = running(&cluster, &network, "load").await?;
        self.voice
            .say("plan", &plan_words(&plan), &plan.shape().totals);
        let planned = plan.sign(&network.genesis)?;
        replay::carry_out(&planned, &sessions, self.voice).await?;
        replay_run::check_everywhere(&planned, &sessions).await?;
        let judgement = judge(&network, &sessions, &pages(&cluster)).await?;
        let verdict = pronounce(&judgement, &self.folder, self.voice)?;
        if !runs {
            cluster.down().await?;
        }
        Ok(verdict.exit())
    }

    pub(super) fn recompute(&self, file: &std::path::Path) -> Result<u8, Error> {
        let found = recompute(file)?;
        let words = format!(
            "{} blocks recomputed from {} events, all equal; {} events ordered",
            found.blocks, found.events, found.ordered
        );
        let facts = json!({
            "blocks": found.blocks, "events": found.events, "ordered": found.ordered,
        });
        self.voice.say("recomputed", &words, &facts);
        Ok(0)
    }

    pub(super) async fn double_spend(&self, repeat: usize) -> Result<u8, Error> {
        let (cluster, network) = self.open()?;
        let sessions = running(&cluster, &network, "load").await?;
        let path = self.folder.join("purse-load");
        let mut purse = Purse::load("load", &network.genesis, &path)?;
        let mut shown = 0;
        let report = |pairs: usize| {
            if pairs >= shown + 20 {
                shown = pairs;
                self.voice.progress(&format!("{pairs} of {repeat} pairs"));
            }
        };
        let found = double_spend::run(repeat, &sessions, &mut purse, report).await;
        purse.save(&path)?;
        let found = found?;
        let words = format!(
            "{} coins spent twice: exactly one of each pair is final on all {} peers; the losers were \
             told the winner ({} in a block, {} at once)",
            found.pairs,
            sessions.len(),
            found.rejected,
            found.refused
        );
        self.voice.say("double spend", &words, &found);
        Ok(0)
    }

    pub(super) async fn demo(&self, fresh: &Fresh) -> Result<u8, Error> {
        let options = Options {
            folder: self.folder.clone(),
            node: self.node()?,
            wallet: self.wallet()?,
            stakes: fresh.stakes(),
            epochs: fresh.epochs(),
            store: fresh.store,
            block: block(fresh.block.as_deref())?,
        };
        let judgement = demo::run(&options, self.voice).await?;
        Ok(pronounce(&judgement, &self.folder, self.voice)?.exit())
    }

    pub(super) async fn mint(
        &self,
        key: PublicKey,
        amount: u64,
        host: Option<String>,
    ) -> Result<u8, Error> {
        let (_, network) = self.open()?;
        let host = host.map(|name| network.peer_key(name)).transpose()?;
        let mut faucet = wallets::open(&self.folder, &network, "faucet")?;
        let payment = Payment {
            host,
            ..Payment::new(key, Amount::new(amount))
        };
        let paid = faucet.pay(&payment, MINT, &mut |_, _| {}).await?;
        let height = paid.settled.header.height;
        let words = format!("{amount} minted for {key} in block {height}");
        let facts = json!({
            "key": key.to_string(),
            "amount": amount.to_string(),
            "height": height.get(),
        });
        self.voice.say("minted", &words, &facts);
        Ok(0)
    }

    pub(super) fn open(&self) -> Result<(Cluster, Network), Error> {
        let cluster = Cluster::open(&self.folder)?;
        let network = Network::open(&self.folder, cluster.peers())?;
        Ok((cluster, network))
    }

    /// Makes a new network and waits until every peer answers.
    async fn create(
        &self,
        fresh: &Fresh,
        plan: &Plan,
        stay: Stay,
    ) -> Result<(Cluster, Network), Error> {
        let (mut cluster, network) = create(&Setup {
            folder: &self.folder,
            program: &self.node()?,
            stakes: &fresh.stakes(),
            epochs: fresh.epochs(),
            store: fresh.store,
            funding: plan.funding(),
            stay,
        })?;
        cluster.start_all()?;
        for peer in cluster.peers() {
            answers(peer).await?;
        }
        Ok((cluster, network))
    }
}

/// Waits until the peer says of itself how it is.
async fn answers(peer: &PeerRun) -> Result<(), Error> {
    let awaited = format!("{} to come up", peer.name);
    until(&awaited, COME_UP, async || {
        Ok(match status(peer.http).await {
            Ok(_) => Probe::Done(()),
            Err(error) => Probe::Found(with_log(&error.to_string(), &peer.name, &peer.log)),
        })
    })
    .await
}

/// Sessions of test wallet `name` with every peer that runs.
async fn running(cluster: &Cluster, network: &Network, name: &str) -> Result<Vec<Session>, Error> {
    let peers = cluster.peers();
    let runs = |index: &usize| peers[*index].runs();
    let indexes: Vec<usize> = (0..peers.len()).filter(runs).collect();
    if indexes.is_empty() {
        return Err(Error::NoNetwork {
            folder: cluster.folder().to_path_buf(),
        });
    }
    network.sessions(name, peers, indexes).await
}

/// The pages of every peer that runs.
fn pages(cluster: &Cluster) -> Vec<SocketAddr> {
    let running = cluster.peers().iter().filter(|peer| peer.runs());
    running.map(|peer| peer.http).collect()
}

fn plan_words(plan: &Plan) -> String {
    let totals = plan.shape().totals;
    format!(
        "{} payments, {} inputs ({} of the same block, at most {} in one payment, chains of {}), {} \
         outputs ({} empty); {} funded = {} unspent + {} fees",
        totals.payments,
        totals.inputs,
        totals.inputs_inside,
        totals.inputs_max,
        totals.depth,
        totals.outputs,
        totals.outputs_empty,
        totals.funded,
        totals.unspent,
        totals.fees
    )
}
