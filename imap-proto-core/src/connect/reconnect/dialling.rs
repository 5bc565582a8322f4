use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use super::event::{ReconnectEvent, Resumed};
use super::mailbox::Kept;
use super::policy::Pauses;
use super::shared::{Plan, Selection, Shared, Start, Up};
use super::verdict::may_pass;
use crate::client::{Client, Driver};
use crate::command::Select;
use crate::connect::{Runtime, Spawn};
use crate::error::{Closed, Error};

/// One round of attempts: a task of its own, so that it goes on whoever waits for it is dropped. It ends when all handles are.
pub(super) struct Dialling<R: Spawn> {
    plan: Arc<Plan<R>>,
    shared: Weak<Shared<R>>,
    round: u64,
    is_told: bool,
}

/// A connection with what was selected on it.
type Opened = (Up, Option<Selection>);

impl<R: Spawn> Dialling<R> {
    /// Begins a round in the background.
    pub(super) fn begin(shared: &Arc<Shared<R>>, start: Start) {
        let plan = shared.plan.clone();
        let dialling =
            Dialling { plan: plan.clone(), shared: Arc::downgrade(shared), round: start.round, is_told: false };
        plan.connector.runtime.spawn(dialling.run(start));
    }

    async fn run(mut self, start: Start) {
        let plan = self.plan.clone();
        let Start { mut pauses, lost, .. } = start;
        let opened = {
            let mut opening = pin!(self.open(&mut pauses, lost));
            poll_fn(|cx| match plan.stop.is_set_or_wakes(cx) {
                true => Poll::Ready(None),
                false => opening.as_mut().poll(cx).map(Some),
            })
            .await
        };
        self.is_told = true;
        let (Some(opened), Some(shared)) = (opened, self.shared.upgrade()) else { return };
        match opened {
            Ok((up, selected)) => {
                let kept = up.clone();
                if !shared.with(|state| state.up(up, pauses, selected)) {
                    kept.client.close();
                }
            }
            Err(cause) => shared.gave_up(self.round, cause),
        }
    }

    /// Tries until there is a connection, or no sense in trying on.
    async fn open(&self, pauses: &mut Pauses, lost: Option<Error>) -> Result<Opened, Error> {
        let (runtime, mut failure) = (&self.plan.connector.runtime, lost);
        let mut end = pin!(runtime.sleep(self.plan.policy.time_to_give_up()));
        loop {
            if let Some(cause) = failure.take() {
                let Some((attempt, after)) = pauses.next(&cause) else { return Err(cause) };
                self.tell(ReconnectEvent::Retrying { attempt, after, cause: cause.clone() });
                if !is_over_before(runtime, after, end.as_mut()).await {
                    return Err(cause);
                }
            }
            match self.attempt().await {
                Err(error) if may_pass(&error) => failure = Some(error),
                done => return done,
            }
        }
    }

    async fn attempt(&self) -> Result<Opened, Error> {
        let connector = &self.plan.connector;
        let around = connector.around();
        let (client, driver) = around.clone().run(connector.dial_and_compress()).await?;
        let Some(shared) = self.shared.upgrade() else { return Err(Error::Closed(Closed::ByOwner)) };
        let (number, wanted) = shared.with(|state| (state.number(), state.wanted()));
        let end = End { shared: self.shared.clone(), number, cause: Error::Closed(Closed::DriverGone) };
        drop(shared);
        connector.runtime.spawn(around.run(drive(self.plan.clone(), driver, end)));
        let selected = match wanted {
            Some(kept) => Some(select_again(number, &client, &kept).await?),
            None => None,
        };
        Ok((Up { number, client }, selected))
    }

    fn tell(&self, event: ReconnectEvent) {
        if let Some(shared) = self.shared.upgrade() {
            shared.with(|state| state.tell(|| event));
        }
    }
}

impl<R: Spawn> Drop for Dialling<R> {
    /// Where the runtime drops the task nobody waits for it in vain.
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade().filter(|_| !self.is_told) {
            shared.gave_up(self.round, Error::Closed(Closed::DriverGone));
        }
    }
}

/// Waits, but not beyond the end: whether the pause was over before it.
async fn is_over_before<R: Runtime>(runtime: &R, pause: Duration, mut end: Pin<&mut impl Future<Output = ()>>) -> bool {
    let mut pause = pin!(runtime.sleep(pause));
    // An end that is over is not polled again: nothing is tried any more.
    poll_fn(|cx| match end.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(false),
        Poll::Pending => pause.as_mut().poll(cx).map(|()| true),
    })
    .await
}

async fn select_again(connection: u64, client: &Client, kept: &Kept) -> Result<Selection, Error> {
    match client.select_with(Select::new(&kept.name, kept.access)).await {
        Ok(mailbox) => {
            let resumed = match kept.compare(connection, &mailbox) {
                Ok(()) => Resumed::Same { mailbox: kept.name.clone() },
                Err(change) => Resumed::Changed(change),
            };
            Ok((resumed, Some((kept.access, mailbox))))
        }
        Err(Error::Refused(refused)) if !refused.is_not_connected() => {
            Ok((Resumed::Refused { mailbox: kept.name.clone(), refused }, None))
        }
        Err(error) => Err(error),
    }
}

/// Says what ended a connection, when it is dropped.
struct End<R> {
    shared: Weak<Shared<R>>,
    number: u64,
    cause: Error,
}

impl<R> Drop for End<R> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.lost(self.number, self.cause.clone());
        }
    }
}

/// Drives a connection to its end, and notes when it has lasted.
async fn drive<R: Runtime>(plan: Arc<Plan<R>>, mut driver: std::boxed::Box<Driver<R::Wire>>, mut end: End<R>) {
    let mut lasting = pin!(plan.connector.runtime.sleep(plan.policy.time_to_be_steady()));
    let mut is_steady = false;
    end.cause = poll_fn(|cx| {
        if !is_steady && lasting.as_mut().poll(cx).is_ready() {
            is_steady = true;
            if let Some(shared) = end.shared.upgrade() {
                shared.with(|state| state.steady(end.number));
            }
        }
        Pin::new(&mut driver).poll(cx)
    })
    .await;
}
