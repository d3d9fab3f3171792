//! `cargo xtask tidy`: the rules of this house that the compiler does not know.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

mod tidy;

const USAGE: &str = "usage: cargo xtask tidy

  tidy  checks who imports whom, what pure crates may use, and what tests and prose must not contain

exit codes: 0 tidy; 1 faults were found; 2 usage";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let code = match arguments.as_slice() {
        [command] if command == "tidy" => check(),
        _ => {
            say(USAGE);
            2
        }
    };
    ExitCode::from(code)
}

fn check() -> u8 {
    match tidy::Tree::read(root()) {
        Ok(tree) => {
            let faults = tidy::check(&tree);
            for fault in &faults {
                say(&fault.to_string());
            }
            say(&format!("{} files, {} faults", tree.count(), faults.len()));
            u8::from(!faults.is_empty())
        }
        Err(error) => {
            say(&format!("{}: {error}", root().display()));
            1
        }
    }
}

/// The repository: the folder above this crate's.
fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

fn say(line: &str) {
    // Nothing is left to tell whom if standard error is closed.
    let _ = writeln!(io::stderr(), "{line}");
}
