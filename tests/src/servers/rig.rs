use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{current, sleep};
use std::time::{Duration, Instant};

use super::certificates;
use super::syslog::Syslog;

/// How long a start may take: the rig tests start and stop theirs in 3 s, but the machine may be busy with other work.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a server's script and removes its directory once stdin closes, so that even a killed test leaves nothing behind.
///
/// The script ends when stdin does. `$0` is the directory in both.
const KEEPER: &str = r#"
trap "" INT
sh -c "$1" "$0" || touch "$0/exited"
cat > /dev/null
rm -rf "$0"
"#;

/// The same with the script as the first process of a namespace of its own, so that its end is the end of all others,
/// and of all mounts: Dovecot's login processes outlive their master while a client is connected, Cyrus has daemons that
/// detach, Courier has paths compiled in.
const KEEPER_OF_A_NAMESPACE: &str = r#"
trap "" INT
unshare --mount --pid --fork --kill-child --mount-proc --propagation private sh -c "$1" "$0" || touch "$0/exited"
cat > /dev/null
rm -rf "$0"
"#;

/// How one kind of server is started.
pub(super) struct Recipe<'a> {
    pub(super) name: &'static str,
    /// What has to be there.
    pub(super) needs: Vec<PathBuf>,
    /// The environment variable that makes it a failure if it is not.
    pub(super) required_by: &'static str,
    pub(super) seclusion: Seclusion,
    /// Fills the directory.
    pub(super) prepare: &'a dyn Fn(&Place) -> io::Result<()>,
    /// Runs the server until stdin closes. `$0` is the directory; a file `exited` in it says that it ended before.
    pub(super) script: &'static str,
    /// The file of the directory that the server logs to.
    pub(super) log: &'static str,
}

/// Processes and mounts of one's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seclusion {
    /// Where the machine allows it: the script stops what it started.
    IfAllowed,
    /// Else the server is left out.
    Required,
}

/// Where one server is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: PathBuf,
    pub(super) plain_port: u16,
    pub(super) tls_port: u16,
}

impl Place {
    /// Writes a file of the directory, with `@DIR@`, `@PLAIN@` and `@TLS@` replaced.
    pub(super) fn write(&self, name: &str, template: &str) -> io::Result<()> {
        let text = template
            .replace("@DIR@", &self.dir.display().to_string())
            .replace("@PLAIN@", &self.plain_port.to_string())
            .replace("@TLS@", &self.tls_port.to_string());
        fs::write(self.dir.join(name), text)
    }

    /// Makes directories of the directory, readable for all.
    pub(super) fn directories(&self, names: &[&str]) -> io::Result<()> {
        names.iter().try_for_each(|name| directory(&self.dir.join(name), 0o755))
    }

    /// Copies programs, since their users may not be let into where they were unpacked.
    pub(super) fn copy_programs(&self, from: &Path, names: &[&str]) -> io::Result<()> {
        self.directories(&["bin"])?;
        names.iter().try_for_each(|name| {
            let file = Path::new(name).file_name().unwrap_or_default();
            fs::copy(from.join(name), self.dir.join("bin").join(file)).map(drop)
        })
    }
}

/// A running server: its directory, its ports, its certificate, and the process that watches over it.
#[derive(Debug)]
pub struct Rig {
    name: &'static str,
    place: Place,
    log: &'static str,
    ca_der: Vec<u8>,
    keeper: Child,
    _syslog: Syslog,
}

