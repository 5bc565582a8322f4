//! What threads do to each other's queues, in every order they may do it in.
//!
//! Run by `RUSTFLAGS="--cfg loom" cargo test -p imap-proto-core --lib --features client races`. A wake that is lost shows as a
//! deadlock, since whoever waits here waits for its waker and nothing else.
//!
//! That one at a time changes a [`Place`](super::place::Place) is taken for granted here, and shown beside it. Each of these was
//! broken once by hand, and this is what failed:
//!
//! | rule that was broken | what failed |
//! | --- | --- |
//! | `Reply::push`: an item is counted before it can be taken | [`each_item_is_taken_once_and_its_reader_woken`], [`a_driver_that_paused_is_woken_when_its_reader_goes`] |
//! | `Reply::push`: its reader is woken, and when it is there | [`each_item_is_taken_once_and_its_reader_woken`], [`a_driver_that_paused_is_woken_by_its_reader`], [`an_operation_that_is_given_up_elsewhere_hears_how_it_ended`] |
//! | `Reply::push`: nothing is left for a reader that is gone | [`a_driver_that_paused_is_woken_when_its_reader_goes`] |
//! | `Reply::waiting`: nothing waits for one that is cancelled | [`a_driver_that_paused_is_woken_when_its_reader_is_cancelled`] |
//! | `Reader::poll_pop`: it looks again when it has registered | [`a_driver_that_paused_is_woken_by_its_reader`] |
//! | `Reader::poll_pop`: it registers at every poll | [`a_waker_that_is_replaced_in_mid_poll_is_not_the_one_that_is_woken`] |
//! | `Reader::pop`: the driver is woken half-way | [`a_driver_that_paused_is_woken_by_its_reader`] |
//! | `Reader::close`: what is there is dropped, and counts no more | [`nothing_is_held_or_waits_for_a_reader_that_went_away`], [`a_driver_that_paused_is_woken_when_its_reader_goes`] |
//! | `Calls::push`: the driver is woken, and when the call is there | [`a_driver_that_waits_hears_of_the_last_handle`], [`a_driver_that_paused_is_woken_when_its_reader_goes`] |
//! | `Calls::close`: the cause is there when calls are taken | [`a_call_beside_the_end_is_refused_with_its_cause_or_comes_out_of_it`], [`the_last_handle_may_go_while_the_driver_ends`] |
//! | `Calls::close`: the first cause stays | [`the_first_cause_is_told_by_whoever_closes_again`] |
//! | `Calls::close`: what was under way is given back | [`a_call_beside_the_end_is_refused_with_its_cause_or_comes_out_of_it`], [`the_first_cause_is_told_by_whoever_closes_again`] |
//! | `Stop::set`: the sign is there before anybody is woken | [`whoever_is_to_stop_hears_of_it`] |
//! | `Stop::is_set_or_wakes`: it looks when it has registered | [`whoever_is_to_stop_hears_of_it`] |
//! | `Left::leave`: it is there before anybody is woken | [`whoever_waits_for_what_is_left_is_woken`] |
//! | `Left::poll_take`: it looks when it has registered | [`whoever_waits_for_what_is_left_is_woken`] |

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use bytes::Bytes;
use loom::future::block_on;
use loom::thread;

use super::Handle;
use super::queue::{Call, Calls, Item, MOST_WAITING, Reader, Reply, Ticket};
use super::signal::{Left, Stop};
use crate::error::{Closed, Error};

const CAUSE: Error = Error::Closed(Closed::EndOfStream);

/// All orders in which threads are interrupted up to this often where they need not be, besides whenever they wait. One more
/// takes minutes, and found nothing that fewer do not.
const INTERRUPTIONS: usize = 2;

fn in_every_order(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(INTERRUPTIONS);
    builder.check(body);
}

fn is_cause(error: &Error) -> bool {
    matches!(error, Error::Closed(Closed::EndOfStream))
}

fn push_numbers(reply: &Reply, count: u64) {
    (0..count).for_each(|number| reply.push(Ticket::NONE, Item::Lagged(number)));
}

/// Waits for the next item as a task does.
fn next(reader: &mut Reader, calls: &Calls) -> Item {
    block_on(poll_fn(|cx| reader.poll_pop(calls, cx))).1
}

fn take_numbers(reader: &mut Reader, calls: &Calls, count: u64) {
    for number in 0..count {
        assert!(matches!(next(reader, calls), Item::Lagged(told) if told == number));
        // What is taken was counted before.
        assert!(reader.reply().len() <= 3);
    }
}

