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
use crate::config::Time;
use crate::connection::Handshake;
use crate::error::{Closed, Error, Phase};
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
    /// As [`connect`](Self::connect). [`Error::Refused`] also where a [`TokenProvider`](crate::sasl::TokenProvider) has renewed its token
    /// and the server has closed: over another stream the same call may succeed.
    pub async fn open_over<S>(&self, stream: S) -> Result<Opened<R>, Error>
    where
        R: Carries<S>,
    {
        let stream = self.runtime.carry(stream);
        let opening = async {
            match self.begin(stream, &self.host, None).await? {
                Ok(opened) => self.compressed(opened).await,
                Err(mut handshake) => Err(refusal(&mut handshake)),
            }
        };
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

    /// Connects and logs in. A token that was renewed after the server had closed is tried on another connection, once.
    pub(super) async fn dial(&self) -> Result<Opened<R>, Error> {
        let (stream, server) = self.dial_server().await?;
        let handshake = match self.begin(stream, &server, None).await? {
            Ok(opened) => return Ok(opened),
            Err(handshake) => handshake,
        };
        let (stream, server) = self.dial_server().await?;
        self.begin(stream, &server, Some(handshake)).await?.map_err(|mut handshake| refusal(&mut handshake))
    }

    /// A stream to the server, and what the server is called in errors.
    async fn dial_server(&self) -> Result<(R::Stream, String), Error> {
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
            return Ok((stream, format!("{server} through the proxy {proxy}")));
        }
        let dialling = self.reach(dialled, port);
        let reached = within(&self.runtime, self.connect_within, Phase::Connect, &server, dialling).await?;
        let stream = reached.map_err(|error| failed(error, format!("connecting to {server}")))?;
        Ok((stream, server))
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

    /// `server` is what it is called in errors, `before` the handshake of which another connection is wanted.
    async fn begin(&self, stream: R::Stream, server: &str, before: Option<Box<Handshake>>) -> Begun<R> {
        let handshake = self.handshake(before)?;
        if !self.security.begins_with_tls() {
            return self.shake_hands(stream, handshake, server).await;
        }
        let Secured { stream, tls } = self.secure(stream, server).await?;
        self.shake_hands(stream, bound(handshake, &tls), server).await
    }

    /// From the greeting to the login, with STARTTLS where it is asked for. The only place that goes on with a handshake.
    async fn shake_hands(&self, stream: R::Stream, handshake: Box<Handshake>, server: &str) -> Begun<R> {
        let wire = self.runtime.wire(self.runtime.now(), stream);
        let mut shaken = shake_hands(wire, handshake).await?;
        loop {
            match shaken {
                Shaken::Ready(client, driver) => return Ok(Ok((client, driver))),
                Shaken::Again(handshake) => return Ok(Err(handshake)),
                Shaken::Tls(wire, handshake) => {
                    let (began, stream) = self.runtime.take_apart(wire);
                    let Secured { stream, tls } = self.secure(stream, server).await?;
                    let wire = self.runtime.wire(began, stream);
                    let mut handshake = bound(handshake, &tls);
                    handshake.secured(wire.now())?;
                    shaken = shake_hands(wire, handshake).await?;
                }
            }
        }
    }

    /// The login to come.
    fn handshake(&self, before: Option<Box<Handshake>>) -> Result<Box<Handshake>, Error> {
        let mut handshake = match before {
            Some(before) => before.move_on(),
            None => Handshake::new(self.config.clone(), self.security, self.credentials.clone()),
        };
        handshake.draw(&letters(6)?, letters(24)?);
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

/// A connection, or the handshake of which another one is wanted.
type Begun<R> = Result<Result<Opened<R>, Box<Handshake>>, Error>;

fn bound(mut handshake: Box<Handshake>, tls: &TlsFacts) -> Box<Handshake> {
    handshake.bind(tls.binding());
    handshake
}

/// How a login ends of which another connection is wanted and not to be had.
fn refusal(handshake: &mut Handshake) -> Error {
    handshake.advance(Time::ZERO).err().unwrap_or(Error::Closed(Closed::EndOfStream))
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use std::boxed::Box;
    use std::string::ToString;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use std::vec;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::super::LoginCheck;
    use super::super::beside::beside;
    use super::super::stage::{Stage, Stream};
    use super::*;
    use crate::sasl::{Credentials, Refresh, TokenFuture, TokenProvider};
    use crate::types::Secret;

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

    /// Gives an old token, and a new one by force.
    #[derive(Clone, Default)]
    struct Tokens(Arc<Mutex<Vec<Refresh>>>);

    impl TokenProvider for Tokens {
        fn token(&self, refresh: Refresh) -> TokenFuture<'_> {
            self.0.lock().expect("nobody panics holding it").push(refresh);
            let token = if refresh == Refresh::Forced { "new" } else { "old" };
            Box::pin(std::future::ready(Ok(Secret::new(token))))
        }
    }

    /// Opens connections to a server that takes only the new token, or none, and does so when it is told the old one.
    fn renewed(refuses: &'static str, takes_new: bool) -> (Stage, Tokens, Connector<Stage>) {
        let again = if takes_new { "% OK [CAPABILITY IMAP4rev1] in\r\n" } else { refuses };
        answered(refuses, CAPABILITIES, again)
    }

    const CAPABILITIES: &str = "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n% OK\r\n";

    /// What it answers to the old token, then to CAPABILITY, and to the new one.
    fn answered(old: &'static str, then: &'static str, new: &'static str) -> (Stage, Tokens, Connector<Stage>) {
        let words = |token| STANDARD.encode(format!("user=alice\x01auth=Bearer {token}\x01\x01"));
        let said = |token| &*format!("AUTHENTICATE XOAUTH2 {}", words(token)).leak();
        let table = vec![
            ("", "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\r\n"),
            (said("old"), old),
            (said("new"), new),
            ("CAPABILITY", then),
        ];
        let (stage, tokens) = (Stage::imap(table.leak()), Tokens::default());
        let connector = stage.connector().plaintext().credentials(Credentials::provided("alice", tokens.clone()));
        (stage, tokens, connector)
    }

    #[test]
    fn a_token_that_is_renewed_is_tried_where_the_server_has_closed_along_with_its_refusal() {
        for (refuses, connections) in [
            ("% NO no\r\n", 1),
            ("% NO [AUTHENTICATIONFAILED] no\r\n<", 2),
            ("% NO [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] no\r\n<", 2),
            ("* BYE bye\r\n% NO no\r\n<", 2),
            ("* BYE bye\r\n% NO no\r\n", 2),
            ("% NO no\r\n* BYE bye\r\n<", 2),
            // What is said of the old token is not said of the new one, which was not there.
            ("* BYE [AUTHENTICATIONFAILED] bye\r\n% NO [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] no\r\n<", 2),
            ("% NO [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] no\r\n* BYE [AUTHENTICATIONFAILED] bye\r\n<", 2),
        ] {
            let (stage, tokens, connector) = renewed(refuses, true);
            let opened = stage.run(connector.open());
            assert!(opened.is_ok(), "{refuses}: {:?}", opened.err());
            drop(opened);
            let asked = || tokens.0.lock().expect("nobody panics holding it").clone();
            assert_eq!(asked(), [Refresh::IfExpired, Refresh::Forced], "{refuses}");
            assert_eq!((stage.looked_up().len(), stage.open()), (connections, 0), "{refuses}");
            // Twice refused is refused.
            let (stage, tokens, connector) = renewed(refuses, false);
            let check = stage.run(connector.check_login());
            assert!(matches!(check, LoginCheck::Rejected(_)), "{refuses}: {check}");
            let asked = tokens.0.lock().expect("nobody panics holding it").clone();
            assert_eq!(asked, [Refresh::IfExpired, Refresh::Forced], "{refuses}");
            assert_eq!((stage.looked_up().len(), stage.open()), (connections, 0), "{refuses}");
        }
    }

    #[test]
    fn a_token_that_is_renewed_is_tried_on_one_other_connection_and_not_where_it_was_answered() {
        let (no, closes) = ("% NO no\r\n", "% NO no\r\n<");
        let reason = "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n<";
        for (old, then, new, said, expected) in [
            // It is gone for good.
            (closes, CAPABILITIES, "<", 1, "the server is not reached: the connection is closed: end of stream"),
            (no, CAPABILITIES, "<", 2, "the server is not reached: the connection is closed: end of stream"),
            (
                closes,
                CAPABILITIES,
                "* BYE full\r\n<",
                1,
                "the server can't say for now: the server closed the connection: full",
            ),
            // It is answered, in whatever words.
            (no, CAPABILITIES, reason, 1, "the server is not reached: the connection is closed: end of stream"),
            (
                no,
                CAPABILITIES,
                "* BYE [EXPIRED] so\r\n<",
                1,
                "the credentials are rejected: AUTHENTICATE refused: [EXPIRED] so",
            ),
            // It was not said where it is not known how.
            (no, "% BAD bye\r\n<", "% OK in\r\n", 0, "the credentials are rejected: AUTHENTICATE refused: no"),
            // Of the old one.
            (
                no,
                "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n% OK\r\n* BYE [EXPIRED] so\r\n<",
                "% OK in\r\n",
                1,
                "the credentials are accepted",
            ),
        ] {
            let (stage, tokens, connector) = answered(old, then, new);
            let check = stage.run(connector.check_login()).to_string();
            assert_eq!(check, expected, "{old}, {then}, {new}");
            let asked = tokens.0.lock().expect("nobody panics holding it").clone();
            assert_eq!(asked, [Refresh::IfExpired, Refresh::Forced], "{old}, {then}, {new}");
            let times = stage.heard().matches(&STANDARD.encode("user=alice\x01auth=Bearer new\x01\x01")).count();
            assert_eq!((times, stage.open()), (said, 0), "{old}, {then}, {new}");
        }
    }

    impl Carries<Stream> for Stage {
        fn carry(&self, stream: Stream) -> Stream {
            stream
        }
    }

    #[test]
    fn a_refusal_is_told_where_there_is_no_other_connection_for_the_token_that_was_renewed() {
        for (refuses, may_go_on) in [("% NO no\r\n", true), ("% NO no\r\n<", false), ("* BYE\r\n% NO no\r\n", false)] {
            let (stage, tokens, connector) = renewed(refuses, true);
            let opened = stage.run(async {
                let stream = stage.connect(Route::new(([127, 0, 0, 1], 143).into())).await.expect("it listens");
                connector.open_over(stream).await
            });
            match opened {
                Ok(_) => assert!(may_go_on, "{refuses}"),
                Err(Error::Refused(refused)) => assert!(!may_go_on && refused.text == "no", "{refuses}: {refused}"),
                Err(other) => panic!("{refuses}: {other}"),
            }
            let asked = tokens.0.lock().expect("nobody panics holding it").clone();
            assert_eq!(asked, [Refresh::IfExpired, Refresh::Forced], "{refuses}");
        }
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
        for (lines, tls, asked) in [
            (vec![("", begins), ("STARTTLS", "")], true, "STARTTLS"),
            (vec![("", begins), ("STARTTLS", "% OK go\r\n"), ("CAPABILITY", "")], true, "CAPABILITY"),
            (vec![("", READY), ("AUTHENTICATE", "")], false, "AUTHENTICATE"),
            (vec![("", early), ("COMPRESS", "")], false, "COMPRESS"),
        ] {
            let lines = lines.leak();
            // It is dropped where it waits for the next octet, whichever that is, until all of them are there.
            let heard = (0..).map(|octets| {
                let stage = Stage::imap(lines).silent_after(octets);
                let connector = stage.connector().compress().credentials(Credentials::password("alice", "secret"));
                let connector = if tls { connector.starttls() } else { connector.plaintext() };
                let mut opening = Box::pin(connector.open());
                assert!(stage.run_until_it_waits(&mut opening));
                assert_eq!(stage.open(), 1);
                drop(opening);
                assert_eq!(stage.open(), 0);
                stage.heard()
            });
            assert!(heard.take(400).any(|heard| heard.contains(asked)), "{asked}");
        }
    }
}
