//! Each limit of time, by a clock that the test moves: a moment before it nothing happens, at it what has to.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use imap_proto_core::client::{Mailbox, Notice, Operation, Source};
use imap_proto_core::command::{Append, Idle, Message};
use imap_proto_core::types::{FetchItems, MailboxName, Query, Section, Uid, UidSet};
use imap_proto_core::{
    Closed, Config, Connection, Credentials, Error, Fate, Handshake, Limit, Misuse, Phase, Security, Time, Want,
};
use imap_tests::memory::{Fault, Pace};
use imap_tests::stepper::{Hung, Stepper};
use imap_tests::strict::{Greeting, Literals, Options, StrictServer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const MOMENT: Duration = Duration::from_millis(1);
const LIMIT: Duration = Duration::from_secs(10);

fn open(literals: Literals, change: impl FnOnce(&mut Config)) -> (Stepper, Mailbox) {
    let mut server = StrictServer::new(Options { greeting: Greeting::Preauth, literals, ..Options::default() });
    for _ in 0..3 {
        server.deliver("INBOX", b"Subject: one\r\n\r\nof three\r\n");
    }
    server.deliver("Other", b"Subject: other\r\n\r\n");
    server.create("Drafts");
    let mut config = Config::default();
    change(&mut config);
    let mut stepper = Stepper::connect(server, config);
    let select = stepper.client.select(MailboxName::inbox());
    let inbox = stepper.finish(select).expect("the server answers").expect("INBOX can be selected");
    (stepper, inbox)
}

fn usual() -> (Stepper, Mailbox) {
    open(Literals::Plus, |_| {})
}

/// Begins a future, and returns what it ends with when `limit` has passed; a moment before it waits, and so does the driver.
fn after<F: Future<Output: Debug> + Unpin>(stepper: &mut Stepper, limit: Duration, mut future: F) -> F::Output {
    for by in [Duration::ZERO, limit - MOMENT] {
        stepper.link.advance(by);
        let early = stepper.finish(&mut future);
        assert!(matches!(early, Err(Hung::Asleep)), "before {limit:?}: {early:?}");
    }
    stepper.link.advance(MOMENT);
    stepper.finish(&mut future).unwrap_or_else(|hung| panic!("after {limit:?}: {hung}"))
}

/// The same for the driver: the end of the connection comes when `limit` has passed.
fn end_after(stepper: &mut Stepper, limit: Duration) -> Error {
    for by in [Duration::ZERO, limit - MOMENT] {
        stepper.link.advance(by);
        stepper.rest().expect("it waits");
        assert!(stepper.end().is_none(), "before {limit:?}: {:?}", stepper.end());
    }
    stepper.link.advance(MOMENT);
    stepper.rest().expect("it waits");
    stepper.end().cloned().unwrap_or_else(|| panic!("not after {limit:?}"))
}

/// What is told when the time of an operation is over, and what is known of it then.
fn given_up<T: Debug>(stepper: &mut Stepper, mut operation: Operation<T>) -> (Phase, Fate<T>) {
    match after(stepper, LIMIT, &mut operation) {
        Err(Error::Timeout { phase, limit: LIMIT }) => {
            (phase, stepper.finish(operation.cancel()).expect("a fate is told"))
        }
        other => panic!("{other:?}"),
    }
}

fn hold(stepper: &Stepper) {
    stepper.link.server_mut().hold();
}

/// The server goes on, and the next call is answered rightly.
fn is_good(stepper: &mut Stepper) {
    stepper.link.server_mut().release();
    let client = stepper.client.clone();
    stepper.finish(client.noop()).expect("it is answered").expect("it is answered OK");
    stepper.finish(client.settle()).expect("all is settled").expect("the connection is good");
    assert!(stepper.end().is_none());
    assert_eq!(stepper.link.server().violations(), []);
}

fn drafts(stepper: &Stepper) -> usize {
    stepper.link.server().mailboxes()["Drafts"].messages.len()
}

#[test]
fn a_search_that_had_its_time_is_given_up() {
    let (mut stepper, inbox) = usual();
    hold(&stepper);
    let (phase, fate) = given_up(&mut stepper, inbox.search(Query::all()).within(LIMIT));
    assert!(phase == Phase::Operation && matches!(fate, Fate::Cancelled), "{phase} {fate:?}");
    assert!(!Error::Timeout { phase, limit: LIMIT }.is_fatal());
    is_good(&mut stepper);
}

#[test]
fn a_call_that_never_had_its_turn_is_not_sent() {
    let (mut stepper, _inbox) = usual();
    hold(&stepper);
    let mut select = stepper.client.select("Other");
    assert!(stepper.finish(&mut select).is_err());
    let written = stepper.link.written();
    let noop = stepper.client.noop().within(LIMIT);
    let (phase, fate) = given_up(&mut stepper, noop);
    assert!(phase == Phase::Operation && matches!(fate, Fate::NotSent), "{phase} {fate:?}");
    assert_eq!(stepper.link.written(), written);
    stepper.link.server_mut().release();
    assert!(stepper.finish(select).expect("it is answered").is_ok());
    is_good(&mut stepper);
}

#[test]
fn a_call_without_any_time_is_not_sent() {
    let (mut stepper, _inbox) = usual();
    let written = stepper.link.written();
    let mut noop = stepper.client.noop().within(Duration::ZERO);
    let ended = stepper.finish(&mut noop).expect("it is told at once");
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    assert!(matches!(stepper.finish(noop.cancel()), Ok(Fate::NotSent)));
    assert_eq!(stepper.link.written(), written);
    is_good(&mut stepper);
}

/// What is told when the time of an operation is over, and what becomes of it when the server goes on.
fn known_later<T: Debug>(stepper: &mut Stepper, mut operation: Operation<T>, go_on: impl FnOnce(&Stepper)) -> Fate<T> {
    let ended = after(stepper, LIMIT, &mut operation);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    let again = stepper.finish(&mut operation);
    assert!(matches!(again, Ok(Err(Error::Misuse(Misuse::Over)))), "{again:?}");
    let mut cancelling = Box::pin(operation.cancel());
    assert!(matches!(stepper.finish(cancelling.as_mut()), Err(Hung::Asleep)));
    go_on(stepper);
    stepper.finish(cancelling).expect("a fate is told")
}

#[test]
fn what_became_of_a_call_that_had_its_time_is_told_when_it_is_known() {
    let release = |stepper: &Stepper| stepper.link.server_mut().release();
    let (mut stepper, _inbox) = usual();
    hold(&stepper);
    let create = stepper.client.create("Late").within(LIMIT);
    let fate = known_later(&mut stepper, create, release);
    assert!(matches!(fate, Fate::Completed(_)), "{fate:?}");
    hold(&stepper);
    let create = stepper.client.create("Late").within(LIMIT);
    let fate = known_later(&mut stepper, create, release);
    assert!(matches!(fate, Fate::Refused(_)), "{fate:?}");
    hold(&stepper);
    let create = stepper.client.create("Later").within(LIMIT);
    let fate = known_later(&mut stepper, create, |stepper| stepper.client.close());
    assert!(matches!(fate, Fate::InDoubt), "{fate:?}");
}

/// It came before anybody asked.
#[test]
fn an_answer_that_came_late_waits_for_whoever_asks() {
    let (mut stepper, _inbox) = usual();
    hold(&stepper);
    let mut create = stepper.client.create("Late").within(LIMIT);
    assert!(after(&mut stepper, LIMIT, &mut create).is_err());
    is_good(&mut stepper);
    assert!(matches!(stepper.finish(create.cancel()), Ok(Fate::Completed(_))));
}

#[test]
fn a_select_that_had_its_time_selects_all_the_same() {
    let (mut stepper, inbox) = usual();
    hold(&stepper);
    let select = stepper.client.select("Other").within(LIMIT);
    let fate = known_later(&mut stepper, select, |stepper| stepper.link.server_mut().release());
    assert!(matches!(&fate, Fate::Completed(other) if other.name().as_str() == "Other"), "{fate:?}");
    is_good(&mut stepper);
    let view = stepper.finish(stepper.client.clone().view()).expect("it is told").expect("the connection is good");
    assert_eq!(view.selected().map(|selected| selected.mailbox.as_str()), Some("Other"));
    let stale = stepper.finish(inbox.search(Query::all())).expect("it is told");
    assert!(matches!(stale, Err(Error::Deselected)), "{stale:?}");
}

#[test]
fn an_idle_that_had_its_time_is_ended() {
    let (mut stepper, _inbox) = usual();
    let from = stepper.link.written();
    let idle = stepper.client.run(Idle).within(LIMIT);
    let (phase, _) = given_up(&mut stepper, idle);
    assert_eq!(phase, Phase::Operation);
    stepper.rest().expect("it waits");
    assert!(stepper.link.sent(from).ends_with(b"DONE\r\n"));
    is_good(&mut stepper);
}

/// It has to be taken up again after another command, and keeps its time.
#[test]
fn an_idle_that_is_interrupted_keeps_its_time() {
    let (mut stepper, _inbox) = usual();
    let mut idle = stepper.client.run(Idle).within(LIMIT);
    assert!(stepper.finish(&mut idle).is_err());
    let noop = stepper.client.noop();
    stepper.finish(noop).expect("it is answered").expect("it is answered OK");
    let ended = after(&mut stepper, LIMIT, &mut idle);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    is_good(&mut stepper);
}

#[test]
fn an_append_that_had_its_time_half_way_is_stored_all_the_same() {
    let (mut stepper, _inbox) = usual();
    let octets = Bytes::from(vec![b'x'; 300]);
    let append = Append::new("Drafts", Message::Octets(octets));
    let mut append = stepper.client.append(append).within(LIMIT);
    stepper.link.set_pace(Pace::bytes(7));
    assert!(stepper.step(Pin::new(&mut append), 30).is_none());
    stepper.link.hold_writes(true);
    assert!(stepper.link.server().octets_owed() > 0);
    stepper.link.set_pace(Pace::AT_ONCE);
    let fate = known_later(&mut stepper, append, |stepper| {
        assert_eq!(drafts(stepper), 0);
        stepper.link.hold_writes(false);
    });
    assert!(matches!(fate, Fate::Completed(Some(_))), "{fate:?}");
    is_good(&mut stepper);
    assert_eq!(drafts(&stepper), 1);
}

/// A source that gives some octets and then none.
fn stalling() -> Source {
    struct Stalling(Option<Bytes>);

    impl futures_core::Stream for Stalling {
        type Item = Result<Bytes, Box<dyn core::error::Error + Send + Sync>>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
            self.0.take().map_or(std::task::Poll::Pending, |octets| std::task::Poll::Ready(Some(Ok(octets))))
        }
    }
    Box::pin(Stalling(Some(Bytes::from_static(b"Subject: half\r\n"))))
}