#[test]
fn each_item_is_taken_once_and_its_reader_woken() {
    in_every_order(|| {
        let calls = Calls::new();
        let mut reader = Reader::new();
        let reply = reader.reply().clone();
        let driver = thread::spawn(move || push_numbers(&reply, 3));
        take_numbers(&mut reader, &calls, 3);
        driver.join().expect("it ends");
        assert_eq!((reader.reply().len(), reader.reply().waiting()), (0, 0));
        assert!(reader.poll_pop(&calls, &Context::from_waker(Waker::noop())).is_pending());
    });
}

#[test]
fn a_waker_that_is_replaced_in_mid_poll_is_not_the_one_that_is_woken() {
    in_every_order(|| {
        let calls = Calls::new();
        let mut reader = Reader::new();
        let reply = reader.reply().clone();
        let driver = thread::spawn(move || push_numbers(&reply, 2));
        // Another task had it, and gave it away.
        let mut begun = 0;
        if let Poll::Ready((_, item)) = reader.poll_pop(&calls, &Context::from_waker(Waker::noop())) {
            assert!(matches!(item, Item::Lagged(0)));
            begun = 1;
        }
        for number in begun..2 {
            assert!(matches!(next(&mut reader, &calls), Item::Lagged(told) if told == number));
        }
        driver.join().expect("it ends");
    });
}

/// Octets that tell whether anybody holds them.
#[expect(dead_code, reason = "it is there to be counted")]
struct Held(Arc<()>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        b"octets"
    }
}

#[test]
fn nothing_is_held_or_waits_for_a_reader_that_went_away() {
    in_every_order(|| {
        let calls = Calls::new();
        let held = Arc::new(());
        let mut reader = Reader::new();
        let reply = reader.reply().clone();
        let items = [held.clone(), held.clone()].map(|held| Item::Body(Bytes::from_owner(Held(held))));
        let driver = thread::spawn(move || items.into_iter().for_each(|item| reply.push(Ticket::NONE, item)));
        let _ = reader.poll_pop(&calls, &Context::from_waker(Waker::noop()));
        reader.close();
        driver.join().expect("it ends");
        assert_eq!((reader.reply().len(), reader.reply().waiting()), (0, 0));
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn an_operation_that_is_given_up_elsewhere_hears_how_it_ended() {
    in_every_order(|| {
        let calls = Calls::new();
        let mut reader = Reader::new();
        let (driven, given_up) = (reader.reply().clone(), reader.reply().clone());
        let driver = thread::spawn(move || driven.push(Ticket::NONE, Item::Settled));
        let canceller = thread::spawn(move || {
            given_up.cancel();
            given_up.wake_reader();
        });
        assert!(matches!(next(&mut reader, &calls), Item::Settled));
        driver.join().expect("it ends");
        canceller.join().expect("it ends");
        assert!(reader.reply().is_cancelled());
    });
}

#[test]
fn a_call_beside_the_end_is_refused_with_its_cause_or_comes_out_of_it() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let (one, other) = (calls.clone(), Reader::new());
        let reply = other.reply().clone();
        let caller = thread::spawn(move || one.push(Call::View { reply }));
        let came = usize::from(calls.pop().is_some()) + calls.close(&CAUSE).len();
        let told = caller.join().expect("it ends");
        match told {
            Ok(()) => assert_eq!(came, 1),
            Err(error) => assert!(came == 0 && is_cause(&error), "{came} {error:?}"),
        }
        assert!(calls.push(Call::Close).is_err_and(|error| is_cause(&error)));
    });
}

#[test]
fn all_who_ask_at_once_are_told_the_cause() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        assert!(calls.close(&CAUSE).is_empty());
        let asker = calls.clone();
        let asker = thread::spawn(move || asker.push(Call::Close));
        for told in [calls.push(Call::Close), asker.join().expect("it ends")] {
            assert!(told.is_err_and(|error| is_cause(&error)));
        }
        is_told_again_and_again(&calls);
    });
}

#[test]
fn the_first_cause_is_told_by_whoever_closes_again() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let asker = calls.clone();
        let asker = thread::spawn(move || asker.push(Call::Close));
        let came = calls.close(&CAUSE).len() + calls.close(&Error::Closed(Closed::DriverGone)).len();
        match asker.join().expect("it ends") {
            Ok(()) => assert_eq!(came, 1),
            Err(error) => assert!(is_cause(&error), "{error:?}"),
        }
        is_told_again_and_again(&calls);
    });
}

