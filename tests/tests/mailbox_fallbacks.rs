//! What the client makes of servers that lack extensions, or advertise them and do otherwise.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;

use imap_tokio::command::List;
use imap_tokio::types::{Capability, MailboxName, StatusItems, UidSet};
use imap_tokio::{Client, Connector, Credentials, Error};

const PATIENCE: Duration = Duration::from_secs(30);

/// Answers each command, given without its tag, by a function of it; `@` is the tag. Tells the commands in the end.
fn serve(capabilities: &'static str, answer: impl Fn(&str) -> String + Send + 'static) -> (u16, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let (tell, told) = channel();
    spawn(move || {
        let Ok((stream, _)) = listener.accept() else { return };
        let mut reader = BufReader::new(stream);
        let mut commands = Vec::new();
        let mut say = format!("* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ {capabilities}] hi\r\n");
        loop {
            // The client may be gone.
            let _ = reader.get_mut().write_all(say.as_bytes());
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(n) if n > 0 => {}
                _ => break,
            }
            let (tag, command) = line.trim_end().split_once(' ').expect("a command has a tag");
            say = match command {
                "LOGOUT" => "* BYE\r\n@ OK\r\n".to_owned(),
                command => answer(command),
            };
            say = say.replace('@', tag);
            commands.push(command.to_owned());
        }
        let _ = tell.send(commands);
    });
    (port, told)
}

fn run<F: Future>(port: u16, test: impl FnOnce(Client) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let login = Credentials::password("alice", "secret");
        let connector = Connector::new("localhost").address("127.0.0.1").port(port).plaintext().credentials(login);
        let client = connector.connect().await.expect("it lets us in");
        let answer = tokio::time::timeout(PATIENCE, test(client.clone())).await.expect("nothing hangs");
        client.logout().await.expect("the connection is good");
        answer
    })
}

fn told(commands: &Receiver<Vec<String>>) -> Vec<String> {
    commands.recv_timeout(PATIENCE).expect("the server is over")
}

#[test]
fn without_list_status_each_mailbox_is_asked_and_a_refusal_costs_its_own_status_only() {
    let (port, commands) = serve("", |command| match command.strip_prefix("STATUS ") {
        Some(rest) if rest.starts_with("\"box 7\"") => "@ NO [NOPERM] not that one\r\n".into(),
        Some(rest) => {
            let number: u32 = rest
                .split('"')
                .nth(1)
                .and_then(|name| name.strip_prefix("box "))
                .map_or(0, |number| number.parse().expect("a number"));
            format!("* STATUS \"box {number}\" (MESSAGES {number})\r\n@ OK\r\n")
        }
        None => {
            let names = (0..500).map(|number| format!("* LIST () \"/\" \"box {number}\"\r\n")).collect::<String>();
            format!("* LIST (\\Noselect) \"/\" root\r\n{names}@ OK\r\n")
        }
    });
    let entries = run(port, |client| async move {
        client.list_with_status(List::all(), StatusItems::new().messages()).await.expect("it is answered")
    });
    assert_eq!(entries.len(), 501);
    for (at, entry) in entries.iter().enumerate() {
        let expected = (at != 0 && at != 8).then(|| at as u32 - 1);
        assert_eq!(entry.status().and_then(|status| status.messages), expected, "{}", entry.name());
    }
    assert_eq!(told(&commands).iter().filter(|command| command.starts_with("STATUS")).count(), 500);
}

#[test]
fn with_list_status_no_mailbox_is_asked_again() {
    let (port, commands) = serve("LIST-EXTENDED LIST-STATUS", |_| {
        "* LIST () \"/\" a\r\n* STATUS a (MESSAGES 1)\r\n* LIST () \"/\" b\r\n@ OK\r\n".into()
    });
    let entries = run(port, |client| async move {
        client.list_with_status(List::all(), StatusItems::new().messages()).await.expect("it is answered")
    });
    assert!(entries[0].status().is_some() && entries[1].status().is_none());
    assert_eq!(told(&commands), ["LIST \"\" \"*\" RETURN (STATUS (MESSAGES))", "LOGOUT"]);
}

