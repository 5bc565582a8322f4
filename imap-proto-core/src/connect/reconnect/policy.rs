use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::error::Error;

/// How often, and for how long, a connection is opened again.
///
/// | | unless set |
/// | --- | --- |
/// | the first attempt | at once |
/// | the pause before the second | 1 s: [`first_pause`](Self::first_pause) |
/// | each further pause | twice the one before, up to 60 s: [`longest_pause`](Self::longest_pause) |
/// | added to each | up to as much again, by chance: [`without_jitter`](Self::without_jitter) |
/// | at most | 10 attempts and 15 minutes: [`attempts`](Self::attempts), [`give_up_after`](Self::give_up_after) |
///
/// A server that says how long it wants to be left alone ([`Refused::backoff`](crate::Refused::backoff)) is left alone that long.
///
/// What is tried again is what may pass: a server that is not reached, does not answer in time, says BYE, goes away without a word,
/// or cannot say whether the login is right ([`LoginRefusal::Unavailable`](crate::LoginRefusal::Unavailable)). Nothing else is:
/// refused credentials, which would lock the account; no way to log in; a certificate that is not trusted; no access token,
/// unless the provider gives an `std::io::Error` of the network as its reason; a server that breaks the protocol.
#[derive(Clone, Debug)]
pub struct ReconnectPolicy {
    first_pause: Duration,
    longest_pause: Duration,
    has_jitter: bool,
    attempts: u32,
    give_up_after: Duration,
    steady_after: Duration,
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        ReconnectPolicy {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            has_jitter: true,
            attempts: 10,
            give_up_after: Duration::from_secs(15 * 60),
            steady_after: Duration::from_secs(60),
        }
    }
}

impl ReconnectPolicy {
    /// The pause before the second attempt.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// What the pauses grow to.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// Pauses are what is said, to the millisecond. Thousands of clients then come back to a server at the same moment.
    #[must_use]
    pub fn without_jitter(mut self) -> Self {
        self.has_jitter = false;
        self
    }

    /// How many attempts there are, the first included; one at least.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// No attempt begins after so long a time. One that has begun is waited for: it has the connector's times.
    #[must_use]
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = time;
        self
    }

    /// How long a connection has to last to count as a success, 60 seconds unless set: attempts and pauses are counted anew
    /// after it. One that is lost sooner is as an attempt that failed, so that a server that takes logins and hangs up is not
    /// run into without a pause.
    #[must_use]
    pub fn steady_after(mut self, time: Duration) -> Self {
        self.steady_after = time;
        self
    }

    pub(super) fn most_attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) fn time_to_give_up(&self) -> Duration {
        self.give_up_after
    }

    pub(super) fn time_to_be_steady(&self) -> Duration {
        self.steady_after
    }

    pub(super) fn pauses(&self) -> Pauses {
        let mut exponential = ExponentialBuilder::new()
            .with_min_delay(self.first_pause.min(self.longest_pause))
            .with_max_delay(self.longest_pause)
            .with_max_times(usize::try_from(self.attempts - 1).unwrap_or(usize::MAX));
        if self.has_jitter {
            exponential = exponential.with_jitter();
        }
        Pauses { pauses: exponential.build(), attempt: 1 }
    }
}

/// The pauses between the attempts that there are.
#[derive(Debug)]
pub(super) struct Pauses {
    pauses: ExponentialBackoff,
    /// The number of the attempt before the next pause.
    attempt: u32,
}

impl Pauses {
    /// The number of the next attempt and the pause before it, after one that failed so; `None` after the last.
    pub(super) fn next(&mut self, failure: &Error) -> Option<(u32, Duration)> {
        let pause = self.pauses.next()?;
        self.attempt += 1;
        let asked_for = match failure {
            Error::Refused(refused) => refused.backoff(),
            _ => None,
        };
        Some((self.attempt, pause.max(asked_for.unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec::Vec;

    use super::*;
    use crate::error::{Closed, Refused};
    use crate::wire::Condition;

    const LOST: Error = Error::Closed(Closed::EndOfStream);

    fn seconds(policy: &ReconnectPolicy) -> Vec<f64> {
        let mut pauses = policy.pauses();
        std::iter::from_fn(|| pauses.next(&LOST)).map(|(_, pause)| pause.as_secs_f64()).collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        let policy = ReconnectPolicy::default().without_jitter();
        for (policy, expected) in [
            (policy.clone(), &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0][..]),
            (policy.clone().attempts(4).first_pause(Duration::from_millis(250)), &[0.25, 0.5, 1.0]),
            (policy.clone().attempts(4).longest_pause(Duration::from_millis(500)), &[0.5, 0.5, 0.5]),
            (policy.clone().attempts(1), &[]),
            (policy.clone().attempts(0), &[]),
        ] {
            assert_eq!(seconds(&policy), expected, "{policy:?}");
        }
        let mut pauses = policy.attempts(3).pauses();
        let numbers: Vec<u32> = std::iter::from_fn(|| pauses.next(&LOST)).map(|(attempt, _)| attempt).collect();
        assert_eq!(numbers, [2, 3]);
    }

    #[test]
    fn chance_adds_up_to_as_much_again_and_is_never_the_same() {
        let policy = ReconnectPolicy::default();
        let (one, other) = (seconds(&policy), seconds(&policy));
        for (pause, least) in one.iter().zip(seconds(&policy.clone().without_jitter())) {
            assert!(*pause >= least && *pause <= 2.0 * least, "{pause} for {least}");
        }
        assert_ne!(one, other);
    }

    #[test]
    fn a_server_is_left_alone_for_as_long_as_it_says() {
        let refused = |text| {
            let (command, text) = ("LOGIN".into(), String::from(text));
            let refused = Refused { command, condition: Condition::No, code: None, text, reason: None };
            Error::Refused(refused.into())
        };
        let mut pauses = ReconnectPolicy::default().without_jitter().pauses();
        let busy = refused("Server Busy. Suggested Backoff Time: 4500 milliseconds");
        assert_eq!(pauses.next(&busy), Some((2, Duration::from_millis(4500))));
        assert_eq!(pauses.next(&refused("not now")), Some((3, Duration::from_secs(2))));
        assert_eq!(pauses.next(&refused("Suggested Backoff Time: 1 milliseconds")), Some((4, Duration::from_secs(4))));
    }
}
