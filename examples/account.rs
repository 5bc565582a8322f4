use imap_tokio::rustls::pki_types::{CertificateDer, pem::PemObject};
use imap_tokio::{Connector, Credentials, Security};

use crate::Fallible;

/// Where an account is, and how to log in.
#[derive(Debug)]
pub struct Account {
    /// The server.
    pub host: String,
    /// Its port, where it is not the usual one.
    pub port: Option<u16>,
    /// How the stream is secured.
    pub security: Security,
    /// Roots to trust in place of the web's.
    pub roots: Vec<CertificateDer<'static>>,
    /// Who logs in.
    pub user: String,
    /// The password.
    pub password: Password,
}

/// A password, which is not shown.
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl From<Password> for imap_tokio::types::Secret {
    fn from(password: Password) -> Self {
        password.0.into()
    }
}

impl Account {
    /// The account of `imaps://user@host:port`, `imap://` (STARTTLS) or `imap+plaintext://`; the user may be percent-encoded.
    ///
    /// The password comes from `IMAP_PASSWORD` or is asked for; `ca` is a file of other roots in PEM.
    ///
    /// # Errors
    /// When the URL is none of these, or there is no password.
    pub fn named(url: &str, ca: Option<&str>) -> Fallible<Self> {
        let (scheme, rest) = url.split_once("://").ok_or("an account is named as imaps://user@host")?;
        let (user, host) = rest.trim_end_matches('/').rsplit_once('@').ok_or("the URL names no user")?;
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => (host, Some(port.parse()?)),
            _ => (host, None),
        };
        let security = match scheme {
            "imaps" => Security::ImplicitTls,
            "imap" => Security::StartTls,
            "imap+plaintext" => Security::Plaintext,
            _ => return Err("the scheme is imaps, imap or imap+plaintext".into()),
        };
        let mut roots = Vec::new();
        if let Some(ca) = ca {
            for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| format!("{ca}: {error}"))? {
                roots.push(certificate?);
            }
        }
        let password = match std::env::var("IMAP_PASSWORD") {
            Ok(password) => password,
            Err(_) => rpassword::prompt_password("password: ").map_err(|error| {
                format!("no terminal to ask for the password, and IMAP_PASSWORD is not set: {error}")
            })?,
        };
        let (host, user) = (host.trim_matches(['[', ']']).to_owned(), percent_decoded(user)?);
        Ok(Account { host, port, security, roots, user, password: Password(password) })
    }
}

/// A connector to the account that [`Account::named`] tells.
///
/// # Errors
/// As there.
pub fn connector(url: &str, ca: Option<&str>) -> Fallible<Connector> {
    let Account { host, port, security, roots, user, password } = Account::named(url, ca)?;
    let mut connector = Connector::new(host).credentials(Credentials::password(user, password));
    connector = match security {
        Security::StartTls => connector.starttls(),
        Security::Plaintext => connector.plaintext(),
        Security::ImplicitTls => connector,
    };
    if let Some(port) = port {
        connector = connector.port(port);
    }
    Ok(roots.into_iter().fold(connector, Connector::root))
}

fn percent_decoded(text: &str) -> Fallible<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or("a lone %")?;
            bytes.push(u8::from_str_radix(digits, 16)?);
            rest = &after[2..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    Ok(String::from_utf8(bytes)?)
}

/// Takes a switch out of the arguments; true where it was there.
pub fn take_switch(arguments: &mut Vec<String>, name: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != name);
    arguments.len() < before
}

/// Takes an option and its value out of the arguments.
///
/// # Errors
/// When it stands there without one.
pub fn take_option(arguments: &mut Vec<String>, name: &str) -> Fallible<Option<String>> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    if at + 1 >= arguments.len() {
        return Err(format!("{name} wants a value").into());
    }
    arguments.remove(at);
    Ok(Some(arguments.remove(at)))
}
