//! Connections that are opened again, in memory and on a clock that stands unless it is waited for.

mod attempts;
mod callers;
mod host;
mod mailboxes;
mod repeating;

use std::pin::pin;
use std::task::Poll;

use host::Host;
use imap_proto_core::connect::{ReconnectEvent, ReconnectEvents, ReconnectPolicy, Reconnecting};

type Session = Reconnecting<Host>;

/// Pauses of 1, 2, 4 … seconds.
fn regular() -> ReconnectPolicy {
    ReconnectPolicy::default().without_jitter()
}

/// Polls a future once.
async fn begun<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
}

/// The events that are there, in short.
async fn told(events: &mut ReconnectEvents) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let next = pin!(events.next());
        let next = { begun(&mut Box::pin(next)).await };
        match next {
            Poll::Ready(Some(event)) => told.push(short(&event)),
            Poll::Ready(None) => {
                told.push("end".to_owned());
                return told;
            }
            Poll::Pending => return told,
        }
    }
}

fn short(event: &ReconnectEvent) -> String {
    use imap_proto_core::connect::Resumed;

    match event {
        ReconnectEvent::Connected => "connected".to_owned(),
        ReconnectEvent::Lost { cause } => format!("lost: {cause}"),
        ReconnectEvent::Retrying { attempt, after, .. } => format!("{attempt} after {after:?}"),
        ReconnectEvent::Reconnected { mailbox: None } => "again".to_owned(),
        ReconnectEvent::Reconnected { mailbox: Some(Resumed::Same { mailbox }) } => format!("again, same {mailbox}"),
        ReconnectEvent::Reconnected { mailbox: Some(Resumed::Changed(change)) } => {
            format!("again, new {}", change.mailbox)
        }
        ReconnectEvent::Reconnected { mailbox: Some(Resumed::Refused { mailbox, .. }) } => {
            format!("again, no {mailbox}")
        }
        ReconnectEvent::GaveUp { cause } => format!("gave up: {cause}"),
        other => format!("{other:?}"),
    }
}
