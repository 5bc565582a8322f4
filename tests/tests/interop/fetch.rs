//! Reading messages.

use std::collections::BTreeMap;

use imap_tests::mailbox::{big_message, message};
use imap_tokio::command::{Append, Store};
use imap_tokio::types::{Capability, FetchItems, Flag, ItemMask, Messages, Query, Section, SeqSet, Uid, UidSet};
use imap_tokio::wire::grammar::{Body, BodyKind};
use imap_tokio::{BodyReader, Mailbox};
use tokio::io::AsyncReadExt;

use crate::peer::Peer;

/// What a section is, octet by octet; `None` where the message is not there.
pub(crate) async fn body_of(mailbox: &Mailbox, uid: Uid) -> Option<Vec<u8>> {
    let (mut body, mut octets) = (mailbox.body(uid, Section::whole()), Vec::new());
    while let Some(more) = body.try_next().await.expect("it comes to its end") {
        octets.extend_from_slice(&more);
    }
    body.existed().then_some(octets)
}

/// The subject as an ENVELOPE has it: unfolded.
fn subject_of(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let (_, rest) = text.split_once("\r\nSubject: ").expect("messages have a subject");
    rest.split_once("\r\nDate: ").expect("and a date behind it").0.replace("\r\n ", " ")
}

pub(crate) async fn stream(peer: &Peer<'_>) {
    const COUNT: u32 = 300;
    let (client, mailbox) = peer.begin((0..u64::from(COUNT)).map(message)).await;
    let found = mailbox.search(Query::all()).await.expect("it searches");
    assert_eq!(found.to_string(), format!("1:{COUNT}"));
    let mut messages = mailbox.fetch(UidSet::all(), FetchItems::summary());
    let mut times: BTreeMap<Uid, u32> = BTreeMap::new();
    while let Some(told) = messages.try_next().await.expect("the stream comes to its end") {
        *times.entry(told.uid()).or_default() += 1;
        let expected = message(u64::from(u32::from(told.uid())) - 1);
        assert_eq!(told.get().size(), Some(expected.len() as u64));
        let subject = told.get().envelope().and_then(|envelope| envelope.subject());
        assert_eq!(subject.map(|text| text.to_str().into_owned()), Some(subject_of(&expected)));
        assert_eq!(told.uid_validity(), mailbox.uid_validity());
    }
    assert_eq!(times.len(), COUNT as usize);
    assert!(times.values().all(|times| *times == 1));
    peer.end(client).await;
    peer.done("UID FETCH as a stream");
}

/// A message with two parts, the second of which is base64.
const PARTS: &str = concat!(
    "From: Ada <ada@example.org>\r\nSubject: two parts\r\nDate: Thu, 1 Feb 2018 12:00:00 +0000\r\n",
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
    "--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n",
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n--b--\r\n"
);

fn numbers(wire: &str) -> SeqSet {
    SeqSet::from_wire(wire.as_bytes()).expect("a set")
}

pub(crate) async fn items(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([message(0), PARTS.into(), message(2)]).await;
    mailbox.delete(Uid::MIN).await.expect("it is removed");
    let items = FetchItems::summary().body_structure();
    let by_uid = mailbox.fetch(Uid::new(2).expect("a UID"), items.clone()).collect().await.expect("it is told");
    let by_number = mailbox.fetch(numbers("1"), items).collect().await.expect("it is told");
    for told in [by_uid, by_number] {
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].seq().get(), told[0].uid().get()), (1, 2));
        assert!(told[0].flags().is_some_and(|flags| !flags.contains(&Flag::Seen)) && told[0].internal_date().is_some());
        let fetch = told[0].get();
        assert_eq!(fetch.size(), Some(PARTS.len() as u64));
        let envelope = fetch.envelope().expect("it has one");
        assert_eq!(envelope.subject().map(|text| text.to_str().into_owned()).as_deref(), Some("two parts"));
        assert_eq!(envelope.from().iter().count(), 1);
        let structure = fetch.body_structure().expect("it has one");
        assert_eq!(structure.kind(), BodyKind::Multipart);
        let encodings: Vec<_> = structure.parts().filter_map(|part| part.encoding()).collect();
        assert!(encodings.len() == 2 && encodings[1].eq_ignore_ascii_case("base64"));
    }
    for last in [SeqSet::last_message().into(), Messages::from(UidSet::last_message())] {
        let told = mailbox.fetch(last, FetchItems::ids()).collect().await.expect("it is told");
        assert_eq!(told.iter().map(|told| told.uid().get()).collect::<Vec<_>>(), [3]);
    }
    let none = mailbox.fetch(Uid::new(99).expect("a UID"), FetchItems::summary()).collect().await;
    assert!(none.expect("nothing is told").is_empty());
    peer.end(client).await;
    peer.done("UID FETCH of typed items");
    peer.done("FETCH of typed items");
}

