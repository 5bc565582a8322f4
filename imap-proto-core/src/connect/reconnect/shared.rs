use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Waker};
use std::vec::Vec;

use super::event::{Listener, ReconnectEvent, Resumed};
use super::mailbox::Kept;
use super::policy::{Pauses, ReconnectPolicy};
use super::verdict::would_lock_the_account;
use crate::client::{Client, Mailbox, Stop};
use crate::command::Access;
use crate::connect::Connector;
use crate::error::{Closed, Error};
use crate::types::MailboxName;

/// What does not change, and the sign for the task that dials to stop.
#[derive(Debug)]
pub(super) struct Plan<R> {
    pub(super) connector: Connector<R>,
    pub(super) policy: ReconnectPolicy,
    pub(super) stop: Stop,
}

/// What all handles share. Tasks hold it weakly: it goes with the last handle, and the task that dials with it.
///
/// The lock is held for a few assignments, never over an await, and nobody is woken and nothing dropped below it.
pub(super) struct Shared<R> {
    pub(super) plan: Arc<Plan<R>>,
    state: Mutex<State>,
}

/// ```text
///            asked for               opened
///  Down ───────────────► Dialling ───────────► Up ──► Ending ──► Down
///    ▲                       │                  │   (known to be lost,
///    └───────────────────────┘                  │    not yet what ended it)
///          given up                             └──────────────► Down
/// ```
#[derive(Default)]
enum Link {
    #[default]
    Down,
    Dialling,
    Up(Up),
    Ending(Up),
}

/// A live connection.
#[derive(Clone)]
pub(super) struct Up {
    /// Its number among those of the session.
    pub(super) number: u64,
    pub(super) client: Client,
}

/// The mailbox that was selected through the session, last on that connection.
struct Current {
    connection: u64,
    access: Access,
    mailbox: Mailbox,
}

/// What a new round of attempts begins with.
pub(super) struct Start {
    pub(super) round: u64,
    pub(super) pauses: Pauses,
    /// What ended a connection that did not last: then a pause comes first.
    pub(super) lost: Option<Error>,
}

#[derive(Default)]
pub(super) struct State {
    link: Link,
    /// How many rounds of attempts have begun, and how many connections.
    round: u64,
    connections: u64,
    has_been_up: bool,
    /// What the last round that failed ended with.
    failed: Option<(u64, Error)>,
    /// Why nothing is tried any more.
    over: Option<Error>,
    /// Those of a connection that has not lasted yet.
    pauses: Option<Pauses>,
    lost: Option<Error>,
    /// The last connection that has lasted: it may before it is given out, while a mailbox is selected.
    lasted: u64,
    /// A connection that ended before it was given out.
    stillborn: Option<(u64, Error)>,
    wanted: Weak<Kept>,
    current: Option<Current>,
    waiting: Wakers,
    is_turn_taken: bool,
    turns: Wakers,
    listeners: Vec<Arc<Listener>>,
    woken: Vec<Waker>,
}

/// What became of the mailbox on a new connection, and what is selected now.
pub(super) type Selection = (Resumed, Option<(Access, Mailbox)>);

/// What asking for the connection comes to.
pub(super) enum Asked {
    Up(Up),
    Failed(Error),
    Wait,
    /// Wait, and see to the attempts.
    Begin(Start),
}

/// What is to be dropped when the lock is given back.
type Remains = (Link, Option<Current>);

impl<R> Shared<R> {
    pub(super) fn new(connector: Connector<R>, policy: ReconnectPolicy) -> Self {
        let plan = Arc::new(Plan { connector, policy, stop: Stop::new() });
        Shared { plan, state: Mutex::default() }
    }

