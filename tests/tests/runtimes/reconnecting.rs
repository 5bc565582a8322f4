//! A server that is stopped and started again, under a fetch and under a watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use imap_proto_core::client::Notice;
use imap_proto_core::command::Append;
use imap_proto_core::connect::{ReconnectEvent, ReconnectPolicy, Reconnecting, ReconnectingMailbox, Resumed};
use imap_proto_core::types::{FetchItems, Section, UidSet};
use imap_proto_core::wire::grammar::Unsolicited;
use imap_proto_core::{Credentials, Error};
use imap_tests::mailbox::{fill_maildir, message};
use imap_tests::servers::{Dovecot, PASSWORD, Server};

use crate::harness::Harness;

/// Several times what is under way at once.
const MESSAGES: u64 = 300;

fn session<H: Harness>(harness: H, server: &Dovecot) -> Reconnecting<H::Runtime> {
    let connector = harness.connector("localhost").address("127.0.0.1").port(server.tls_port());
    let connector = connector.root(server.ca_der().to_vec().into());
    let policy = ReconnectPolicy::default().first_pause(Duration::from_millis(20)).attempts(u32::MAX);
    let policy = policy.longest_pause(Duration::from_millis(200));
    connector.credentials(Credentials::password("alice", PASSWORD)).reconnecting(policy)
}

/// Tells of each time that the server has begun to idle, with 0, and of how many messages there are now.
async fn watch<H: Harness>(inbox: ReconnectingMailbox<H::Runtime>, told: smol::channel::Sender<u32>) {
    loop {
        let mailbox = inbox.get().await.expect("it is selected again");
        let mut watch = mailbox.watch();
        while let Ok(Some(notice)) = watch.try_next().await {
            let count = match (&notice, notice.unsolicited()) {
                (Notice::Idling, _) => 0,
                (_, Some(Unsolicited::Exists(count))) => count,
                _ => continue,
            };
            if told.send(count).await.is_err() {
                return;
            }
        }
    }
}

pub(crate) async fn a_server_is_restarted<H: Harness>(harness: H) {
    let Some(server) = Dovecot::start() else { return };
    fill_maildir(&server.maildir("alice"), MESSAGES).expect("it is filled");
    let server = Arc::new(server);
    let (of_fetch, of_watch) = (session(harness, &server), session(harness, &server));
    let mut events = of_fetch.events();

    let (tell, told) = smol::channel::unbounded();
    let inbox = of_watch.select("INBOX").await.expect("an INBOX");
    let watching = harness.spawn(watch::<H>(inbox, tell));
    assert_eq!(told.recv().await, Ok(0));

    let inbox = of_fetch.select("INBOX").await.expect("an INBOX");
    let begun = AtomicUsize::new(0);
    let fetched = inbox.run(|mailbox| {
        let is_first = begun.fetch_add(1, Ordering::Relaxed) == 0;
        let server = server.clone();
        async move {
            let mut messages = mailbox.fetch(UidSet::all(), FetchItems::ids().section(Section::whole()));
            let mut count = u64::from(messages.try_next().await?.is_some());
            if is_first {
                let restart = move || {
                    server.stop();
                    server.start_again();
                };
                harness.joined(thread::spawn(restart)).await;
            }
            while messages.try_next().await?.is_some() {
                count += 1;
            }
            Ok::<_, Error>(count)
        }
    });
    assert_eq!(fetched.await.expect("it is fetched in the end"), MESSAGES);
    assert_eq!(begun.into_inner(), 2, "the server went away under the first");
    assert!(matches!(events.next().await, Some(ReconnectEvent::Connected)));
    assert!(matches!(events.next().await, Some(ReconnectEvent::Lost { .. })));
    loop {
        match events.next().await {
            Some(ReconnectEvent::Retrying { .. }) => {}
            Some(ReconnectEvent::Reconnected { mailbox: Some(Resumed::Same { mailbox }) }) => {
                break assert_eq!(mailbox.as_str(), "INBOX");
            }
            other => panic!("{other:?}"),
        }
    }

    // Who watches has noticed as well, and is told of what is new.
    assert_eq!(told.recv().await, Ok(0));
    of_fetch.once(|client| client.append(Append::new("INBOX", message(MESSAGES)))).await.expect("it is stored");
    while u64::from(told.recv().await.expect("it watches on")) != MESSAGES + 1 {}
    drop(told);
    of_fetch.once(|client| client.append(Append::new("INBOX", message(0)))).await.expect("it is stored");
    watching.await;
    of_fetch.logout().await.expect("it says goodbye");
}
