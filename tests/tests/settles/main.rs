//! Whatever ends a connection, all that waits on it ends with the cause, and so does every later call at once.
//!
//! [`CAUSES`] are tried one by one against each row of [`EVERYTHING`], alone and all together, on a server that holds its answers
//! back. Nobody's timer runs: who is not woken by the end itself hangs. What a runtime brings, TLS and its own end, is in
//! [`runtime`].

mod asking;
mod leaving;
mod pending;
mod runtime;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use imap_proto_core::client::{Client, Mailbox, shake_hands};
use imap_proto_core::types::{Capability, MailboxName};
use imap_proto_core::{Closed, Config, Credentials, Error, Handshake, Security, Violation};
use imap_tests::memory::{Fault, Link};
use imap_tests::stepper::Stepper;
use imap_tests::strict::{Greeting, Options, StrictServer};
use pending::{Doing, EVERYTHING, Row, Waiting, at_once};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Bye,
    EndOfStream,
    Reset,
    /// Found when something is written.
    WriteError,
    Garbage,
    DriverDropped,
    /// By [`Client::close`].
    Closed,
}

const CAUSES: [Cause; 7] = [
    Cause::Bye,
    Cause::EndOfStream,
    Cause::Reset,
    Cause::WriteError,
    Cause::Garbage,
    Cause::DriverDropped,
    Cause::Closed,
];

impl Cause {
    fn befall(self, stepper: &mut Stepper) {
        let (read, written) = (stepper.link.read(), stepper.link.written());
        match self {
            Cause::Bye => stepper.link.fail_read_at(read, Fault::Bye),
            Cause::EndOfStream => stepper.link.fail_read_at(read, Fault::End),
            Cause::Reset => stepper.link.fail_read_at(read, Fault::Error),
            Cause::Garbage => stepper.link.fail_read_at(read, Fault::Garbage),
            Cause::WriteError => stepper.link.fail_write_at(written),
            Cause::DriverDropped => stepper.drop_driver(),
            Cause::Closed => stepper.client.close(),
        }
    }

    fn is(self, error: &Error) -> bool {
        error.is_fatal()
            && match self {
                Cause::Bye => matches!(error, Error::Bye { text, .. } if text == "Down for tonight."),
                Cause::EndOfStream => matches!(error, Error::Closed(Closed::EndOfStream)),
                Cause::Reset | Cause::WriteError => matches!(error, Error::Transport(_)),
                Cause::Garbage => matches!(error, Error::Protocol(Violation::AnswerToUnsent)),
                Cause::DriverDropped => matches!(error, Error::Closed(Closed::DriverGone)),
                Cause::Closed => matches!(error, Error::Closed(Closed::ByOwner)),
            }
    }

    /// A server that goes away has done what LOGOUT asks for.
    fn is_as_asked(self, name: &str) -> bool {
        name == "logout" && matches!(self, Cause::Bye | Cause::EndOfStream)
    }
}

fn open() -> (Stepper, Mailbox) {
    let mut stepper = Stepper::connect(server(), Config::default());
    let select = stepper.client.select(MailboxName::inbox());
    let inbox = stepper.finish(select).expect("the server answers").expect("INBOX can be selected");
    stepper.link.server_mut().hold();
    (stepper, inbox)
}

fn server() -> StrictServer {
    let mut server = StrictServer::new(Options { greeting: Greeting::Preauth, ..Options::default() });
    server.deliver("INBOX", b"Subject: one\r\n\r\nand only\r\n");
    for name in ["Other", "Drafts"] {
        server.create(name);
    }
    server
}

/// Goes on with both as long as either is woken, within reason: a source without an end is never done.
fn go_on(stepper: &mut Stepper, all: &mut [Waiting]) {
    for _ in 0..20 {
        for waiting in all.iter_mut() {
            let ended = waiting.look();
            assert!(ended.is_none(), "{} did not wait: {ended:?}", waiting.name);
        }
        stepper.rest().expect("the driver waits");
    }
}