#[test]
fn quirk_58_an_enable_refused_because_of_imap4rev2_is_asked_again_without_it() {
    for refusal in ["@ NO not that\r\n", "@ BAD what\r\n"] {
        let refuse = move |command: &str| match command {
            "ENABLE CONDSTORE" => "* ENABLED CONDSTORE\r\n@ OK\r\n".into(),
            _ => refusal.to_owned(),
        };
        for (asked, enabled, sent) in [
            (&[Capability::Imap4Rev2, Capability::CondStore][..], Some("CONDSTORE"), 2),
            (&[Capability::CondStore], Some("CONDSTORE"), 1),
            (&[Capability::Imap4Rev2], None, 1),
            (&[Capability::Utf8Accept], None, 1),
        ] {
            let (port, commands) = serve("ENABLE", refuse);
            let told = run(port, |client| async move { client.enable(asked.iter().cloned()).await });
            assert_eq!(told.as_ref().ok().map(ToString::to_string).as_deref(), enabled, "{asked:?}: {told:?}");
            assert_eq!(self::told(&commands).len(), sent + 1, "{asked:?} and LOGOUT");
        }
    }
}

#[test]
fn quirk_70_an_extended_list_that_goes_wrong_is_asked_again_as_a_plain_one() {
    for wrong in ["@ OK nothing\r\n", "@ BAD what\r\n"] {
        let (port, commands) = serve("LIST-EXTENDED", move |command| match command {
            "LIST \"\" \"*\"" => "* LIST () \"/\" INBOX\r\n@ OK\r\n".into(),
            _ => wrong.into(),
        });
        let entries = run(port, |client| async move { client.list_all().await.expect("it is answered") });
        assert_eq!(entries.len(), 1);
        let extended = "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN)";
        assert_eq!(told(&commands), [extended, "LIST \"\" \"*\"", "LOGOUT"]);
    }
    let (port, _) = serve("LIST-EXTENDED", |_| "@ NO not now\r\n".into());
    let refused = run(port, |client| async move { client.list_all().await });
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[test]
fn quirk_77_what_is_there_already_is_ensured() {
    let a = || MailboxName::new("a").expect("a name");
    for (refusal, listed, expected) in [
        ("@ NO [ALREADYEXISTS] no\r\n", "", Some(false)),
        ("@ NO Mailbox exists\r\n", "* LIST () \"/\" a\r\n", Some(false)),
        ("@ NO no\r\n", "* LIST (\\NonExistent) \"/\" a\r\n", None),
        ("@ NO no\r\n", "* LIST () \"/\" b\r\n", None),
        ("@ OK\r\n", "", Some(true)),
    ] {
        let (port, _) = serve("", move |command| match command {
            "CREATE \"a\"" => refusal.into(),
            _ => format!("{listed}@ OK\r\n"),
        });
        let made = run(port, |client| async move { client.ensure(a()).await });
        assert_eq!(made.as_ref().ok().copied(), expected, "{refusal}{listed}: {made:?}");
    }
}

#[test]
fn messages_that_a_search_does_not_name_are_neither_moved_nor_marked() {
    for capabilities in ["UIDPLUS", "UIDPLUS ESEARCH"] {
        let (port, commands) = serve(capabilities, |command| match command {
            // What `*` is by the next command, nobody knows.
            command if command.starts_with("UID SEARCH") => "* ESEARCH (TAG \"@\") UID ALL 1:*\r\n@ OK\r\n".into(),
            _ => "@ OK\r\n".into(),
        });
        let (moved, deleted) = run(port, |client| async move {
            let inbox = client.select(MailboxName::inbox()).await.expect("it is selected");
            let archive = MailboxName::new("Archive").expect("a name");
            (inbox.move_to(UidSet::all(), archive).await, inbox.delete(UidSet::all()).await)
        });
        assert!(matches!(moved, Err(Error::Unsupported(_))), "{moved:?}");
        assert!(matches!(deleted, Err(Error::Unsupported(_))), "{deleted:?}");
        let told = told(&commands);
        assert!(
            !told.iter().any(|command| ["COPY", "STORE", "EXPUNGE"].iter().any(|word| command.contains(word))),
            "{told:?}"
        );
    }
}
