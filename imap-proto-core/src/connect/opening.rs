use std::boxed::Box;
use std::format;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::string::String;
use std::vec;
use std::vec::Vec;

use rustls::pki_types::ServerName;

use super::addresses::{interleaved, is_reached_from};
#[cfg(feature = "compress")]
use super::beside::beside;
use super::dial::dial;
use super::failure::{failed, is_about_certificate, summary};
#[cfg(any(feature = "socks5", feature = "http-proxy"))]
use super::proxy::Proxy;
use super::random::letters;
use super::spans::Around;
#[cfg(any(feature = "socks5", feature = "http-proxy"))]
use super::transfer::broken;
use super::within::within;
use super::{Carries, Connector, Route, Runtime, Secured, Spawn, TlsFacts};
use crate::client::{Client, Driver, Shaken, Wire, shake_hands};
use crate::connection::Handshake;
use crate::error::{Error, Phase};
#[cfg(any(feature = "socks5", feature = "http-proxy"))]
use crate::error::{ProxyError, ProxyFailure};

/// A handle on a connection, and what moves it.
pub type Opened<R> = (Client, Box<Driver<<R as Runtime>::Wire>>);

impl<R: Runtime> Connector<R> {
    /// Connects and spawns the driver on the runtime.
    ///
    /// Dropped half-way the connection is closed.
    ///
    /// # Errors
    /// [`Error::Proxy`] where a proxy refused or failed; [`Error::Unreachable`] where TCP, a proxy or TLS took too long and [`Error::Transport`] where they failed, with the server and
    /// port in their texts, and what became of each address where it has several; [`Error::Timeout`] with its phase;
    /// [`Error::Refused`] for a refused login, of which [`Error::login_refusal`] tells more; [`Error::NoMechanism`] where no way to
    /// log in is both offered and allowed; [`Error::Token`] and [`Error::Exchange`] as their names say; and whatever else ended the
    /// handshake. [`LoginCheck::of`](super::LoginCheck::of) sorts them by what is to be done.
    pub async fn connect(&self) -> Result<Client, Error>
    where
        R: Spawn,
    {
        let around = self.around();
        let (client, driver) = around.clone().run(self.dial_and_compress()).await?;
        self.runtime.spawn(around.run(driver));
        Ok(client)
    }

