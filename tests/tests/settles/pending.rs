//! Everything that somebody may wait for, each as a future that ends with what it was told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use futures_core::Stream;
use imap_proto_core::Error;
use imap_proto_core::client::{Client, Mailbox, Source};
use imap_proto_core::command::{Append, Idle, List, Raw, Returns, Store};
use imap_proto_core::types::{FetchItems, Flag, Query, Section, SeqSet, StatusItems, Uid, UidSet};

/// What somebody waits for.
pub(crate) type Doing = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// What is waited for, by its name.
pub(crate) type Row = (&'static str, fn(&Client, &Mailbox) -> Doing);

/// An operation, or a call that takes several of them.
macro_rules! call {
    ($name:literal, |$client:ident, $inbox:ident| $call:expr) => {
        ($name, |$client, $inbox| {
            let ($client, $inbox) = ($client.clone(), $inbox.clone());
            let _ = (&$client, &$inbox);
            Box::pin(async move { $call.await.map(drop) })
        })
    };
}

/// A stream, to its end: one that just ends is a success.
macro_rules! stream {
    ($name:literal, |$client:ident, $inbox:ident| $stream:expr) => {
        ($name, |$client, $inbox| {
            let ($client, $inbox) = ($client.clone(), $inbox.clone());
            let _ = (&$client, &$inbox);
            let mut stream = $stream;
            Box::pin(async move {
                while stream.try_next().await?.is_some() {}
                Ok(())
            })
        })
    };
}

fn message() -> Append {
    Append::new("Drafts", &b"Subject: hello\r\n\r\nworld\r\n"[..])
}

/// All of them. What `settle` drops has to be the first that is sent.
pub(crate) const EVERYTHING: &[Row] = &[
    call!("settle", |client, inbox| settle(client, inbox)),
    call!("NOOP", |client, inbox| client.noop()),
    call!("CAPABILITY", |client, inbox| client.capabilities()),
    call!("ID", |client, inbox| client.id(None)),
    call!("NAMESPACE", |client, inbox| client.namespaces()),
    call!("LIST", |client, inbox| client.list(List::all())),
    call!("LSUB", |client, inbox| client.lsub("*")),
    call!("STATUS", |client, inbox| client.status("Other", StatusItems::counts())),
    call!("exists", |client, inbox| client.exists("Other")),
    call!("CREATE", |client, inbox| client.create("New")),
    call!("DELETE", |client, inbox| client.delete("Other")),
    call!("RENAME", |client, inbox| client.rename("Other", "Another")),
    call!("SUBSCRIBE", |client, inbox| client.subscribe("Other")),
    call!("UNSUBSCRIBE", |client, inbox| client.unsubscribe("Other")),
    call!("SELECT", |client, inbox| client.select("Other")),
    call!("EXAMINE", |client, inbox| client.examine("Other")),
    call!("APPEND", |client, inbox| client.append(message())),
    call!("APPEND from a source that stalls", |client, inbox| client.append_from("Drafts", 99, stalling(), |it| it)),
    call!("APPEND from a source without end", |client, inbox| client
        .append_from("Drafts", 1 << 40, endless(), |it| it)),
    call!("raw", |client, inbox| client.run(Raw::new("CHECK").expect("a command"))),
    call!("IDLE", |client, inbox| client.run(Idle)),
    call!("SEARCH", |client, inbox| inbox.search(Query::all())),
    call!("SEARCH, a literal", |client, inbox| inbox.search(Query::text("\u{e9}"))),
    call!("SEARCH of numbers", |client, inbox| inbox.search_numbers(Query::all())),
    call!("SEARCH RETURN", |client, inbox| inbox.search_returning(Query::all(), Returns::COUNT)),
    call!("STORE", |client, inbox| inbox.store(Uid::MIN, Store::add(Flag::Seen))),
    call!("COPY", |client, inbox| inbox.copy(Uid::MIN, "Other")),
    call!("EXPUNGE", |client, inbox| inbox.expunge()),
    call!("UID EXPUNGE", |client, inbox| inbox.expunge_uids(Uid::MIN)),
    call!("CLOSE", |client, inbox| inbox.close()),
    call!("UNSELECT", |client, inbox| inbox.unselect()),
    call!("list_all", |client, inbox| client.list_all()),
    call!("list_with_status", |client, inbox| client.list_with_status(List::all(), StatusItems::counts())),
    call!("ensure", |client, inbox| client.ensure("Other")),
    call!("move_to", |client, inbox| inbox.move_to(Uid::MIN, "Other")),
    call!("delete", |client, inbox| inbox.delete(Uid::MIN)),
    stream!("fetch", |client, inbox| inbox.fetch(Uid::MIN, FetchItems::ids())),
    stream!("fetch of an open set", |client, inbox| inbox.fetch(UidSet::all(), FetchItems::ids())),
    stream!("fetch by numbers", |client, inbox| inbox.fetch(SeqSet::all(), FetchItems::ids())),
    stream!("fetch of sections", |client, inbox| inbox.fetch(Uid::MIN, FetchItems::ids().section(Section::whole()))),
    stream!("body", |client, inbox| inbox.body(Uid::MIN, Section::whole())),
    call!("collected fetch", |client, inbox| inbox.fetch(Uid::MIN, FetchItems::ids()).collect()),
    call!("collected body", |client, inbox| inbox.body(Uid::MIN, Section::whole()).collect(1 << 20)),
    stream!("watch", |client, inbox| inbox.watch()),
    stream!("notices", |client, inbox| client.notices()),
    call!("logout", |client, inbox| client.logout()),
];

/// Waits for what was dropped half-way.
async fn settle(client: Client, inbox: Mailbox) -> Result<(), Error> {
    let mut dropped = inbox.search(Query::all());
    let mut polls = 0;
    // The driver has its turn in between, so that something of it is sent.
    let early = std::future::poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        match Pin::new(&mut dropped).poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result.map(drop))),
            Poll::Pending if polls > 3 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    if let Some(ended) = early.await {
        return ended;
    }
    drop(dropped);
    client.settle().await
}

struct Pieces {
    /// Those that are given; then none comes, or the last of them for ever.
    left: usize,
    stalls: bool,
}

impl Stream for Pieces {
    type Item = Result<Bytes, Box<dyn core::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.stalls && self.left == 0 {
            return Poll::Pending;
        }
        self.left = self.left.saturating_sub(1);
        Poll::Ready(Some(Ok(Bytes::from_static(b"octets"))))
    }
}

fn stalling() -> Source {
    Box::pin(Pieces { left: 2, stalls: true })
}

fn endless() -> Source {
    Box::pin(Pieces { left: 0, stalls: false })
}

/// Somebody who waits, and looks only when woken.
pub(crate) struct Waiting {
    pub(crate) name: &'static str,
    doing: Doing,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool, std::thread::Thread);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
        self.1.unpark();
    }
}

impl Waiting {
    pub(crate) fn new(name: &'static str, doing: Doing) -> Self {
        Waiting { name, doing, woken: Arc::new(Woken(AtomicBool::new(true), std::thread::current())) }
    }

    /// What it ended with, if it was woken and has ended.
    pub(crate) fn look(&mut self) -> Option<Result<(), Error>> {
        if !self.woken.0.swap(false, Ordering::Acquire) {
            return None;
        }
        match self.doing.as_mut().poll(&mut Context::from_waker(&Waker::from(self.woken.clone()))) {
            Poll::Ready(told) => Some(told),
            Poll::Pending => None,
        }
    }
}

/// What a call says at once.
pub(crate) fn at_once(doing: Doing) -> Option<Result<(), Error>> {
    Waiting::new("", doing).look()
}