    /// Changes the state, then wakes whoever is to know.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = change(&mut state);
        let woken = std::mem::take(&mut state.woken);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        done
    }

    /// Asks for the connection. `joined` is the round whose end the caller waits for, if any.
    pub(super) fn ask(&self, joined: &mut Option<u64>, id: &mut Option<u64>, cx: &Context<'_>) -> Asked {
        self.with(|state| {
            if let Some(error) = &state.over {
                return Asked::Failed(error.clone());
            }
            if let Some((round, error)) = &state.failed
                && joined.is_some_and(|joined| joined <= *round)
                && !matches!(state.link, Link::Up(_))
            {
                return Asked::Failed(error.clone());
            }
            let asked = match &state.link {
                Link::Up(up) => return Asked::Up(up.clone()),
                Link::Dialling | Link::Ending(_) => Asked::Wait,
                Link::Down => Asked::Begin(state.begin(&self.plan.policy)),
            };
            if matches!(state.link, Link::Dialling) {
                joined.get_or_insert(state.round);
            }
            state.waiting.register(id, cx);
            asked
        })
    }

    /// Ends everything: no further connection is opened. Returns the one there was.
    pub(super) fn end(&self) -> Option<Client> {
        let (link, _) = self.with(|state| {
            state.over.get_or_insert(Error::Closed(Closed::LoggedOut));
            state.end_listeners();
            state.wake_waiting();
            state.take_down()
        });
        self.plan.stop.set();
        match link {
            Link::Up(up) => Some(up.client),
            _ => None,
        }
    }

    /// A connection has ended.
    pub(super) fn lost(&self, number: u64, cause: Error) {
        let _: Option<Remains> = self.with(|state| state.lost(number, cause));
    }

    /// A round has failed.
    pub(super) fn gave_up(&self, round: u64, cause: Error) {
        self.with(|state| {
            if state.over.is_some() {
                return;
            }
            state.link = Link::Down;
            state.pauses = None;
            state.failed = Some((round, cause.clone()));
            if would_lock_the_account(&cause) {
                state.over = Some(cause.clone());
            }
            state.tell(|| ReconnectEvent::GaveUp { cause });
            state.wake_waiting();
        });
    }
}

impl<R> Drop for Shared<R> {
    fn drop(&mut self) {
        self.plan.stop.set();
        self.with(State::end_listeners);
    }
}

impl State {
    fn begin(&mut self, policy: &ReconnectPolicy) -> Start {
        self.link = Link::Dialling;
        self.round += 1;
        let lost = self.lost.take();
        let pauses = self.pauses.take();
        Start { round: self.round, pauses: pauses.unwrap_or_else(|| policy.pauses()), lost }
    }

