//! Leaving a server that says nothing, and what is known then.

use std::pin::pin;

use futures_util::stream;
use imap_proto_core::client::Appended;
use imap_proto_core::{Closed, Error, Fate};
use imap_tests::memory::Pace;
use imap_tests::stepper::Hung;

use super::{Cause, open};

const MESSAGES: usize = 3;

fn is_by_owner(error: &Error) -> bool {
    matches!(error, Error::Closed(Closed::ByOwner))
}

fn messages() -> impl futures_core::Stream<Item = Vec<u8>> + Send + 'static {
    stream::iter((0..MESSAGES).map(|index| format!("Subject: {index}\r\n\r\nhere\r\n").into_bytes()))
}

#[test]
fn a_connection_that_was_closed_sends_nothing_more() {
    let (mut stepper, _inbox) = open();
    let written = stepper.link.written();
    let (mut noop, closing) = (stepper.client.noop(), stepper.client.clone());
    assert!(stepper.step(pin!(&mut noop), 1).is_none());
    closing.close();
    closing.close();
    assert!(matches!(stepper.finish(&mut noop), Ok(Err(error)) if is_by_owner(&error)));
    assert!(matches!(stepper.finish(noop.cancel()), Ok(Fate::NotSent)));
    assert!(stepper.end().is_some_and(is_by_owner), "{:?}", stepper.end());
    assert_eq!(stepper.link.written(), written);
}

#[test]
fn an_operation_on_a_connection_that_was_closed_tells_what_is_known() {
    let (mut stepper, _inbox) = open();
    let mut create = stepper.client.create("New");
    assert!(matches!(stepper.finish(&mut create), Err(Hung::Asleep)));
    stepper.client.close();
    assert!(matches!(stepper.finish(&mut create), Ok(Err(error)) if is_by_owner(&error)));
    assert!(matches!(stepper.finish(create.cancel()), Ok(Fate::InDoubt)));
}

/// Awaited, stopped under a timeout, and asked for under another; then the connection is closed.
#[test]
fn a_report_survives_whatever_is_dropped_on_the_way_to_it() {
    let (mut stepper, _inbox) = open();
    let mut call = stepper.client.append_all("Drafts", messages());
    let mut ledger = call.ledger();
    assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
    assert!(matches!(stepper.finish(call.stop()), Err(Hung::Asleep)));
    for _ in 0..3 {
        assert!(matches!(stepper.finish(ledger.report()), Err(Hung::Asleep)));
    }
    stepper.client.close();
    let report = stepper.finish(ledger.report()).expect("it is told at once");
    assert_eq!(report.in_doubt().count(), MESSAGES, "{report:?}");
    assert!(report.ended.as_ref().is_some_and(is_by_owner), "{report:?}");
    let again = stepper.finish(ledger.report()).expect("it is kept");
    assert_eq!(format!("{again:?}"), format!("{report:?}"));
}

#[test]
fn a_report_says_what_ended_the_connection_though_it_was_stopped_before() {
    for cause in [Cause::Bye, Cause::EndOfStream, Cause::Reset, Cause::DriverDropped, Cause::Closed] {
        let (mut stepper, _inbox) = open();
        stepper.link.set_pace(Pace::bytes(20));
        let endless = futures_util::StreamExt::chain(messages(), stream::pending());
        let mut call = stepper.client.append_all("Drafts", endless);
        assert!(stepper.step(pin!(&mut call), 6).is_none());
        call.stopper().stop();
        assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
        cause.befall(&mut stepper);
        let report = stepper.finish(call).expect("it ends");
        assert!(report.ended.as_ref().is_some_and(|ended| cause.is(ended)), "{cause:?}: {report:?}");
        assert!(matches!(report.messages[0], Appended::InDoubt), "{report:?}");
    }
}

/// Nothing was lost with it.
#[test]
fn a_report_of_what_was_stopped_in_good_order_says_so_whatever_came_after() {
    let (mut stepper, _inbox) = open();
    stepper.link.server_mut().release();
    let endless = futures_util::StreamExt::chain(messages(), stream::pending());
    let mut call = stepper.client.append_all("Drafts", endless);
    assert!(matches!(stepper.finish(&mut call), Err(Hung::Asleep)));
    call.stopper().stop();
    Cause::Bye.befall(&mut stepper);
    stepper.rest().expect("the driver ends");
    let report = stepper.finish(call).expect("it ends");
    assert_eq!(report.stored().count(), MESSAGES, "{report:?}");
    assert!(matches!(report.ended, Some(Error::Cancelled)), "{report:?}");
}
