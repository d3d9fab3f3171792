//! `primus`: the node.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use primus_node::command::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = cli.carry_out(&mut io::stdout()).unwrap_or_else(|error| {
        // Nothing is left to tell whom if standard error is closed.
        let _ = writeln!(io::stderr(), "primus: {error} [{}]", error.code());
        error.exit()
    });
    ExitCode::from(exit.number())
}
