//! The gauges: what the operator's monitoring reads.
//!
//! Counts are kept where things happen, in plain numbers; each scrape turns them into text. Only
//! durations are collected here, since they need buckets.

use std::time::Duration;

use prometheus::{Encoder, Histogram, HistogramOpts, HistogramVec, Registry, TextEncoder};

use crate::error::Error;
use crate::status::Grade;

mod export;
pub mod names;

pub use export::Sources;

/// The prefix of every name.
const PREFIX: &str = "primus";
/// The content type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// Durations, collected by whoever measures them; shared between threads.
#[derive(Debug)]
pub struct Timings {
    registry: Registry,
    block_apply: Histogram,
    store_write: Histogram,
    grade_latency: HistogramVec,
}

impl Timings {
    /// Nothing measured yet.
    ///
    /// # Errors
    /// [`Error::Metrics`] never, unless a name is used twice.
    pub fn new() -> Result<Self, Error> {
        let registry = registry()?;
        // From 0.1 ms, a quiet disk's fdatasync, doubling up to about 3 s.
        let short = prometheus::exponential_buckets(0.000_1, 2.0, 16)?;
        // From 10 ms, doubling up to about 5 minutes: a partition is longer than any bucket.
        let long = prometheus::exponential_buckets(0.01, 2.0, 16)?;
        let options = |name: names::Name, buckets: &[f64]| {
            HistogramOpts::new(name.text, name.help).buckets(buckets.to_vec())
        };
        let block_apply = Histogram::with_opts(options(names::BLOCK_APPLY, &short))?;
        let store_write = Histogram::with_opts(options(names::STORE_WRITE, &short))?;
        let grade_latency =
            HistogramVec::new(options(names::GRADE_LATENCY, &long), &[names::label::GRADE])?;
        registry.register(Box::new(block_apply.clone()))?;
        registry.register(Box::new(store_write.clone()))?;
        registry.register(Box::new(grade_latency.clone()))?;
        for grade in [Grade::Endorsed, Grade::Official, Grade::Final] {
            // Made known at zero, so that a rate over the first one is right.
            grade_latency.with_label_values(&[grade.name()]);
        }
        Ok(Self {
            registry,
            block_apply,
            store_write,
            grade_latency,
        })
    }

    /// A block was executed in this time.
    pub fn block_applied(&self, took: Duration) {
        self.block_apply.observe(took.as_secs_f64());
    }

    /// A batch became durable in this time.
    pub fn store_written(&self, took: Duration) {
        self.store_write.observe(took.as_secs_f64());
    }

    /// An own transaction or event reached `grade` this long after it was made.
    pub fn grade_reached(&self, grade: Grade, after: Duration) {
        self.grade_latency
            .with_label_values(&[grade.name()])
            .observe(after.as_secs_f64());
    }

    /// Everything there is to measure, in the text format, ordered by name.
    ///
    /// # Errors
    /// [`Error::Metrics`] never, unless a name is used twice.
    pub fn text(&self, sources: &Sources<'_>) -> Result<Vec<u8>, Error> {
        let mut families = self.registry.gather();
        families.extend(export::gather(sources)?);
        families.sort_by(|a, b| a.name().cmp(b.name()));
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(text)
    }
}

fn registry() -> Result<Registry, Error> {
    Ok(Registry::new_custom(Some(PREFIX.to_owned()), None)?)
}

#[cfg(test)]
mod tests;