#[test]
fn an_append_whose_source_stalls_ends_the_connection_with_its_time() {
    let (mut stepper, _inbox) = usual();
    let append = stepper.client.append_from("Drafts", 300, stalling(), |append| append).within(LIMIT);
    let (phase, fate) = given_up(&mut stepper, append);
    assert!(phase == Phase::Octets && matches!(fate, Fate::Cancelled), "{phase} {fate:?}");
    assert!(Error::Timeout { phase, limit: LIMIT }.is_fatal());
    assert!(matches!(stepper.end(), Some(Error::Timeout { phase: Phase::Octets, .. })), "{:?}", stepper.end());
    let later = stepper.finish(stepper.client.clone().noop()).expect("it is refused at once");
    assert!(matches!(later, Err(Error::Timeout { phase: Phase::Octets, .. })), "{later:?}");
    assert_eq!(drafts(&stepper), 0);
}

#[test]
fn a_source_that_gives_nothing_ends_the_connection() {
    let (mut stepper, _inbox) = open(Literals::Plus, |config| config.source = LIMIT);
    let append = stepper.client.append_from("Drafts", 300, stalling(), |append| append);
    let ended = after(&mut stepper, LIMIT, append);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Octets, limit: LIMIT })), "{ended:?}");
    assert!(stepper.end().is_some_and(Error::is_fatal));
    assert_eq!(drafts(&stepper), 0);
}

