use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::sasl::AuthMethod;
use crate::types::Code;
use crate::wire::Condition;

/// A tagged `NO` or `BAD`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{command} refused: {text}{}", Why(&self.reason))]
#[non_exhaustive]
pub struct Refused {
    /// The command by its name, without arguments; a raw one by its first word.
    pub command: Cow<'static, str>,
    /// `NO` or `BAD`.
    pub condition: Condition,
    /// The response code, where there was one.
    pub code: Option<Code>,
    /// The server's words.
    pub text: String,
    /// What the server said before, in the exchange of an authentication: of a token it is why, in JSON (RFC 7628 §3.2.2).
    pub reason: Option<String>,
}

struct Why<'a>(&'a Option<String>);

impl core::fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |reason| write!(f, " ({reason})"))
    }
}

/// What was offered to log in with, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no way to log in: the server offers {}, and allowed here is {}", Listed(&self.offered), Listed(&self.allowed))]
#[non_exhaustive]
pub struct NoMechanism {
    /// The SASL mechanisms that the server names.
    pub offered: Vec<String>,
    /// What the [`Credentials`](crate::Credentials) allow. One that was offered as well is not possible here: its feature is
    /// not built in, or it needs a channel binding.
    pub allowed: Vec<AuthMethod>,
}

struct Listed<'a, T>(&'a [T]);

impl<T: core::fmt::Display> core::fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut before = "";
        for one in self.0 {
            write!(f, "{before}{one}")?;
            before = ", ";
        }
        if self.0.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

impl Refused {
    /// How long the server wants to be left alone, where it says so in words as Microsoft's do (quirk 49).
    pub fn backoff(&self) -> Option<Duration> {
        let (_, rest) = self.text.split_once("Suggested Backoff Time: ")?;
        let (number, unit) = rest.split_once(' ')?;
        let number = number.parse().ok()?;
        match unit {
            unit if unit.starts_with("milliseconds") => Some(Duration::from_millis(number)),
            unit if unit.starts_with("seconds") => Some(Duration::from_secs(number)),
            _ => None,
        }
    }

    /// Why it was refused, where it is the refusal of a login: see [`Error::login_refusal`](crate::Error::login_refusal). The response code decides
    /// (RFC 5530 §3), and without one that says something of it the condition.
    pub fn login_refusal(&self) -> Option<LoginRefusal> {
        if !matches!(&*self.command, "LOGIN" | "AUTHENTICATE") {
            return None;
        }
        Some(match (&self.code, self.condition) {
            (Some(Code::AuthenticationFailed | Code::AuthorizationFailed | Code::Expired), _) => {
                LoginRefusal::Credentials
            }
            (
                Some(
                    Code::Unavailable | Code::TempFail | Code::InUse | Code::Limit | Code::ServerBug | Code::Corruption,
                ),
                _,
            ) => LoginRefusal::Unavailable,
            (Some(Code::PrivacyRequired | Code::ContactAdmin | Code::NoPerm | Code::Cannot), _) => {
                LoginRefusal::Configuration
            }
            _ if self.backoff().is_some() || self.is_not_connected() => LoginRefusal::Unavailable,
            (_, Condition::Bad) => LoginRefusal::Configuration,
            _ => LoginRefusal::Credentials,
        })
    }

    /// True when the login was good and the mailboxes behind it cannot be reached, which Exchange says in words at
    /// the first command after it (quirk 51). Logging in again later may help.
    pub fn is_not_connected(&self) -> bool {
        self.text.starts_with("User is authenticated but not connected")
    }
}

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// The credentials are wrong, no longer good, or not for that user: they are not to be tried again. A `NO` without a code
    /// that says otherwise is taken for it. RFC 9051 §6.2.3
    Credentials,
    /// The server can't say for now: the credentials may be good, and trying again later may help.
    Unavailable,
    /// Neither other credentials nor time helps: TLS is required, the administrator has to be asked, the way of logging in is
    /// not offered, or the command was not understood.
    Configuration,
}
