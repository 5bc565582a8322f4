use alloc::boxed::Box;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::pump::Pump;
use super::wire::Wire;
use super::{Client, Driver};
use crate::connection::{Handshake, Want};
use crate::error::Error;
use crate::sasl::{Credentials, InvalidCredentials, TokenFuture};
use crate::types::Secret;

/// Where a handshake has arrived.
#[derive(Debug)]
pub enum Shaken<W> {
    /// The server agreed to STARTTLS: TLS goes over the stream, then [`shake_hands`] again after
    /// [`Handshake::secured`].
    Tls(W, Box<Handshake>),
    /// The server refused a token and closed, and there is a new one: another stream is opened, and [`shake_hands`] goes on
    /// after [`Handshake::move_on`]. Where there is none, [`Handshake::advance`] has the refusal.
    Again(Box<Handshake>),
    /// The connection is ready. Nothing moves unless the driver is polled.
    Ready(Client, Box<Driver<W>>),
}

/// Drives a handshake over a wire until it needs TLS or is done, with tokens from the provider of its credentials.
///
/// Dropped half-way it drops the wire, which closes the connection, and what is asked of the provider.
///
/// # Errors
/// Whatever [`Handshake::advance`] ended with, failures of the wire, and [`Error::Token`] where the provider has none.
pub async fn shake_hands<W: Wire>(mut wire: W, mut handshake: Box<Handshake>) -> Result<Shaken<W>, Error> {
    let mut pump = Pump::default();
    loop {
        match poll_fn(|cx| poll_handshake(&mut wire, &mut handshake, &mut pump, cx)).await? {
            Want::Tls => return Ok(Shaken::Tls(wire, handshake)),
            Want::Connection => return Ok(Shaken::Again(handshake)),
            Want::Token(refresh) => {
                let provider = handshake.credentials().and_then(Credentials::provider).cloned();
                let Some(provider) = provider else { return Err(Error::Misuse(InvalidCredentials::NoToken.into())) };
                let mut asked = provider.token(refresh);
                let token = poll_fn(|cx| poll_token(&mut wire, &mut handshake, &mut asked, cx)).await?;
                handshake.token(token, wire.now())?;
            }
            _ => {
                let (client, driver) = super::pair(handshake.into_connection(), wire);
                return Ok(Shaken::Ready(client, Box::new(driver)));
            }
        }
    }
}

/// Waits for a token as long as the handshake does.
fn poll_token<W: Wire>(
    wire: &mut W,
    handshake: &mut Handshake,
    asked: &mut TokenFuture<'_>,
    cx: &mut Context<'_>,
) -> Poll<Result<Secret, Error>> {
    if let Poll::Ready(token) = asked.as_mut().poll(cx) {
        return Poll::Ready(token.map_err(|error| Error::Token(error.into())));
    }
    while handshake.poll_timeout().is_some_and(|at| wire.poll_sleep_until(cx, at).is_ready()) {
        handshake.advance(wire.now())?;
    }
    Poll::Pending
}

fn poll_handshake<W: Wire>(
    wire: &mut W,
    handshake: &mut Handshake,
    pump: &mut Pump,
    cx: &mut Context<'_>,
) -> Poll<Result<Want, Error>> {
    loop {
        match handshake.advance(wire.now()) {
            Ok(Want::Bytes) => {}
            Ok(Want::Work) => {
                // Others get their turn meanwhile.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            done => return Poll::Ready(done),
        }
        let wrote = pump.write(wire, handshake.connection(), cx);
        // What follows an answer in the same read is the handshake's to judge: one read, then a look.
        if pump.read(wire, handshake.connection(), cx) || wrote {
            continue;
        }
        match handshake.poll_timeout() {
            Some(at) if wire.poll_sleep_until(cx, at).is_ready() => {}
            _ => return Poll::Pending,
        }
    }
}
