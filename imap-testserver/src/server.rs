use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use imap_proto_core::types::{Date, DateTime};

use crate::mailbox::MailboxHandle;
use crate::options::{Channel, Options};
use crate::script::Script;
use crate::session::Session;
use crate::store::Account;

/// What all sessions of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) script: Mutex<Script>,
    users: Mutex<BTreeMap<String, User>>,
    first_user: String,
    sessions: AtomicU64,
    #[cfg(feature = "tokio")]
    pub(crate) tls: crate::tokio_face::Identity,
}

#[derive(Clone, Debug, Default)]
struct User {
    password: Vec<u8>,
    account: Arc<Account>,
}

impl Shared {
    pub(crate) fn new(options: Options, script: Script, users: Vec<(String, String)>) -> Self {
        let first_user = users.first().map(|(name, _)| name.clone()).unwrap_or_default();
        let user = |password: String| User { password: password.into_bytes(), account: Arc::default() };
        let users = users.into_iter().map(|(name, password)| (name, user(password))).collect();
        Shared {
            options,
            script: Mutex::new(script),
            users: Mutex::new(users),
            first_user,
            sessions: AtomicU64::new(0),
            #[cfg(feature = "tokio")]
            tls: crate::tokio_face::Identity::default(),
        }
    }

    /// The number of a session that begins.
    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// The account of a user, made when there is none.
    pub(crate) fn account(&self, name: &str) -> Arc<Account> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.entry(name.to_owned()).or_default().account.clone()
    }

    /// The password of a user who has one.
    pub(crate) fn password(&self, name: &str) -> Option<Vec<u8>> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.get(name).map(|user| user.password.clone()).filter(|password| !password.is_empty())
    }

    pub(crate) fn log_in(&self, name: &[u8], password: &[u8]) -> Option<Arc<Account>> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let user = users.get(std::str::from_utf8(name).ok()?)?;
        // A user that only PREAUTH knows has no password to be guessed.
        (user.password == password && !password.is_empty()).then(|| user.account.clone())
    }
}

/// An IMAP server in memory.
///
/// Cheap to clone; all clones are the same server. Nothing is kept anywhere else: what was stored is gone with the last
/// clone and the last session. See the [crate's page](crate) for an example.
#[derive(Clone, Debug)]
pub struct TestServer {
    pub(crate) shared: Arc<Shared>,
}

impl TestServer {
    /// Begins a server: [`Builder`](crate::Builder).
    pub fn builder() -> crate::Builder {
        crate::Builder::default()
    }

    /// Returns a server with the user `alice`, whose password is `secret`, and her empty INBOX.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Begins a session, for whoever moves the bytes themselves.
    pub fn session(&self, channel: Channel) -> Session {
        Session::new(self.shared.clone(), channel)
    }

    /// Returns a mailbox of the first user, made when there is none of this name.
    ///
    /// # Panics
    /// When the name is empty or holds NUL, CR or LF.
    pub fn mailbox(&self, name: &str) -> MailboxHandle {
        self.mailbox_of(&self.shared.first_user, name)
    }

    /// Returns a mailbox of a user, made when there is none of this name.
    ///
    /// # Panics
    /// When the name is empty or holds NUL, CR or LF.
    pub fn mailbox_of(&self, user: &str, name: &str) -> MailboxHandle {
        MailboxHandle::new(self.shared.account(user), name)
    }

    /// Replaces the script of misbehaviour, for the sessions under way too.
    pub fn misbehave(&self, script: Script) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// How many faults of the script are left, those counted that hold on.
    pub fn faults_left(&self) -> usize {
        self.shared.script.lock().unwrap_or_else(PoisonError::into_inner).faults().count()
    }
}

/// The moment as the system has it, in UTC.
pub(crate) fn now() -> DateTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(seconds).ok().and_then(DateTime::from_unix_timestamp);
    now.unwrap_or(EPOCH)
}

const EPOCH: DateTime = match Date::new(1970, 1, 1) {
    Some(day) => match DateTime::new(day, 0, 0, 0, 0) {
        Some(epoch) => epoch,
        None => panic!("midnight is a time"),
    },
    None => panic!("the epoch is a day"),
};
