use imap_proto_core::types::{Capabilities, Capability};

/// What a server says first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Greeting {
    /// `OK`: log in first.
    #[default]
    Ok,
    /// `PREAUTH`: the session is this user's already, as behind a tunnel.
    PreAuth(String),
    /// `BYE` with this text: the server will have nothing to do with anybody.
    Bye(String),
}

/// Names whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Bytes go as they are; STARTTLS is offered.
    Clear,
    /// TLS is done below the session.
    Tls,
}

/// What the TLS below a session can be bound to, for the mechanisms that end in `-PLUS`.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// What is exported for `tls-exporter`; of TLS 1.3 alone. RFC 9266
    pub exporter: Option<Vec<u8>>,
    /// The hash of the server's certificate, for `tls-server-end-point`. RFC 5929 §4
    pub end_point: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) greeting: Greeting,
    pub(crate) capabilities: Capabilities,
    /// Whether a password is taken without TLS.
    pub(crate) login_in_clear: bool,
}

impl Default for Options {
    fn default() -> Self {
        let capabilities = [
            Capability::Imap4Rev1,
            Capability::StartTls,
            Capability::Auth("PLAIN".into()),
            Capability::SaslIr,
            Capability::LiteralPlus,
            Capability::Enable,
            Capability::Idle,
            Capability::Id,
            Capability::Namespace,
            Capability::UidPlus,
            Capability::Move,
            Capability::MultiAppend,
            Capability::Unselect,
            Capability::Esearch,
            Capability::CondStore,
            Capability::Children,
            Capability::ListExtended,
            Capability::ListStatus,
            Capability::SpecialUse,
            Capability::StatusSize,
        ];
        Options { greeting: Greeting::Ok, capabilities: capabilities.into_iter().collect(), login_in_clear: true }
    }
}

impl Options {
    pub(crate) fn has(&self, capability: &Capability) -> bool {
        self.capabilities.has(capability)
    }

    pub(crate) fn allows_login(&self, channel: Channel) -> bool {
        self.login_in_clear || channel == Channel::Tls
    }

    /// What is announced: without what makes no sense any more on an encrypted or authenticated connection.
    pub(crate) fn announced(&self, channel: Channel, authenticated: bool) -> Capabilities {
        let mechanisms = !authenticated && self.allows_login(channel);
        let applies = |capability: &Capability| match capability {
            Capability::StartTls => channel == Channel::Clear && !authenticated,
            Capability::Auth(name) if name.to_string().ends_with("-PLUS") => mechanisms && channel == Channel::Tls,
            Capability::Auth(_) | Capability::SaslIr => mechanisms,
            _ => true,
        };
        let mut announced: Capabilities =
            self.capabilities.iter().filter(|capability| applies(capability)).cloned().collect();
        if !authenticated && !self.allows_login(channel) {
            announced.insert(Capability::LoginDisabled);
        }
        announced
    }
}
