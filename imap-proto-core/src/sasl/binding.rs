use alloc::vec::Vec;

/// How the exchange is bound to the TLS below it, so that nobody between can pass it on. RFC 5802 §6
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelBinding {
    /// Not at all: there is no TLS, or nothing is known of it.
    #[default]
    None,
    /// It could be, and the server does not offer it. A server that does will see that somebody has hidden it.
    NotOffered,
    /// `tls-exporter`, for TLS 1.3: 32 octets exported with the label `EXPORTER-Channel-Binding`. RFC 9266
    Exporter(Vec<u8>),
    /// `tls-server-end-point`: the hash of the server's certificate. RFC 5929 §4.1
    EndPoint(Vec<u8>),
}

impl ChannelBinding {
    /// True where there is something to bind to.
    pub fn is_bound(&self) -> bool {
        !matches!(self, ChannelBinding::None | ChannelBinding::NotOffered)
    }

    /// The GS2 header without the name it is acting for. RFC 5801 §4
    #[cfg(feature = "scram")]
    pub(super) fn flag(&self) -> &'static str {
        match self {
            ChannelBinding::None => "n",
            ChannelBinding::NotOffered => "y",
            ChannelBinding::Exporter(_) => "p=tls-exporter",
            ChannelBinding::EndPoint(_) => "p=tls-server-end-point",
        }
    }

    #[cfg(feature = "scram")]
    pub(super) fn data(&self) -> &[u8] {
        match self {
            ChannelBinding::None | ChannelBinding::NotOffered => &[],
            ChannelBinding::Exporter(data) | ChannelBinding::EndPoint(data) => data,
        }
    }
}
