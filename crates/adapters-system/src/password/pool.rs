//! Threads that hash, and the queue before them.

use super::argon2id::Memory;
use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tertulia_application::ports::HashError;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// A fixed number of threads, each with its working memory, behind a queue of fixed length.
#[derive(Debug)]
pub(super) struct HashPool {
    jobs: SyncSender<Job>,
}

impl HashPool {
    pub(super) fn start(threads: NonZeroUsize, queue: NonZeroUsize) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(queue.get());
        let queue = Arc::new(Mutex::new(queue));
        for number in 1..=threads.get() {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("password-hash-{number}"))
                .spawn(move || work_off(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Does `work` on one of the threads; at once [`HashError::Overloaded`] when the queue is full.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, HashError>
    where
        F: FnOnce(&mut Memory) -> T + Send + 'static,
        T: Send + 'static,
    {
        let result = self.submit(work)?;
        result
            .await
            .map_err(|_| HashError::Failed("a hashing thread broke down".into()))
    }

    fn submit<T, F>(&self, work: F) -> Result<oneshot::Receiver<T>, HashError>
    where
        F: FnOnce(&mut Memory) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job = Box::new(move |memory: &mut Memory| {
            // Whoever asked may have gone away while the job was waiting.
            if !reply.is_closed() {
                let _ = reply.send(work(memory));
            }
        });
        waiting().increment(1.0);
        self.jobs.try_send(job).map_err(|error| {
            waiting().decrement(1.0);
            match error {
                TrySendError::Full(_) => {
                    metrics::counter!("tertulia_password_hash_overloaded_total").increment(1);
                    HashError::Overloaded
                }
                TrySendError::Disconnected(_) => HashError::Failed("all hashing threads broke down".into()),
            }
        })?;
        Ok(result)
    }
}

fn work_off(queue: &Mutex<Receiver<Job>>) {
    let mut memory = Memory::default();
    loop {
        // One thread at a time waits for the next job, the others for their turn to wait.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        waiting().decrement(1.0);
        job(&mut memory);
    }
}

fn waiting() -> metrics::Gauge {
    metrics::gauge!("tertulia_password_hash_waiting")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    /// A pool of one thread, which is busy until the sender is dropped.
    fn blocked(queue: usize) -> (HashPool, mpsc::Sender<()>) {
        let pool = HashPool::start(NonZeroUsize::MIN, NonZeroUsize::new(queue).unwrap()).unwrap();
        let (release, released) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let busy = pool
            .submit(move |_| {
                tell.send(()).unwrap();
                assert!(released.recv().is_err());
            })
            .unwrap();
        told.recv().unwrap();
        // It has begun, so that nobody waits for its end takes nothing away from it.
        drop(busy);
        (pool, release)
    }

    #[tokio::test]
    async fn what_finds_the_queue_full_is_refused_at_once() {
        let (pool, release) = blocked(2);
        let queued = [pool.submit(|_| 1).unwrap(), pool.submit(|_| 2).unwrap()];
        assert!(matches!(pool.submit(|_| 3), Err(HashError::Overloaded)));
        drop(release);
        for (result, expected) in queued.into_iter().zip([1, 2]) {
            assert_eq!(result.await, Ok(expected));
        }
        assert_eq!(pool.run(|_| 4).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_job_that_nobody_waits_for_is_skipped() {
        let (pool, release) = blocked(2);
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        drop(pool.submit(move |_| flag.store(true, Ordering::SeqCst)).unwrap());
        let after = pool.submit(|_| ()).unwrap();
        drop(release);
        after.await.unwrap();
        assert!(!done.load(Ordering::SeqCst));
    }
}
