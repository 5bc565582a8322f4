//! The client on an executor of the caller's, without the feature of a runtime.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::spawn;

use imap_async_std::{Connector, Error};

/// Greets, and answers each command with OK.
fn serve(listener: &TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().expect("a client");
    let mut stream = BufReader::new(stream);
    let mut commands = Vec::new();
    stream.get_mut().write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n").expect("it is read");
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).expect("the client is there") == 0 {
            return commands;
        }
        let (tag, command) = line.trim_end().split_once(' ').expect("a tag and a command");
        commands.push(command.to_owned());
        let data = if command.starts_with("EXAMINE") { "* 3 EXISTS\r\n" } else { "* BYE soon\r\n" };
        stream.get_mut().write_all(format!("{data}{tag} OK done\r\n").as_bytes()).expect("it is read");
    }
}

#[test]
fn whoever_polls_the_driver_moves_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let server = spawn(move || serve(&listener));
    // Its tasks stay on this thread, and nothing is spawned elsewhere.
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let connector = Connector::new("localhost").address("127.0.0.1").port(port).plaintext();
        let (client, driver) = connector.open().await.expect("it greets");
        let driver = executor.spawn(driver);
        let inbox = client.examine("INBOX").await.expect("it is there");
        assert_eq!(inbox.exists(), 3);
        drop(inbox);
        client.logout().await.expect("it says goodbye");
        let end = driver.await;
        assert!(matches!(end, Error::Closed(_)), "{end:?}");
    }));
    assert_eq!(server.join().expect("it does not panic"), ["EXAMINE \"INBOX\"", "LOGOUT"]);
}
