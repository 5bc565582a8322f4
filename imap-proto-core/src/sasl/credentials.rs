use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;

use super::{Anonymous, AnyMechanism, Bearer, ChannelBinding, External, InvalidCredentials, Login, Mechanism, Plain};
#[cfg(feature = "scram")]
use super::{Hash, Scram};
use crate::types::{Capabilities, Capability, Secret};

/// Who logs in, by what, and which ways are allowed.
///
/// Of the ways that are [`allowed`](Self::allow) the first is taken that the server offers. One that fails is not followed by
/// another: a server, or whoever plays it, could choose the weakest so. Nothing of what is in them is ever shown.
///
/// | made by | unless said otherwise, in this order |
/// | --- | --- |
/// | [`password`](Self::password) | `SCRAM-SHA-256`, `SCRAM-SHA-1`, `PLAIN`, `LOGIN`, the LOGIN command; SCRAM with the feature `scram` |
/// | [`token`](Self::token), [`provided`](Self::provided) | `OAUTHBEARER`, `XOAUTH2` |
/// | [`external`](Self::external) | `EXTERNAL` |
/// | [`anonymous`](Self::anonymous) | `ANONYMOUS` |
/// | [`custom`](Self::custom) | the one it is made for |
///
/// For passwords there are also `SCRAM-SHA-256-PLUS` and `SCRAM-SHA-1-PLUS`, which are bound to the TLS below them, and `CRAM-MD5`
/// (feature `cram-md5`), each where it is allowed by name. The `-PLUS` forms are not tried unasked, since servers offer them
/// that take none of the bindings of today's TLS, as Cyrus 3.6 does; whoever knows that theirs does is safest with them.
#[derive(Clone, Debug)]
pub struct Credentials {
    who: Who,
    allowed: Vec<AuthMethod>,
}

#[derive(Clone)]
enum Who {
    Password { user: String, password: Secret },
    Token { user: String, token: Secret },
    Provided { user: String, provider: Arc<dyn TokenProvider> },
    External { acting_for: Option<String> },
    Anonymous { trace: String },
    Custom(Arc<Factory>),
}

/// Makes a mechanism for a login.
type Factory = dyn Fn(&ChannelBinding) -> Result<AnyMechanism, InvalidCredentials> + Send + Sync;

impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Password { user, .. } => f.debug_struct("Password").field("user", user).finish_non_exhaustive(),
            Who::Token { user, .. } => f.debug_struct("Token").field("user", user).finish_non_exhaustive(),
            Who::Provided { user, .. } => f.debug_struct("Provided").field("user", user).finish_non_exhaustive(),
            Who::External { acting_for } => f.debug_struct("External").field("acting_for", acting_for).finish(),
            Who::Anonymous { trace } => f.debug_struct("Anonymous").field("trace", trace).finish(),
            Who::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// A way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMethod {
    /// A SASL mechanism by its registered name, in upper case.
    Sasl(Cow<'static, str>),
    /// The LOGIN command: name and password as they are, for TLS only. RFC 9051 §6.2.3
    LoginCommand,
}

impl From<&'static str> for AuthMethod {
    fn from(name: &'static str) -> Self {
        AuthMethod::Sasl(Cow::Borrowed(name))
    }
}

impl From<String> for AuthMethod {
    fn from(name: String) -> Self {
        AuthMethod::Sasl(Cow::Owned(name))
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AuthMethod::Sasl(name) => name,
            AuthMethod::LoginCommand => "the LOGIN command",
        })
    }
}

/// How much a token is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// One that is held and not expired will do.
    IfExpired,
    /// The server has refused the one that it was given: a new one is wanted, whatever its date says.
    Forced,
}

/// Where access tokens come from: a cache, a token endpoint, a person who signs in.
///
/// It is asked before each login, when a connection is opened again too, and once more where the server answers `NO`: what it gives
/// then is tried on the same connection, or on another one where the server has closed along with its `NO`.
///
/// ```
/// use imap_proto_core::{Credentials, sasl::{Refresh, TokenFuture, TokenProvider}, types::Secret};
///
/// struct FromFile(std::path::PathBuf);
///
/// impl TokenProvider for FromFile {
///     fn token(&self, refresh: Refresh) -> TokenFuture<'_> {
///         Box::pin(async move {
///             if refresh == Refresh::Forced {
///                 // Here a new one would be fetched.
///                 return Err("the token is no longer good".into());
///             }
///             Ok(Secret::from(std::fs::read_to_string(&self.0)?.trim_end()))
///         })
///     }
/// }
///
/// let login = Credentials::provided("alice@example.org", FromFile("token".into()));
/// ```
pub trait TokenProvider: Send + Sync {
    /// An access token.
    ///
    /// The login waits for it for [`Config::token`](crate::Config::token). Dropping the connection that is being made drops the
    /// future. Its error is told as [`Error::Token`](crate::Error::Token). One that has an `std::io::Error` of the network among its
    /// sources may pass: a connection that is opened again asks once more later.
    fn token(&self, refresh: Refresh) -> TokenFuture<'_>;
}

