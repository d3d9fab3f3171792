//! Puts bugs into the core on purpose, one at a time, and shows which seed and which judge find each.
//! Exit 10 if one is not found.

use std::process::ExitCode;

use clap::Parser;
use primitives::planted::Bug;
use primus_testnet::sim::canaries::try_bug;
use primus_testnet::voice::{Form, Voice};

/// Bugs on purpose, and what finds them.
#[derive(Debug, Parser)]
#[command(name = "primus-canaries", version)]
struct Canaries {
    /// Seeds that each bug is given.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// How many runs at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Only bugs whose name contains this.
    #[arg(long, default_value = "")]
    bug: String,
}

fn main() -> ExitCode {
    let asked = Canaries::parse();
    let voice = Voice::new(Form::Words);
    // A panic is one of the findings.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut bugs, mut missed) = (0, 0);
    for bug in Bug::ALL {
        if !format!("{bug:?}").contains(&asked.bug) {
            continue;
        }
        bugs += 1;
        let canary = try_bug(bug, asked.seeds, asked.jobs);
        let words = match canary.found {
            Some((case, judge)) => format!("{:<20} case {case:>3}  {judge}", canary.bug),
            None => {
                missed += 1;
                format!("{:<20} not found", canary.bug)
            }
        };
        voice.say("canary", &words, &canary);
    }
    let words = format!("{bugs} bugs, {missed} not found");
    voice.say("canaries", &words, &missed);
    match missed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(10),
    }
}
