//! The threads that hash the trees of a large block at once; they end with its root.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;

use merkle::workers::{Task, Workers};

/// So many threads, one of which is the caller's.
#[derive(Debug)]
pub(super) struct Threads(pub(super) NonZeroUsize);

impl Workers for Threads {
    fn count(&self) -> usize {
        self.0.get()
    }

    fn run(&self, tasks: Vec<Task<'_>>) {
        let others = tasks.len().min(self.count()).saturating_sub(1);
        let tasks = Mutex::new(tasks);
        let next = || tasks.lock().ok().and_then(|mut tasks| tasks.pop());
        let work = || {
            while let Some(task) = next() {
                task();
            }
        };
        thread::scope(|scope| {
            for _ in 0..others {
                // Where no thread can be had, the caller does the work.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_task_runs_once_whatever_the_number_of_threads() {
        for threads in 1..5 {
            let runs: Vec<_> = (0..40).map(|_| AtomicUsize::new(0)).collect();
            let tasks = runs.iter().map(|run| {
                Box::new(|| {
                    run.fetch_add(1, Ordering::Relaxed);
                }) as Task<'_>
            });
            Threads(NonZeroUsize::new(threads).unwrap()).run(tasks.collect());
            let runs: Vec<_> = runs.iter().map(|run| run.load(Ordering::Relaxed)).collect();
            assert_eq!(runs, [1; 40], "{threads} threads");
        }
    }
}
