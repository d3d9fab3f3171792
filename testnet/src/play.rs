//! The plans of the simulator carried out on real processes, in real time.
//!
//! ```text
//!   Plan --timeline--> steps by time --+--> cluster: SIGKILL, SIGSTOP, start, data lost or put back
//!                                      `--> links, over the admin sockets
//!        --workload--> submissions: each to some host, and to another when that one is silent
//!   at the end: everything heals, everything becomes final, every peer is asked for all of it
//! ```
//!
//! Judged: no block while no quorum hears one another, no final outcome that differs anywhere, one
//! spender of each coin, no equivocation, equal roots and supply. A peer that starts while links are
//! damaged has whole links until its admin socket is up, some tenths of a second.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use ledger::Outcome;
use net::Link;
use node::evidence::Listed;
use node::guard::FILE as GUARD;
use node::store::Kind;
use primitives::Digest;
use primitives::units::Amount;
use rustix::process::Signal;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use wallet_proto::reply::Stage;

use self::quorum::exists;
use self::submissions::{End, Submissions};
use self::timeline::{Step, timeline};
use crate::cluster::run::PeerRun;
use crate::cluster::{Cluster, Stay, free_ports, launch, process};
use crate::error::Error;
use crate::files::{DATA, copy, entries, remove};
use crate::links::{self, Damage};
use crate::network::{Epochs, Network, Setup, create};
use crate::purse::Purse;
use crate::session::Host;
use crate::sim::network::Network as Lanes;
use crate::sim::plan::{Lane, Plan};
use crate::submit::{outcomes, percentile};
use crate::verdict::{Judgement, Verdict, judge, status};
use crate::voice::Voice;

mod kills;
mod quorum;
mod submissions;
mod timeline;

pub use kills::kills;

/// After a quorum is lost, blocks that were under way may still come for this long.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// How often it is said how it goes.
const TELL: Duration = Duration::from_secs(10);
/// How often peers that have started are tried until their links are set.
const RETRY: Duration = Duration::from_millis(50);
/// How long healing may take where the plan does not say it.
const HEAL_MS: u64 = 120_000;

/// What is carried out.
#[derive(Debug)]
pub struct Options {
    /// The network's folder; whatever network was there is gone.
    pub folder: PathBuf,
    /// The node's program.
    pub node: PathBuf,
    /// The backend of the peers' stores.
    pub store: Kind,
    /// What is done.
    pub plan: Plan,
}

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How many peers.
    pub peers: usize,
    /// How long anything went wrong, and how long it took until all was final after that.
    pub seconds: f64,
    /// See `seconds`.
    pub healed_after_seconds: f64,
    /// Processes ended by SIGKILL.
    pub kills: usize,
    /// Transactions handed in, and how often.
    pub submitted: usize,
    /// See `submitted`.
    pub tries: u32,
    /// Those that are final and applied.
    pub applied: usize,
    /// Those that are final and rejected, or refused because their rival is final.
    pub rejected: usize,
    /// Those that never ended.
    pub open: usize,
    /// How long half of them took to become final, in milliseconds.
    pub p50_ms: u64,
    /// How long all but one of a hundred took.
    pub p99_ms: u64,
    /// Times without a quorum that were longer than what is under way.
    pub without_quorum: Vec<Halt>,
    /// Pairs of events in one place that were found, over all peers.
    pub equivocations: usize,
    /// What must not be.
    pub violations: Vec<String>,
    /// What the judge says of all peers.
    pub judgement: Judgement,
}

impl Report {
    /// The verdict on everything.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let own = Verdict::of_run(self.violations.len(), self.open);
        own.max(self.judgement.verdict)
    }
}

/// A time in which no quorum heard one another.
#[derive(Debug, Clone, Serialize)]
pub struct Halt {
    /// When it began, in milliseconds of the run.
    pub from_ms: u64,
    /// When it ended.
    pub to_ms: u64,
    /// The blocks that came in it at any peer, after what was under way.
    pub blocks: u64,
    /// Transactions that became final in it.
    pub settled: usize,
}

