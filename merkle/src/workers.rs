//! Who carries out the many independent hashes of a batch: a strategy handed in by the rim, because
//! this crate knows no threads. Roots are the same whoever does the work.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Debug;

/// One independent piece of work.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs independent tasks, perhaps several at once.
pub trait Workers: Debug + Send + Sync {
    /// How many tasks run at once; work is cut into about as many pieces.
    fn count(&self) -> usize;

    /// Runs every task, in any order, and returns when all have ended.
    fn run(&self, tasks: Vec<Task<'_>>);
}

/// One task after the other on the caller's own thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequential;

impl Workers for Sequential {
    fn count(&self) -> usize {
        1
    }

    fn run(&self, tasks: Vec<Task<'_>>) {
        tasks.into_iter().for_each(|task| task());
    }
}

/// What `work` makes of each job, in their order.
pub(crate) fn map<J: Send, R: Send>(
    workers: &dyn Workers,
    jobs: Vec<J>,
    work: impl Fn(J) -> R + Sync,
) -> Vec<R> {
    let work = &work;
    if jobs.len() < 2 || workers.count() < 2 {
        return jobs.into_iter().map(work).collect();
    }
    let mut results: Vec<Option<R>> = jobs.iter().map(|_| None).collect();
    let mut tasks: Vec<Task<'_>> = Vec::with_capacity(jobs.len());
    for (job, result) in jobs.into_iter().zip(&mut results) {
        tasks.push(Box::new(move || *result = Some(work(job))));
    }
    workers.run(tasks);
    results.into_iter().flatten().collect()
}