/// A token, or why there is none.
pub type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Secret, Box<dyn core::error::Error + Send + Sync>>> + Send + 'a>>;

/// What is allowed for a password, from the strongest on.
const FOR_PASSWORDS: [&str; 4] = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"];

impl Credentials {
    /// A name and a password.
    pub fn password(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        let who = Who::Password { user: user.into(), password: password.into() };
        Self::new(who, FOR_PASSWORDS).or(AuthMethod::LoginCommand)
    }

    /// A name and an access token, which is used as it is: once it has expired, logins with it are refused.
    pub fn token(user: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self::new(Who::Token { user: user.into(), token: token.into() }, ["OAUTHBEARER", "XOAUTH2"])
    }

    /// A name, and whoever has access tokens. A token that the server refuses is renewed by force, once.
    pub fn provided(user: impl Into<String>, provider: impl TokenProvider + 'static) -> Self {
        let who = Who::Provided { user: user.into(), provider: Arc::new(provider) };
        Self::new(who, ["OAUTHBEARER", "XOAUTH2"])
    }

    /// Whoever the server takes us for, as by the client's certificate; acting for `user`, where there is one.
    pub fn external(user: Option<String>) -> Self {
        Self::new(Who::External { acting_for: user }, ["EXTERNAL"])
    }

    /// Nobody, with a trace for the server's log: an address, or any word. RFC 4505
    pub fn anonymous(trace: impl Into<String>) -> Self {
        Self::new(Who::Anonymous { trace: trace.into() }, ["ANONYMOUS"])
    }