/// Carries a plan out and judges. No process is left, however it ends.
///
/// # Errors
/// [`Error::Unplayable`] for a plan that only virtual peers can play; what keeps a network from being
/// made. What peers do wrong is in the report.
pub async fn run(options: &Options, voice: Voice) -> Result<Report, Error> {
    let plan = &options.plan;
    let steps = timeline(plan)?;
    let stakes: Vec<Amount> = plan.stakes.iter().copied().map(Amount::new).collect();
    let (mut cluster, network) = create(&Setup {
        folder: &options.folder,
        program: &options.node,
        stakes: &stakes,
        epochs: Epochs {
            lag: plan.chain.lag,
            period: plan.chain.period,
        },
        store: options.store,
        funding: &[],
        stay: Stay::Attached,
    })?;
    plan.write(&cluster.folder().join("plan.json"))?;
    cluster.start_all()?;
    let everyone = 0..plan.peers();
    // A run begins when all are there.
    drop(network.sessions("load", cluster.peers(), everyone).await?);
    let purse = Purse::of_genesis("load", &network.genesis)?;
    let submissions = Submissions::new(plan.workload, plan.seed, purse, network.chain);
    let mut play = Play {
        plan,
        voice,
        lanes: Lanes::new(plan.seed, (0..plan.peers()).collect(), plan.lane),
        holds: vec![0; plan.peers()],
        paused: vec![false; plan.peers()],
        unset: (0..plan.peers()).collect(),
        twins: BTreeMap::new(),
        kills: 0,
        start: Instant::now(),
        halt: None,
        halts: Vec::new(),
        submissions,
        cluster,
        network,
    };
    play.relink().await?;
    play.go_wrong(steps).await?;
    let report = play.heal().await?;
    play.cluster.down().await?;
    Ok(report)
}

struct Play<'a> {
    plan: &'a Plan,
    voice: Voice,
    cluster: Cluster,
    network: Network,
    lanes: Lanes,
    /// How many faults keep each peer from running.
    holds: Vec<u32>,
    paused: Vec<bool>,
    /// Peers that run and whose links are not set yet.
    unset: BTreeSet<usize>,
    /// Second processes, by peer.
    twins: BTreeMap<usize, Twin>,
    kills: usize,
    start: Instant,
    halt: Option<Standstill>,
    halts: Vec<Halt>,
    submissions: Submissions,
}

/// A halt that goes on.
struct Standstill {
    since: Instant,
    /// Heights and settled transactions once what was under way has come.
    before: Option<(Vec<Option<u64>>, usize)>,
}

/// A second process of a peer; it ends with this.
struct Twin(Child);

