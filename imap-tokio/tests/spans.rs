//! Which spans what is logged is in, with two connections whose drivers take turns on one thread.

use std::fmt;
use std::sync::{Arc, Mutex};

use imap_testserver::TestServer;
use imap_tokio::types::{FetchItems, UidSet};
use imap_tokio::{Client, Connector, Credentials};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Instrument, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Each event with the spans it is in, the outermost first: `imap one/command NOOP`.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(String, String)>>>);

/// What a span is told by: its host, or its command.
#[derive(Default)]
struct Label(String);

impl Visit for Label {
    fn record_str(&mut self, field: &Field, value: &str) {
        if matches!(field.name(), "host" | "name") {
            self.0 = value.to_owned();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut label = Label::default();
        attributes.record(&mut label);
        context.span(id).expect("it is there").extensions_mut().insert(label);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut path = Vec::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let label = extensions.get::<Label>().map_or("", |label| &label.0);
            path.push(format!("{} {label}", span.name()).trim().to_owned());
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().expect("nobody panics holding it").push((message.0, path.join("/")));
    }
}

fn server() -> TestServer {
    let server = TestServer::builder().user("alice", "secret").start();
    for _ in 0..20 {
        server.mailbox("INBOX").deliver("Subject: hello\r\n\r\nworld\r\n");
    }
    server
}

fn connector(host: &str) -> Connector {
    Connector::new(host).plaintext().credentials(Credentials::password("alice", "secret"))
}

/// A few commands, one of them given up.
async fn work(client: Client) {
    let inbox = client.select("INBOX").await.expect("it is there");
    let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
    while messages.try_next().await.expect("it is fetched").is_some() {}
    tokio::select! {
        biased;
        _ = client.capabilities() => panic!("nobody has moved the connection"),
        () = std::future::ready(()) => {}
    }
    client.noop().await.expect("an answer");
    client.settle().await.expect("nothing is left");
    client.logout().await.expect("it says so");
}

/// What has to do with commands is in the command's span, that in its connection's; nothing of one is in the other's.
fn check(log: &Log, hosts: [&str; 2], around: &str) {
    let log = log.0.lock().expect("nobody panics holding it");
    for host in hosts {
        for command in ["AUTHENTICATE", "SELECT", "UID FETCH", "NOOP", "LOGOUT"] {
            let path = format!("{around}imap {host}/command {command}");
            for event in ["begun", "answered", "C: "] {
                let found = log.iter().filter(|(said, at)| *at == path && said.starts_with(event)).count();
                assert!(found > 0, "no {event} in {path} of {log:#?}");
            }
        }
        let path = format!("{around}imap {host}/command CAPABILITY");
        assert!(log.iter().any(|(said, at)| said == "abandoned" && *at == path), "{log:#?}");
        let path = format!("{around}imap {host}");
        assert!(log.iter().any(|(said, at)| said.starts_with("S: ") && *at == path), "{log:#?}");
        assert!(log.iter().any(|(said, at)| said == "closed" && *at == path), "{log:#?}");
    }
    for (said, at) in log.iter() {
        let imap = at.strip_prefix(around).and_then(|rest| rest.split('/').next());
        assert!(imap.is_some_and(|imap| hosts.iter().any(|host| imap == format!("imap {host}"))), "{said} in {at:?}");
        assert_eq!(at.matches("imap ").count(), 1, "{said} in {at}");
        assert!(at.matches("command ").count() <= 1, "{said} in {at}");
        assert!(!said.contains("secret") || said == "C: [secret]", "{said}");
    }
    // They took turns: else there is nothing to be mixed up.
    let first_of = |host: &str| log.iter().position(|(_, at)| at.contains(host)).expect("it is there");
    let last_of = |host: &str| log.iter().rposition(|(_, at)| at.contains(host)).expect("it is there");
    assert!(first_of(hosts[1]) < last_of(hosts[0]) && first_of(hosts[0]) < last_of(hosts[1]));
}

#[tokio::test]
async fn commands_are_in_the_span_of_their_connection_with_drivers_that_are_spawned() {
    let server = server();
    let listener = server.listen_plain().await.expect("a port");
    let log = Log::default();
    let _listening = tracing_subscriber::registry().with(log.clone()).set_default();
    let connect = |host: &'static str| {
        let connector = connector(host).address("127.0.0.1").port(listener.port());
        async move { work(connector.connect().await.expect("it connects")).await }.instrument(info_span!("request"))
    };
    tokio::join!(connect("one"), connect("two"));
    drop(_listening);
    // The span of whoever connects is around that of the connection.
    check(&log, ["one", "two"], "request/");
}

#[tokio::test]
async fn commands_are_in_the_span_of_their_connection_wherever_its_driver_is_polled() {
    let server = server();
    let log = Log::default();
    let _listening = tracing_subscriber::registry().with(log.clone()).set_default();
    let run = async |host: &'static str| {
        let (client, driver) = connector(host).open_over(server.connect()).await.expect("it greets");
        // In nobody's span, or in that of somebody who has nothing to do with it.
        let elsewhere = async { tokio::join!(work(client), driver) };
        elsewhere.instrument(info_span!("elsewhere")).await;
    };
    tokio::join!(run("one"), run("two"));
    drop(_listening);
    check(&log, ["one", "two"], "");
}
