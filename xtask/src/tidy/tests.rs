use super::crates::{CRATES, Purity};
use super::*;

const PURE_LIB: &str = "//! Pure.\n#![cfg_attr(not(test), no_std)]\n#![cfg_attr(\n    not(test),\n    \
    deny(\n        clippy::arithmetic_side_effects,\n        clippy::as_conversions,\n        \
    clippy::float_arithmetic,\n        clippy::indexing_slicing\n    )\n)]\n";

#[test]
fn the_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = Tree::read(root).unwrap();
    assert!(tree.count() > 100);
    let faults: Vec<String> = check(&tree).iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_made_up_tree_is_tidy() {
    assert_eq!(check(&made_up()), []);
}

#[test]
fn imports_that_the_table_does_not_have_are_faults() {
    let table = [
        ("ledger", "dependencies", "dag.workspace = true"),
        ("ledger", "dependencies", "consensus = { workspace = true }"),
        ("wallet", "dependencies", "replica.workspace = true"),
        ("net", "dependencies", "merkle.workspace = true"),
        (
            "consensus",
            "dependencies",
            "x = { package = \"primus-ledger\" }",
        ),
        ("ledger", "build-dependencies", "net.workspace = true"),
        (
            "ledger",
            "target.'cfg(unix)'.dependencies",
            "dag.workspace = true",
        ),
        ("dag", "dev-dependencies", "net.workspace = true"),
        ("node", "dev-dependencies", "testnet.workspace = true"),
        ("xtask", "dependencies", "primitives.workspace = true"),
    ];
    for (name, section, line) in table {
        let faults = with_dependency(name, section, line);
        assert_eq!(faults.len(), 1, "{name} {line}: {faults:?}");
        assert!(faults[0].rule.contains("must not import"), "{faults:?}");
        assert!(faults[0].line > 0, "{faults:?}");
    }
}

#[test]
fn tests_may_import_tools_that_the_crate_may_not() {
    for (name, line) in [
        ("ledger", "dag.workspace = true"),
        (
            "dag",
            "dag = { workspace = true, features = [\"test-utils\"] }",
        ),
        ("net", "node.workspace = true"),
        ("primitives", "proptest = \"1\""),
    ] {
        assert_eq!(with_dependency(name, "dev-dependencies", line), []);
    }
}

#[test]
fn a_pure_crate_builds_on_named_packages_alone() {
    for package in ["tokio", "rand", "libc", "serde"] {
        let line = format!("{package} = \"1\"");
        let faults = with_dependency("dag", "dependencies", &line);
        assert!(faults[0].rule.contains("is pure"), "{faults:?}");
        assert_eq!(with_dependency("node", "dependencies", &line), []);
    }
    assert_eq!(
        with_dependency("dag", "dependencies", "zeroize = \"1\""),
        []
    );
}

#[test]
fn a_package_with_a_home_stays_there() {
    for (name, package) in [
        ("merkle", "blake3"),
        ("ledger", "bincode"),
        ("node", "schnorrkel"),
        ("testnet", "quinn"),
        ("benches", "rocksdb"),
        ("net", "prometheus"),
        ("ledger", "rs_merkle"),
    ] {
        let line = format!("{package} = \"1\"");
        for section in ["dependencies", "dev-dependencies"] {
            let faults = with_dependency(name, section, &line);
            assert_eq!(faults.len(), 1, "{name} {package}: {faults:?}");
            assert!(faults[0].rule.contains("lives elsewhere"), "{faults:?}");
        }
    }
    assert_eq!(with_dependency("net", "dependencies", "quinn = \"1\""), []);
}

#[test]
fn within_its_crate_a_package_is_named_at_home_only() {
    let code = "fn f() { prometheus::x(); }";
    let table = [
        ("node/src/metrics.rs", 0),
        ("node/src/metrics/export.rs", 0),
        ("node/src/driver.rs", 1),
    ];
    for (path, count) in table {
        assert_eq!(with_file(path, code).len(), count, "{path}");
    }
    let comment = "// Unlike prometheus::x, this is pure.";
    assert_eq!(with_file("node/src/driver.rs", comment), []);
    let keys = "use schnorrkel::Keypair;";
    assert_eq!(with_file("primitives/src/keys.rs", keys), []);
    assert_eq!(with_file("primitives/src/codec.rs", keys).len(), 1);
}

