//! The driver dropped, or the connection lost, at any byte: everything settles, nothing is cut short and called a success.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use imap_proto_core::client::{Shaken, shake_hands};
use imap_proto_core::types::{FetchItems, Section, UidSet};
use imap_proto_core::{Config, Credentials, Handshake, Security};
use imap_tests::memory::{Fault, Link, Pace};
use imap_tests::stepper::Stepper;
use imap_tests::strict::{Literals, Options, StrictServer};

use super::acts::{Act, Place, World, Wrong, uid};

const FAULTS: [Fault; 3] = [Fault::End, Fault::Bye, Fault::Error];

const SESSION: [Act; 9] = [
    Act::Windows,
    Act::Sections,
    Act::Body,
    Act::Search,
    Act::Append,
    Act::AppendFrom,
    Act::Watch,
    Act::Select,
    Act::Logout,
];

/// Does all of a session and returns how many acts went well; the rest has to end with errors.
fn play(stepper: &mut Stepper, place: &Place) -> usize {
    let mut well = 0;
    for (index, act) in SESSION.into_iter().enumerate() {
        let result = stepper.finish(place.perform(act)).unwrap_or_else(|hung| panic!("{act:?} {hung}"));
        match result {
            Ok(()) if well == index => well += 1,
            Ok(()) => panic!("{act:?} went well on a lost connection"),
            Err(Wrong::Error(error)) if error.is_fatal() => {}
            Err(wrong) => panic!("{act:?}: {wrong}"),
        }
    }
    well
}

#[test]
fn a_connection_lost_at_any_byte_ends_every_call_with_an_error() {
    let mut cases = 0;
    for literals in [Literals::Plus, Literals::Synchronizing] {
        let world = World { literals, ..World::SMALL };
        let (mut stepper, place) = world.open();
        let start = stepper.link.read();
        assert_eq!(play(&mut stepper, &place), SESSION.len());
        let end = stepper.link.read();
        for fault in FAULTS {
            for at in start..end {
                let (mut stepper, place) = world.open();
                stepper.link.fail_read_at(at, fault);
                let well = play(&mut stepper, &place);
                // Once BYE is read, LOGOUT has come to its end.
                assert!(well < SESSION.len() || at > end - 40, "{fault:?} at {at} of {start} to {end} was not noticed");
                assert!(stepper.end().is_some());
                assert_eq!(stepper.link.server().violations(), []);
                cases += 1;
            }
        }
    }
    println!("{cases} connections lost");
    assert!(cases > 3000);
}

#[test]
fn a_connection_lost_in_the_handshake_ends_it_with_an_error() {
    let mut cases = 0;
    for fault in FAULTS {
        for at in 0.. {
            let options = Options { capability_in_greeting: false, capability_in_login: false, ..Options::default() };
            let link = Link::new(StrictServer::new(options));
            link.fail_read_at(at, fault);
            let credentials = Credentials::password("alice", "secret");
            let handshake = Handshake::new(Config::default(), Security::Plaintext, Some(credentials));
            let mut shaking = pin!(shake_hands(link.wire(), Box::new(handshake)));
            match shaking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Err(error)) => assert!(error.is_fatal(), "{fault:?} at {at}: {error}"),
                Poll::Ready(Ok(Shaken::Ready(..))) => break,
                other => panic!("{fault:?} at {at}: {other:?}"),
            }
            cases += 1;
        }
    }
    assert!(cases > 300);
}

#[test]
fn a_driver_dropped_at_any_byte_ends_every_call_with_an_error() {
    let mut cases = 0;
    let acts = SESSION.into_iter().chain([Act::SearchLiteral, Act::Noop, Act::Capability]);
    for (act, pace) in acts.flat_map(|act| [1, 7, usize::MAX].map(|grain| (act, Pace::bytes(grain)))) {
        for steps in 0.. {
            let (mut stepper, place) = World::SMALL.synchronizing().open();
            stepper.link.set_pace(pace);
            let mut doing = place.perform(act);
            if stepper.step(doing.as_mut(), steps).is_some() {
                break;
            }
            // Others that wait at that moment.
            let mut begun = place.inbox().fetch(UidSet::all(), FetchItems::summary());
            {
                let mut next = pin!(begun.try_next());
                let early = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(early, Poll::Pending | Poll::Ready(Err(_))), "{early:?}");
            }
            let mut settling = Box::pin(place.client.settle());
            let settled = stepper.step(settling.as_mut(), 1).is_some();
            stepper.drop_driver();
            let case = format!("{act:?} at {pace:?} after {steps}");
            match stepper.finish(doing).unwrap_or_else(|hung| panic!("{case}: {hung}")) {
                // The answer was there already.
                Ok(()) => {}
                Err(Wrong::Error(error)) if error.is_fatal() => {}
                Err(wrong) => panic!("{case}: {wrong}"),
            }
            assert!(!matches!(stepper.finish(begun.try_next()).expect(&case), Ok(Some(_))), "{case}");
            if !settled {
                let _ = stepper.finish(settling).expect(&case);
            }
            refuses_everything(&mut stepper, &place, &case);
            cases += 1;
        }
    }
    println!("{cases} drivers dropped");
    assert!(cases > 1000);
}

fn refuses_everything(stepper: &mut Stepper, place: &Place, case: &str) {
    let written = stepper.link.written();
    assert!(stepper.finish(place.client.noop()).expect(case).is_err(), "{case}");
    assert!(stepper.finish(place.client.view()).expect(case).is_err(), "{case}");
    assert!(stepper.finish(place.client.settle()).expect(case).is_err(), "{case}");
    let mut fetch = place.inbox().fetch(uid(1), FetchItems::ids());
    assert!(stepper.finish(fetch.try_next()).expect(case).is_err(), "{case}");
    let mut body = place.inbox().body(uid(1), Section::whole());
    assert!(stepper.finish(body.try_next()).expect(case).is_err(), "{case}");
    let mut watch = place.inbox().watch();
    assert!(stepper.finish(watch.try_next()).expect(case).is_err(), "{case}");
    let mut notices = place.client.notices();
    assert!(stepper.finish(notices.try_next()).expect(case).is_err(), "{case}");
    assert_eq!(stepper.link.written(), written);
}
