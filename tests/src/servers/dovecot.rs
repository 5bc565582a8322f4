//! A real Dovecot of one's own.

mod config;
mod jwt;

use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use super::rig::{Place, Recipe, Rig, Seclusion, directory};
use super::{PASSWORD, Server, USERS};

const BINARY: &str = "/usr/sbin/dovecot";

const SCRIPT: &str = r#"
{ /usr/sbin/dovecot -F -c "$0/dovecot.conf"; touch "$0/exited"; } &
cat > /dev/null
[ -e "$0/exited" ] || kill "$(cat "$0/run/master.pid")"
wait
"#;

/// A private Dovecot on free ports of 127.0.0.1, with a directory of its own below `/tmp`; dropping it stops it.
///
/// Its users are [`USERS`](Self::USERS), all with [`PASSWORD`](Self::PASSWORD) and an empty Maildir. It needs root, as
/// Dovecot drops to users of its own.
#[derive(Debug)]
pub struct Dovecot(Rig);

impl Dovecot {
    /// Everyone who can log in.
    pub const USERS: [&str; 5] = USERS;

    /// The password of all of them.
    pub const PASSWORD: &str = PASSWORD;

    /// Starts a server and waits until it takes logins.
    ///
    /// Returns `None`, and says on stderr which test is left out, when Dovecot is not installed or this is not root.
    ///
    /// # Panics
    ///
    /// When Dovecot is there but does not start, and instead of `None` when `IMAP_TESTS_REQUIRE_DOVECOT` is set.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts one that advertises these capabilities and no others. It knows the commands all the same.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_offering(capabilities: Option<&str>) -> Option<Self> {
        let settings = capabilities.map(|capabilities| format!("imap_capability = {capabilities}\n"));
        Self::start_with(&settings.unwrap_or_default())
    }

    /// Starts one that takes thousands of connections at a time, in a few processes. In these a client in IDLE hears of what
    /// others did within two seconds, not at once.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_for_many() -> Option<Self> {
        Self::start_with(config::FOR_MANY)
    }

    /// Starts one that can be logged in to in every way that Dovecot has and this project speaks: by tokens that
    /// [`token`](Self::token) makes, by the certificate of [`Server::client_pem`], and by nobody.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_for_logins() -> Option<Self> {
        Self::start_with(config::FOR_LOGINS)
    }

    /// An access token for that user, until that second of Unix time: a JWT that [`start_for_logins`](Self::start_for_logins)'s
    /// server believes. RFC 7519
    pub fn token(user: &str, until: u64) -> String {
        jwt::signed(user, until, config::TOKEN_KEY)
    }

    fn start_with(settings: &str) -> Option<Self> {
        Rig::start(&Recipe {
            name: "Dovecot",
            needs: vec![BINARY.into()],
            required_by: "IMAP_TESTS_REQUIRE_DOVECOT",
            seclusion: Seclusion::IfAllowed,
            prepare: &|place| prepare(place, settings),
            script: SCRIPT,
            log: "dovecot.log",
        })
        .map(Self)
    }

    /// Returns the Maildir of a user, whose INBOX it is.
    ///
    /// Fill it with [`fill_maildir`](crate::mailbox::fill_maildir), best before the user logs in.
    pub fn maildir(&self, user: &str) -> PathBuf {
        maildir(self.0.dir(), user)
    }
}

impl Server for Dovecot {
    fn rig(&self) -> &Rig {
        &self.0
    }
}

fn prepare(place: &Place, settings: &str) -> io::Result<()> {
    place.directories(&["run", "state", "keys", "keys/default", "keys/default/HS256"])?;
    for user in USERS {
        for part in [place.dir.join("mail"), place.dir.join("mail").join(user), maildir(&place.dir, user)] {
            directory(&part, 0o700)?;
            chown(part, Some(config::MAIL_UID), Some(config::MAIL_UID))?;
        }
    }
    config::write(place, settings)
}

fn maildir(dir: &Path, user: &str) -> PathBuf {
    dir.join("mail").join(user).join("Maildir")
}
