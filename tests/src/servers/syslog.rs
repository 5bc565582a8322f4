use std::fs::{File, Permissions, set_permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread::JoinHandle;

/// What tells the listener to end. No daemon logs nothing at all.
const END: &[u8] = b"";

/// A socket for servers that log to syslog alone: `syslog` in their directory, written to `log` beside it.
#[derive(Debug)]
pub(super) struct Syslog {
    socket: UnixDatagram,
    listener: Option<JoinHandle<()>>,
}

impl Syslog {
    pub(super) fn listen(dir: &Path) -> io::Result<Self> {
        let path = dir.join("syslog");
        let listening = UnixDatagram::bind(&path)?;
        set_permissions(&path, Permissions::from_mode(0o666))?;
        let socket = UnixDatagram::unbound()?;
        socket.connect(&path)?;
        let mut log = File::options().create(true).append(true).open(dir.join("log"))?;
        let listener = std::thread::spawn(move || {
            let mut line = [0; 8192];
            while let Ok(len @ 1..) = listening.recv(&mut line) {
                let line = line[..len].trim_ascii_end();
                // A log that cannot be written is no reason to fail.
                let _ = log.write_all(line).and_then(|()| log.write_all(b"\n"));
            }
        });
        Ok(Self { socket, listener: Some(listener) })
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        let _ = self.socket.send(END);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}
