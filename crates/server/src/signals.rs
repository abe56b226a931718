//! Being told to stop.

use std::io;
use tokio::sync::watch;

/// Counts the signals that ask the process to stop: SIGTERM and SIGINT, or Ctrl-C where there are none.
pub(crate) struct Signals(watch::Receiver<u32>);

impl Signals {
    /// From now on these signals no longer end the process.
    pub(crate) fn listen() -> io::Result<Self> {
        let (count, counted) = watch::channel(0);
        let mut source = Source::listen()?;
        tokio::spawn(async move {
            loop {
                source.next().await;
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(counted))
    }

    /// Waits until the process has been told to stop.
    pub(crate) async fn first(&self) {
        self.nth(1).await;
    }

    /// Waits until it has been told a second time.
    pub(crate) async fn second(&self) {
        self.nth(2).await;
    }

    async fn nth(&self, number: u32) {
        let mut counted = self.0.clone();
        if counted.wait_for(|count| *count >= number).await.is_err() {
            // Nobody counts any more: the runtime is being shut down.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Source {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
