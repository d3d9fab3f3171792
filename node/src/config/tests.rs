use tempfile::TempDir;

use super::*;
use crate::error::Exit;

fn home(text: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join(FILE), text).unwrap();
    home
}

fn overrides(flag: Option<&str>, environment: Option<&str>) -> Overrides {
    let mut overrides = Overrides::default();
    if let Some(value) = flag {
        overrides.flags.insert("listen", value.to_owned());
    }
    if let Some(value) = environment {
        let name = "PRIMUS_LISTEN".to_owned();
        overrides.environment.insert(name, value.to_owned());
    }
    overrides
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let (flag, environment, file) = ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3");
    let set = home(&format!("listen = \"{file}\"\n"));
    let unset = home("");
    let check = |home: &TempDir, overrides: &Overrides, wanted: &str, origin: &str| {
        let config = load(home.path(), overrides).unwrap();
        assert_eq!(config.listen.to_string(), wanted);
        let settings = settings(home.path(), overrides).unwrap();
        assert_eq!(settings[1].key.name, "listen");
        assert!(
            settings[1].origin_text().ends_with(origin),
            "{:?}",
            settings[1]
        );
    };
    check(
        &set,
        &overrides(Some(flag), Some(environment)),
        flag,
        "--listen",
    );
    check(
        &set,
        &overrides(None, Some(environment)),
        environment,
        "PRIMUS_LISTEN",
    );
    check(&set, &overrides(None, None), file, "/primus.toml");
    check(&unset, &overrides(None, None), "0.0.0.0:4700", "default");
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest() {
    for (text, key, nearest) in [
        ("lisen = \"x\"", "lisen", "listen"),
        ("[keys]\nevnt = \"x\"", "keys.evnt", "keys.event"),
        ("log_level = \"info\"", "log_level", "log.level"),
        ("worker = 2", "worker", "workers"),
    ] {
        let error = load(home(text).path(), &Overrides::default()).unwrap_err();
        assert_eq!(error.exit(), Exit::Configuration);
        let message = error.to_string();
        let wanted = format!("unknown key `{key}`; the nearest known key is `{nearest}`");
        assert!(message.ends_with(&wanted), "{message}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_names_its_origin_and_what_was_due() {
    for (text, wanted) in [
        (
            "listen = \"here\"",
            "/primus.toml: `listen` is \"here\" where an address and port such as 0.0.0.0:4700 \
             was due",
        ),
        (
            "store = \"sqlite\"",
            "is \"sqlite\" where rocksdb, redb or memory was due",
        ),
        ("workers = 0", "is \"0\" where a number above zero was due"),
        ("workers = [1]", "is \"[1]\" where text or a number was due"),
        ("[log]\nformat = \"xml\"", "where text or json was due"),
        ("[log]\nlevel = \"loud\"", "`log.level` is \"loud\""),
        ("\n\nlisten", "line 3: "),
    ] {
        let error = load(home(text).path(), &Overrides::default()).unwrap_err();
        assert_eq!(error.exit(), Exit::Configuration);
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn a_folder_without_the_file_says_how_to_make_one() {
    let folder = TempDir::new().unwrap();
    let error = load(folder.path(), &Overrides::default()).unwrap_err();
    assert!(matches!(error, Error::NoHome { .. }));
    assert!(error.to_string().contains("primus init"), "{error}");
}

#[test]
fn relative_paths_start_at_the_home() {
    let home = home("data = \"/var/lib/primus\"\n[keys]\nevent = \"secret/e.key\"\n");
    let config = load(home.path(), &Overrides::default()).unwrap();
    assert_eq!(config.data, Path::new("/var/lib/primus"));
    assert_eq!(config.event_key, home.path().join("secret/e.key"));
    assert_eq!(config.genesis, home.path().join("genesis.bin"));
}

#[test]
fn every_default_is_a_legal_value() {
    load(home("").path(), &Overrides::default()).unwrap();
}
