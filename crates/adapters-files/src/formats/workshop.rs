use super::thumbnail;
use bytes::Bytes;
use std::io;
use std::panic::catch_unwind;
use std::thread;
use tertulia_application::ports::ThumbnailError;
use tokio::sync::{mpsc, oneshot};

/// The one thread on which images are decoded, one at a time.
#[derive(Debug)]
pub(super) struct Workshop {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    image: Bytes,
    longest: u32,
    done: oneshot::Sender<Result<Bytes, ThumbnailError>>,
}

impl Workshop {
    /// Starts the thread. It ends when this is dropped and nothing is left to do.
    pub(super) fn open() -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(1);
        thread::Builder::new().name("thumbnails".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job.work();
            }
        })?;
        Ok(Self { jobs })
    }

    pub(super) async fn thumbnail(&self, image: Bytes, longest: u32) -> Result<Bytes, ThumbnailError> {
        let (done, thumbnail) = oneshot::channel();
        let job = Job { image, longest, done };
        let gone = || ThumbnailError("the thread for thumbnails has ended".to_owned());
        self.jobs.send(job).await.map_err(|_| gone())?;
        thumbnail.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Job {
    fn work(self) {
        let Self { image, longest, done } = self;
        if done.is_closed() {
            return;
        }
        // A decoder that a malicious image brings down must not take the thread along.
        let made = catch_unwind(|| thumbnail::make(&image, longest));
        let made = made.unwrap_or_else(|_| Err(ThumbnailError("the decoder panicked".to_owned())));
        drop(image);
        // Nobody waits any more: then nobody needs it.
        drop(done.send(made.map(Bytes::from)));
    }
}
