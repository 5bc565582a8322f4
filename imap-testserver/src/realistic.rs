//! A mailbox as people have it: threads, newsletters, attachments, forwarded messages, subjects in many scripts.
//!
//! The same octets and dates at every call, so that tests can count on them.

mod compose;
mod messages;

use imap_proto_core::types::{DateTime, Flag, SpecialUse};

use crate::server::TestServer;

/// When the first message was received: 2 March 2026, 08:00 UTC.
const BEGIN: i64 = 1_772_438_400;
/// The time between one message and the next.
const STEP: i64 = 3 * 3600 + 1234;

/// Mailboxes besides INBOX, with what they are for.
const FOLDERS: [(&str, Option<SpecialUse>); 8] = [
    ("Archive", Some(SpecialUse::Archive)),
    ("Drafts", Some(SpecialUse::Drafts)),
    ("Junk", Some(SpecialUse::Junk)),
    ("Projects", None),
    ("Projects/Br\u{fc}cke", None),
    ("Projects/\u{6771}\u{4eac}", None),
    ("Sent", Some(SpecialUse::Sent)),
    ("Trash", Some(SpecialUse::Trash)),
];

/// Fills the mailboxes of the server's first user: 26 messages in INBOX, some in folders with special uses and names
/// beyond ASCII.
pub fn fill(server: &TestServer) {
    let inbox = server.mailbox("INBOX");
    inbox.subscribe();
    for (name, special_use) in FOLDERS {
        let mailbox = server.mailbox(name);
        mailbox.subscribe();
        if let Some(special_use) = special_use {
            mailbox.use_for(special_use);
        }
    }
    for (number, octets) in messages::inbox().into_iter().enumerate() {
        // Older ones were read, some were answered, a few stand out.
        let mut flags = Vec::new();
        flags.extend((number < 18).then_some(Flag::Seen));
        flags.extend((number % 7 == 2).then_some(Flag::Answered));
        flags.extend((number % 9 == 4).then_some(Flag::Flagged));
        flags.extend((number == 5).then_some(Flag::Forwarded));
        inbox.deliver_with(octets, flags, received(number));
    }
    server.mailbox("Sent").deliver_with(messages::sent(), [Flag::Seen], received(3));
    server.mailbox("Drafts").deliver_with(messages::draft(), [Flag::Seen, Flag::Draft], received(20));
    server.mailbox("Junk").deliver_with(messages::junk(), [Flag::Junk], received(9));
    for (number, octets) in messages::project().into_iter().enumerate() {
        server.mailbox("Projects/Br\u{fc}cke").deliver_with(octets, [Flag::Seen], received(number));
    }
}

fn received(number: usize) -> DateTime {
    let seconds = BEGIN + STEP * i64::try_from(number).unwrap_or(0);
    DateTime::from_unix_timestamp_with_offset(seconds, 60).unwrap_or_else(crate::server::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_mailbox_is_the_same_each_time() {
        let (one, other) = (TestServer::builder().realistic().start(), TestServer::builder().realistic().start());
        let messages = one.mailbox("INBOX").messages();
        assert_eq!(messages, other.mailbox("INBOX").messages());
        assert_eq!(messages.len(), 26);
    }

    #[test]
    fn every_line_ends_in_crlf() {
        for octets in messages::inbox().into_iter().chain(messages::project()) {
            let lines = octets.iter().filter(|byte| **byte == b'\n').count();
            let proper = octets.windows(2).filter(|two| *two == b"\r\n").count();
            assert_eq!((lines, octets.iter().filter(|byte| **byte == b'\r').count()), (proper, proper));
        }
    }
}
