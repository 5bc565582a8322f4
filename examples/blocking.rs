//! The core by hand, over a blocking socket: no runtime, no TLS, no thread.
//!
//! `blocking HOST:PORT USER` lists the subjects of the inbox, in clear text: for a server on the same machine.
//! The password comes from `IMAP_PASSWORD`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use imap_proto_core::command::{Access, Command, Fetch, Select};
use imap_proto_core::types::{FetchItems, UidSet};
use imap_proto_core::wire::grammar;
use imap_proto_core::{Config, Connection, Credentials, Event, Handshake, Security, Want};

struct Blocking {
    stream: TcpStream,
    began: Instant,
}

impl Blocking {
    /// Writes what may leave; reads once where nothing did.
    fn turn(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        let bytes: Vec<u8> = connection.transmit().flatten().copied().collect();
        if bytes.is_empty() {
            let n = self.stream.read(connection.receive_space())?;
            connection.received(n, self.began.elapsed());
        } else {
            self.stream.write_all(&bytes)?;
            connection.transmitted(bytes.len(), self.began.elapsed());
        }
        Ok(())
    }

    /// Runs one command to its end and shows its data to `each`.
    fn run<C: Command>(
        &mut self,
        connection: &mut Connection,
        mut command: C,
        mut each: impl FnMut(grammar::Fetch<'_>),
    ) -> Result<C::Output, Box<dyn Error>> {
        let own = connection.submit(command.request()?, self.began.elapsed())?;
        loop {
            match connection.poll_event() {
                Some(Event::Data { id, response }) if id == Some(own) => {
                    command.fold(response);
                    response.as_fetch().into_iter().for_each(&mut each);
                }
                Some(Event::Done { outcome, .. }) => return Ok(command.finish(outcome?)),
                Some(Event::Failed { error, .. } | Event::Closed(error)) => return Err(error.into()),
                Some(_) => {}
                None => self.turn(connection)?,
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(user)) = (arguments.next(), arguments.next()) else { return Err("HOST:PORT USER".into()) };
    let credentials =
        Credentials::password(user, std::env::var("IMAP_PASSWORD").map_err(|_| "IMAP_PASSWORD is not set")?);
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut blocking = Blocking { stream, began: Instant::now() };

    let mut handshake = Handshake::new(Config::default(), Security::Plaintext, Some(credentials));
    while handshake.advance(blocking.began.elapsed())? != Want::Nothing {
        blocking.turn(handshake.connection())?;
    }
    let mut connection = handshake.into_connection();
    blocking.run(&mut connection, Select::new("INBOX", Access::ReadOnly), |_| {})?;
    blocking.run(&mut connection, Fetch::new(UidSet::all(), FetchItems::summary()), |fetch| {
        let subject = fetch.envelope().and_then(|envelope| envelope.subject());
        println!("{:>6} {}", fetch.seq(), subject.map(|s| s.to_str().into_owned()).unwrap_or_default());
    })
}
