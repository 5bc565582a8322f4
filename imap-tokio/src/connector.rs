use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use imap_proto_core::client::{Client, Driver, Shaken, Wire, shake_hands};
use imap_proto_core::{Config, Credentials, Error, Handshake, Phase, Security};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tracing::Instrument;

use crate::stream::{TokioWire, transport};
use crate::tls::Trust;

/// Opens connections: TCP, TLS, greeting, login.
///
/// TLS is implicit, on port 993, unless [`starttls`](Self::starttls) or [`plaintext`](Self::plaintext) is asked for. The server's
/// certificate is checked against its name and the roots of the web, unless [`root`](Self::root),
/// `platform_roots` or [`tls_config`](Self::tls_config) says otherwise.
#[derive(Clone, Debug)]
pub struct Connector {
    host: String,
    address: Option<String>,
    port: Option<u16>,
    security: Security,
    trust: Trust,
    credentials: Option<Credentials>,
    config: Config,
    connect_within: Duration,
    tls_within: Duration,
}

/// How long TCP and TLS may each take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that a connection can run over.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for S {}

type Stream = Box<dyn Duplex>;

impl Connector {
    /// A connector to `host`: implicit TLS on port 993, no credentials.
    pub fn new(host: impl Into<String>) -> Self {
        Connector {
            host: host.into(),
            address: None,
            port: None,
            security: Security::ImplicitTls,
            trust: Trust::default(),
            credentials: None,
            config: Config::default(),
            connect_within: PATIENCE,
            tls_within: PATIENCE,
        }
    }

    /// Logs in. Without it the connection is left unauthenticated, unless the server greets with PREAUTH.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Begins in clear text on port 143 and requires STARTTLS. RFC 9051 §6.2.1
    pub fn starttls(mut self) -> Self {
        self.security = Security::StartTls;
        self
    }

    /// Stays in clear text on port 143, password and all. For tests and loopback.
    pub fn plaintext(mut self) -> Self {
        self.security = Security::Plaintext;
        self
    }

    /// Another port than 993 or 143.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Another host or address to dial; the certificate is still checked against the host's name.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Trusts a private root, beside others given so, and no longer those of the web.
    pub fn root(mut self, certificate: CertificateDer<'static>) -> Self {
        self.trust = self.trust.with_root(certificate);
        self
    }

    /// Judges certificates as the operating system does, with the roots that it and its administrator trust.
    #[cfg(feature = "platform-roots")]
    pub fn platform_roots(mut self) -> Self {
        self.trust = Trust::Platform;
        self
    }

    /// Another TLS configuration, as for a client certificate. Whatever it says holds, roots included.
    pub fn tls_config(mut self, tls: Arc<rustls::ClientConfig>) -> Self {
        self.trust = Trust::Config(tls);
        self
    }

    /// How long TCP may take, the look-up of the host's name included, and TLS over it, each of them; 30 seconds unless set.
    /// The rest of the handshake has its limits in [`Config`]: `greeting` and `handshake`.
    pub fn patience(self, patience: Duration) -> Self {
        self.connect_within(patience).tls_within(patience)
    }