/// A source of what is sent to it.
fn by_hand() -> (UnboundedSender<Bytes>, Source) {
    let (give, taken) = unbounded_channel();
    let next = async |mut taken: UnboundedReceiver<Bytes>| Some((Ok(taken.recv().await?), taken));
    (give, Box::pin(futures_util::stream::unfold(taken, next)))
}

/// It has its time for each piece that is wanted, however small it is.
#[test]
fn a_slow_source_is_waited_for() {
    let (mut stepper, _inbox) = open(Literals::Synchronizing, |config| config.source = LIMIT);
    let (give, source) = by_hand();
    let mut append = stepper.client.append_from("Drafts", 30, source, |append| append);
    for _ in 0..30 {
        assert!(matches!(stepper.finish(&mut append), Err(Hung::Asleep)));
        stepper.link.advance(LIMIT - MOMENT);
        assert!(matches!(stepper.finish(&mut append), Err(Hung::Asleep)));
        give.send(Bytes::from_static(b"x")).expect("it is wanted");
    }
    assert!(stepper.finish(append).expect("it is answered").expect("it is answered OK").is_some());
    is_good(&mut stepper);
}

#[test]
fn an_upload_that_nobody_polls_any_more_holds_up_no_other_call_for_ever() {
    let (mut stepper, _inbox) = open(Literals::Plus, |config| config.source = LIMIT);
    let mut append = stepper.client.append_from("Drafts", 300, stalling(), |append| append);
    assert!(stepper.step(Pin::new(&mut append), 3).is_none());
    stepper.rest().expect("it waits");
    std::mem::forget(append);
    let noop = stepper.client.noop();
    let ended = after(&mut stepper, LIMIT, noop);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Octets, limit: LIMIT })), "{ended:?}");
    assert_eq!(drafts(&stepper), 0);
}