pub(crate) async fn sections(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([PARTS.into()]).await;
    let part = |part| Section::part(part).expect("a part");
    let items = FetchItems::ids()
        .section(Section::header_fields(["Subject"]).expect("a field"))
        .section(Section::text())
        .section(Section::mime("2").expect("a part"))
        .section(part("1"))
        .section(part("2"))
        .partial(Section::whole(), 6, 9);
    let told = mailbox.fetch(numbers("1"), items).collect().await.expect("it is told");
    let section = |name: &str| told[0].section(name).map(|octets| String::from_utf8_lossy(&octets).into_owned());
    let (_, text) = PARTS.split_once("\r\n\r\n").expect("it has a header");
    assert_eq!(section("TEXT").as_deref(), Some(text));
    let mime = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    assert_eq!(section("2.MIME").as_deref(), Some(mime));
    assert_eq!((section("1").as_deref(), section("2").as_deref()), (Some("first"), Some("R3LDvMOfZQ==")));
    assert_eq!(section("").as_deref(), Some("Ada <ada@"));
    let fields = told[0].get().sections().find(|data| data.name().starts_with(b"HEADER.FIELDS"));
    let Some(Body::Octets(fields)) = fields.map(|data| data.body()) else { panic!("{fields:?}") };
    assert_eq!(fields.to_str(), "Subject: two parts\r\n\r\n");
    assert_eq!(mailbox.search(Query::seen()).await.expect("it searches").len(), 0);
    peer.done("FETCH of sections");

    let marking = FetchItems::ids().section_marking_seen(part("1"));
    mailbox.fetch(Uid::MIN, marking).collect().await.expect("it is told");
    assert_eq!(mailbox.search(Query::seen()).await.expect("it searches").len(), 1);
    peer.done("FETCH that marks as seen");
    peer.end(client).await;
}

pub(crate) async fn bodies(peer: &Peer<'_>) {
    let small = b"Subject: small\r\n\r\n".iter().copied().chain([b'x'; 180]).chain(*b"\r\n").collect::<Vec<u8>>();
    let messages = [big_message(5_000_000), small, big_message(256 << 10), big_message((256 << 10) + 1), message(1)];
    let (client, mailbox) = peer.begin(messages.clone()).await;
    for (uid, message) in (1..).zip(&messages) {
        let uid = Uid::new(uid).expect("a UID");
        assert!(body_of(&mailbox, uid).await.as_ref() == Some(message), "{uid} is not what it was");
        let mut octets = Vec::new();
        let pieces = mailbox.body(uid, Section::whole()).piece(message.len() as u32 / 7);
        let mut reader = BodyReader::new(pieces);
        reader.read_to_end(&mut octets).await.expect("it comes to its end");
        assert!(octets == *message && reader.existed(), "{uid} is not what it was");
    }
    assert_eq!(body_of(&mailbox, Uid::MAX).await, None);
    assert_eq!(mailbox.search(Query::seen()).await.expect("it searches").len(), 0);
    peer.end(client).await;
    peer.done("a body as a stream");
    peer.done("a body as AsyncRead");
}