impl Drop for Twin {
    fn drop(&mut self) {
        // It may have ended by itself, as a node that finds its key in use does.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Play<'_> {
    /// Everything that the plan wants to go wrong.
    async fn go_wrong(&mut self, steps: Vec<(u64, Step)>) -> Result<(), Error> {
        let end = self.start + Duration::from_millis(self.plan.safety_ms);
        let mut steps = steps.into_iter().peekable();
        let mut submit_at = self.next_submission();
        let mut tell_at = self.start + TELL;
        let mut retry_at = self.start;
        loop {
            let step_at = steps.peek().map_or(end, |(ms, _)| {
                end.min(self.start + Duration::from_millis(*ms))
            });
            let halt_at = match &self.halt {
                Some(halt) if halt.before.is_none() => halt.since + UNDER_WAY,
                Some(_) | None => end,
            };
            tokio::select! {
                () = sleep_until(step_at) => match steps.next() {
                    Some((_, step)) => self.step(step).await?,
                    None => return Ok(()),
                },
                () = sleep_until(submit_at.unwrap_or(end)), if submit_at.is_some() => {
                    let hosts = self.hosts();
                    self.submissions.submit(&hosts)?;
                    submit_at = self.next_submission();
                }
                told = self.submissions.told() => if let Some(told) = told {
                    let hosts = self.hosts();
                    self.submissions.note(told, &hosts);
                },
                () = sleep_until(halt_at), if halt_at < end => {
                    let before = (self.heights().await, self.settled());
                    if let Some(halt) = &mut self.halt {
                        halt.before = Some(before);
                    }
                }
                () = sleep_until(retry_at), if !self.unset.is_empty() => {
                    self.set_links().await?;
                    retry_at = Instant::now() + RETRY;
                }
                () = sleep_until(tell_at) => {
                    tell_at += TELL;
                    self.tell();
                }
            }
        }
    }

    async fn step(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Hold(peer) => self.stop(peer).await?,
            Step::Release(peer) => self.release(peer)?,
            Step::Pause(peer) => {
                self.paused[peer] = true;
                self.signal(peer, Signal::STOP)?;
            }
            Step::Resume(peer) => {
                self.paused[peer] = false;
                self.signal(peer, Signal::CONT)?;
                self.unset.insert(peer);
            }
            Step::Lose(peer, whole) => {
                remove(&self.data(peer)?)?;
                if whole {
                    remove(&self.guard(peer)?)?;
                }
            }
            Step::Save(fault, peer) => {
                self.stop(peer).await?;
                let to = self.backup(fault);
                remove(&to)?;
                copy(&self.data(peer)?, &to.join(DATA))?;
                copy(&self.guard(peer)?, &to.join(GUARD))?;
                self.release(peer)?;
            }
            Step::Restore(fault, peer, whole) => {
                self.stop(peer).await?;
                let (from, to) = (self.backup(fault), self.data(peer)?);
                remove(&to)?;
                copy(&from.join(DATA), &to)?;
                if whole {
                    copy(&from.join(GUARD), &self.guard(peer)?)?;
                }
                self.release(peer)?;
            }
            Step::Double(peer) => {
                let twin = self.double(peer)?;
                self.twins.insert(peer, twin);
            }
            Step::Single(peer) => {
                self.twins.remove(&peer);
            }
            Step::Links(fault, damage) => {
                match damage {
                    Some(damage) => self.lanes.damage(fault, damage),
                    None => self.lanes.mend(fault),
                }
                return self.relink().await;
            }
        }
        self.look_for_quorum().await;
        Ok(())
    }

    /// Keeps a peer from running until it is released.
    async fn stop(&mut self, peer: usize) -> Result<(), Error> {
        self.holds[peer] += 1;
        if self.holds[peer] == 1 {
            self.kill(peer).await?;
        }
        Ok(())
    }

    async fn kill(&mut self, peer: usize) -> Result<(), Error> {
        self.unset.remove(&peer);
        self.cluster.refresh()?;
        if self.cluster.peer(peer)?.runs() {
            self.cluster.kill(peer).await?;
            self.kills += 1;
        }
        Ok(())
    }

    fn release(&mut self, peer: usize) -> Result<(), Error> {
        self.holds[peer] -= 1;
        if self.holds[peer] > 0 {
            return Ok(());
        }
        self.cluster.start(peer)?;
        self.unset.insert(peer);
        if self.paused[peer] {
            self.signal(peer, Signal::STOP)?;
        }
        Ok(())
    }

    fn signal(&self, peer: usize, signal: Signal) -> Result<(), Error> {
        match self.holds[peer] {
            0 => self.cluster.signal(peer, signal),
            _ => Ok(()),
        }
    }

