use std::collections::BTreeSet;

use net::Stats;

use super::*;
use crate::status;

fn text(sources: &Sources<'_>) -> String {
    let text = Timings::new().unwrap().text(sources).unwrap();
    String::from_utf8(text).unwrap()
}

fn before_start() -> Sources<'static> {
    Sources {
        version: "0.1.0",
        status: None,
        net: None,
        log_errors: 0,
        log_warnings: 2,
    }
}

fn families(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect()
}

#[test]
fn a_running_node_exports_every_name_once_and_no_other() {
    let (status, net) = (status::tests::example(), Stats::default());
    let sources = Sources {
        status: Some(&status),
        net: Some(&net),
        ..before_start()
    };
    let text = text(&sources);
    let mut wanted: Vec<String> = names::ALL
        .iter()
        .map(|name| format!("primus_{}", name.text))
        .collect();
    wanted.sort();
    assert_eq!(families(&text), wanted);
}

#[test]
fn there_are_metrics_before_the_node_has_started() {
    let text = text(&before_start());
    assert!(
        text.contains("primus_ready{check=\"started\"} 0\n"),
        "{text}"
    );
    assert!(
        text.contains("primus_log_events_total{level=\"warn\"} 2\n"),
        "{text}"
    );
    assert!(
        text.contains("primus_build_info{version=\"0.1.0\"} 1\n"),
        "{text}"
    );
}

#[test]
fn each_count_stands_under_its_own_name() {
    let status = status::tests::example();
    let mut net = Stats::default();
    net.bulk.bytes_out = 31;
    net.lane_frames_refused = 32;
    let sources = Sources {
        status: Some(&status),
        net: Some(&net),
        ..before_start()
    };
    let text = text(&sources);
    for line in [
        "primus_consensus_block_height{grade=\"certified\"} 39",
        "primus_consensus_block_height{grade=\"executed\"} 40",
        "primus_consensus_block_height{grade=\"heard\"} 41",
        "primus_consensus_epoch 3",
        "primus_consensus_equivocations_total 15",
        "primus_consensus_stake_seen_ratio 1",
        "primus_consensus_undecided_rounds 3",
        "primus_dag_events_created_total 14",
        "primus_dag_events_received_total{result=\"accepted\"} 11",
        "primus_dag_events_received_total{result=\"refused\"} 13",
        "primus_dag_events_received_total{result=\"repeated\"} 12",
        "primus_dag_events_suspended 8",
        "primus_dag_round{which=\"own\"} 50",
        "primus_dag_round{which=\"settled\"} 47",
        "primus_ledger_pool_transactions 7",
        "primus_ledger_transactions_total{result=\"applied\"} 16",
        "primus_ledger_transactions_total{result=\"rejected\"} 17",
        "primus_net_bytes_total{direction=\"out\",stream=\"bulk\"} 31",
        "primus_net_peers{state=\"absent\"} 1",
        "primus_net_peers{state=\"connected\"} 5",
        "primus_net_queue_dropped_total{queue=\"peer\"} 32",
        "primus_ready{check=\"quorum\"} 1",
        "primus_wallet_requests_total{result=\"answered\"} 18",
        "primus_wallet_requests_total{result=\"refused\"} 19",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
}

#[test]
fn counters_end_in_total_and_durations_in_seconds_without_a_repeated_name() {
    let names: BTreeSet<&str> = names::ALL.iter().map(|name| name.text).collect();
    assert_eq!(names.len(), names::ALL.len());
    let (status, net) = (status::tests::example(), Stats::default());
    let sources = Sources {
        status: Some(&status),
        net: Some(&net),
        ..before_start()
    };
    for line in text(&sources).lines() {
        let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|line| line.split_once(' '))
        else {
            continue;
        };
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        assert_eq!(kind == "histogram", name.ends_with("_seconds"), "{line}");
    }
}

#[test]
fn a_duration_is_counted_once_in_its_own_histogram() {
    let timings = Timings::new().unwrap();
    timings.block_applied(Duration::from_millis(3));
    timings.store_written(Duration::from_millis(1));
    timings.store_written(Duration::from_millis(1));
    timings.grade_reached(Grade::Final, Duration::from_secs(1));
    let text = String::from_utf8(timings.text(&before_start()).unwrap()).unwrap();
    for line in [
        "primus_ledger_block_apply_seconds_count 1",
        "primus_store_write_seconds_count 2",
        "primus_consensus_grade_latency_seconds_count{grade=\"final\"} 1",
        "primus_consensus_grade_latency_seconds_count{grade=\"official\"} 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
}