/// Pieces that end with the octets: the next ones lie behind the end, at it and beyond it. All three servers answer with an empty
/// string there.
pub(crate) async fn exact_pieces(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([PARTS.into(), big_message(60_000)]).await;
    for (number, parts) in [(1, &["1", "2"][..]), (2, &[])] {
        let uid = Uid::new(number).expect("a UID");
        let of_parts = parts.iter().flat_map(|part| [Section::part(part), Section::mime(part)]);
        let of_parts = of_parts.map(|section| section.expect("a part"));
        for section in [Section::whole(), Section::header(), Section::text()].into_iter().chain(of_parts) {
            let body = || mailbox.body(uid, section.clone());
            let whole = body().collect(1 << 20).await.expect("it comes").expect("it is there");
            let len = u32::try_from(whole.len()).expect("it is short");
            for count in (1..=7).filter(|count| len % count == 0) {
                let pieces = body().piece(len / count).collect(1 << 20).await;
                let is_whole = matches!(&pieces, Ok(Some(octets)) if *octets == whole);
                assert!(is_whole, "{section:?} in {count} pieces: {:?}", pieces.err());
            }
        }
    }
    peer.end(client).await;
    peer.done("a body in exact pieces");
}

pub(crate) async fn decoded(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([PARTS.into()]).await;
    let items = FetchItems::ids()
        .binary("2")
        .and_then(|items| items.binary_partial("2", 1, 3))
        .and_then(|items| items.binary_size("2"))
        .expect("a part");
    let told = mailbox.fetch(Uid::MIN, items).collect().await;
    if let Some(told) = peer.done_or_unsupported("FETCH BINARY", &client, Capability::Binary, told).await {
        let fetch = told[0].get();
        let octets = |origin| {
            let data = fetch.sections().find(|data| data.is_binary() && data.origin() == origin).expect("it came");
            match data.body() {
                Body::Octets(text) => text.to_bytes().into_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((octets(None), octets(Some(1))), ("Gr\u{fc}\u{df}e".as_bytes().to_vec(), b"r\xc3\xbc".to_vec()));
        assert_eq!(fetch.binary_size("2"), Some(7));
    }
    peer.end(client).await;
}

pub(crate) async fn extensions(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([message(0), message(1)]).await;
    for (row, item, needed) in [
        ("FETCH SAVEDATE", ItemMask::SAVE_DATE, Capability::SaveDate),
        ("FETCH PREVIEW", ItemMask::PREVIEW, Capability::Preview),
        ("FETCH EMAILID", ItemMask::EMAIL_ID, Capability::ObjectId),
        ("FETCH MODSEQ", ItemMask::MOD_SEQ, Capability::CondStore),
    ] {
        let told = mailbox.fetch(UidSet::all(), FetchItems::ids().with(item)).collect().await;
        let Some(told) = peer.done_or_unsupported(row, &client, needed, told).await else { continue };
        assert_eq!(told.len(), 2);
        for told in told {
            let fetch = told.get();
            let texts = [fetch.save_date(), fetch.preview(), fetch.email_id()];
            let count = texts.iter().flatten().count() + usize::from(fetch.mod_seq().is_some());
            // A preview may not be made yet: then it is NIL.
            let is_nil = told.response().get().raw().windows(11).any(|octets| octets == b"PREVIEW NIL");
            assert_eq!(count, usize::from(!is_nil), "{row}");
        }
    }
    let all = mailbox.fetch(UidSet::all(), FetchItems::ids()).changed_since(1).collect().await;
    let row = "FETCH (CHANGEDSINCE)";
    if peer.done_or_unsupported(row, &client, Capability::CondStore, all).await.is_some() {
        let all = mailbox.fetch(UidSet::all(), FetchItems::ids().mod_seq()).collect().await.expect("it is told");
        let highest = all.iter().filter_map(|told| told.get().mod_seq()).max().expect("all have one");
        let other = peer.connect().await;
        let theirs = other.select(mailbox.name().clone()).await.expect("it is there");
        theirs.store(Uid::MIN, Store::add(Flag::Flagged)).await.expect("it is stored");
        other.append(Append::new(mailbox.name().clone(), message(2))).await.expect("it is stored");
        other.logout().await.expect("it says goodbye");
        client.noop().await.expect("it tells what is new");
        for messages in [UidSet::all().into(), Messages::from(numbers("1:*"))] {
            let changed = mailbox.fetch(messages, FetchItems::ids().flags()).changed_since(highest.get());
            let changed = changed.collect().await.expect("it is told");
            let changed: Vec<u32> = changed.iter().map(|told| told.uid().get()).collect();
            assert!(changed.contains(&1) && !changed.contains(&2), "{changed:?}");
        }
    }
    peer.end(client).await;
}
