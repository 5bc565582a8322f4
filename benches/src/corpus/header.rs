//! The header of an invented message, as it stands in the literals of `BODY[...]`.

use std::fmt::Write;

use super::message::{Addr, Message, id, words};
use super::rng::Rng;

/// All of the header, with its blank line.
pub(crate) fn whole(rng: &mut Rng, message: &Message) -> String {
    let mut out = String::new();
    let (host, from) = (&message.from.host, &message.from.mailbox);
    let _ = write!(out, "Return-Path: <{from}@{host}>\r\nDelivered-To: alice@example.org\r\n");
    for _ in 0..3 {
        let (a, b) = (rng.between(1, 250), rng.between(1, 250));
        let _ = write!(out, "Received: from mx{a}.{host} (mx{a}.{host} [192.0.2.{b}])\r\n");
        let _ = write!(out, "\tby mail.example.org (Postfix) with ESMTPS id {:012X}\r\n", rng.next() >> 16);
        let _ = write!(out, "\tfor <alice@example.org>; {}\r\n", message.date);
    }
    let _ = write!(
        out,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=s1;\r\n\th=from:to:subject:date; b="
    );
    for _ in 0..4 {
        let _ = write!(out, "\r\n\t {:016x}{:016X}{:016x}", rng.next(), rng.next(), rng.next());
    }
    out.push_str("\r\n");
    common(&mut out, message);
    let _ = write!(out, "Message-ID: {}\r\n", message.message_id);
    if let Some(parent) = &message.in_reply_to {
        let _ = write!(out, "In-Reply-To: {parent}\r\nReferences: {}\r\n {parent}\r\n", id(rng));
    }
    out.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"");
    let _ = write!(out, "{:016x}\"\r\nX-Mailer: {}\r\n\r\n", rng.next(), words(rng, 2));
    out
}

/// `HEADER.FIELDS (FROM TO SUBJECT DATE)`: in the order of the message, with the blank line.
pub(crate) fn fields(message: &Message) -> String {
    let mut out = String::new();
    common(&mut out, message);
    out.push_str("\r\n");
    out
}

fn common(out: &mut String, message: &Message) {
    let _ = write!(out, "From: {}\r\nTo: ", address(&message.from));
    let to: Vec<_> = message.to.iter().map(address).collect();
    let _ = write!(out, "{}\r\nSubject: {}\r\nDate: {}\r\n", to.join(",\r\n\t"), message.subject, message.date);
}

fn address(addr: &Addr) -> String {
    match &addr.name {
        Some(name) if name.contains(['"', ',']) => {
            format!("\"{}\" <{}@{}>", name.replace('"', "\\\""), addr.mailbox, addr.host)
        }
        Some(name) => format!("{name} <{}@{}>", addr.mailbox, addr.host),
        None => format!("{}@{}", addr.mailbox, addr.host),
    }
}
