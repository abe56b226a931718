use crate::client_network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tertulia_domain::{LoginName, Timestamp};

/// How many wrong passwords somebody may try before they have to wait.
#[derive(Debug, Clone, Copy)]
pub struct ThrottlePolicy {
    /// False lets everybody try as often as they like.
    pub enabled: bool,
    /// Failures in a row for one account from one address before the first wait.
    pub free: u32,
    /// The same for an address on loopback, where tests and benchmarks run.
    pub free_on_loopback: u32,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for ThrottlePolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            free: 5,
            free_on_loopback: 100,
            longest: Duration::from_mins(15),
        }
    }
}

/// Makes guessing a password slow without letting a stranger lock its owner out: failures are counted for an account
/// *and* an address together, so whoever guesses from elsewhere delays only themselves.
///
/// An attempt counts from its beginning, so that many at once gain nothing; a success clears the count. Kept in the memory
/// of each process.
pub(super) struct LogInThrottle {
    policy: ThrottlePolicy,
    attempts: Mutex<HashMap<(LoginName, IpAddr), Attempts>>,
}

#[derive(Clone, Copy)]
struct Attempts {
    count: u32,
    /// Nothing is tried before that.
    wait_until: Timestamp,
    /// After that the count starts anew.
    forget_at: Timestamp,
}

/// How many accounts and addresses are remembered at the most.
const MAX_ENTRIES: usize = 100_000;

impl LogInThrottle {
    pub(super) fn new(policy: ThrottlePolicy) -> Self {
        Self {
            policy,
            attempts: Mutex::default(),
        }
    }

    /// Counts an attempt; `Err` holds how long to wait before the next one.
    pub(super) fn begin(&self, login: &LoginName, ip: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        let Some(ip) = ip.map(client_network).filter(|_| self.policy.enabled) else {
            return Ok(());
        };
        let free = if ip.is_loopback() {
            self.policy.free_on_loopback
        } else {
            self.policy.free
        };
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= MAX_ENTRIES {
            attempts.retain(|_, entry| entry.forget_at > now);
            if attempts.len() >= MAX_ENTRIES {
                // Somebody tries a great many names: forgetting all of them costs less than memory without bound.
                attempts.clear();
            }
        }
        let entry = attempts
            .entry((login.clone(), ip))
            .and_modify(|entry| {
                if entry.forget_at <= now {
                    entry.count = 0;
                }
            })
            .or_insert(Attempts {
                count: 0,
                wait_until: now,
                forget_at: now,
            });
        if entry.count > 0 && entry.wait_until > now {
            return Err(entry.wait_until.since(now));
        }
        entry.count += 1;
        let doublings = entry.count.checked_sub(free);
        let wait = doublings.map_or(Duration::ZERO, |n| {
            Duration::from_secs(1).saturating_mul(1 << n.min(20))
        });
        let wait = wait.min(self.policy.longest);
        entry.wait_until = now.plus(wait);
        entry.forget_at = now.plus(self.policy.longest.saturating_mul(2));
        Ok(())
    }

    /// The password was right: whoever is at that address knows it.
    pub(super) fn succeeded(&self, login: &LoginName, ip: Option<IpAddr>) {
        if let Some(ip) = ip.map(client_network) {
            self.attempts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&(login.clone(), ip));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str) -> LoginName {
        LoginName::parse(name).unwrap()
    }

    fn tries(throttle: &LogInThrottle, name: &str, ip: &str, at: i64, n: u32) -> u32 {
        let ip = Some(ip.parse().unwrap());
        let attempt = |_: &u32| throttle.begin(&login(name), ip, Timestamp::from_millis(at)).is_ok();
        u32::try_from((0..n).filter(attempt).count()).unwrap()
    }

    #[test]
    fn a_thousand_guesses_become_a_few() {
        let throttle = LogInThrottle::new(ThrottlePolicy::default());
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 0, 1_000), 5);
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 999, 1_000), 0);
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 1_000, 1_000), 1);
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 2_999, 1_000), 0);
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 3_000, 1_000), 1);
    }

    #[test]
    fn strangers_delay_only_themselves() {
        let throttle = LogInThrottle::new(ThrottlePolicy::default());
        tries(&throttle, "ana", "192.0.2.1", 0, 1_000);
        assert_eq!(tries(&throttle, "ana", "192.0.2.2", 0, 1), 1);
        assert_eq!(tries(&throttle, "ben", "192.0.2.1", 0, 1), 1);
        tries(&throttle, "ana", "2001:db8::1", 0, 1_000);
        assert_eq!(tries(&throttle, "ana", "2001:db8::2", 0, 1), 0);
        assert_eq!(tries(&throttle, "ana", "2001:db8:0:1::2", 0, 1), 1);
    }

    #[test]
    fn loopback_is_given_more() {
        let throttle = LogInThrottle::new(ThrottlePolicy::default());
        assert_eq!(tries(&throttle, "ana", "127.0.0.1", 0, 1_000), 100);
        assert_eq!(tries(&throttle, "ana", "::1", 0, 1_000), 100);
    }

    #[test]
    fn time_and_success_clear_the_count() {
        let throttle = LogInThrottle::new(ThrottlePolicy::default());
        tries(&throttle, "ana", "192.0.2.1", 0, 6);
        throttle.succeeded(&login("ana"), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 0, 1_000), 5);
        assert_eq!(tries(&throttle, "ana", "192.0.2.1", 30 * 60 * 1_000, 1_000), 5);
        let off = LogInThrottle::new(ThrottlePolicy {
            enabled: false,
            ..ThrottlePolicy::default()
        });
        assert_eq!(tries(&off, "ana", "192.0.2.1", 0, 1_000), 1_000);
    }
}