fn is_told_again_and_again(calls: &Calls) {
    for _ in 0..5 {
        assert!(calls.push(Call::Close).is_err_and(|error| is_cause(&error)));
    }
}

/// The driver waits for calls; it ends at the one that says so.
#[test]
fn a_driver_that_waits_hears_of_the_last_handle() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let handle = Handle { calls: calls.clone() };
        let reader = Reader::new();
        let reply = reader.reply().clone();
        let user = thread::spawn(move || {
            handle.calls.push(Call::Settle { reply }).expect("the driver is there");
            drop(handle);
        });
        let mut came = Vec::new();
        block_on(poll_fn(|cx| {
            calls.register_driver(cx);
            came.extend(core::iter::from_fn(|| calls.pop()));
            if matches!(came.last(), Some(Call::Close)) { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert!(matches!(came[..], [Call::Settle { .. }, Call::Close]), "{came:?}");
        user.join().expect("it ends");
    });
}

#[test]
fn the_last_handle_may_go_while_the_driver_ends() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let handle = Handle { calls: calls.clone() };
        let user = thread::spawn(move || {
            // An operation is dropped, and the handle it had.
            let _ = handle.calls.push(Call::Abandon { ticket: Ticket::NONE });
            drop(handle);
        });
        calls.register_driver(&Context::from_waker(Waker::noop()));
        let came = calls.close(&CAUSE);
        user.join().expect("it ends");
        // In their order, and none behind one that was refused.
        assert!(matches!(came[..], [] | [Call::Abandon { .. }] | [Call::Abandon { .. }, Call::Close]), "{came:?}");
        assert!(calls.pop().is_none());
    });
}

/// A driver whose reader has enough: it looks no further until it is woken.
fn pause(reply: &Reply, calls: &Calls) {
    let half = Bytes::from(vec![0; MOST_WAITING / 2 + 1]);
    (0..2).for_each(|_| reply.push(Ticket::NONE, Item::Body(half.clone())));
    block_on(poll_fn(|cx| {
        calls.register_driver(cx);
        if reply.waiting() > MOST_WAITING { Poll::Pending } else { Poll::Ready(()) }
    }));
    reply.push(Ticket::NONE, Item::BodyEnd);
}

#[test]
fn a_driver_that_paused_is_woken_by_its_reader() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let mut reader = Reader::new();
        let (reply, driven) = (reader.reply().clone(), calls.clone());
        let driver = thread::spawn(move || pause(&reply, &driven));
        while !matches!(next(&mut reader, &calls), Item::BodyEnd) {}
        driver.join().expect("it ends");
        assert_eq!((reader.reply().len(), reader.reply().waiting()), (0, 0));
    });
}

#[test]
fn a_driver_that_paused_is_woken_when_its_reader_goes() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let mut reader = Reader::new();
        let (reply, driven) = (reader.reply().clone(), calls.clone());
        let driver = thread::spawn(move || pause(&reply, &driven));
        reader.close();
        calls.push(Call::Abandon { ticket: Ticket::NONE }).expect("the driver is there");
        driver.join().expect("it ends");
    });
}

#[test]
fn a_driver_that_paused_is_woken_when_its_reader_is_cancelled() {
    in_every_order(|| {
        let calls = Arc::new(Calls::new());
        let reader = Reader::new();
        let (reply, driven) = (reader.reply().clone(), calls.clone());
        let driver = thread::spawn(move || pause(&reply, &driven));
        reader.reply().cancel();
        calls.push(Call::Abandon { ticket: Ticket::NONE }).expect("the driver is there");
        driver.join().expect("it ends");
    });
}

#[test]
fn whoever_is_to_stop_hears_of_it() {
    in_every_order(|| {
        let stop = Stop::new();
        let stoppers = [stop.clone(), stop.clone()].map(|stop| thread::spawn(move || stop.set()));
        // Once it is polled and does not wait, as where something else woke it.
        let _ = stop.is_set_or_wakes(&Context::from_waker(Waker::noop()));
        block_on(poll_fn(|cx| if stop.is_set_or_wakes(cx) { Poll::Ready(()) } else { Poll::Pending }));
        stoppers.into_iter().for_each(|stopper| stopper.join().expect("it ends"));
    });
}

#[test]
fn whoever_waits_for_what_is_left_is_woken() {
    in_every_order(|| {
        let kept = Arc::new(Left::new());
        let leaves = kept.clone();
        let leaver = thread::spawn(move || leaves.leave(1));
        assert_eq!(block_on(poll_fn(|cx| kept.poll_take(cx))), 1);
        leaver.join().expect("it ends");
    });
}