#[test]
fn an_append_that_waits_for_the_server_is_given_up_before_an_octet_of_it() {
    for refused in [true, false] {
        let (mut stepper, _inbox) = open(Literals::Synchronizing, |_| {});
        if refused {
            stepper.link.server_mut().refuse_literal(imap_tests::strict::Refusal::No);
        }
        hold(&stepper);
        let append = stepper.client.append_from("Drafts", 300, stalling(), |append| append).within(LIMIT);
        let (phase, fate) = given_up(&mut stepper, append);
        assert!(phase == Phase::Operation && matches!(fate, Fate::Cancelled), "{phase} {fate:?}");
        assert!(stepper.end().is_none());
        if refused {
            is_good(&mut stepper);
        } else {
            stepper.link.server_mut().release();
            stepper.rest().expect("it waits");
            assert!(matches!(stepper.end(), Some(Error::Closed(Closed::OctetsOwed))), "{:?}", stepper.end());
        }
        assert_eq!(drafts(&stepper), 0);
    }
}

#[test]
fn a_time_for_all_commands_ends_streams_with_an_error_and_no_idle() {
    let limited = || open(Literals::Plus, |config| config.command = Some(LIMIT));
    let (mut stepper, inbox) = limited();
    hold(&stepper);
    let mut messages = inbox.fetch(UidSet::from(Uid::MIN), FetchItems::ids());
    let ended = after(&mut stepper, LIMIT, Box::pin(messages.try_next()));
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    assert!(matches!(stepper.finish(messages.try_next()), Ok(Ok(None))));
    is_good(&mut stepper);
    hold(&stepper);
    let mut body = inbox.body(Uid::MIN, Section::whole());
    let ended = after(&mut stepper, LIMIT, Box::pin(body.try_next()));
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    is_good(&mut stepper);
    hold(&stepper);
    let noop = stepper.client.noop();
    let ended = after(&mut stepper, LIMIT, noop);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    is_good(&mut stepper);
    // What an operation says of itself goes before it.
    hold(&stepper);
    let noop = stepper.client.noop().within(LIMIT * 2);
    let ended = after(&mut stepper, LIMIT * 2, noop);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    is_good(&mut stepper);

    let mut watch = inbox.watch();
    assert!(matches!(stepper.finish(watch.try_next()), Ok(Ok(Some(Notice::Idling)))));
    stepper.link.advance(LIMIT * 3);
    assert!(matches!(stepper.finish(watch.try_next()), Err(Hung::Asleep)));
    drop(watch);
    is_good(&mut stepper);
}

