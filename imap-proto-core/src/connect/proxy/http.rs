use std::format;
use std::future::poll_fn;
use std::io;
use std::str;
use std::string::String;
use std::task::ready;
use std::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use httparse::{EMPTY_HEADER, Response, Status};
use zeroize::Zeroizing;

use super::super::transfer::broken;
use super::{Authority, ProxyLogin};
use crate::client::Wire;
use crate::error::{ProxyFailure, words};

/// What a proxy may say before it connects, in octets. No real one needs a tenth of it.
const MOST: usize = 16 * 1024;

/// Fields of one answer.
const MOST_FIELDS: usize = 128;

/// Has an HTTP proxy connect. It is read one octet at a time: what follows its answer is the server's.
pub(super) async fn tunnel<W: Wire>(
    mut wire: W,
    login: Option<&ProxyLogin>,
    host: &str,
    port: u16,
) -> Result<W, ProxyFailure> {
    let request = request(login, host, port)?;
    write(&mut wire, &request).await?;
    let mut answer = Vec::new();
    for _ in 0..MOST {
        answer.push(read_octet(&mut wire).await?);
        match judged(&answer).map_err(|failure| without_secrets(failure, login))? {
            Answer::Connected => return Ok(wire),
            Answer::Partial => {}
            Answer::Interim => answer.clear(),
        }
    }
    Err(ProxyFailure::Protocol(format!("an answer of more than {MOST} bytes")))
}

/// RFC 9110 §9.3.6
fn request(login: Option<&ProxyLogin>, host: &str, port: u16) -> Result<Zeroizing<String>, ProxyFailure> {
    let server = Authority(host, port);
    let mut request = Zeroizing::new(format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n"));
    if let Some(login) = login {
        if login.user.contains(':') {
            return Err(ProxyFailure::Unsendable("a name with a colon"));
        }
        // Whole, so that no copy of it is left behind by growing.
        *request = format!("{}Proxy-Authorization: Basic {}\r\n", *request, *encoded(login));
    }
    request.reserve_exact(2);
    request.push_str("\r\n");
    Ok(request)
}

enum Answer {
    Partial,
    /// One that another follows. RFC 9110 §15.2
    Interim,
    Connected,
}

/// What an answer says, as far as it has come.
fn judged(answer: &[u8]) -> Result<Answer, ProxyFailure> {
    // Whoever does not speak HTTP is known by the first octets, and all else at the end of a line.
    if answer.len() > 16 && !answer.ends_with(b"\n") {
        return Ok(Answer::Partial);
    }
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut response = Response::new(&mut fields);
    match response.parse(answer) {
        Ok(Status::Partial) => return Ok(Answer::Partial),
        Ok(Status::Complete(_)) => {}
        Err(error) => return Err(ProxyFailure::Protocol(format!("{error}"))),
    }
    let code = response.code.unwrap_or_default();
    let says = || words(format!("{code} {}", response.reason.unwrap_or_default()).trim_end().as_bytes());
    match code {
        100..=199 => Ok(Answer::Interim),
        200..=299 => Ok(Answer::Connected),
        407 => Err(ProxyFailure::Login { says: says() }),
        502..=504 => Err(ProxyFailure::ServerUnreachable { says: says() }),
        300..=599 => Err(ProxyFailure::Refused { says: says() }),
        _ => Err(ProxyFailure::Protocol(format!("the status {code}"))),
    }
}

/// A proxy may repeat what it was told: then its words are left out.
fn without_secrets(mut failure: ProxyFailure, login: Option<&ProxyLogin>) -> ProxyFailure {
    if let (
        ProxyFailure::Login { says } | ProxyFailure::ServerUnreachable { says } | ProxyFailure::Refused { says },
        Some(login),
    ) = (&mut failure, login)
    {
        let password = str::from_utf8(login.password.expose()).unwrap_or_default();
        if (!password.is_empty() && says.contains(password)) || says.contains(&**encoded(login)) {
            *says = String::from("(the proxy repeated what it was told)");
        }
    }
    failure
}

/// Name and password, as they go to the proxy. RFC 7617 §2
fn encoded(ProxyLogin { user, password }: &ProxyLogin) -> Zeroizing<String> {
    let pair = Zeroizing::new([user.as_bytes(), b":", password.expose()].concat());
    Zeroizing::new(STANDARD.encode(&*pair))
}

async fn write<W: Wire>(wire: &mut W, text: &str) -> Result<(), ProxyFailure> {
    let mut left = text.as_bytes();
    poll_fn(|cx| {
        while !left.is_empty() {
            let count = ready!(wire.poll_write(cx, &[left]))?;
            left = left.get(count..).unwrap_or_default();
            if count == 0 {
                return std::task::Poll::Ready(Err(broken(io::ErrorKind::WriteZero.into())));
            }
        }
        wire.poll_flush(cx)
    })
    .await
    .map_err(ProxyFailure::Unreachable)
}

async fn read_octet<W: Wire>(wire: &mut W) -> Result<u8, ProxyFailure> {
    let mut octet = [0];
    match poll_fn(|cx| wire.poll_read(cx, &mut octet)).await {
        Ok(0) => Err(ProxyFailure::Unreachable(broken(io::ErrorKind::UnexpectedEof.into()))),
        Ok(_) => Ok(octet[0]),
        Err(error) => Err(ProxyFailure::Unreachable(error)),
    }
}