fn try_rows(cause: Cause, rows: &[Row]) {
    let (mut stepper, inbox) = open();
    let client = stepper.client.clone();
    let mut all: Vec<_> = rows.iter().map(|(name, begin)| Waiting::new(name, begin(&client, &inbox))).collect();
    let mut writer = Waiting::new("what writes", Box::pin(client.noop()));
    if cause == Cause::WriteError || rows.iter().any(|(name, _)| *name == "logout") {
        // Where the first write fails all that waits has ended before it is looked at again; so it has once LOGOUT is written.
        all.iter_mut().for_each(|waiting| assert!(waiting.look().is_none()));
        cause.befall(&mut stepper);
        stepper.rest().expect("the driver waits");
        let _ = writer.look();
    } else {
        go_on(&mut stepper, &mut all);
        cause.befall(&mut stepper);
    }
    stepper.rest().expect("the driver waits");
    let asked = rows.len() == 1 && cause.is_as_asked(rows[0].0);
    let is_end = |end: &Error| asked || cause.is(end);
    let ended = cause == Cause::DriverDropped || stepper.end().is_some_and(is_end);
    assert!(ended, "{cause:?} {:?}: {:?}", rows.iter().map(|(name, _)| *name).collect::<Vec<_>>(), stepper.end());
    for waiting in &mut all {
        match waiting.look() {
            Some(Err(error)) if cause.is(&error) => {}
            Some(Ok(())) if cause.is_as_asked(waiting.name) => {}
            other => panic!("{} after {cause:?}: {other:?}", waiting.name),
        }
    }
    if !asked {
        every_later_call_is_refused(&client, &inbox, |error| cause.is(error));
    }
}

pub(crate) fn every_later_call_is_refused(client: &Client, inbox: &Mailbox, is_cause: impl Fn(&Error) -> bool) {
    let more: [(&str, Doing); 2] = [
        (
            "view",
            Box::pin({
                let client = client.clone();
                async move { client.view().await.map(drop) }
            }),
        ),
        (
            "ENABLE",
            Box::pin({
                let client = client.clone();
                async move { client.enable([Capability::CondStore]).await.map(drop) }
            }),
        ),
    ];
    let rows = EVERYTHING.iter().map(|(name, begin)| (*name, begin(client, inbox)));
    for (name, doing) in rows.chain(more) {
        match at_once(doing) {
            Some(Err(error)) if is_cause(&error) => {}
            other => panic!("{name} afterwards: {other:?}"),
        }
    }
}

#[test]
fn each_call_ends_with_what_ended_the_connection() {
    for cause in CAUSES {
        for row in EVERYTHING {
            try_rows(cause, std::slice::from_ref(row));
        }
    }
}

#[test]
fn all_calls_at_once_end_with_what_ended_the_connection() {
    // But for those that would end the connection or keep it busy.
    let rows: Vec<Row> = EVERYTHING.iter().copied().filter(|(name, _)| !["logout", "IDLE"].contains(name)).collect();
    for cause in CAUSES {
        try_rows(cause, &rows);
    }
}

/// IDLE is running: nothing of it is owed.
#[test]
fn a_watch_that_runs_ends_with_what_ended_the_connection() {
    for cause in CAUSES {
        let (mut stepper, inbox) = open();
        let client = stepper.client.clone();
        stepper.link.server_mut().release();
        let rows = EVERYTHING.iter().filter(|(name, _)| ["watch", "notices"].contains(name));
        let mut all: Vec<_> = rows.map(|(name, begin)| Waiting::new(name, begin(&client, &inbox))).collect();
        go_on(&mut stepper, &mut all);
        assert!(stepper.link.server().idling());
        cause.befall(&mut stepper);
        if cause == Cause::WriteError {
            assert!(at_once(Box::pin(client.noop())).is_none());
        }
        stepper.rest().expect("the driver waits");
        for waiting in &mut all {
            let told = waiting.look();
            assert!(matches!(&told, Some(Err(error)) if cause.is(error)), "{} {cause:?} {told:?}", waiting.name);
        }
    }
}