#[test]
fn a_logout_that_had_its_time_ends_the_connection() {
    let (mut stepper, _inbox) = open(Literals::Plus, |config| config.command = Some(LIMIT));
    stepper.link.hold_writes(true);
    let logout = stepper.client.clone().logout();
    // Nothing of it has left: it is taken back.
    let ended = after(&mut stepper, LIMIT, Box::pin(logout));
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    stepper.link.hold_writes(false);
    is_good(&mut stepper);

    stepper.link.set_pace(Pace::bytes(5));
    let mut logout = Box::pin(stepper.client.clone().logout());
    assert!(stepper.step(logout.as_mut(), 2).is_none());
    stepper.link.hold_writes(true);
    let ended = after(&mut stepper, LIMIT, logout);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Command, .. })), "{ended:?}");
    assert!(stepper.end().is_some_and(Error::is_fatal));
}

#[test]
fn an_answer_in_time_leaves_no_timer_behind() {
    let (mut stepper, inbox) = usual();
    for _ in 0..3 {
        let found = stepper.finish(inbox.search(Query::all()).within(LIMIT)).expect("it is answered");
        assert_eq!(found.expect("it is answered OK").len(), 3);
    }
    stepper.link.advance(LIMIT * 2);
    is_good(&mut stepper);
}

#[test]
fn commands_end_in_the_order_of_their_times() {
    let (mut stepper, inbox) = usual();
    hold(&stepper);
    let seconds = Duration::from_secs;
    let mut late = inbox.search(Query::all()).within(seconds(9));
    assert!(stepper.finish(&mut late).is_err());
    let mut early = stepper.client.noop().within(seconds(4));
    let ended = after(&mut stepper, seconds(4), &mut early);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    let ended = after(&mut stepper, seconds(5), &mut late);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Operation, .. })), "{ended:?}");
    is_good(&mut stepper);
}

#[test]
fn a_command_without_progress_ends_the_connection() {
    let (mut stepper, _inbox) = open(Literals::Plus, |config| config.progress = LIMIT);
    hold(&stepper);
    let noop = stepper.client.noop();
    let ended = after(&mut stepper, LIMIT, noop);
    assert!(matches!(ended, Err(Error::Timeout { phase: Phase::Command, .. })), "{ended:?}");
    let later = stepper.finish(stepper.client.clone().noop()).expect("it is refused at once");
    assert!(
        later.is_err_and(|error| error.is_fatal() && matches!(error, Error::Timeout { phase: Phase::Command, .. }))
    );
}

#[test]
fn a_done_that_is_not_answered_ends_the_connection() {
    let (mut stepper, inbox) = open(Literals::Plus, |config| config.done = LIMIT);
    let mut watch = inbox.watch();
    assert!(matches!(stepper.finish(watch.try_next()), Ok(Ok(Some(Notice::Idling)))));
    hold(&stepper);
    drop(watch);
    assert!(matches!(end_after(&mut stepper, LIMIT), Error::Timeout { phase: Phase::Done, .. }));
}

