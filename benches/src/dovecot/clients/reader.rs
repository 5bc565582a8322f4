use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::{Login, Work};

/// Looks for the tagged line and for nothing else: what any client has to pay. What it counts are octets received.
pub(super) fn run(work: Work, login: &Login<'_>) -> io::Result<u64> {
    let mut stream = TcpStream::connect(("127.0.0.1", login.port))?;
    let mut buffer = vec![0; 16 << 10];
    read_to(&mut stream, &mut buffer, b"* OK ")?;
    let login = format!("LOGIN {} {}", login.user, login.password);
    let commands = match work {
        Work::List => vec![r#"LIST "" *"#],
        Work::A => vec!["EXAMINE INBOX", "UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"],
        Work::B => vec!["EXAMINE INBOX", "UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"],
        Work::Body => vec!["EXAMINE INBOX", "UID FETCH 1:* (BODY.PEEK[])"],
    };
    let mut octets = 0;
    for command in [login.as_str()].into_iter().chain(commands).chain(["LOGOUT"]) {
        stream.write_all(format!("tag {command}\r\n").as_bytes())?;
        octets += read_to(&mut stream, &mut buffer, b"tag OK")?;
    }
    Ok(octets)
}

/// Reads up to the line that begins so, which is the last one that comes.
fn read_to(stream: &mut TcpStream, buffer: &mut [u8], line: &[u8]) -> io::Result<u64> {
    let mut octets = 0;
    // The end of what came before, where a line may have begun.
    let mut tail: Vec<u8> = Vec::new();
    loop {
        let n = stream.read(buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        octets += n as u64;
        tail.extend_from_slice(&buffer[n.saturating_sub(512)..n]);
        let start = tail.len().saturating_sub(512);
        tail.drain(..start);
        let mut lines = tail.strip_suffix(b"\r\n").unwrap_or_default().rsplit(|octet| *octet == b'\n');
        if lines.next().is_some_and(|last| last.starts_with(line)) {
            return Ok(octets);
        }
    }
}