/// They wait for the driver's turn alone, or are refused before a mailbox is selected.
#[test]
fn what_waits_for_no_answer_ends_with_the_driver() {
    let mut stepper = Stepper::connect(server(), Config::default());
    stepper.link.server_mut().hold();
    let (viewing, enabling, settling) = (stepper.client.clone(), stepper.client.clone(), stepper.client.clone());
    let mut all = [
        Waiting::new("view", Box::pin(async move { viewing.view().await.map(drop) })),
        Waiting::new("ENABLE", Box::pin(async move { enabling.enable([Capability::CondStore]).await.map(drop) })),
        Waiting::new("settle", Box::pin(async move { settling.settle().await })),
    ];
    all.iter_mut().for_each(|waiting| assert!(waiting.look().is_none()));
    stepper.drop_driver();
    for waiting in &mut all {
        let told = waiting.look();
        assert!(matches!(&told, Some(Err(error)) if Cause::DriverDropped.is(error)), "{} {told:?}", waiting.name);
    }
}

#[test]
fn enable_ends_with_what_ended_the_connection() {
    for cause in CAUSES.into_iter().filter(|cause| *cause != Cause::WriteError) {
        let mut stepper = Stepper::connect(server(), Config::default());
        stepper.link.server_mut().hold();
        let client = stepper.client.clone();
        let enabling = async move { client.enable([Capability::CondStore]).await.map(drop) };
        let mut all = [Waiting::new("ENABLE", Box::pin(enabling))];
        go_on(&mut stepper, &mut all);
        cause.befall(&mut stepper);
        stepper.rest().expect("the driver waits");
        let told = all[0].look();
        assert!(matches!(&told, Some(Err(error)) if cause.is(error)), "{cause:?} {told:?}");
    }
}

/// Whoever waits has a handle: nothing can wait when the last one goes but the driver itself.
#[test]
fn the_driver_ends_with_the_last_handle() {
    let (mut stepper, inbox) = open();
    for (_, begin) in EVERYTHING {
        let mut waiting = Waiting::new("dropped", begin(&stepper.client, &inbox));
        assert!(waiting.look().is_none());
    }
    drop(inbox);
    stepper.rest().expect("the driver waits");
    assert!(stepper.end().is_none(), "{:?}", stepper.end());
    // A handle of another connection in its place: this one was the last.
    let (other, _) = open();
    stepper.client = other.client.clone();
    stepper.rest().expect("the driver waits");
    assert!(matches!(stepper.end(), Some(Error::Closed(Closed::ByOwner))), "{:?}", stepper.end());
}

#[test]
fn connecting_ends_with_what_ended_it() {
    let causes = [Cause::Bye, Cause::EndOfStream, Cause::Reset, Cause::Garbage, Cause::WriteError];
    for cause in causes {
        let mut at = 0;
        loop {
            let options = Options { capability_in_greeting: false, capability_in_login: false, ..Options::default() };
            let link = Link::new(StrictServer::new(options));
            match cause {
                Cause::Bye => link.fail_read_at(at, Fault::Bye),
                Cause::EndOfStream => link.fail_read_at(at, Fault::End),
                Cause::Reset => link.fail_read_at(at, Fault::Error),
                Cause::Garbage => link.fail_read_at(at, Fault::Garbage),
                Cause::WriteError => link.fail_write_at(at as usize),
                Cause::DriverDropped | Cause::Closed => {}
            }
            let credentials = Credentials::password("alice", "secret");
            let handshake = Handshake::new(Config::default(), Security::Plaintext, Some(credentials));
            let shaking = pin!(shake_hands(link.wire(), Box::new(handshake)));
            match shaking.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(_)) => break,
                Poll::Ready(Err(error)) => assert!(error.is_fatal(), "{cause:?} at {at}: {error:?}"),
                // A line that was cut may have become another by what was put behind it, and wait for its rest.
                Poll::Pending => assert!(cause == Cause::Garbage, "{cause:?} at {at} hangs"),
            }
            at += 1;
        }
        assert!(at > 30, "{cause:?}: {at}");
    }
}
