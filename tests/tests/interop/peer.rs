//! Servers, the ways to them, and what every operation needs there: a connection, and mailboxes of its own.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Instant;

use imap_tests::servers::{Courier, Cyrus, Dovecot, Server, USERS};
use imap_tokio::command::Append;
use imap_tokio::types::{Capability, MailboxName, Namespace};
use imap_tokio::{Client, Connector, Error, Mailbox, Security};
use tokio::runtime::Runtime;

use crate::session::{PATIENCE, connector};
use crate::table::{Cell, Column};

/// An operation, or a few that belong together, and which rows of the table it fills.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Peer<'a>) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
    pub(crate) rows: &'static [&'static str],
}

/// One way to one server, for one operation.
pub(crate) struct Peer<'a> {
    pub(crate) server: &'a (dyn Server + Sync),
    pub(crate) security: Security,
    /// Nobody else is this user meanwhile, unless on another server.
    pub(crate) user: &'static str,
    /// What the mailboxes of the operation are called.
    operation: &'static str,
    cells: RefCell<BTreeMap<&'static str, Cell>>,
}

const TLS: &[Security] = &[Security::ImplicitTls];
const ALL: &[Security] = &[Security::ImplicitTls, Security::StartTls, Security::Plaintext];

type Start = fn() -> Option<Box<dyn Server + Sync>>;

/// Servers, and the ways to them that are tried.
const KINDS: [(Start, &[Security]); 3] =
    [(|| Dovecot::start().map(boxed), ALL), (|| Cyrus::start().map(boxed), TLS), (|| Courier::start().map(boxed), TLS)];

fn boxed<S: Server + Sync + 'static>(server: S) -> Box<dyn Server + Sync> {
    Box::new(server)
}

/// Does the operations on all servers that are there, one column for each way. A server that is not installed is left out,
/// and said so. The servers are busy at the same
/// time, and on each its users: most of the time is waiting, as Courier takes two seconds for a DELETE.
pub(crate) fn everywhere(operations: &[Operation]) -> Vec<Column> {
    thread::scope(|scope| {
        let servers = KINDS.map(|(start, ways)| spawn(scope, move || on_server(start, ways, operations)));
        servers.into_iter().flat_map(|server| server.join().expect("a server that starts")).collect()
    })
}

fn on_server(start: Start, ways: &[Security], operations: &[Operation]) -> Vec<Column> {
    let Some(server) = start() else { return Vec::new() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (runtime, server) = (runtime.expect("a runtime"), &*server);
    thread::scope(|scope| {
        let users = USERS.chunks(USERS.len() / ways.len());
        let on = |security, users| on_way(&runtime, server, security, users, operations);
        let columns = ways.iter().zip(users).map(|(security, users)| spawn(scope, move || on(*security, users)));
        columns.collect::<Vec<_>>().into_iter().map(|column| column.join().expect("no panic of our own")).collect()
    })
}

/// Does the operations in turns, each user one at a time.
fn on_way(
    runtime: &Runtime,
    server: &(dyn Server + Sync),
    security: Security,
    users: &[&'static str],
    operations: &[Operation],
) -> Column {
    let title = format!("{} {security:?}", server.name());
    let mut column = Column { title, cells: BTreeMap::new(), failures: Vec::new() };
    let (began, next) = (Instant::now(), AtomicUsize::new(0));
    let take_turns = |user| {
        let mut done = Vec::new();
        while let Some(operation) = operations.get(next.fetch_add(1, Ordering::Relaxed)) {
            let peer = Peer { server, security, user, operation: operation.name, cells: RefCell::default() };
            let failure = failure_of(runtime, operation, &peer);
            done.push((operation, failure, peer.cells.into_inner()));
        }
        done
    };
    let done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = users.iter().map(|user| spawn(scope, || take_turns(user))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic of our own")).collect()
    });
    for (operation, failure, cells) in done {
        column.failures.extend(failure.map(|failure| format!("{} on {}: {failure}", operation.name, column.title)));
        assert!(cells.keys().all(|row| operation.rows.contains(row)), "{} fills other rows", operation.name);
        column.cells.extend(cells);
    }
    println!("{}: {} operations in {:?}", column.title, operations.len(), began.elapsed());
    column
}

/// Does the operation, and says what went wrong.
fn failure_of(runtime: &Runtime, operation: &Operation, peer: &Peer<'_>) -> Option<String> {
    let work = || runtime.block_on(async { tokio::time::timeout(PATIENCE, (operation.run)(peer)).await });
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some(format!("it hangs; the log says: {}", peer.server.log())),
        Err(panic) => Some(words_of(&*panic)),
    }
}

