use super::Allowance;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tertulia_domain::UserId;

/// How much may be asked for, in each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// False limits nothing.
    pub enabled: bool,
    /// From one address: registering, logging in, refreshing, and what is done by mail.
    pub auth: Rate,
    /// From one address: everything but that and `GET /healthz`, `/readyz`, `/metrics`.
    pub address: Rate,
    /// By one account: looking at something.
    pub reads: Rate,
    /// By one account: changing something.
    pub writes: Rate,
    /// By one account: files, one by one.
    pub uploads: Rate,
}

/// So many requests in a row, of which each comes back in an equal part of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub requests: NonZeroU32,
    /// In that time; at least a nanosecond for each.
    pub per: Duration,
}

impl Rate {
    /// So many requests in that time.
    pub const fn new(requests: NonZeroU32, per: Duration) -> Self {
        Self { requests, per }
    }

    fn quota(self) -> Quota {
        let interval = (self.per / self.requests.get()).max(Duration::from_nanos(1));
        Quota::with_period(interval)
            .unwrap_or_else(|| Quota::per_second(self.requests))
            .allow_burst(self.requests)
    }
}

impl Default for RateLimits {
    /// 600 requests a minute where credentials are tried, and for everything else more than one machine can ask for.
    fn default() -> Self {
        const AUTH: NonZeroU32 = NonZeroU32::MIN.saturating_add(599);
        const PLENTY: NonZeroU32 = NonZeroU32::MIN.saturating_add(99_999);
        let plenty = Rate::new(PLENTY, Duration::from_secs(1));
        Self {
            enabled: true,
            auth: Rate::new(AUTH, Duration::from_mins(1)),
            address: plenty,
            reads: plenty,
            writes: plenty,
            uploads: plenty,
        }
    }
}

/// One limiter for each of [`RateLimits`].
pub(super) struct Limiters {
    pub(super) auth: Limiter<IpAddr>,
    pub(super) address: Limiter<IpAddr>,
    pub(super) reads: Limiter<UserId>,
    pub(super) writes: Limiter<UserId>,
    pub(super) uploads: Limiter<UserId>,
}

impl Limiters {
    pub(super) fn new(limits: &RateLimits) -> Self {
        Self {
            auth: Limiter::new(limits.auth),
            address: Limiter::new(limits.address),
            reads: Limiter::new(limits.reads),
            writes: Limiter::new(limits.writes),
            uploads: Limiter::new(limits.uploads),
        }
    }
}

/// After so many checks those who have everything left are forgotten: memory holds no more than so many and those who
/// asked for something lately.
const CHECKS_BETWEEN_SWEEPS: u32 = 65_536;

/// Counts the requests of each key.
pub(super) struct Limiter<K: Hash + Eq + Clone> {
    rate: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    burst: u32,
    interval: Duration,
    checks: AtomicU32,
    sweeping: Mutex<()>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    pub(super) fn new(rate: Rate) -> Self {
        let quota = rate.quota();
        Self {
            rate: RateLimiter::dashmap(quota).with_middleware(),
            burst: quota.burst_size().get(),
            interval: quota.replenish_interval(),
            checks: AtomicU32::new(0),
            sweeping: Mutex::default(),
        }
    }

    /// Counts a request. Either way it tells what is left; `Err` for one that is too much.
    pub(super) fn check(&self, key: &K) -> Result<Allowance, Allowance> {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        if checks % CHECKS_BETWEEN_SWEEPS == CHECKS_BETWEEN_SWEEPS - 1 {
            self.sweep();
        }
        match self.rate.check_key(key) {
            Ok(state) => Ok(self.allowance(state.remaining_burst_capacity(), Duration::ZERO)),
            Err(refused) => {
                let wait = refused.wait_time_from(self.rate.clock().now());
                Err(self.allowance(0, wait))
            }
        }
    }

    fn allowance(&self, remaining: u32, retry_after: Duration) -> Allowance {
        let missing = self.burst.saturating_sub(remaining);
        Allowance {
            limit: self.burst,
            remaining,
            reset: self.interval.saturating_mul(missing),
            retry_after,
        }
    }

    fn sweep(&self) {
        if let Ok(_alone) = self.sweeping.try_lock() {
            self.rate.retain_recent();
            self.rate.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(requests: u32, per: Duration) -> Rate {
        Rate::new(NonZeroU32::new(requests).unwrap(), per)
    }

    #[test]
    fn each_key_has_its_own() {
        let limiter = Limiter::new(rate(2, Duration::from_hours(1)));
        let first = limiter.check(&"a").unwrap();
        assert_eq!((first.limit, first.remaining), (2, 1));
        assert_eq!(first.reset, Duration::from_mins(30));
        assert_eq!(limiter.check(&"a").unwrap().remaining, 0);
        let refused = limiter.check(&"a").unwrap_err();
        assert_eq!(refused.remaining, 0);
        assert_eq!(refused.reset, Duration::from_hours(1));
        assert!(refused.retry_after > Duration::from_mins(29), "{refused:?}");
        assert!(limiter.check(&"b").is_ok());
    }

    #[test]
    fn who_has_everything_left_is_forgotten() {
        let limiter = Limiter::new(rate(1_000_000, Duration::from_millis(1)));
        for key in 0..CHECKS_BETWEEN_SWEEPS * 3 {
            limiter.check(&key).unwrap();
        }
        assert!(
            limiter.rate.len() <= CHECKS_BETWEEN_SWEEPS as usize + 1,
            "{}",
            limiter.rate.len()
        );
    }

    #[test]
    fn a_rate_beyond_all_measure_is_taken() {
        let limiter = Limiter::new(rate(u32::MAX, Duration::from_nanos(1)));
        assert!(limiter.check(&0).is_ok());
        let limits = RateLimits::default();
        assert_eq!(limits.auth.requests.get(), 600);
        assert_eq!(limits.writes.requests.get(), 100_000);
    }
}