    /// How long TCP may take, the look-up of the host's name included; 30 seconds unless set.
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect_within = time;
        self
    }

    /// How long the TLS handshake may take; 30 seconds unless set.
    pub fn tls_within(mut self, time: Duration) -> Self {
        self.tls_within = time;
        self
    }

    /// Changes limits and deadlines.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Connects and spawns the driver on the current runtime.
    ///
    /// Dropped half-way the connection is closed.
    ///
    /// # Errors
    /// [`Error::Unreachable`] where TCP or TLS took too long and [`Error::Transport`] where they failed, with the server and
    /// port in their texts; [`Error::Timeout`] with its phase; [`Error::Refused`] for a refused login, of which
    /// [`Error::login_refusal`] tells more; and whatever else ended the handshake.
    pub async fn connect(&self) -> Result<Client, Error> {
        let span = self.span();
        let (client, driver) = self.dial().instrument(span.clone()).await?;
        tokio::spawn(driver.instrument(span));
        Ok(client)
    }

    /// Connects, and leaves the polling of the driver to the caller.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn open(&self) -> Result<(Client, Box<Driver<impl Wire + Send + 'static>>), Error> {
        self.dial().instrument(self.span()).await
    }

    async fn dial(&self) -> Result<(Client, Box<Driver<TokioWire<Stream>>>), Error> {
        let port = self.port.unwrap_or(self.security.default_port());
        let host = &self.host;
        let (dialled, server) = match self.address.as_deref() {
            None => (host.as_str(), format!("{host}:{port}")),
            Some(address) if address == host => (address, format!("{host}:{port}")),
            Some(address) => (address, format!("{host} at {address}:{port}")),
        };
        let connecting = TcpStream::connect((dialled, port));
        let failed = |error| failed(error, format!("connecting to {server}"));
        let tcp = within(self.connect_within, Phase::Connect, &server, connecting).await?.map_err(failed)?;
        // Commands are small and wait for their answers: Nagle's delay would be paid each time.
        tcp.set_nodelay(true).map_err(failed)?;
        self.begin(Box::new(tcp), &server).await
    }

    /// Connects over a stream of the caller's: a proxy's tunnel, a Unix socket, a pipe in memory. TLS is put over it
    /// as over TCP, and the driver is left to the caller.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn open_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<(Client, Box<Driver<impl Wire + Send + 'static>>), Error> {
        self.begin(Box::new(stream), &self.host).instrument(self.span()).await
    }

    /// What is logged of this connection is logged inside it, whoever polls its driver.
    fn span(&self) -> tracing::Span {
        tracing::info_span!(target: "imap", "imap", host = self.host)
    }

    /// `server` is what it is called in errors.
    async fn begin(&self, mut stream: Stream, server: &str) -> Result<(Client, Box<Driver<TokioWire<Stream>>>), Error> {
        if self.security.begins_with_tls() {
            stream = self.secure(stream, server).await?;
        }
        self.shake_hands(stream, server).await
    }

    async fn shake_hands(
        &self,
        stream: Stream,
        server: &str,
    ) -> Result<(Client, Box<Driver<TokioWire<Stream>>>), Error> {
        let mut config = self.config.clone();
        config.tag_prefix = random_prefix();
        let handshake = Handshake::new(config, self.security, self.credentials.clone());
        let mut shaken = shake_hands(TokioWire::new(stream), Box::new(handshake)).await?;
        loop {
            match shaken {
                Shaken::Ready(client, driver) => return Ok((client, driver)),
                Shaken::Tls(wire, mut handshake) => {
                    let (clock, stream) = wire.into_parts();
                    let wire = TokioWire::from_parts(clock, self.secure(stream, server).await?);
                    handshake.secured(wire.now())?;
                    shaken = shake_hands(wire, handshake).await?;
                }
            }
        }
    }

    async fn secure(&self, stream: Stream, server: &str) -> Result<Stream, Error> {
        let name = ServerName::try_from(self.host.clone()).map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidInput, error);
            failed(error, format!("TLS with {server}: a certificate cannot be for \"{}\"", self.host.escape_debug()))
        })?;
        let connecting = TlsConnector::from(self.trust.config()?).connect(name, stream);
        let tls = within(self.tls_within, Phase::Tls, server, connecting).await?;
        let begins = self.security.begins_with_tls();
        Ok(Box::new(tls.map_err(|error| {
            let is_other_talk = begins && !is_about_certificate(&error);
            let hint = if is_other_talk { " (a port for STARTTLS or clear text does not begin with it)" } else { "" };
            failed(error, format!("TLS with {server}{hint}"))
        })?))
    }
}

async fn within<F: Future>(patience: Duration, phase: Phase, server: &str, future: F) -> Result<F::Output, Error> {
    let done = tokio::time::timeout(patience, future).await;
    done.map_err(|_| Error::Unreachable { phase, server: server.to_owned() })
}

fn is_about_certificate(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn failed(error: io::Error, what: String) -> Error {
    Error::Transport(transport(in_context(error, what)))
}

/// The same error, with what was being done. What it was made of stays within reach as its source.
fn in_context(error: io::Error, what: String) -> io::Error {
    #[derive(Debug)]
    struct InContext(String, io::Error);

    impl std::fmt::Display for InContext {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}: {}", self.0, self.1)
        }
    }

    impl std::error::Error for InContext {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.1)
        }
    }

    io::Error::new(error.kind(), InContext(what, error))
}

/// Letters that nobody can foresee: the standard library keys its hashers at random.
fn random_prefix() -> String {
    let mut number = RandomState::new().build_hasher().finish();
    let mut prefix = String::with_capacity(6);
    for _ in 0..6 {
        prefix.push(char::from(b'A' + (number % 26) as u8));
        number /= 26;
    }
    prefix
}
