/// What a [`StrictServer`](super::StrictServer) offers and how it behaves: plain data.
#[derive(Debug, Clone)]
pub struct Options {
    /// The first line the server sends.
    pub greeting: Greeting,
    /// Whether the greeting carries `[CAPABILITY …]`.
    pub capability_in_greeting: bool,
    /// Whether the OK to LOGIN carries `[CAPABILITY …]`.
    pub capability_in_login: bool,
    /// The literal extension that is advertised.
    pub literals: Literals,
    /// Whether ESEARCH (RFC 4731) is advertised, so that `RETURN (…)` is legal.
    pub esearch: bool,
    /// Whether UTF8=ACCEPT (RFC 6855) is advertised, so that 8-bit quoted strings are legal once enabled.
    pub utf8_accept: bool,
    /// Whether COMPRESS=DEFLATE (RFC 4978) is advertised.
    pub compress: bool,
    /// Capabilities of a full server that this one does not have, nor their commands.
    pub withheld: &'static [&'static str],
    /// Answers the next synchronizing literal with this instead of `+`, once.
    pub refuse_literal: Option<Refusal>,
    /// What becomes of a message of no octets, which takes back a MULTIAPPEND.
    pub no_octets: NoOctets,
    /// The only user that may log in.
    pub user: String,
    /// That user's password.
    pub password: String,
}

impl Default for Options {
    /// A server with everything on but COMPRESS, which wants a driver that inflates, for `alice` / `secret`.
    fn default() -> Self {
        Self {
            greeting: Greeting::Ok,
            capability_in_greeting: true,
            capability_in_login: true,
            literals: Literals::Plus,
            esearch: true,
            utf8_accept: false,
            compress: false,
            withheld: &[],
            refuse_literal: None,
            no_octets: NoOctets::Refused,
            user: "alice".into(),
            password: "secret".into(),
        }
    }
}

impl Options {
    /// The capabilities shown before or after authentication, in the order they are listed.
    pub(super) fn capabilities(&self, authenticated: bool) -> Vec<&'static str> {
        let mut list = vec!["IMAP4rev1"];
        match self.literals {
            Literals::Synchronizing => {}
            Literals::Plus => list.push("LITERAL+"),
            Literals::Minus => list.push("LITERAL-"),
        }
        list.extend(["ID", "ENABLE", "IDLE"]);
        if !authenticated {
            return list;
        }
        list.extend(["NAMESPACE", "UNSELECT", "UIDPLUS", "MOVE", "MULTIAPPEND"]);
        if self.esearch {
            list.push("ESEARCH");
        }
        if self.utf8_accept {
            list.push("UTF8=ACCEPT");
        }
        if self.compress {
            list.push("COMPRESS=DEFLATE");
        }
        list.retain(|capability| !self.withheld.contains(capability));
        list
    }
}

/// The first line of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// `* OK`: the client has to log in.
    Ok,
    /// `* PREAUTH`: the client is authenticated already.
    Preauth,
    /// `* BYE`: the server refuses the connection.
    Bye,
}

/// The literal extension of RFC 7888 that is advertised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literals {
    /// None: only `{n}`.
    Synchronizing,
    /// LITERAL+: `{n+}` of any size.
    Plus,
    /// LITERAL-: `{n+}` up to 4096 octets.
    Minus,
}

/// How a message of no octets is answered: NO in any case (RFC 3502 §6.3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoOctets {
    /// At once, as Dovecot does: the command is over.
    Refused,
    /// `+` and NO in one, as Cyrus does: the command is over, and whoever ends its line is told BAD.
    WelcomedAndRefused,
    /// `+`, and NO once the line has ended.
    Welcomed,
}

/// How a synchronizing literal is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A tagged NO.
    No,
    /// A tagged BAD.
    Bad,
}