    /// By a mechanism of the caller's, made anew for each login from what the TLS below it can be bound to.
    pub fn custom<M: Mechanism + 'static>(
        name: impl Into<AuthMethod>,
        make: impl Fn(&ChannelBinding) -> Result<M, InvalidCredentials> + Send + Sync + 'static,
    ) -> Self {
        let make = move |binding: &ChannelBinding| Ok(Box::new(make(binding)?) as AnyMechanism);
        Self::new(Who::Custom(Arc::new(make)), Vec::<AuthMethod>::new()).or(name)
    }

    fn new<M: Into<AuthMethod>>(who: Who, allowed: impl IntoIterator<Item = M>) -> Self {
        Credentials { who, allowed: allowed.into_iter().map(Into::into).collect() }
    }

    fn or(mut self, method: impl Into<AuthMethod>) -> Self {
        self.allowed.push(method.into());
        self
    }

    /// Allows these ways, in this order, and no other. A login ends with [`Error::NoMechanism`](crate::Error::NoMechanism)
    /// where the server offers none of them.
    ///
    /// ```
    /// use imap_proto_core::Credentials;
    ///
    /// let login = Credentials::password("alice", "secret").allow(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    /// ```
    pub fn allow<M: Into<AuthMethod>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.allowed = methods.into_iter().map(Into::into).collect();
        self
    }

    /// What is allowed.
    pub fn allowed(&self) -> &[AuthMethod] {
        &self.allowed
    }

    /// Whoever has the tokens; `None` where none is asked.
    pub fn provider(&self) -> Option<&Arc<dyn TokenProvider>> {
        match &self.who {
            Who::Provided { provider, .. } => Some(provider),
            _ => None,
        }
    }

    /// The first way that is allowed, offered, and possible here.
    pub(crate) fn choose(&self, offer: &Offer<'_>) -> Option<&AuthMethod> {
        self.allowed.iter().find(|method| match method {
            AuthMethod::LoginCommand => {
                matches!(self.who, Who::Password { .. }) && !offer.capabilities.has(&Capability::LoginDisabled)
            }
            AuthMethod::Sasl(name) => offer.capabilities.has_auth(name) && self.knows(name, offer),
        })
    }

    /// Whether this is what the mechanism wants, and the stream below can have it.
    fn knows(&self, name: &str, offer: &Offer<'_>) -> bool {
        let name = name.to_ascii_uppercase();
        match &self.who {
            Who::Password { .. } => match name.as_str() {
                "PLAIN" | "LOGIN" => true,
                "CRAM-MD5" => cfg!(feature = "cram-md5"),
                "SCRAM-SHA-1" | "SCRAM-SHA-256" => cfg!(feature = "scram") && !offer.nonce.is_empty(),
                "SCRAM-SHA-1-PLUS" | "SCRAM-SHA-256-PLUS" => {
                    cfg!(feature = "scram") && !offer.nonce.is_empty() && offer.binding.is_bound()
                }
                _ => false,
            },
            Who::Token { .. } | Who::Provided { .. } => matches!(name.as_str(), "OAUTHBEARER" | "XOAUTH2"),
            Who::External { .. } => name == "EXTERNAL",
            Who::Anonymous { .. } => name == "ANONYMOUS",
            Who::Custom(_) => true,
        }
    }

    /// The mechanism of that name. `token` is what the provider gave.
    pub(crate) fn mechanism(
        &self,
        name: &str,
        token: Option<&Secret>,
        offer: &Offer<'_>,
    ) -> Result<AnyMechanism, InvalidCredentials> {
        let bearer = |user: &str, token: &Secret| {
            let is_standard = name.eq_ignore_ascii_case("OAUTHBEARER");
            if is_standard { Bearer::standard(user, token, None) } else { Bearer::xoauth2(user, token) }
        };
        Ok(match (&self.who, token) {
            (Who::Password { user, password }, _) => return for_password(name, user, password, offer),
            (Who::Token { user, token }, _) | (Who::Provided { user, .. }, Some(token)) => {
                Box::new(bearer(user, token)?)
            }
            (Who::Provided { .. }, None) => return Err(InvalidCredentials::NoToken),
            (Who::External { acting_for: None }, _) => Box::new(External::new()),
            (Who::External { acting_for: Some(user) }, _) => Box::new(External::acting_for(user.clone())?),
            (Who::Anonymous { trace }, _) => Box::new(Anonymous::new(trace.clone())?),
            (Who::Custom(make), _) => return make(offer.binding),
        })
    }

    /// Name and password for the LOGIN command.
    pub(crate) fn name_and_password(&self) -> Option<(&str, &Secret)> {
        match &self.who {
            Who::Password { user, password } => Some((user, password)),
            _ => None,
        }
    }

    /// What no server may repeat to the caller.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match &self.who {
            Who::Password { password, .. } => Some(password),
            Who::Token { token, .. } => Some(token),
            _ => None,
        }
    }
}

/// What a login can build on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) capabilities: &'a Capabilities,
    /// Empty where the adapter gives none.
    pub(crate) nonce: &'a str,
    pub(crate) binding: &'a ChannelBinding,
}

fn for_password(
    name: &str,
    user: &str,
    password: &Secret,
    offer: &Offer<'_>,
) -> Result<AnyMechanism, InvalidCredentials> {
    #[cfg(feature = "scram")]
    if let Some((hash, is_plus)) = scram_by_name(name) {
        let offers_plus = |name: &str| offer.capabilities.has_auth(name);
        let binding = match offer.binding {
            binding if is_plus => binding.clone(),
            ChannelBinding::None => ChannelBinding::None,
            // A server that reads this and has offered it knows that somebody has taken it away on the way. RFC 5802 §6
            _ if !offers_plus("SCRAM-SHA-256-PLUS") && !offers_plus("SCRAM-SHA-1-PLUS") => ChannelBinding::NotOffered,
            _ => ChannelBinding::None,
        };
        return Ok(Box::new(Scram::new(hash, binding, user, password, offer.nonce)?));
    }
    #[cfg(feature = "cram-md5")]
    if name.eq_ignore_ascii_case("CRAM-MD5") {
        return Ok(Box::new(super::CramMd5::new(user, password)));
    }
    #[cfg(not(feature = "scram"))]
    let _ = offer;
    Ok(if name.eq_ignore_ascii_case("LOGIN") {
        Box::new(Login::new(user, password))
    } else {
        Box::new(Plain::new(user, password)?)
    })
}

#[cfg(feature = "scram")]
fn scram_by_name(name: &str) -> Option<(Hash, bool)> {
    let name = name.to_ascii_uppercase();
    let (bare, is_plus) = name.strip_suffix("-PLUS").map_or((name.as_str(), false), |bare| (bare, true));
    match bare {
        "SCRAM-SHA-1" => Some((Hash::Sha1, is_plus)),
        "SCRAM-SHA-256" => Some((Hash::Sha256, is_plus)),
        _ => None,
    }
}
