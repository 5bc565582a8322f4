use std::sync::Arc;

use imap_proto_core::types::{Capability, SpecialUse};

use crate::options::{Greeting, Options};
use crate::realistic;
use crate::script::Script;
use crate::server::{Shared, TestServer};

/// The user of a server for which none was named, and the password.
const DEFAULT_USER: (&str, &str) = ("alice", "secret");

/// Says how a [`TestServer`] is to be, then starts it.
#[derive(Clone, Debug, Default)]
#[must_use = "a server is there once `start` was called"]
pub struct Builder {
    users: Vec<(String, String)>,
    mailboxes: Vec<(String, Option<SpecialUse>)>,
    options: Options,
    script: Script,
    is_realistic: bool,
}

impl Builder {
    /// Adds a user with an empty INBOX. The first one is whose mailboxes [`TestServer::mailbox`] gives. Without any there is
    /// `alice`, whose password is `secret`.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.push((name.into(), password.into()));
        self
    }

    /// Adds a mailbox of the first user, subscribed to.
    ///
    /// # Panics
    /// [`start`](Self::start) does, when the name is empty or holds NUL, CR or LF.
    pub fn mailbox(mut self, name: impl Into<String>) -> Self {
        self.mailboxes.push((name.into(), None));
        self
    }

    /// Adds a mailbox of the first user that is for something, subscribed to. RFC 6154
    ///
    /// # Panics
    /// [`start`](Self::start) does, when the name is empty or holds NUL, CR or LF.
    pub fn special_mailbox(mut self, name: impl Into<String>, special_use: SpecialUse) -> Self {
        self.mailboxes.push((name.into(), Some(special_use)));
        self
    }

    /// Fills the first user's mailboxes as [`realistic::fill`] does.
    pub fn realistic(mut self) -> Self {
        self.is_realistic = true;
        self
    }

    /// Takes a capability away, and what comes with it: the server neither announces nor does it.
    pub fn without(mut self, capability: Capability) -> Self {
        self.options.capabilities = self.options.capabilities.iter().filter(|c| **c != capability).cloned().collect();
        self
    }

    /// Announces one more capability. Of those not there from the beginning the server does `LITERAL-`, `COMPRESS=DEFLATE`, and
    /// `AUTH=` with SCRAM-SHA-1, SCRAM-SHA-256 and their `-PLUS` forms; all others are announced only.
    pub fn announcing(mut self, capability: Capability) -> Self {
        self.options.capabilities.insert(capability);
        self
    }

    /// Takes no password without TLS: `LOGINDISABLED`.
    pub fn tls_required(mut self) -> Self {
        self.options.login_in_clear = false;
        self
    }

    /// Greets in another way than with `OK`.
    pub fn greeting(mut self, greeting: Greeting) -> Self {
        self.options.greeting = greeting;
        self
    }

    /// Misbehaves from the beginning.
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Returns the server. It listens nowhere yet.
    ///
    /// # Panics
    /// When the name of a mailbox is none.
    pub fn start(mut self) -> TestServer {
        if self.users.is_empty() {
            self.users.push((DEFAULT_USER.0.to_owned(), DEFAULT_USER.1.to_owned()));
        }
        let server = TestServer { shared: Arc::new(Shared::new(self.options, self.script, self.users)) };
        for (name, special_use) in self.mailboxes {
            let mailbox = server.mailbox(&name);
            mailbox.subscribe();
            if let Some(special_use) = special_use {
                mailbox.use_for(special_use);
            }
        }
        if self.is_realistic {
            realistic::fill(&server);
        }
        server
    }
}
