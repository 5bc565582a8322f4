//! A real Dovecot of one's own.

mod certificates;
mod config;

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{current, sleep};
use std::time::{Duration, Instant};

const BINARY: &str = "/usr/sbin/dovecot";

/// How long a start may take: the rig tests start and stop theirs in 3 s, but the machine may be busy with other work.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stops Dovecot and removes its directory once stdin closes, so that even a killed test leaves nothing behind.
const KEEPER: &str = r#"
trap "" INT
{ /usr/sbin/dovecot -F -c "$0/dovecot.conf"; touch "$0/exited"; } &
cat > /dev/null
[ -e "$0/exited" ] || kill "$(cat "$0/run/master.pid")"
wait
rm -rf "$0"
"#;

/// A private Dovecot on free ports of 127.0.0.1, with a directory of its own below `/tmp`; dropping it stops it.
///
/// Its users are [`USERS`](Self::USERS), all with [`PASSWORD`](Self::PASSWORD) and an empty Maildir. It needs root, as
/// Dovecot drops to users of its own.
#[derive(Debug)]
pub struct Dovecot {
    dir: PathBuf,
    plain_port: u16,
    tls_port: u16,
    ca_der: Vec<u8>,
    keeper: Child,
}

impl Dovecot {
    /// Everyone who can log in.
    pub const USERS: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

    /// The password of all of them.
    pub const PASSWORD: &str = "secret";

    /// Starts a server and waits until it takes logins.
    ///
    /// Returns `None`, and says on stderr which test is left out, when Dovecot is not installed or this is not root.
    ///
    /// # Panics
    ///
    /// When Dovecot is there but does not start, and instead of `None` when `IMAP_TESTS_REQUIRE_DOVECOT` is set.
    pub fn start() -> Option<Self> {
        Self::start_offering(None)
    }

    /// Starts one that advertises these capabilities and no others. It knows the commands all the same.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_offering(capabilities: Option<&str>) -> Option<Self> {
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !root || !Path::new(BINARY).exists() {
            let required = std::env::var_os("IMAP_TESTS_REQUIRE_DOVECOT").is_some();
            assert!(!required, "Dovecot is required, but {BINARY} is missing or this is not root");
            eprintln!("left out: {} needs Dovecot", current().name().unwrap_or("a test"));
            return None;
        }
        // Free ports may be taken by someone else before Dovecot has them.
        let mut last = None;
        for _ in 0..3 {
            match Self::try_start(capabilities) {
                Ok(server) => return Some(server),
                Err(error) => last = Some(error),
            }
        }
        panic!("Dovecot does not start: {last:?}");
    }

    fn try_start(capabilities: Option<&str>) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let dir = PathBuf::from(format!("/tmp/imap-tests-dovecot-{}-{number}", std::process::id()));
        // A left-over of a process of the same number would hold a stale state.
        let _ = fs::remove_dir_all(&dir);
        for part in ["", "run", "state", "tls"] {
            directory(&dir.join(part), 0o755)?;
        }
        for user in Self::USERS {
            for part in [dir.join("mail"), dir.join("mail").join(user), maildir(&dir, user)] {
                directory(&part, 0o700)?;
                chown(part, Some(config::MAIL_UID), Some(config::MAIL_UID))?;
            }
        }
        let (plain_port, tls_port) = free_ports()?;
        let ca_der = certificates::write(&dir.join("tls"))?;
        config::write(&dir, plain_port, tls_port, capabilities)?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { dir, plain_port, tls_port, ca_der, keeper };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Before its auth process is up, Dovecot greets without CAPABILITY and would greet again.
    fn wait_until_ready(&self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && !self.dir.join("exited").exists() {
            if greets_with_capability(self.plain_port).unwrap_or(false) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(io::Error::other(self.log()))
    }

    /// Returns the port for plain text and STARTTLS.
    pub fn plain_port(&self) -> u16 {
        self.plain_port
    }

    /// Returns the port for TLS from the first byte.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// Returns the file with the certificate authority that signed the server's certificate, in PEM.
    ///
    /// The server's certificate is for `localhost` and 127.0.0.1.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.dir.join("tls/ca.pem")
    }

    /// Returns the same certificate in DER.
    pub fn ca_der(&self) -> &[u8] {
        &self.ca_der
    }

    /// Returns the Maildir of a user, whose INBOX it is.
    ///
    /// Fill it with [`fill_maildir`](crate::mailbox::fill_maildir), best before the user logs in.
    pub fn maildir(&self, user: &str) -> PathBuf {
        maildir(&self.dir, user)
    }

    /// Returns what Dovecot has logged, for the message of a test that fails.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("dovecot.log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn maildir(dir: &Path, user: &str) -> PathBuf {
    dir.join("mail").join(user).join("Maildir")
}

fn directory(path: &Path, mode: u32) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn free_ports() -> io::Result<(u16, u16)> {
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok((plain.local_addr()?.port(), tls.local_addr()?.port()))
}

fn greets_with_capability(port: u16) -> io::Result<bool> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut greeting = String::new();
    BufReader::new(stream).read_line(&mut greeting)?;
    Ok(greeting.contains("[CAPABILITY "))
}
