//! Runs a private Dovecot until stdin closes or Ctrl-C, for trying things by hand.
//!
//! `cargo run -p imap-tests --bin dovecot_rig -- --messages 20000 [--big 25]`: alice's INBOX gets that many messages,
//! and one of so many megabytes.

use std::error::Error;
use std::io::{copy, sink, stdin};

use imap_tests::mailbox::{add_to_maildir, big_message, fill_maildir};
use imap_tests::servers::{Dovecot, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut messages, mut megabytes) = (100, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value: u64 = arguments.next().ok_or(format!("{option} needs a number"))?.parse()?;
        match option.as_str() {
            "--messages" => messages = value,
            "--big" => megabytes = Some(value),
            _ => return Err(format!("{option} is unknown: --messages N, --big MEGABYTES").into()),
        }
    }
    let server = Dovecot::start().ok_or("Dovecot is not installed, or this is not root")?;
    let maildir = server.maildir("alice");
    fill_maildir(&maildir, messages)?;
    if let Some(megabytes) = megabytes {
        add_to_maildir(&maildir, messages, &big_message(megabytes << 20))?;
    }
    println!("host      127.0.0.1 (localhost)");
    println!("plain     {} (STARTTLS)", server.plain_port());
    println!("tls       {}", server.tls_port());
    println!("users     {}", Dovecot::USERS.join(" "));
    println!("password  {}", Dovecot::PASSWORD);
    println!("ca        {}", server.ca_pem_path().display());
    println!("inbox     {} messages of alice", messages + u64::from(megabytes.is_some()));
    println!("list it   IMAP_PASSWORD={} \\", Dovecot::PASSWORD);
    println!("          cargo run --release -p imap-examples --example inbox -- \\");
    println!("          --stats --ca {} imaps://alice@localhost:{}", server.ca_pem_path().display(), server.tls_port());
    // Ctrl-C needs no handling: it ends this process, and that stops Dovecot.
    copy(&mut stdin().lock(), &mut sink())?;
    Ok(())
}
