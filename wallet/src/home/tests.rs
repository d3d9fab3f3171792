use std::os::unix::fs::PermissionsExt;

use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path().join("home"));
    (folder, home)
}

fn made() -> (tempfile::TempDir, Home) {
    let (folder, home) = home();
    home.create(&Zeroizing::new([7; 32])).unwrap();
    (folder, home)
}

#[test]
fn a_key_is_for_its_owner_alone_and_never_overwritten() {
    let (_folder, home) = home();
    assert!(matches!(home.seed(), Err(Error::NoKey { .. })));
    home.create(&Zeroizing::new([7; 32])).unwrap();
    let mode = fs::metadata(home.file("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = home.create(&Zeroizing::new([8; 32]));
    assert!(matches!(again, Err(Error::HomeExists { .. })));
    assert_eq!(*home.seed().unwrap(), [7; 32]);
}

#[test]
fn the_head_moves_forward_only() {
    let (_folder, home) = made();
    assert_eq!(home.head().unwrap(), None);
    let head = |height, root| Head {
        height: Height::new(height),
        root: Digest([root; 32]),
        time: Time::ZERO,
    };
    for (next, kept) in [
        ((5, 1), (5, 1)),
        ((4, 2), (5, 1)),
        ((5, 3), (5, 1)),
        ((6, 4), (6, 4)),
    ] {
        home.advance_head(head(next.0, next.1)).unwrap();
        assert_eq!(home.head().unwrap(), Some(head(kept.0, kept.1)), "{next:?}");
    }
}

#[test]
fn a_change_of_the_outbox_that_fails_leaves_it_as_it_was() {
    let (_folder, home) = made();
    home.change_outbox(|outbox| {
        outbox.push(vec![1]);
        Ok(())
    })
    .unwrap();
    let failed = home.change_outbox(|outbox| -> Result<(), Error> {
        outbox.clear();
        Err(Error::NoHosts)
    });
    assert!(matches!(failed, Err(Error::NoHosts)));
    assert_eq!(home.outbox().unwrap(), [[1]]);
}

#[test]
fn settings_come_back_and_unknown_keys_are_named() {
    let (_folder, home) = made();
    assert_eq!(home.settings().unwrap(), Settings::default());
    let host = format!("127.0.0.1:7000#{}", "ab".repeat(32));
    let settings = Settings {
        genesis: Some(PathBuf::from("/g")),
        chain: Some("00".repeat(32)),
        policy: None,
        hosts: vec![host.parse().unwrap()],
    };
    home.write_settings(&settings).unwrap();
    assert_eq!(home.settings().unwrap(), settings);
    fs::write(home.file("wallet.toml"), "genesys = \"/g\"\n").unwrap();
    let refused = home.settings().unwrap_err().to_string();
    assert!(
        refused.contains("genesys") && refused.contains("genesis"),
        "{refused}"
    );
}

#[test]
fn damaged_files_are_refused_not_guessed() {
    let (_folder, home) = made();
    let head = Head {
        height: Height::new(5),
        root: Digest([1; 32]),
        time: Time::ZERO,
    };
    home.advance_head(head).unwrap();
    let whole = fs::read(home.file("head")).unwrap();
    for length in 0..whole.len() {
        fs::write(home.file("head"), &whole[..length]).unwrap();
        assert!(
            matches!(home.head(), Err(Error::Content { .. })),
            "{length}"
        );
    }
    fs::write(home.file("key"), "not a key").unwrap();
    assert!(matches!(home.seed(), Err(Error::Content { .. })));
}

#[test]
fn a_file_from_elsewhere_is_read_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.primusproof");
    let file = File::create(&path).unwrap();
    file.set_len(FILE_BYTES_MAX as u64).unwrap();
    assert_eq!(read(&path).unwrap().len(), FILE_BYTES_MAX);
    file.set_len(1 << 40).unwrap();
    let refused = read(&path).unwrap_err();
    assert_eq!(refused.code(), "file.content");
    assert_eq!(read_genesis(&path).unwrap_err().code(), "file.content");
}
