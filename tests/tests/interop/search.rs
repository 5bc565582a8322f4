//! Finding messages.

use std::num::NonZeroU32;

use futures_util::future::poll_immediate;
use imap_tests::mailbox::message;
use imap_tokio::command::{Append, Returns, Search, Store};
use imap_tokio::types::{Capability, Date, DateTime, EntryType, Flag, Messages, Query, SeqSet, Uid, UidSet};
use imap_tokio::{Client, Fate, Mailbox};

use crate::peer::Peer;

const NOON_OF_2020_09_13: i64 = 1_599_998_400;
const WEEK: i64 = 7 * 86_400;

/// Three messages that have little in common: from Ada, from Bea and in German.
fn letters() -> [Vec<u8>; 3] {
    [
        "From: Ada <ada@example.org>\r\nTo: Bea <bea@example.net>\r\nSubject: Quarterly report\r\n\
         Date: Thu, 1 Feb 2018 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nThe budget is ready.\r\n"
            .into(),
        "From: Bea <bea@example.net>\r\nTo: Ada <ada@example.org>\r\nCc: Carl <carl@example.com>\r\n\
         Bcc: Dora <dora@example.com>\r\nSubject: Re: Quarterly report\r\n\
         Date: Thu, 8 Feb 2018 12:00:00 +0000\r\nMessage-ID: <2@example.net>\r\n\r\nWhere is it?\r\n"
            .into(),
        "From: Emil <emil@example.de>\r\nTo: Ada <ada@example.org>\r\n\
         Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=\r\nDate: Thu, 15 Feb 2018 12:00:00 +0000\r\n\
         Message-ID: <3@example.de>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\nSch\u{f6}ne Gr\u{fc}\u{df}e\r\n"
            .into(),
    ]
}

/// A mailbox with a message 1 that is gone, and the letters as 2 to 4, one a week and each with a flag of its own.
async fn begin(peer: &Peer<'_>) -> (Client, Mailbox) {
    let (client, mailbox) = peer.begin([message(0)]).await;
    mailbox.delete(Uid::MIN).await.expect("it is removed");
    let flags = [Flag::Answered, Flag::Flagged, Flag::Draft];
    for (number, (letter, flag)) in (0..).zip(letters().into_iter().zip(flags)) {
        let date = DateTime::from_unix_timestamp(NOON_OF_2020_09_13 + number * WEEK).expect("a date");
        let append = Append::new(mailbox.name().clone(), letter).flags([flag]).date(date);
        client.append(append).await.expect("it is stored");
    }
    client.noop().await.expect("it tells what is new");
    mailbox.store(Uid::new(3).expect("a UID"), Store::add([work(), Flag::Seen])).await.expect("it is stored");
    (client, mailbox)
}

/// A flag that no message has from the start.
fn work() -> Flag {
    Flag::keyword("Work").expect("a keyword")
}

fn working() -> Query {
    Query::flag(&work()).expect("a key")
}

fn day(year: u16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).expect("a day")
}

fn uids(wire: &str) -> UidSet {
    UidSet::from_wire(wire.as_bytes()).expect("a set")
}

fn numbers(wire: &str) -> SeqSet {
    SeqSet::from_wire(wire.as_bytes()).expect("a set")
}

pub(crate) async fn keys(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    let table = [
        (Query::all(), "2:4"),
        (Query::seen(), "3"),
        (Query::unseen(), "2,4"),
        (Query::answered(), "2"),
        (Query::unanswered(), "3:4"),
        (Query::flagged(), "3"),
        (Query::unflagged(), "2,4"),
        (Query::deleted(), ""),
        (Query::undeleted(), "2:4"),
        (Query::draft(), "4"),
        (Query::undraft(), "2:3"),
        (working(), "3"),
        (!working(), "2,4"),
        (Query::keyword(work().to_keyword().expect("a keyword")), "3"),
        (Query::unkeyword(work().to_keyword().expect("a keyword")), "2,4"),
        (Query::from("ada@example"), "2"),
        (Query::to("ada"), "3:4"),
        (Query::cc("carl"), "3"),
        (Query::bcc("dora"), "3"),
        (Query::subject("quarterly"), "2:3"),
        (Query::subject("quarterly \"report\\"), ""),
        (Query::body("budget"), "2"),
        (Query::text("carl@example.com"), "3"),
        (Query::header("Message-ID", "<3@example.de>"), "4"),
        (Query::header("Cc", ""), "3"),
        (Query::before(day(2020, 9, 17)), "2"),
        (Query::on(day(2020, 9, 20)), "3"),
        (Query::since(day(2020, 9, 17)), "3:4"),
        (Query::sent_before(day(2018, 2, 5)), "2"),
        (Query::sent_on(day(2018, 2, 8)), "3"),
        (Query::sent_since(day(2018, 2, 12)), "4"),
        // Nothing closer: Courier counts octets as it stores them, without the CRs.
        (Query::larger(100), "2:4"),
        (Query::larger(50_000), ""),
        (Query::smaller(50_000), "2:4"),
        (Query::uid(uids("1,3:9")), "3:4"),
        (Query::uid(UidSet::from(Uid::MAX)), ""),
        (Query::seq_num(numbers("1,3")), "2,4"),
        // Not `*`, which finds nothing on Courier.
        (Query::from("ada").or(Query::from("emil")), "2,4"),
        (Query::to("ada").and(!Query::flagged()), "4"),
        (!(Query::from("ada").or(Query::seen())), "4"),
        (Query::any([Query::answered(), Query::draft(), Query::deleted()]), "2,4"),
        (!Query::smaller(100), "2:4"),
        (!Query::raw("OR SEEN DRAFT").expect("keys"), "2"),
        (Query::raw("SUBJECT \"quarterly\"").expect("keys").and(Query::seen()), "3"),
        // Which are recent is a matter of who was told first.
        (Query::recent().or(Query::old()), "2:4"),
        (Query::new_mail().and(Query::seen()), ""),
    ];
    for (query, expected) in table {
        let found = mailbox.search(query.clone()).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        assert_eq!(found.to_string(), expected, "{query}");
        let found = mailbox.search_numbers(query.clone()).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        let by_number: Vec<u32> = uids_in(expected).map(|uid| uid - 1).collect();
        assert_eq!(found.iter().map(u32::from).collect::<Vec<_>>(), by_number, "{query}");
    }
    let greeting = mailbox.search(Query::subject("Gr\u{fc}\u{df}e aus K\u{f6}ln")).await.expect("it searches");
    assert_eq!(greeting.to_string(), "4");
    let greeting = mailbox.search(Query::body("Sch\u{f6}ne")).await.expect("it searches");
    assert_eq!(greeting.to_string(), "4");
    peer.end(client).await;
    peer.done("UID SEARCH");
    peer.done("SEARCH");
    peer.done("SEARCH beyond ASCII");
}