    /// The number of a connection that was opened.
    pub(super) fn number(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    /// There is a connection, with what was selected on it.
    pub(super) fn up(&mut self, up: Up, pauses: Pauses, selected: Option<Selection>) -> bool {
        if self.over.is_some() {
            return false;
        }
        let (resumed, mailbox) = selected.unzip();
        self.pauses = (self.lasted != up.number).then_some(pauses);
        self.current = mailbox.flatten().map(|(access, mailbox)| Current { connection: up.number, access, mailbox });
        let is_first = !std::mem::replace(&mut self.has_been_up, true);
        self.tell(|| match is_first {
            true => ReconnectEvent::Connected,
            false => ReconnectEvent::Reconnected { mailbox: resumed },
        });
        let number = up.number;
        self.link = Link::Up(up);
        if let Some((_, cause)) = self.stillborn.take_if(|(stillborn, _)| *stillborn == number) {
            // Nobody has it yet but the caller, who drops it.
            let _ = self.lost(number, cause);
        }
        self.wake_waiting();
        true
    }

    fn lost(&mut self, number: u64, cause: Error) -> Option<Remains> {
        let is_this = |link: &Link| matches!(link, Link::Up(up) | Link::Ending(up) if up.number == number);
        if self.over.is_some() {
            return None;
        }
        if !is_this(&self.link) {
            // That of an attempt before may end later.
            if self.stillborn.as_ref().is_none_or(|(known, _)| *known < number) {
                self.stillborn = Some((number, cause));
            }
            return None;
        }
        if matches!(cause, Error::Closed(Closed::ByOwner | Closed::LoggedOut)) {
            self.pauses = None;
        }
        // It lasted, or its end was wished for, where there are none.
        self.lost = self.pauses.is_some().then(|| cause.clone());
        self.tell(|| ReconnectEvent::Lost { cause });
        self.wake_waiting();
        Some(self.take_down())
    }

    /// A connection has lasted.
    pub(super) fn steady(&mut self, number: u64) {
        self.lasted = number;
        if matches!(&self.link, Link::Up(up) if up.number == number) {
            self.pauses = None;
        }
    }

    /// It is known to be lost, though not yet what ended it.
    pub(super) fn is_ending(&mut self, number: u64) {
        self.link = match std::mem::take(&mut self.link) {
            Link::Up(up) if up.number == number => Link::Ending(up),
            link => link,
        };
    }

    fn take_down(&mut self) -> Remains {
        (std::mem::take(&mut self.link), self.current.take())
    }

    /// Whatever was refused for good may be tried again.
    pub(super) fn forgive(&mut self) {
        if !matches!(self.over, Some(Error::Closed(_))) {
            self.over = None;
        }
    }

    /// The mailbox of that name, where it was the last that was selected on that connection.
    pub(super) fn current(&self, up: &Up, name: &MailboxName, access: Access) -> Option<Mailbox> {
        let current = self.current.as_ref()?;
        let is_it = current.connection == up.number && current.access == access && current.mailbox.name() == name;
        is_it.then(|| current.mailbox.clone())
    }

    /// Returns what was before.
    #[must_use = "it is dropped without the lock"]
    pub(super) fn select(&mut self, up: &Up, access: Access, mailbox: &Mailbox) -> Option<impl Sized + use<>> {
        let current = Current { connection: up.number, access, mailbox: mailbox.clone() };
        self.current.replace(current)
    }

    /// What is to be selected on the next connection.
    pub(super) fn want(&mut self, kept: &Arc<Kept>) {
        self.wanted = Arc::downgrade(kept);
    }

    pub(super) fn wanted(&self) -> Option<Arc<Kept>> {
        self.wanted.upgrade()
    }

    pub(super) fn forget_waiting(&mut self, id: u64) {
        self.waiting.remove(id);
    }

    /// Where it is not to be had, the caller is woken when it is, and when the connection is lost meanwhile: `asking` is its number
    /// among those who wait for that.
    pub(super) fn take_turn(&mut self, id: &mut Option<u64>, asking: &mut Option<u64>, cx: &Context<'_>) -> bool {
        if self.is_turn_taken {
            self.turns.register(id, cx);
            self.waiting.register(asking, cx);
            return false;
        }
        self.is_turn_taken = true;
        true
    }

    /// Gives a turn back, where it was had, or the waiting for one up.
    pub(super) fn give_turn(&mut self, had: bool, id: Option<u64>) {
        if let Some(id) = id {
            self.turns.remove(id);
        }
        if had {
            self.is_turn_taken = false;
            self.woken.extend(self.turns.take());
        }
    }

    pub(super) fn listen(&mut self) -> Arc<Listener> {
        let listener = Arc::new(Listener::default());
        if matches!(self.over, Some(Error::Closed(_))) {
            listener.end();
        } else {
            self.listeners.push(listener.clone());
        }
        listener
    }

    pub(super) fn tell(&mut self, make: impl FnOnce() -> ReconnectEvent) {
        self.listeners.retain(|listener| Arc::strong_count(listener) > 1);
        if self.listeners.is_empty() {
            return;
        }
        let event = make();
        self.woken.extend(self.listeners.iter().filter_map(|listener| listener.tell(event.clone())));
    }

    fn end_listeners(&mut self) {
        self.woken.extend(self.listeners.drain(..).filter_map(|listener| listener.end()));
    }

    fn wake_waiting(&mut self) {
        self.woken.extend(self.waiting.take());
    }
}

/// Tasks that wait for the same. One that is gone has taken its waker with it.
#[derive(Default)]
struct Wakers {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Wakers {
    fn register(&mut self, id: &mut Option<u64>, cx: &Context<'_>) {
        let id = *id.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.wakers.insert(id, cx.waker().clone());
    }

    fn remove(&mut self, id: u64) {
        self.wakers.remove(&id);
    }

    fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_ends_before_it_is_given_out_is_not_forgotten_for_one_before_it() {
        let mut state = State::default();
        let (first, second) = (state.number(), state.number());
        for number in [second, first] {
            assert!(state.lost(number, Error::Closed(Closed::EndOfStream)).is_none());
        }
        assert!(matches!(state.stillborn, Some((number, _)) if number == second));
    }
}