#[test]
fn a_pure_crate_says_so() {
    for line in PURE_LIB
        .lines()
        .filter(|line| line.contains("clippy") || line.contains("no_std"))
    {
        let faults = with_file("dag/src/lib.rs", &PURE_LIB.replace(line, ""));
        assert_eq!(faults.len(), 1, "{line}: {faults:?}");
    }
}

#[test]
fn tests_neither_sleep_nor_are_ignored() {
    let table = [
        ("net/src/a/tests.rs", "std::thread::sleep(x);", 1),
        ("net/src/a/tests.rs", "tokio::time::sleep(x).await;", 1),
        ("net/src/a/tests.rs", "sleep(x).await;", 1),
        ("net/tests/it/main.rs", "#[ignore]", 1),
        ("net/tests/it/main.rs", "#[ignore = \"slow\"]", 1),
        ("net/src/a.rs", "sleep(x).await;", 0),
        (
            "net/src/a.rs",
            "sleep(x).await;\nmod tests {\n    sleep(x);\n}",
            1,
        ),
        ("net/src/a/tests.rs", "// Never sleep(x) here.", 0),
    ];
    for (path, code, count) in table {
        assert_eq!(with_file(path, code).len(), count, "{path}: {code}");
    }
}

#[test]
fn a_crate_outside_the_table_and_a_missing_one_are_faults() {
    let faults = with_file("extra/Cargo.toml", "");
    assert!(faults[0].rule.contains("not in the import table"));
    let mut tree = made_up();
    tree.files.remove("dag/Cargo.toml");
    assert!(
        check(&tree)
            .iter()
            .any(|fault| fault.rule == "the crate is missing")
    );
    assert_eq!(with_file("xtask/rocksdb/Cargo.toml", ""), []);
}

#[test]
fn lints_are_inherited() {
    let faults = with_file("dag/Cargo.toml", "[package]\n");
    assert_eq!(faults.len(), 1);
    assert!(faults[0].rule.contains("lints"), "{faults:?}");
}

#[test]
fn guides_mention_every_crate() {
    for path in ["README.md", "docs/ARCHITECTURE.md"] {
        let mut tree = made_up();
        let text = tree.files.get_mut(path).unwrap();
        *text = text.replace("`dag`", "the dag");
        assert_eq!(check(&tree).len(), 1);
        tree.files.remove(path);
        assert_eq!(check(&tree).len(), 1);
    }
}

#[test]
fn words_of_somebody_elses_machine_are_faults() {
    for word in ["/work/main", "see `shared/x`", "Co-Authored-By: x"] {
        let faults = with_file("docs/spec/state.md", &format!("one\ntwo {word}\n"));
        assert_eq!(faults.len(), 1, "{word}: {faults:?}");
        assert_eq!(faults[0].line, 2);
    }
    assert_eq!(with_file("net/src/a.rs", "// TODO: more").len(), 1);
    assert_eq!(with_file("docs/words.md", "A TODO is a note."), []);
}

#[test]
fn a_fault_tells_its_place() {
    assert_eq!(Fault::new("a", 3, "b").to_string(), "a:3: b");
    assert_eq!(Fault::new("a", 0, "b").to_string(), "a: b");
}

fn made_up() -> Tree {
    let mut tree = Tree::default();
    let mut guide = String::new();
    for one in &CRATES {
        let manifest = "[lints]\nworkspace = true\n".to_owned();
        tree.files
            .insert(format!("{}/Cargo.toml", one.name), manifest);
        if one.purity == Purity::Pure {
            let path = format!("{}/src/lib.rs", one.name);
            tree.files.insert(path, PURE_LIB.to_owned());
        }
        guide.push_str(&format!("- `{}`\n", one.name));
    }
    for path in ["README.md", "docs/ARCHITECTURE.md"] {
        tree.files.insert(path.to_owned(), guide.clone());
    }
    tree
}

fn with_file(path: &str, text: &str) -> Vec<Fault> {
    let mut tree = made_up();
    tree.files.insert(path.to_owned(), text.to_owned());
    check(&tree)
}

fn with_dependency(name: &str, section: &str, line: &str) -> Vec<Fault> {
    let text = format!("[lints]\nworkspace = true\n[{section}]\n{line}\n");
    with_file(&format!("{name}/Cargo.toml"), &text)
}
