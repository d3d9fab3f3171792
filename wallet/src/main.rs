//! `primus-wallet`: keys, proven balances, payments and proofs from the command line.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use primus_wallet::Error;

mod cli;
mod command;
mod print;

use cli::Cli;
use print::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.json);
    match command::run(cli, printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Diagnostics go to standard error, one line of what happened and one of what to do.
fn report(error: &Error) {
    let mut err = std::io::stderr().lock();
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(err, "error[{}]: {error}", error.code());
    let _ = writeln!(err, "  to do: {}", error.advice());
}