    /// Starts a second process of a peer, with addresses of its own and nothing on its disk.
    fn double(&self, peer: usize) -> Result<Twin, Error> {
        let run = self.cluster.peer(peer)?;
        let home = run.home.with_extension("twin");
        remove(&home)?;
        fs::create_dir_all(&home).map_err(|error| Error::file(&home, error))?;
        for entry in entries(&run.home)? {
            if entry.is_file() && !entry.ends_with(GUARD) {
                copy(&entry, &home.join(entry.file_name().unwrap_or_default()))?;
            }
        }
        let ports = free_ports(1)?;
        let config = home.join(node::config::FILE);
        let text = fs::read_to_string(&config).map_err(|error| Error::file(&config, error))?;
        let text = ports.iter().fold(text, |text, ports| {
            text.replace(&run.address.to_string(), &ports.address.to_string())
                .replace(&run.http.to_string(), &ports.http.to_string())
        });
        fs::write(&config, text).map_err(|error| Error::file(&config, error))?;
        let twin = PeerRun {
            log: run.log.with_extension("twin.log"),
            home,
            process: None,
            ..run.clone()
        };
        let lease = self.cluster.folder().join("lease");
        let launch = launch(self.cluster.program(), &twin, Some(lease));
        process::start(&launch).map(|(child, _)| Twin(child))
    }

    /// Sets every link anew.
    async fn relink(&mut self) -> Result<(), Error> {
        self.unset = (0..self.plan.peers())
            .filter(|peer| self.holds[*peer] == 0)
            .collect();
        self.set_links().await?;
        self.look_for_quorum().await;
        Ok(())
    }

    /// Sets the links of peers where that was not possible before.
    async fn set_links(&mut self) -> Result<(), Error> {
        let damage = self.damage();
        let open: Vec<usize> = self.unset.iter().copied().collect();
        for peer in open {
            // One that is starting up has no socket yet, and one that is paused does not answer.
            let is_set = !self.paused[peer]
                && links::write(&self.cluster, &self.network, &[peer], &damage)
                    .await
                    .is_ok();
            if is_set || self.paused[peer] {
                self.unset.remove(&peer);
            }
        }
        Ok(())
    }

    fn damage(&self) -> Damage {
        let count = self.plan.peers();
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        pairs
            .filter(|(from, to)| from != to)
            .map(|(from, to)| {
                let Lane {
                    delay_us,
                    tail_us,
                    loss,
                    reorder,
                    duplicate,
                    replay: _,
                    corrupt,
                    bandwidth,
                } = self.lanes.lane(from, to);
                let view = Link {
                    cut: self.lanes.is_cut(from, to),
                    delay_us,
                    tail_us,
                    loss,
                    reorder,
                    duplicate,
                    corrupt,
                    bandwidth,
                };
                ((from, to), view)
            })
            .filter(|(_, view)| *view != Link::default())
            .collect()
    }

    /// Begins or ends a halt.
    async fn look_for_quorum(&mut self) {
        let is_up = |peer: usize| self.holds[peer] == 0 && !self.paused[peer];
        let talks = |from, to| is_up(from) && is_up(to) && !self.lanes.is_cut(from, to);
        match (exists(&self.plan.stakes, talks), self.halt.take()) {
            (false, None) => {
                self.halt = Some(Standstill {
                    since: Instant::now(),
                    before: None,
                });
            }
            (false, halt) => self.halt = halt,
            (true, Some(halt)) => self.end_halt(halt).await,
            (true, None) => {}
        }
    }

    async fn end_halt(&mut self, halt: Standstill) {
        let Some((before, settled)) = halt.before else {
            return;
        };
        let after = self.heights().await;
        let gained = before.iter().zip(&after).filter_map(|(before, after)| {
            let (before, after) = ((*before)?, (*after)?);
            Some(after.saturating_sub(before))
        });
        let ms = |at: Instant| u64::try_from((at - self.start).as_millis()).unwrap_or(u64::MAX);
        let halt = Halt {
            from_ms: ms(halt.since),
            to_ms: ms(Instant::now()),
            blocks: gained.max().unwrap_or(0),
            settled: self.settled() - settled,
        };
        self.voice.progress(&format!(
            "no quorum from {} to {} ms: {} blocks, {} transactions final",
            halt.from_ms, halt.to_ms, halt.blocks, halt.settled
        ));
        self.halts.push(halt);
    }

