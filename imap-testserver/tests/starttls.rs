//! What comes behind STARTTLS in the clear is thrown away. RFC 9051 §6.2.1

use imap_testserver::{Channel, Output, Session, TestServer};

fn said(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.next_output()).collect()
}

#[test]
fn nothing_behind_starttls_is_obeyed_after_it() {
    for behind in
        ["", "B NOOP\r\n", "B LOGIN alice secret\r\nC NOOP\r\n", "B NO", "B LOGIN {5}\r\nal", "B LOGIN {50+}\r\nal"]
    {
        let server = TestServer::start();
        let mut session = server.session(Channel::Clear);
        said(&mut session);
        session.receive(format!("A STARTTLS\r\n{behind}").as_bytes());
        assert_eq!(said(&mut session), [Output::Bytes(b"A OK Begin TLS\r\n".to_vec()), Output::StartTls], "{behind}");
        session.tls_begun();
        assert_eq!(said(&mut session), []);
        session.receive(b"D NOOP\r\nE STARTTLS\r\n");
        let expected = [b"D OK Done\r\n".to_vec(), b"E BAD TLS is active\r\n".to_vec()].map(Output::Bytes);
        assert_eq!(said(&mut session), expected, "{behind}");
    }
}

#[test]
fn starttls_that_is_refused_throws_nothing_away() {
    let server = TestServer::start();
    let mut session = server.session(Channel::Clear);
    said(&mut session);
    session.receive(b"A STARTTLS now\r\nB NOOP\r\n");
    let expected = [b"A BAD Too many arguments\r\n".to_vec(), b"B OK Done\r\n".to_vec()].map(Output::Bytes);
    assert_eq!(said(&mut session), expected);
}
