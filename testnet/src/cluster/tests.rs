use super::*;

#[tokio::test]
async fn peers_come_up_are_killed_restarted_and_brought_down() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = network(folder.path(), 3, Stay::Attached);
    assert_eq!(cluster.run.running().count(), 0);
    cluster.start_all().unwrap();
    assert_eq!(cluster.run.running().count(), 3);
    assert!(matches!(
        cluster.start(1),
        Err(Error::PeerRuns { index: 1 })
    ));
    cluster.kill(1).await.unwrap();
    assert_eq!(running(folder.path()), [0, 2]);
    assert!(matches!(
        cluster.kill(1).await,
        Err(Error::PeerDown { index: 1 })
    ));
    cluster.start(1).unwrap();
    assert_eq!(running(folder.path()), [0, 1, 2]);
    cluster.down().await.unwrap();
    assert_eq!(running(folder.path()), [0; 0]);
}

#[tokio::test]
async fn another_invocation_sees_and_changes_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = network(folder.path(), 2, Stay::Attached);
    first.start_all().unwrap();
    let mut second = Cluster::open(folder.path()).unwrap();
    // The first invocation reaps its child while the second waits for its end.
    let (killed, ()) = tokio::join!(second.kill(0), async {
        until("a child to end", STOP_DEADLINE, async || {
            first.refresh()?;
            Ok(if first.children.len() == 1 {
                Probe::Done(())
            } else {
                Probe::Found(String::new())
            })
        })
        .await
        .unwrap();
    });
    killed.unwrap();
    second.start(0).unwrap();
    drop(second);
    assert_eq!(running(folder.path()), [0, 1], "outlives who restarted it");
    let processes = processes(folder.path());
    drop(first);
    // The restarted one is another's child, which may show for a moment.
    until("the restarted peer to end", STOP_DEADLINE, async || {
        Ok(match processes.iter().filter(|one| one.runs()).count() {
            0 => Probe::Done(()),
            count => Probe::Found(count.to_string()),
        })
    })
    .await
    .unwrap();
}

#[test]
fn no_process_outlives_its_supervisor_even_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let caught = std::panic::catch_unwind(|| {
        let mut cluster = network(&path, 3, Stay::Attached);
        cluster.start_all().unwrap();
        panic!("on purpose");
    });
    caught.unwrap_err();
    let processes = processes(&path);
    assert_eq!(processes.len(), 3);
    assert!(processes.iter().all(|process| !process.runs()));
}

#[test]
fn the_lease_alone_ends_the_peers_of_a_killed_supervisor() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = network(folder.path(), 2, Stay::Attached);
    cluster.start_all().unwrap();
    // What the kernel does with a killed process: its files are closed, nothing is dropped.
    drop(cluster.lease.take());
    for child in &mut cluster.children {
        assert!(child.wait().unwrap().success());
    }
}

#[tokio::test]
async fn a_detached_network_runs_on_until_it_is_brought_down() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = network(folder.path(), 2, Stay::Detached);
    cluster.start_all().unwrap();
    let mut children = std::mem::take(&mut cluster.children);
    drop(cluster);
    assert_eq!(running(folder.path()), [0, 1]);
    assert!(matches!(
        clear(folder.path()),
        Err(Error::NetworkRuns { .. })
    ));
    Cluster::open(folder.path()).unwrap().down().await.unwrap();
    assert_eq!(running(folder.path()), [0; 0]);
    children
        .iter_mut()
        .for_each(|child| assert!(!child.wait().unwrap().success()));
}

#[test]
fn a_peer_is_told_its_home_and_to_end_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = network(folder.path(), 1, Stay::Attached);
    cluster.start_all().unwrap();
    drop(cluster.lease.take());
    cluster.children[0].wait().unwrap();
    let home = folder.path().join("peer-0");
    let log = fs::read_to_string(folder.path().join("peer-0.log")).unwrap();
    let wanted = format!(
        "started: run --home {} --exit-on-stdin-close\n",
        home.display()
    );
    assert_eq!(log, wanted);
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("new");
    clear(&inner).unwrap();
    clear(&inner).unwrap();
    fs::write(inner.join("thesis.txt"), "years").unwrap();
    assert!(matches!(clear(&inner), Err(Error::NotOurs { .. })));
    assert!(inner.join("thesis.txt").exists());
    drop(network(&inner, 1, Stay::Attached));
    clear(&inner).unwrap();
    assert!(!inner.join("thesis.txt").exists());
}

#[test]
fn no_port_is_given_twice() {
    let ports = free_ports(50).unwrap();
    let mut udp: Vec<_> = ports.iter().map(|one| one.address.port()).collect();
    let mut tcp: Vec<_> = ports.iter().map(|one| one.http.port()).collect();
    for list in [&mut udp, &mut tcp] {
        list.sort_unstable();
        list.dedup();
        assert_eq!(list.len(), 50);
        assert!(list.iter().all(|port| PORTS.contains(port)));
    }
}

fn network(folder: &Path, count: usize, stay: Stay) -> Cluster {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cluster/tests/peer.sh");
    let peers = (0..count).map(|index| PeerRun {
        name: format!("peer-{index}"),
        home: folder.join(format!("peer-{index}")),
        address: "127.0.0.1:1".parse().unwrap(),
        http: "127.0.0.1:1".parse().unwrap(),
        log: folder.join(format!("peer-{index}.log")),
        process: None,
    });
    Cluster::create(folder, &program, peers.collect(), stay).unwrap()
}

fn running(folder: &Path) -> Vec<usize> {
    let run = Run::read(folder).unwrap();
    run.running().map(|(index, _)| index).collect()
}

fn processes(folder: &Path) -> Vec<ProcessId> {
    let run = Run::read(folder).unwrap();
    run.peers.iter().filter_map(|peer| peer.process).collect()
}