    /// The height of every peer that answers.
    async fn heights(&self) -> Vec<Option<u64>> {
        let mut asked = Vec::new();
        for (peer, run) in self.cluster.peers().iter().enumerate() {
            let answers = self.holds[peer] == 0 && !self.paused[peer];
            asked.push(answers.then(|| tokio::spawn(status(run.http))));
        }
        let mut heights = Vec::new();
        for task in asked {
            heights.push(match task {
                Some(task) => task
                    .await
                    .ok()
                    .and_then(Result::ok)
                    .map(|status| status.height),
                None => None,
            });
        }
        heights
    }

    /// Ends everything that goes wrong, waits until all is final, and asks every peer for it.
    async fn heal(&mut self) -> Result<Report, Error> {
        let seconds = self.start.elapsed().as_secs_f64();
        self.voice.progress("everything heals");
        self.twins.clear();
        for peer in 0..self.plan.peers() {
            if std::mem::take(&mut self.paused[peer]) {
                self.signal(peer, Signal::CONT)?;
            }
            if self.holds[peer] > 0 {
                self.holds[peer] = 1;
                self.release(peer)?;
            }
        }
        let since = Instant::now();
        let limit = self
            .plan
            .heal
            .as_ref()
            .map_or(HEAL_MS, |heal| heal.limit_ms);
        let limit = since + Duration::from_millis(limit);
        // The links stay as the plan has them without its faults.
        while !self.unset.is_empty() && Instant::now() < limit {
            self.set_links().await?;
            tokio::time::sleep(RETRY).await;
        }
        self.look_for_quorum().await;
        let mut tell_at = since + TELL;
        while self.submissions.open() > 0 && Instant::now() < limit {
            tokio::select! {
                told = self.submissions.told() => if let Some(told) = told {
                    let hosts = self.hosts();
                    self.submissions.note(told, &hosts);
                },
                () = sleep_until(tell_at) => {
                    tell_at += TELL;
                    self.tell();
                }
                () = sleep_until(limit) => {}
            }
        }
        let healed = since.elapsed().as_secs_f64();
        self.judge(seconds, healed).await
    }

    async fn judge(&self, seconds: f64, healed: f64) -> Result<Report, Error> {
        self.voice.progress("the judge asks every peer");
        let everyone = 0..self.plan.peers();
        let peers = self.cluster.peers();
        let sessions = self.network.sessions("alice", peers, everyone).await?;
        let pages: Vec<_> = peers.iter().map(|peer| peer.http).collect();
        let judgement = judge(&self.network, &sessions, &pages).await?;
        let mut violations: Vec<String> = Vec::new();
        for halt in &self.halts {
            if halt.blocks > 0 || halt.settled > 0 {
                violations.push(format!(
                    "{} blocks and {} final transactions without a quorum from {} to {} ms",
                    halt.blocks, halt.settled, halt.from_ms, halt.to_ms
                ));
            }
        }
        let finals = self.finals();
        let ids: Vec<Digest> = finals.keys().copied().collect();
        for session in &sessions {
            let stages = outcomes(session, &ids).await?;
            for (stage, (id, told)) in stages.into_iter().zip(&finals) {
                if end(&stage).as_ref() != Some(told) {
                    let name = session.name();
                    violations.push(format!("{name} says {stage:?} of {id}, told {told:?}"));
                }
            }
        }
        violations.extend(self.double_spends());
        let mut equivocations = 0;
        for http in pages {
            let ask = move || node::http::client::json::<Listed>(http, "/v1/evidence");
            let listed = tokio::task::spawn_blocking(ask).await;
            equivocations += listed.map_err(|_| Error::Interrupted)??.evidence.len();
        }
        if equivocations > 0 {
            violations.push(format!("{equivocations} proofs that a peer signed twice"));
        }
        let all = &self.submissions.all;
        let applied = |end: &End| {
            matches!(
                end,
                End::Final {
                    outcome: Outcome::Applied,
                    ..
                }
            )
        };
        let ended = all.iter().filter_map(|one| one.end.as_ref());
        let mut after: Vec<Duration> = ended.clone().map(|(_, after)| *after).collect();
        after.sort_unstable();
        let ms = |percent| u64::try_from(percentile(&after, percent).as_millis()).unwrap_or(0);
        let applied = ended.clone().filter(|(end, _)| applied(end)).count();
        Ok(Report {
            peers: self.plan.peers(),
            seconds,
            healed_after_seconds: healed,
            kills: self.kills,
            submitted: all.len(),
            tries: all.iter().map(|one| one.tries).sum(),
            applied,
            rejected: after.len() - applied,
            open: self.submissions.open(),
            p50_ms: ms(50),
            p99_ms: ms(99),
            without_quorum: self.halts.clone(),
            equivocations,
            violations,
            judgement,
        })
    }

