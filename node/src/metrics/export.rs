//! From plain counts to metrics, afresh for each scrape.

use net::Stats;
use primitives::units::Stake;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::names::{self, Name, label};
use crate::error::Error;
use crate::status::{Check, Counters, Status};

/// What a scrape reads.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The version of the program.
    pub version: &'static str,
    /// The driver's status, once it runs.
    pub status: Option<&'a Status>,
    /// What the network counts, once there is one.
    pub net: Option<&'a Stats>,
    /// Log lines at ERROR.
    pub log_errors: u64,
    /// Log lines at WARN.
    pub log_warnings: u64,
}

pub(super) fn gather(sources: &Sources<'_>) -> Result<Vec<MetricFamily>, Error> {
    let rows = Rows(super::registry()?);
    let Sources {
        version,
        status,
        net,
        log_errors,
        log_warnings,
    } = *sources;
    rows.gauges(names::BUILD_INFO, label::VERSION, &[(version, 1)])?;
    let ready = Check::ALL.map(|check| (check.name(), u64::from(check.unmet(status).is_none())));
    rows.gauges(names::READY, label::CHECK, &ready)?;
    let lines = [("error", log_errors), ("warn", log_warnings)];
    rows.counters(names::LOG_EVENTS, label::LEVEL, &lines)?;
    if let Some(status) = status {
        rows.status(status)?;
        rows.counts(&status.counters)?;
    }
    if let Some(net) = net {
        rows.net(net)?;
    }
    Ok(rows.0.gather())
}

struct Rows(Registry);

impl Rows {
    fn status(&self, status: &Status) -> Result<(), Error> {
        let Status {
            name: _,
            version: _,
            peer: _,
            chain: _,
            root: _,
            quarantined: _,
            contradiction: _,
            head: _,
            partition,
            fork_alarm,
            counters: _,
            wait_ms: _,
            own_stake: _,
            supply: _,
            first_epoch: _,
            first_block: _,
            epoch,
            height,
            certified_height,
            height_heard,
            round,
            settled_round,
            peers_total,
            peers_connected,
            stake_heard,
            total_stake,
            pool_transactions,
            events_suspended,
        } = status;
        self.gauge(names::EPOCH, *epoch)?;
        let heights = [
            ("executed", *height),
            ("certified", *certified_height),
            ("heard", *height_heard),
        ];
        self.gauges(names::BLOCK_HEIGHT, label::GRADE, &heights)?;
        let rounds = [("own", *round), ("settled", *settled_round)];
        self.gauges(names::ROUND, label::WHICH, &rounds)?;
        let undecided = round.saturating_sub(*settled_round);
        self.gauge(names::UNDECIDED_ROUNDS, undecided)?;
        let absent = peers_total.saturating_sub(*peers_connected);
        let peers = [("connected", *peers_connected), ("absent", absent)];
        self.gauges(names::NET_PEERS, label::STATE, &peers)?;
        self.ratio(names::STAKE_SEEN, *stake_heard, *total_stake)?;
        self.gauge(names::PARTITIONED, u64::from(partition.is_some()))?;
        self.gauge(names::FORK_ALARM, u64::from(fork_alarm.is_some()))?;
        self.gauge(names::POOL, *pool_transactions)?;
        self.gauge(names::EVENTS_SUSPENDED, *events_suspended)
    }

