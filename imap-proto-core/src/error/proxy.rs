use alloc::string::String;
use alloc::sync::Arc;

/// What went wrong at a proxy, and at which: the server has said nothing yet.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the proxy {proxy} {failure}")]
#[non_exhaustive]
pub struct ProxyError {
    /// The proxy, as a URL without its credentials.
    pub proxy: String,
    /// What went wrong.
    #[source]
    pub failure: ProxyFailure,
}

/// What a proxy did, or could not do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFailure {
    /// It was not reached, or the connection to it was lost before the server's began: an `std::io::Error`. One that was not
    /// reached in time is an [`Unreachable`](crate::Error::Unreachable) of [`Phase::Proxy`](crate::Phase::Proxy).
    #[error("can't be reached: {0}")]
    Unreachable(#[source] Arc<dyn core::error::Error + Send + Sync>),
    /// It wants a name and a password, or others than it was given.
    #[error("does not let us in: {says}")]
    Login {
        /// What it says, or what its answer means.
        says: String,
    },
    /// It does not make such connections: not to this server, not to this port, or not at all.
    #[error("refuses the connection: {says}")]
    Refused {
        /// What it says, or what its answer means.
        says: String,
    },
    /// It could not reach the server.
    #[error("can't reach the server: {says}")]
    ServerUnreachable {
        /// What it says, or what its answer means.
        says: String,
    },
    /// It answers as no proxy of its kind does.
    #[error("does not speak its protocol: {0}")]
    Protocol(String),
    /// What has no form in the protocol of the proxy; nothing was sent.
    #[error("can't be told {0}")]
    Unsendable(&'static str),
}