/// Runs it on a thread of the test, whose output is shown with the test's.
fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let name = thread::current().name().unwrap_or_default().to_owned();
    thread::Builder::new().name(name).spawn_scoped(scope, work).expect("a thread")
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

impl Peer<'_> {
    pub(crate) fn connector(&self) -> Connector {
        connector(self.server, self.security, self.user)
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connector().connect().await.expect("the server lets us in")
    }

    /// Where the user's mailboxes are.
    pub(crate) async fn namespace(&self, client: &Client) -> Namespace {
        let namespaces = client.namespaces().await.expect("it says where mailboxes are");
        namespaces.personal.into_iter().next().expect("the user has mailboxes")
    }

    /// The name of the operation's own mailbox, or of one below it.
    pub(crate) async fn name(&self, client: &Client, below: &[&str]) -> MailboxName {
        let levels = [&[self.operation], below].concat();
        self.namespace(client).await.mailbox(&levels).expect("a name")
    }

    /// Connects, makes the operation's own mailbox, stores messages in it and selects it.
    pub(crate) async fn begin(&self, messages: impl IntoIterator<Item = Vec<u8>>) -> (Client, Mailbox) {
        let client = self.connect().await;
        let name = self.name(&client, &[]).await;
        client.create(name.clone()).await.expect("it is made");
        for octets in messages {
            client.append(Append::new(name.clone(), octets)).await.expect("it is stored");
        }
        let mailbox = client.select(name).await.expect("it is there");
        (client, mailbox)
    }

    /// Shows that the connection is good to the end. The mailboxes go with the server.
    pub(crate) async fn end(&self, client: Client) {
        client.noop().await.expect("the connection is good");
        client.settle().await.expect("nothing is left");
        client.logout().await.expect("it says goodbye");
    }

    /// The server did what the row says.
    pub(crate) fn done(&self, row: &'static str) {
        self.tell(row, Cell::Done);
    }

    /// The server did it, or it was done in another way where the server does not offer this.
    pub(crate) async fn done_with_or_without(&self, row: &'static str, client: &Client, needed: Capability) {
        let cell = if offers(client, &needed).await { Cell::Done } else { Cell::Fallback };
        self.tell(row, cell);
    }

    /// Where the server offers what is needed it has to be done, and the result is returned; else the error has to say
    /// that it is not.
    pub(crate) async fn done_or_unsupported<T>(
        &self,
        row: &'static str,
        client: &Client,
        needed: Capability,
        result: Result<T, Error>,
    ) -> Option<T> {
        if offers(client, &needed).await {
            let done = result.unwrap_or_else(|error| panic!("{row}: {error:?}"));
            self.tell(row, Cell::Done);
            return Some(done);
        }
        let error = result.err().unwrap_or_else(|| panic!("{row} was done without {needed}"));
        assert!(matches!(error, Error::Unsupported(_)) && !error.is_fatal(), "{row}: {error:?}");
        self.tell(row, Cell::Unsupported);
        None
    }

    fn tell(&self, row: &'static str, cell: Cell) {
        let before = self.cells.borrow_mut().insert(row, cell);
        assert!(before.is_none(), "{row} is filled twice");
    }
}

/// True when the server says that it can do it.
pub(crate) async fn offers(client: &Client, capability: &Capability) -> bool {
    client.view().await.expect("it is open").capabilities().offers(capability)
}
