//! `primus-testnet`: a network of real peers on this machine.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use primus_testnet::cli::Cli;

fn main() -> ExitCode {
    let ended = Cli::parse().carry_out();
    ExitCode::from(ended.unwrap_or_else(|error| {
        // Nothing is left to tell whom if standard error is closed.
        let _ = writeln!(io::stderr(), "primus-testnet: {error}");
        error.exit()
    }))
}
