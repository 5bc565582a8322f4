//! How a connection is opened, whatever the runtime: names looked up, addresses tried, TLS put over, hands shaken.
//!
//! It is written once, over what a [`Runtime`] brings; an adapter implements that and gives its users a [`Connector`] of its
//! own name. Needs the standard library, and does no IO itself.

mod addresses;
mod beside;
mod binding;
mod check;
mod connector;
mod dial;
mod failure;
mod opening;
#[cfg(any(feature = "socks5", feature = "http-proxy"))]
mod proxy;
mod random;
mod reconnect;
mod runtime;
#[cfg(test)]
mod scripted;
mod spans;
#[cfg(test)]
mod stage;
mod transfer;
mod trust;
mod within;

pub use check::LoginCheck;
pub use connector::Connector;
pub use opening::Opened;
#[cfg(any(feature = "socks5", feature = "http-proxy"))]
pub use proxy::Proxy;
pub use reconnect::{ReconnectEvent, ReconnectEvents, ReconnectPolicy, Reconnecting, ReconnectingMailbox, Resumed};
pub use runtime::{Carries, Route, Runtime, Secured, Spawn, TlsFacts};
#[doc(no_inline)]
pub use rustls;
pub use transfer::{broken, read_or_end, write_parts};