    fn counts(&self, counters: &Counters) -> Result<(), Error> {
        let Counters {
            events_accepted,
            events_repeated,
            events_refused,
            events_created,
            equivocations,
            partitions,
            fork_alarms,
            heads_told,
            heads_confirmed,
            officials_confirmed,
            officials_reversed,
            officials_conflicting,
            transactions_applied,
            transactions_rejected,
            wallet_requests_answered,
            wallet_requests_refused,
        } = *counters;
        let received = [
            ("accepted", events_accepted),
            ("repeated", events_repeated),
            ("refused", events_refused),
        ];
        self.counters(names::EVENTS_RECEIVED, label::RESULT, &received)?;
        self.counter(names::EVENTS_CREATED, events_created)?;
        self.counter(names::EQUIVOCATIONS, equivocations)?;
        self.counter(names::PARTITIONS, partitions)?;
        self.counter(names::FORK_ALARMS, fork_alarms)?;
        let heads = [
            ("confirmed", heads_confirmed),
            ("replaced", heads_told.saturating_sub(heads_confirmed)),
        ];
        self.counters(names::HEADS, label::RESULT, &heads)?;
        let officials = [
            ("confirmed", officials_confirmed),
            ("reversed", officials_reversed),
            ("conflicting", officials_conflicting),
        ];
        self.counters(names::OFFICIALS, label::RESULT, &officials)?;
        let ordered = [
            ("applied", transactions_applied),
            ("rejected", transactions_rejected),
        ];
        self.counters(names::TRANSACTIONS, label::RESULT, &ordered)?;
        let requests = [
            ("answered", wallet_requests_answered),
            ("refused", wallet_requests_refused),
        ];
        self.counters(names::WALLET_REQUESTS, label::RESULT, &requests)
    }

    fn net(&self, net: &Stats) -> Result<(), Error> {
        let bytes = [
            ("in", "consensus", net.consensus.bytes_in),
            ("out", "consensus", net.consensus.bytes_out),
            ("in", "bulk", net.bulk.bytes_in),
            ("out", "bulk", net.bulk.bytes_out),
            ("in", "wallet", net.wallet.bytes_in),
            ("out", "wallet", net.wallet.bytes_out),
        ];
        let vector = IntCounterVec::new(
            options(names::NET_BYTES),
            &[label::DIRECTION, label::STREAM],
        )?;
        for (direction, stream, count) in bytes {
            vector.with_label_values(&[direction, stream]).inc_by(count);
        }
        self.0.register(Box::new(vector))?;
        let dropped = [
            ("peer", net.lane_frames_refused),
            ("wallet", net.replies_refused),
        ];
        self.counters(names::NET_DROPPED, label::QUEUE, &dropped)?;
        self.gauge(names::WALLET_SESSIONS, net.wallet_sessions)
    }

    fn gauge(&self, name: Name, value: u64) -> Result<(), Error> {
        let gauge = prometheus::IntGauge::with_opts(options(name))?;
        gauge.set(signed(value));
        Ok(self.0.register(Box::new(gauge))?)
    }

    fn gauges(&self, name: Name, label: &str, values: &[(&str, u64)]) -> Result<(), Error> {
        let vector = IntGaugeVec::new(options(name), &[label])?;
        for (value, count) in values {
            vector.with_label_values(&[value]).set(signed(*count));
        }
        Ok(self.0.register(Box::new(vector))?)
    }

    fn counter(&self, name: Name, value: u64) -> Result<(), Error> {
        let counter = prometheus::IntCounter::with_opts(options(name))?;
        counter.inc_by(value);
        Ok(self.0.register(Box::new(counter))?)
    }

    fn counters(&self, name: Name, label: &str, values: &[(&str, u64)]) -> Result<(), Error> {
        let vector = IntCounterVec::new(options(name), &[label])?;
        for (value, count) in values {
            vector.with_label_values(&[value]).inc_by(*count);
        }
        Ok(self.0.register(Box::new(vector))?)
    }

    fn ratio(&self, name: Name, part: Stake, whole: Stake) -> Result<(), Error> {
        let vector = GaugeVec::new(options(name), &[])?;
        let no_labels: [&str; 0] = [];
        let gauge = vector.with_label_values(&no_labels);
        // A picture for people: nothing is decided by it.
        #[expect(clippy::cast_precision_loss, reason = "a gauge is shown, not compared")]
        if whole > Stake::ZERO {
            gauge.set(part.get() as f64 / whole.get() as f64);
        }
        Ok(self.0.register(Box::new(vector))?)
    }
}

fn options(name: Name) -> Opts {
    Opts::new(name.text, name.help)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
