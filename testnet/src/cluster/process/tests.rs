use super::*;

#[test]
fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
    let fields: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
    let text = format!("77 (a) Z (b) S {}", fields.join(" "));
    let stat = parse(&text).unwrap();
    assert_eq!((stat.state, stat.threads, stat.started), ('S', 20, 22));
}

#[test]
fn a_process_is_over_when_its_last_thread_is() {
    let is_over = |state, threads| {
        let started = 22;
        let stat = Stat {
            state,
            threads,
            started,
        };
        stat.is_over()
    };
    assert!(is_over('Z', 1));
    assert!(
        !is_over('Z', 3),
        "its first thread has ended, others have not"
    );
    assert!(!is_over('S', 1));
}

#[test]
fn a_process_runs_until_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, id) = start(&Launch {
        program: "/bin/cat".into(),
        arguments: Vec::new(),
        log: folder.path().join("log"),
        stdin: Some("/dev/zero".into()),
    })
    .unwrap();
    assert!(id.runs());
    id.signal(Signal::KILL).unwrap();
    child.wait().unwrap();
    assert!(!id.runs());
    id.signal(Signal::KILL).unwrap();
}

#[test]
fn a_number_given_anew_is_another_process() {
    let own = ProcessId::own().unwrap();
    assert!(own.runs());
    let earlier = ProcessId {
        started: own.started - 1,
        ..own
    };
    assert!(!earlier.runs());
    // Sending to the earlier process must not reach this one.
    earlier.signal(Signal::KILL).unwrap();
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = start(&Launch {
        program: "/nowhere/primus".into(),
        arguments: Vec::new(),
        log: folder.path().join("log"),
        stdin: None,
    })
    .unwrap_err();
    assert!(error.to_string().contains("/nowhere/primus"), "{error}");
}