    /// Connects, and leaves the polling of the driver to the caller.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn open(&self) -> Result<Opened<R>, Error> {
        self.around().run(self.dial_and_compress()).await
    }

    /// Connects over a stream of the caller's: the tunnel of a proxy that is not known here, a Unix socket, a pipe in memory. TLS is put over it
    /// as over TCP, and the driver is left to the caller. Nothing is dialled, no proxy either.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn open_over<S>(&self, stream: S) -> Result<Opened<R>, Error>
    where
        R: Carries<S>,
    {
        let stream = self.runtime.carry(stream);
        let opening = async { self.compressed(self.begin(stream, &self.host).await?).await };
        self.around().run(opening).await
    }

    pub(super) fn around(&self) -> Around {
        Around::connection(&self.host)
    }

    pub(super) async fn dial_and_compress(&self) -> Result<Opened<R>, Error> {
        self.compressed(self.dial().await?).await
    }

    #[cfg(not(feature = "compress"))]
    async fn compressed(&self, opened: Opened<R>) -> Result<Opened<R>, Error> {
        Ok(opened)
    }

    /// Compresses what was opened, where that is wished, offered and allowed.
    #[cfg(feature = "compress")]
    async fn compressed(&self, (client, mut driver): Opened<R>) -> Result<Opened<R>, Error> {
        if self.compress {
            let compressing = beside(&mut driver, client.compress());
            let done = within(&self.runtime, self.config.handshake, Phase::Login, &self.host, compressing).await;
            match done.map_err(|_| Error::Timeout { phase: Phase::Login, limit: self.config.handshake })? {
                Err(error) if error.is_fatal() => return Err(error),
                // Not offered, refused, or nobody is logged in: nothing is lost.
                _ => {}
            }
        }
        Ok((client, driver))
    }

    pub(super) async fn dial(&self) -> Result<Opened<R>, Error> {
        let port = self.port.unwrap_or(self.security.default_port());
        let host = &self.host;
        let (dialled, server) = match self.address.as_deref() {
            None => (host.as_str(), format!("{host}:{port}")),
            Some(address) if address == host => (address, format!("{host}:{port}")),
            Some(address) => (address, format!("{host} at {address}:{port}")),
        };
        #[cfg(any(feature = "socks5", feature = "http-proxy"))]
        if let Some(proxy) = &self.proxy {
            let stream = self.reach_through(proxy, dialled, port).await?;
            return self.begin(stream, &format!("{server} through the proxy {proxy}")).await;
        }
        let dialling = self.reach(dialled, port);
        let reached = within(&self.runtime, self.connect_within, Phase::Connect, &server, dialling).await?;
        let stream = reached.map_err(|error| failed(error, format!("connecting to {server}")))?;
        self.begin(stream, &server).await
    }

    /// Connects to the proxy, and has it connect to the server.
    #[cfg(any(feature = "socks5", feature = "http-proxy"))]
    async fn reach_through(&self, proxy: &Proxy, host: &str, port: u16) -> Result<R::Stream, Error> {
        let reaching = async {
            let (proxy_host, proxy_port) = proxy.address();
            let reached = self.reach(proxy_host, proxy_port).await;
            let stream = reached.map_err(|error| ProxyFailure::Unreachable(broken(error)))?;
            let wire = self.runtime.wire(self.runtime.now(), stream);
            let wire = proxy.tunnel(wire, host, port).await?;
            Ok(self.runtime.take_apart(wire).1)
        };
        let name = || format!("{proxy}");
        let reached = within(&self.runtime, self.connect_within, Phase::Proxy, &name(), reaching).await?;
        reached.map_err(|failure| Error::Proxy(Box::new(ProxyError { proxy: name(), failure })))
    }

    /// Looks a host up, and connects to the first of its addresses that answers.
    async fn reach(&self, host: &str, port: u16) -> io::Result<R::Stream> {
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => interleaved(self.runtime.resolve(String::from(host), port).await?),
        };
        let from = self.local_address;
        let is_of_family = |to: &SocketAddr| from.is_none_or(|from| is_reached_from(to, from));
        let routes: Vec<Route> = addresses
            .iter()
            .filter(|to| is_of_family(to))
            .map(|to| Route { to: *to, from, keep_alive: self.tcp_keep_alive })
            .collect();
        if routes.is_empty() && !addresses.is_empty() {
            let why = "the host has no address of the family of the local address";
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why));
        }
        dial(&self.runtime, routes, self.connect_within).await.map_err(summary)
    }

    /// `server` is what it is called in errors.
    async fn begin(&self, stream: R::Stream, server: &str) -> Result<Opened<R>, Error> {
        if !self.security.begins_with_tls() {
            return self.shake_hands(stream, None, server).await;
        }
        let Secured { stream, tls } = self.secure(stream, server).await?;
        self.shake_hands(stream, Some(tls), server).await
    }

    /// From the greeting to the login, with STARTTLS where it is asked for. The only place that makes a handshake and goes
    /// on with it.
    async fn shake_hands(&self, stream: R::Stream, tls: Option<TlsFacts>, server: &str) -> Result<Opened<R>, Error> {
        let wire = self.runtime.wire(self.runtime.now(), stream);
        let mut shaken = shake_hands(wire, self.handshake(tls)?).await?;
        loop {
            match shaken {
                Shaken::Ready(client, driver) => return Ok((client, driver)),
                Shaken::Tls(wire, mut handshake) => {
                    let (began, stream) = self.runtime.take_apart(wire);
                    let Secured { stream, tls } = self.secure(stream, server).await?;
                    let wire = self.runtime.wire(began, stream);
                    handshake.bind(tls.binding());
                    handshake.secured(wire.now())?;
                    shaken = shake_hands(wire, handshake).await?;
                }
            }
        }
    }

    /// The login to come, on a stream that is secured by TLS already or not.
    fn handshake(&self, tls: Option<TlsFacts>) -> Result<Box<Handshake>, Error> {
        let mut handshake = Handshake::new(self.config.clone(), self.security, self.credentials.clone());
        handshake.draw(&letters(6)?, letters(24)?);
        if let Some(tls) = tls {
            handshake.bind(tls.binding());
        }
        Ok(Box::new(handshake))
    }

    async fn secure(&self, stream: R::Stream, server: &str) -> Result<Secured<R::Stream>, Error> {
        let name = ServerName::try_from(self.host.clone()).map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidInput, error);
            failed(error, format!("TLS with {server}: a certificate cannot be for \"{}\"", self.host.escape_debug()))
        })?;
        let config = self.trust.config(self.identity.as_deref())?;
        let securing = self.runtime.secure(stream, config, name);
        let secured = within(&self.runtime, self.tls_within, Phase::Tls, server, securing).await?;
        secured.map_err(|error| {
            let is_other_talk = self.security.begins_with_tls() && !is_about_certificate(&error);
            let hint = if is_other_talk { " (a port for STARTTLS or clear text does not begin with it)" } else { "" };
            failed(error, format!("TLS with {server}{hint}"))
        })
    }
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use std::boxed::Box;
    use std::time::Duration;
    use std::vec;

    use super::super::beside::beside;
    use super::super::stage::Stage;
    use super::*;
    use crate::sasl::Credentials;

    const READY: &str = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR COMPRESS=DEFLATE] hi\r\n";

    /// Opens a compressed connection to a server that answers COMPRESS so, and tells whether it is one.
    fn opened(
        greeting: &'static str,
        answer: &'static str,
        login: Option<Credentials>,
    ) -> (Stage, Result<bool, Error>) {
        let login_answer = greeting.replace("* OK", "% OK").leak();
        let stage = Stage::imap(vec![("", greeting), ("COMPRESS", answer), ("AUTHENTICATE", login_answer)].leak());
        let mut connector = stage.connector().plaintext().compress();
        connector.credentials = login;
        let is_compressed = stage.run(async {
            let (client, mut driver) = connector.open().await?;
            Ok(beside(&mut driver, client.view()).await?.is_compressed())
        });
        (stage, is_compressed)
    }

    fn alice() -> Option<Credentials> {
        Some(Credentials::password("alice", "secret"))
    }

    #[test]
    fn a_connection_is_compressed_where_the_server_agrees_and_goes_on_where_not() {
        for (greeting, answer, expected) in [
            (READY, "% OK go\r\n", true),
            (READY, "% NO not now\r\n", false),
            (READY, "% BAD what\r\n", false),
            // It is compressed at another layer.
            (READY, "% NO [COMPRESSIONACTIVE] it is\r\n", true),
        ] {
            let (stage, is_compressed) = opened(greeting, answer, alice());
            assert_eq!(is_compressed.expect("it opens"), expected, "{answer}");
            assert!(stage.heard().ends_with("COMPRESS DEFLATE\r\n"));
        }
    }

    #[test]
    fn nothing_is_asked_where_it_is_not_offered_or_nobody_is_logged_in() {
        let without = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n";
        for (greeting, login) in [(without, alice()), (READY, None)] {
            let (stage, is_compressed) = opened(greeting, "% OK go\r\n", login);
            assert!(!is_compressed.expect("it opens"));
            assert!(!stage.heard().contains("COMPRESS"), "{}", stage.heard());
        }
    }

    #[test]
    fn a_server_that_goes_away_or_falls_silent_meanwhile_ends_the_opening() {
        let (_, gone) = opened(READY, "* BYE no more\r\n<", alice());
        assert!(matches!(gone, Err(Error::Bye { .. })), "{gone:?}");
        let (stage, silent) = opened(READY, "", alice());
        assert!(matches!(silent, Err(Error::Timeout { phase: Phase::Login, .. })), "{silent:?}");
        assert_eq!((stage.now(), stage.open()), (Duration::from_secs(30), 0));
    }

    #[test]
    fn no_other_port_and_no_clear_text_is_tried() {
        let refuses = Stage::new(|_| Err(std::io::ErrorKind::ConnectionRefused.into()));
        let no_tls = Stage::imap(&[("", READY)]).tls_fails(|| std::io::ErrorKind::InvalidData.into());
        for (stage, tls) in [(refuses, 0), (no_tls, 1)] {
            let mut connector = stage.connector();
            connector.credentials = alice();
            assert!(matches!(stage.run(connector.open()), Err(Error::Transport(_))));
            assert_eq!(stage.looked_up(), ["mail.example:993"]);
            assert_eq!((stage.tls_with().len(), stage.heard(), stage.open()), (tls, String::new(), 0));
        }
    }

    #[test]
    fn an_opening_that_is_dropped_inside_starttls_the_login_or_compress_closes_the_connection() {
        let early = "* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\r\n";
        let begins = "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n";
        for (lines, tls, heard) in [
            (vec![("", begins), ("STARTTLS", "")], true, "STARTTLS"),
            (vec![("", begins), ("STARTTLS", "% OK go\r\n"), ("CAPABILITY", "")], true, "CAPABILITY"),
            (vec![("", READY), ("AUTHENTICATE", "")], false, "AUTHENTICATE"),
            (vec![("", early), ("COMPRESS", "")], false, "COMPRESS"),
        ] {
            let stage = Stage::imap(lines.leak());
            let connector = stage.connector().compress().credentials(Credentials::password("alice", "secret"));
            let connector = if tls { connector.starttls() } else { connector.plaintext() };
            let mut opening = Box::pin(connector.open());
            assert!(stage.run_until_it_waits(&mut opening));
            assert!(stage.heard().contains(heard), "{}", stage.heard());
            assert_eq!(stage.open(), 1);
            drop(opening);
            assert_eq!(stage.open(), 0);
        }
    }
}
