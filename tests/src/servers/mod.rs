//! Real servers of one's own, each with a directory and ports of its own, and nothing left of it afterwards.

mod certificates;
pub mod courier;
pub mod cyrus;
pub mod dovecot;
mod rig;
mod syslog;

use std::path::PathBuf;

pub use courier::Courier;
pub use cyrus::Cyrus;
pub use dovecot::Dovecot;
use rig::Rig;

/// Everyone who can log in, on any of the servers.
pub const USERS: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// The password of all of them.
pub const PASSWORD: &str = "secret";

/// A private server on free ports of 127.0.0.1; dropping it stops it and removes what it wrote.
///
/// It has the users [`USERS`], all with [`PASSWORD`] and an empty INBOX.
pub trait Server {
    /// What all servers share.
    #[doc(hidden)]
    fn rig(&self) -> &Rig;

    /// Returns the name of its software.
    fn name(&self) -> &'static str {
        self.rig().name()
    }

    /// Returns the port for plain text and STARTTLS.
    fn plain_port(&self) -> u16 {
        self.rig().plain_port()
    }

    /// Returns the port for TLS from the first byte.
    fn tls_port(&self) -> u16 {
        self.rig().tls_port()
    }

    /// Returns the file with the certificate authority that signed the server's certificate, in PEM.
    ///
    /// The server's certificate is for `localhost` and 127.0.0.1.
    fn ca_pem_path(&self) -> PathBuf {
        self.rig().dir().join("tls/ca.pem")
    }

    /// Returns the same certificate in DER.
    fn ca_der(&self) -> &[u8] {
        self.rig().ca_der()
    }

    /// Returns the file with a certificate for alice of the same authority, in PEM. Its key is beside it, in `client.key`.
    fn client_pem(&self) -> PathBuf {
        self.rig().dir().join("tls/client.pem")
    }

    /// Returns what the server has logged, for the message of a test that fails.
    fn log(&self) -> String {
        self.rig().log()
    }
}