#[test]
fn an_answer_that_nobody_wants_has_its_time() {
    let (mut stepper, inbox) = open(Literals::Plus, |config| config.drain_time = LIMIT);
    hold(&stepper);
    let mut messages = inbox.fetch(UidSet::from(Uid::MIN), FetchItems::ids());
    assert!(stepper.finish(messages.try_next()).is_err());
    drop(messages);
    assert!(matches!(end_after(&mut stepper, LIMIT), Error::Limit(Limit::DrainTime { .. })));
}

fn count(sent: &[u8], command: &str) -> usize {
    String::from_utf8_lossy(sent).lines().filter(|line| line.ends_with(command)).count()
}

#[test]
fn idle_is_renewed_in_time() {
    let (mut stepper, inbox) = open(Literals::Plus, |config| config.idle_refresh = LIMIT);
    let from = stepper.link.written();
    let mut watch = inbox.watch();
    assert!(matches!(stepper.finish(watch.try_next()), Ok(Ok(Some(Notice::Idling)))));
    for round in 1..4 {
        assert_eq!(count(&stepper.link.sent(from), "IDLE"), round);
        let again = after(&mut stepper, LIMIT, Box::pin(watch.try_next()));
        assert!(matches!(again, Ok(Some(Notice::Idling))), "{again:?}");
    }
}

/// In whatever pieces the `+`, what is told and the OK come.
#[test]
fn idle_is_renewed_in_time_whatever_comes_at_a_time() {
    for grain in 1..40 {
        let (mut stepper, inbox) = open(Literals::Plus, |config| config.idle_refresh = LIMIT);
        stepper.link.set_pace(Pace::bytes(grain));
        let from = stepper.link.written();
        let mut watch = inbox.watch();
        for round in 1..4 {
            let idling = stepper.finish(watch.try_next());
            assert!(matches!(idling, Ok(Ok(Some(Notice::Idling)))), "{grain}, {round}: {idling:?}");
            assert_eq!(count(&stepper.link.sent(from), "IDLE"), round);
            stepper.link.deliver_in_idle(1);
            let told = stepper.finish(watch.try_next());
            assert!(matches!(told, Ok(Ok(Some(Notice::Response(_))))), "{grain}, {round}: {told:?}");
            stepper.link.advance(LIMIT);
        }
        assert_eq!(stepper.link.server().violations(), []);
    }
}

#[test]
fn a_connection_that_is_forgotten_at_any_octet_of_idle_is_found_dead() {
    let change = |config: &mut Config| (config.idle_refresh, config.done, config.progress) = (LIMIT, LIMIT, LIMIT);
    let mut causes = Vec::new();
    for offset in 0.. {
        let (mut stepper, inbox) = open(Literals::Plus, change);
        stepper.link.fail_read_at(stepper.link.read() + offset, Fault::Silence);
        stepper.link.deliver_in_idle(1);
        let from = stepper.link.written();
        let mut watch = inbox.watch();
        let end = loop {
            match stepper.finish(watch.try_next()) {
                Ok(Ok(Some(_))) => {}
                Ok(other) => break other,
                Err(Hung::Asleep) => stepper.link.advance(LIMIT),
                Err(Hung::Busy) => panic!("it is not given up at {offset}"),
            }
            assert!(stepper.link.now() <= LIMIT * 9, "it is not found dead at {offset}");
        };
        let Err(Error::Timeout { phase, limit: LIMIT }) = end else { panic!("at {offset}: {end:?}") };
        assert!(matches!(stepper.end(), Some(Error::Timeout { .. })), "at {offset}: {:?}", stepper.end());
        causes.push(phase);
        // Two renewals are all there is to see.
        if count(&stepper.link.sent(from), "IDLE") > 2 {
            break;
        }
    }
    for phase in [Phase::Command, Phase::Done] {
        assert!(causes.contains(&phase), "{causes:?}");
    }
    assert!(
        causes.len() > 60 && causes.iter().all(|phase| matches!(phase, Phase::Command | Phase::Done)),
        "{causes:?}"
    );
}