impl Rig {
    /// Starts a server and waits until it takes logins; `None`, said on stderr, when it is not installed.
    pub(super) fn start(recipe: &Recipe<'_>) -> Option<Self> {
        if let Some(missing) = recipe.missing() {
            let required = std::env::var_os(recipe.required_by).is_some();
            assert!(!required, "{} is required, but {missing}", recipe.name);
            // Past what the test harness captures: a test that passes is to say what it left out.
            let test = current().name().unwrap_or("a test").to_owned();
            let line = format!("left out: {test} needs {}, but {missing}\n", recipe.name);
            let _ = io::stderr().write_all(line.as_bytes());
            return None;
        }
        // Free ports may be taken by someone else before the server has them.
        let mut last = None;
        for _ in 0..3 {
            match Self::try_start(recipe) {
                Ok(rig) => return Some(rig),
                Err(error) => last = Some(error),
            }
        }
        panic!("{} does not start: {last:?}", recipe.name);
    }

    fn try_start(recipe: &Recipe<'_>) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let (number, name) = (STARTED.fetch_add(1, Ordering::Relaxed), recipe.name.to_lowercase());
        let dir = PathBuf::from(format!("/tmp/imap-tests-{name}-{}-{number}", std::process::id()));
        // A left-over of a process of the same number would hold a stale state.
        let _ = fs::remove_dir_all(&dir);
        let (plain_port, tls_port) = free_ports()?;
        let place = Place { dir, plain_port, tls_port };
        place.directories(&["", "tls"])?;
        let ca_der = certificates::write(&place.dir.join("tls"))?;
        (recipe.prepare)(&place)?;
        let syslog = Syslog::listen(&place.dir)?;
        let keeper = if may_unshare() { KEEPER_OF_A_NAMESPACE } else { KEEPER };
        let keeper = Command::new("sh")
            .args(["-c", keeper])
            .arg(&place.dir)
            .arg(recipe.script)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let rig = Self { name: recipe.name, place, log: recipe.log, ca_der, keeper, _syslog: syslog };
        rig.wait_until_ready()?;
        Ok(rig)
    }

    /// Says a word to the script, where that listens to any.
    pub(super) fn say(&self, word: &str) -> io::Result<()> {
        let mut stdin = self.keeper.stdin.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(format!("{word}\n").as_bytes())
    }

    /// Waits until the server has ended and nobody listens on its ports.
    pub(super) fn wait_until_gone(&self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let listens = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            if self.dir().join("exited").exists() && !listens(self.plain_port()) && !listens(self.tls_port()) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(io::Error::other(self.log()))
    }

    /// It is going to be started again.
    pub(super) fn forget_end(&self) -> io::Result<()> {
        fs::remove_file(self.dir().join("exited"))
    }

    /// Before its auth process is up, Dovecot greets without CAPABILITY and would greet again.
    pub(super) fn wait_until_ready(&self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && !self.dir().join("exited").exists() {
            let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.tls_port())).is_ok();
            if greets_with_capability(self.plain_port()).unwrap_or(false) && listens() {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(io::Error::other(self.log()))
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn plain_port(&self) -> u16 {
        self.place.plain_port
    }

    pub(super) fn tls_port(&self) -> u16 {
        self.place.tls_port
    }

    pub(super) fn dir(&self) -> &Path {
        &self.place.dir
    }

    pub(super) fn ca_der(&self) -> &[u8] {
        &self.ca_der
    }

    pub(super) fn log(&self) -> String {
        let log = fs::read(self.dir().join(self.log)).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Recipe<'_> {
    fn missing(&self) -> Option<String> {
        if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
            return Some("this is not root".to_owned());
        }
        if let Some(path) = self.needs.iter().find(|path| !path.exists()) {
            return Some(format!("{} is missing", path.display()));
        }
        (self.seclusion == Seclusion::Required && !may_unshare()).then(|| "unshare is not allowed".to_owned())
    }
}

fn may_unshare() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private", "true"]);
    unshare.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The directory below which a server was unpacked by `tests/servers/unpack`.
pub(super) fn unpacked(name: &str) -> PathBuf {
    let otherwise = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    std::env::var_os("IMAP_TESTS_SERVERS").map_or_else(otherwise, PathBuf::from).join(name)
}

pub(super) fn directory(path: &Path, mode: u32) -> io::Result<()> {
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