    /// What wallets were told is final.
    fn finals(&self) -> BTreeMap<Digest, End> {
        let all = self.submissions.all.iter();
        all.filter_map(|one| match &one.end {
            Some((told @ End::Final { .. }, _)) => Some((one.id, told.clone())),
            Some((End::Refused(_), _)) | None => None,
        })
        .collect()
    }

    /// What is wrong with pairs that spend one coin.
    fn double_spends(&self) -> Vec<String> {
        let all = &self.submissions.all;
        let applied = |one: &submissions::Submission| {
            matches!(
                one.end,
                Some((
                    End::Final {
                        outcome: Outcome::Applied,
                        ..
                    },
                    _
                ))
            )
        };
        let pairs = all.iter().filter_map(|one| Some((one, &all[one.rival?])));
        pairs
            .filter(|(one, other)| one.id < other.id && one.end.is_some() && other.end.is_some())
            .filter_map(|(one, other)| {
                let (winner, loser) = match (applied(one), applied(other)) {
                    (true, false) => (one, other),
                    (false, true) => (other, one),
                    (both, _) => {
                        let how = if both { "both" } else { "neither" };
                        return Some(format!("{how} of {} and {} applied", one.id, other.id));
                    }
                };
                match &loser.end {
                    Some((
                        End::Final {
                            outcome: Outcome::Rejected { winner: told, .. },
                            ..
                        },
                        _,
                    )) if *told != Some(winner.id) => {
                        Some(format!("{} was not told of {}", loser.id, winner.id))
                    }
                    _ => None,
                }
            })
            .collect()
    }

    fn settled(&self) -> usize {
        self.submissions.all.len() - self.submissions.open()
    }

    /// The peers that a wallet can reach.
    fn hosts(&self) -> Vec<Host> {
        let hosts = self.network.hosts.iter().enumerate();
        hosts
            .filter(|(peer, _)| self.holds[*peer] == 0 && !self.paused[*peer])
            .map(|(_, host)| host.clone())
            .collect()
    }

    fn next_submission(&mut self) -> Option<Instant> {
        Some(Instant::now() + self.submissions.pause()?)
    }

    fn tell(&self) {
        self.voice.progress(&format!(
            "{} s of {}: {} transactions, {} open; {} kills",
            self.start.elapsed().as_secs(),
            self.plan.safety_ms / 1_000,
            self.submissions.all.len(),
            self.submissions.open(),
            self.kills,
        ));
    }

    fn data(&self, peer: usize) -> Result<PathBuf, Error> {
        Ok(self.cluster.peer(peer)?.home.join(DATA))
    }

    fn guard(&self, peer: usize) -> Result<PathBuf, Error> {
        Ok(self.cluster.peer(peer)?.home.join(GUARD))
    }

    fn backup(&self, fault: usize) -> PathBuf {
        self.cluster.folder().join(format!("backup-{fault}"))
    }
}

fn end(stage: &Stage) -> Option<End> {
    match stage {
        Stage::Final {
            height, outcome, ..
        } => Some(End::Final {
            height: *height,
            outcome: *outcome,
        }),
        Stage::Refused { .. }
        | Stage::Seen
        | Stage::Endorsed
        | Stage::Official
        | Stage::Proven { .. } => None,
    }
}