#[test]
fn a_silent_connection_is_kept_alive_and_found_dead() {
    let (mut stepper, inbox) = open(Literals::Plus, |config| {
        config.keep_alive = Some(LIMIT);
        config.progress = LIMIT / 2;
    });
    let from = stepper.link.written();
    let noops = |stepper: &Stepper| count(&stepper.link.sent(from), "NOOP");
    for round in 0..3 {
        for by in [Duration::ZERO, LIMIT - MOMENT] {
            stepper.link.advance(by);
            stepper.rest().expect("it waits");
            assert_eq!(noops(&stepper), round);
        }
        stepper.link.advance(MOMENT);
        stepper.rest().expect("it waits");
        assert_eq!(noops(&stepper), round + 1);
    }
    // A call is no silence.
    stepper.link.advance(LIMIT / 2);
    stepper.finish(stepper.client.clone().capabilities()).expect("it is answered").expect("it is answered OK");
    stepper.link.advance(LIMIT - MOMENT);
    stepper.rest().expect("it waits");
    assert_eq!(noops(&stepper), 3);
    // Nor is IDLE.
    let mut watch = inbox.watch();
    assert!(matches!(stepper.finish(watch.try_next()), Ok(Ok(Some(Notice::Idling)))));
    stepper.link.advance(LIMIT * 3);
    stepper.rest().expect("it waits");
    assert_eq!(noops(&stepper), 3);
    drop(watch);
    stepper.rest().expect("it waits");

    hold(&stepper);
    stepper.link.advance(LIMIT);
    stepper.rest().expect("it waits");
    assert_eq!(noops(&stepper), 4);
    assert!(matches!(end_after(&mut stepper, LIMIT / 2), Error::Timeout { phase: Phase::Command, .. }));
}

#[test]
fn keeping_alive_never_floods_a_server() {
    let (mut stepper, _inbox) = open(Literals::Plus, |config| config.keep_alive = Some(Duration::ZERO));
    let from = stepper.link.written();
    for second in 0..10 {
        stepper.rest().expect("it waits");
        assert_eq!(count(&stepper.link.sent(from), "NOOP"), second);
        stepper.link.advance(Duration::from_secs(1));
    }
}

#[test]
fn an_unused_connection_has_no_timer() {
    let mut connection = Connection::new(Config::default());
    let greeting = b"* PREAUTH ready\r\n";
    connection.receive_space()[..greeting.len()].copy_from_slice(greeting);
    connection.received(greeting.len(), Time::ZERO);
    while connection.poll_event().is_some() {}
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn the_greeting_and_the_login_have_each_a_time_of_their_own() {
    let mut config = Config::default();
    (config.greeting, config.handshake) = (Duration::from_secs(17), Duration::from_secs(19));
    let credentials = || Some(Credentials::password("alice", "secret"));
    let mut silent = Handshake::new(config.clone(), Security::Plaintext, credentials());
    assert_eq!(silent.poll_timeout(), Some(config.greeting));
    assert!(matches!(silent.advance(config.greeting - MOMENT), Ok(Want::Bytes)));
    assert!(matches!(silent.advance(config.greeting), Err(Error::Timeout { phase: Phase::Greeting, .. })));

    let mut mute = Handshake::new(config.clone(), Security::Plaintext, credentials());
    let (greeting, late) = (b"* OK [CAPABILITY IMAP4rev1] hi\r\n", config.greeting - MOMENT);
    mute.connection().receive_space()[..greeting.len()].copy_from_slice(greeting);
    mute.connection().received(greeting.len(), late);
    assert!(matches!(mute.advance(late), Ok(Want::Bytes)));
    let by = late + config.handshake;
    assert!(matches!(mute.advance(by - MOMENT), Ok(Want::Bytes)));
    assert!(matches!(mute.advance(by), Err(Error::Timeout { phase: Phase::Login, .. })));
}