fn uids_in(wire: &str) -> impl Iterator<Item = u32> {
    let set = if wire.is_empty() { UidSet::new() } else { uids(wire) };
    set.iter().map(u32::from).collect::<Vec<_>>().into_iter()
}

pub(crate) async fn extensions(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    let year = NonZeroU32::new(366 * 86_400).expect("a year");
    for (query, expected) in [(Query::older(year), "2:4"), (Query::younger(year), "")] {
        let row = if expected.is_empty() { "SEARCH YOUNGER" } else { "SEARCH OLDER" };
        let found = mailbox.search(query).await;
        if let Some(found) = peer.done_or_unsupported(row, &client, Capability::Within, found).await {
            assert_eq!(found.to_string(), expected);
        }
    }
    let found = mailbox.search(Query::mod_seq(1)).await;
    if let Some(found) = peer.done_or_unsupported("SEARCH MODSEQ", &client, Capability::CondStore, found).await {
        assert_eq!(found.to_string(), "2:4");
        let found = mailbox.search_returning(Query::mod_seq(1), Returns::ALL).await.expect("it searches");
        assert!(found.mod_seq.is_some());
        // What is kept of single flags differs; that it is understood does not.
        let of_flag = Query::mod_seq_of(&Flag::Seen, EntryType::Any, 1).expect("a flag");
        mailbox.search(of_flag).await.expect("it searches");
    }
    let saved = mailbox.search_returning(!Query::flagged(), Returns::SAVE).await;
    let row = "SEARCH RETURN (SAVE)";
    if peer.done_or_unsupported(row, &client, Capability::SearchRes, saved).await.is_some() {
        let answer = mailbox.store(Messages::Saved, Store::add(Flag::Deleted)).await.expect("it is stored");
        assert_eq!(answer.messages.len(), 2);
        assert_eq!(mailbox.search(Query::deleted()).await.expect("it searches").to_string(), "2,4");
        mailbox.expunge_uids(Messages::Saved).await.expect("they are removed");
        assert_eq!(mailbox.search(Query::all()).await.expect("it searches").to_string(), "3");
        // Given up once it has left it is done all the same.
        let mut saving = mailbox.search_returning(Query::all(), Returns::SAVE);
        assert!(poll_immediate(&mut saving).await.is_none());
        client.noop().await.expect("it is answered behind it");
        let fate = saving.cancel().await;
        assert!(matches!(fate, Fate::Completed(_)), "{fate:?}");
        assert_eq!(mailbox.search(Query::saved_result()).await.expect("it searches").to_string(), "3");
    }
    peer.end(client).await;
}

pub(crate) async fn returning(peer: &Peer<'_>) {
    let (client, mailbox) = begin(peer).await;
    let everything = Returns::MIN | Returns::MAX | Returns::COUNT | Returns::ALL;
    let uid = Uid::new;
    for (query, min, max, count, all) in [
        (!Query::flagged(), uid(2), uid(4), 2, uids("2,4")),
        (Query::flagged(), uid(3), uid(3), 1, uids("3")),
        (Query::deleted(), None, None, 0, UidSet::new()),
    ] {
        let found = mailbox.search_returning(query.clone(), everything).await.expect("it searches");
        assert_eq!((found.min, found.max, found.count, found.all), (min, max, Some(count), Some(all.clone())));
        let found = mailbox.search_returning(query.clone(), Returns::COUNT).await.expect("it searches");
        assert_eq!((found.min, found.max, found.count, found.all), (None, None, Some(count), None));
        let found = mailbox.search_returning(query.clone(), Returns::MIN | Returns::MAX).await.expect("it searches");
        assert_eq!((found.min, found.max, found.count, found.all), (min, max, None, None));
        let found = client.run(Search::numbers(query).returning(everything)).await.expect("it searches");
        let numbers: Vec<u32> = all.iter().map(|uid| u32::from(uid) - 1).collect();
        assert_eq!(found.all.map(|all| all.iter().map(u32::from).collect()), Some(numbers));
        assert_eq!((found.min.map(u32::from), found.count), (min.map(|min| u32::from(min) - 1), Some(count)));
    }
    peer.done_with_or_without("UID SEARCH RETURN", &client, Capability::Esearch).await;
    peer.done_with_or_without("SEARCH RETURN", &client, Capability::Esearch).await;
    peer.end(client).await;
}
