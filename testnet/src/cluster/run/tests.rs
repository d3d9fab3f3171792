use super::*;

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = run();
    run.write(folder.path()).unwrap();
    assert_eq!(Run::read(folder.path()).unwrap(), run);
}

#[test]
fn a_folder_without_a_network_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Run::read(folder.path()).unwrap_err();
    let name = folder.path().display().to_string();
    assert!(matches!(error, Error::NoNetwork { .. }));
    assert!(error.to_string().contains(&name), "{error}");
}

#[test]
fn another_version_an_unknown_field_and_half_a_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = serde_json::to_string(&run()).unwrap();
    let table = [
        good.replace("\"version\":1", "\"version\":2"),
        good.replace("\"version\":1", "\"version\":1,\"more\":2"),
        good[..good.len() / 2].to_owned(),
    ];
    for text in table {
        fs::write(folder.path().join(FILE), &text).unwrap();
        let error = Run::read(folder.path()).unwrap_err();
        assert!(matches!(error, Error::RunFile { .. }), "{text}");
    }
}

#[test]
fn a_refused_change_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    run().write(folder.path()).unwrap();
    let refused = Run::change(folder.path(), |run| {
        run.peers.clear();
        Err(Error::NoPeer { index: 9, count: 1 })
    });
    assert!(matches!(refused, Err(Error::NoPeer { .. })));
    assert_eq!(Run::read(folder.path()).unwrap(), run());
}

#[test]
fn changes_of_several_threads_all_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run().write(path).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                Run::change(path, |run| {
                    let peer = run.peers[0].clone();
                    run.peers.push(peer);
                    Ok(())
                })
                .unwrap();
            });
        }
    });
    assert_eq!(Run::read(path).unwrap().peers.len(), 9);
}

#[test]
fn the_first_peer_beyond_the_last_is_refused() {
    assert!(run().peer(0).is_ok());
    let error = run().peer(1).unwrap_err();
    assert_eq!(error.to_string(), "peer 1 where the network has 1");
}

#[test]
fn a_peer_without_a_process_does_not_run() {
    let mut run = run();
    assert_eq!(run.running().count(), 0);
    run.peers[0].process = Some(ProcessId::own().unwrap());
    assert_eq!(run.running().count(), 1);
}

fn run() -> Run {
    Run {
        version: VERSION,
        program: "/bin/primus".into(),
        supervisor: None,
        peers: vec![PeerRun {
            name: "peer-0".into(),
            home: "/tmp/peer-0".into(),
            address: "127.0.0.1:4000".parse().unwrap(),
            http: "127.0.0.1:4001".parse().unwrap(),
            log: "/tmp/peer-0.log".into(),
            process: None,
        }],
    }
}
