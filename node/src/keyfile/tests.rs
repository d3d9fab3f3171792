use tempfile::TempDir;

use super::*;
use crate::error::Exit;

fn written(role: Role) -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.key");
    Secret::from_seed([7; 32]).write(&path, role).unwrap();
    (folder, path)
}

#[test]
fn a_written_key_is_private_and_reads_back() {
    let (_folder, path) = written(Role::Event);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        format!("primus secret key v1 event\n{}\n", "07".repeat(32))
    );
    let secret = Secret::read(&path, Role::Event).unwrap();
    assert_eq!(secret.public(), Secret::from_seed([7; 32]).public());
    assert_eq!(secret.signer().unwrap().public(), secret.public());
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (_folder, path) = written(Role::Event);
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = Secret::read(&path, Role::Event).unwrap_err();
        assert!(matches!(error, Error::KeyFileMode { .. }), "{mode:o}");
        assert_eq!(error.exit(), Exit::Configuration);
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Secret::read(&path, Role::Event).unwrap();
    }
}

#[test]
fn a_key_is_never_overwritten() {
    let (_folder, path) = written(Role::Event);
    let before = fs::read(&path).unwrap();
    Secret::from_seed([8; 32])
        .write(&path, Role::Event)
        .unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_key_of_another_role_or_form_is_refused_without_showing_it() {
    let (_folder, path) = written(Role::Coin);
    let secret = "07".repeat(32);
    for text in [
        format!("primus secret key v1 coin\n{secret}\n"),
        format!("primus secret key v2 event\n{secret}\n"),
        format!("primus secret key v1 event\n{secret}00\n"),
        format!("primus secret key v1 event\n{secret}\n\n{secret}"),
        format!("primus secret key v1 event{secret}"),
        String::new(),
    ] {
        fs::write(&path, &text).unwrap();
        let error = Secret::read(&path, Role::Event).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(matches!(error, Error::InvalidKeyFile { .. }), "{shown}");
        assert!(!shown.contains(&secret), "{shown}");
    }
}

#[test]
fn two_new_keys_differ_and_neither_is_shown() {
    let (a, b) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    assert_ne!(a.public(), b.public());
    assert_eq!(format!("{a:?}"), "Secret");
}
