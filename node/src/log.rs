//! Log lines on standard error, and the hook that ends the process when a thread panics.

use std::panic;
use std::process;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// Which log lines are written: levels, alone or by module, as in `info,primus_net=debug`.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels(pub Targets);

impl FromStr for Levels {
    type Err = ();

    /// Stricter than [`Targets`], which takes a misspelt level for a module.
    fn from_str(text: &str) -> Result<Self, ()> {
        for part in text.split(',') {
            let level = part.rsplit('=').next().unwrap_or(part);
            level.parse::<LevelFilter>().map_err(drop)?;
        }
        text.parse().map(Self).map_err(drop)
    }
}

/// How many log lines there were at the levels that a person should know of.
#[derive(Debug, Default)]
pub struct LogCounts {
    errors: AtomicU64,
    warnings: AtomicU64,
}

impl LogCounts {
    /// Lines at ERROR since the start.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Lines at WARN since the start.
    #[must_use]
    pub fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Relaxed)
    }
}

/// Starts logging for this process at `levels`, and counts the lines that matter.
///
/// Called a second time it changes nothing, and the counts it returns stay zero.
pub fn start(levels: Levels, format: Format) -> Arc<LogCounts> {
    let counts = Arc::new(LogCounts::default());
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        Format::Text => Box::new(lines.with_ansi(false)),
        Format::Json => Box::new(lines.json()),
    };
    let counting = Counting(Arc::clone(&counts));
    let started = tracing_subscriber::registry()
        .with(lines.with_filter(levels.0))
        .with(counting)
        .try_init();
    drop(started);
    counts
}

/// Ends the process when any thread panics, so that it is never half alive. A supervisor restarts
/// it, and what was not written is made again from what was.
pub fn abort_on_panic() {
    panic::set_hook(Box::new(|what| {
        tracing::error!(panic = %what, "a thread panicked; the process ends");
        process::abort();
    }));
}

struct Counting(Arc<LogCounts>);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let counter = match *event.metadata().level() {
            Level::ERROR => &self.0.errors,
            Level::WARN => &self.0.warnings,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
