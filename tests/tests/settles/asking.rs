//! What a client can ask of its connection: what dropping a call would do, and whether the connection is good.

use std::pin::Pin;

use futures_util::stream;
use imap_proto_core::client::{Client, Operation};
use imap_proto_core::command::{Append, Cancelling};
use imap_proto_core::types::{FetchItems, MailboxName, Query, UidSet};
use imap_proto_core::{CancelEffect, Closed, Config, Error, Fate, Health};
use imap_tests::memory::Pace;
use imap_tests::stepper::{Hung, Stepper};

use super::{CAUSES, Cause, open, server};

fn effect<T>(stepper: &mut Stepper, operation: &Operation<T>) -> Option<CancelEffect> {
    stepper.finish(operation.would_drop()).expect("it is told")
}

fn health(stepper: &mut Stepper, client: &Client) -> Health {
    stepper.finish(client.health()).expect("it is told")
}

#[test]
fn an_operation_tells_what_dropping_it_would_do() {
    let (mut stepper, inbox) = open();
    let mut search = inbox.search(Query::all());
    assert_eq!(effect(&mut stepper, &search), Some(CancelEffect::Removed));
    assert!(matches!(stepper.finish(&mut search), Err(Hung::Asleep)));
    assert_eq!(effect(&mut stepper, &search), Some(CancelEffect::WillDrain));
    let mut create = stepper.client.create("New");
    assert!(matches!(stepper.finish(&mut create), Err(Hung::Asleep)));
    assert_eq!(effect(&mut stepper, &create), Some(CancelEffect::WillFinish));
    // It has to wait for both.
    let mut select = stepper.client.select("Other");
    assert!(matches!(stepper.finish(&mut select), Err(Hung::Asleep)));
    assert_eq!(effect(&mut stepper, &select), Some(CancelEffect::Removed));
    assert_eq!(stepper.finish(select.canceller().would_drop()), Ok(Some(CancelEffect::Removed)));
    stepper.link.server_mut().release();
    assert!(matches!(stepper.finish(&mut search), Ok(Ok(_))));
    assert_eq!(effect(&mut stepper, &search), None);
    // It is answered, and nobody has looked yet.
    assert_eq!(effect(&mut stepper, &create), None);
    assert!(matches!(stepper.finish(create.cancel()), Ok(Fate::Completed(_))));
    assert!(matches!(stepper.finish(select), Ok(Ok(_))));
}

/// The answer is what dropping does then.
#[test]
fn an_upload_tells_that_it_would_cost_the_connection() {
    let octets: Vec<Result<bytes::Bytes, Box<dyn std::error::Error + Send + Sync>>> =
        vec![Ok(b"first".as_ref().into())];
    let source = Box::pin(futures_util::StreamExt::chain(stream::iter(octets), stream::pending()));
    let mut stepper = Stepper::connect(server(), Config::default());
    let mut fed = stepper.client.append_from("Drafts", 99, source, |append| append);
    assert!(matches!(stepper.finish(&mut fed), Err(Hung::Asleep)));
    assert_eq!(effect(&mut stepper, &fed), Some(CancelEffect::WillClose));
    drop(fed);
    stepper.rest().expect("the driver ends");
    assert!(matches!(stepper.end(), Some(Error::Closed(Closed::OctetsOwed))), "{:?}", stepper.end());

    let mut stepper = Stepper::connect(server(), Config::default());
    let cut = Append::new("Drafts", vec![b'x'; 999]).cancelling(Cancelling::Cut);
    let mut cut = stepper.client.append(cut);
    stepper.link.set_pace(Pace::bytes(7));
    assert!(stepper.step(Pin::new(&mut cut), 20).is_none());
    assert_eq!(effect(&mut stepper, &cut), Some(CancelEffect::WillClose));
}

#[test]
fn a_client_tells_the_health_of_its_connection() {
    let (mut stepper, inbox) = open();
    let client = stepper.client.clone();
    assert!(matches!(health(&mut stepper, &client), Health::Usable));
    let mut messages = inbox.fetch(UidSet::from(imap_proto_core::types::Uid::MIN), FetchItems::ids());
    assert!(matches!(stepper.finish(messages.try_next()), Err(Hung::Asleep)));
    drop(messages);
    let budget = Config::default().drain_bytes;
    assert!(matches!(health(&mut stepper, &client), Health::Draining { bytes_left } if bytes_left == budget));
    stepper.link.server_mut().release();
    assert!(matches!(stepper.finish(client.settle()), Ok(Ok(()))));
    assert!(matches!(health(&mut stepper, &client), Health::Usable));
    assert!(!client.is_closed());
}

#[test]
fn all_that_is_asked_is_answered_by_the_end_of_the_connection() {
    for cause in CAUSES {
        let (mut stepper, _inbox) = open();
        let client = stepper.client.clone();
        let mut select = client.select(MailboxName::inbox());
        if cause != Cause::WriteError {
            assert!(matches!(stepper.finish(&mut select), Err(Hung::Asleep)));
        }
        cause.befall(&mut stepper);
        if cause == Cause::WriteError {
            assert!(stepper.finish(&mut select).expect("it ends").is_err());
        }
        stepper.rest().expect("the driver ends");
        assert!(client.is_closed(), "{cause:?}");
        assert!(matches!(health(&mut stepper, &client), Health::MustClose(error) if cause.is(&error)), "{cause:?}");
        assert_eq!(effect(&mut stepper, &select), None, "{cause:?}");
    }
}
