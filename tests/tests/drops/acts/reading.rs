//! Acts that ask, and those that change what the connection is.

use imap_proto_core::client::{FetchStream, FetchedMessage, Mailbox, Notice};
use imap_proto_core::command::{Access, List, Raw, Returns};
use imap_proto_core::types::{
    Capability, FetchItems, Flag, Identification, Query, Section, SeqNum, SeqSet, StatusItems, Uid, UidSet,
};
use imap_proto_core::wire::Kind;
use imap_proto_core::{Error, Misuse};

use super::world::FOUND;
use super::{Place, Portions, Wrong, closed, same, uid};

/// UID, octets, flags.
type Row = (u32, u64, Vec<String>);

impl Place {
    pub(super) async fn select(&self) -> Result<(), Wrong> {
        self.is_other(self.client.select("Other").await?, Access::ReadWrite).await
    }

    pub(super) async fn examine(&self) -> Result<(), Wrong> {
        self.is_other(self.client.examine("Other").await?, Access::ReadOnly).await
    }

    async fn is_other(&self, other: Mailbox, access: Access) -> Result<(), Wrong> {
        same("name", &other.name().as_str(), &"Other")?;
        same("EXISTS", &other.exists(), &3)?;
        let view = self.client.view().await?;
        let selected = view.selected().map(|selected| (selected.mailbox.as_str(), selected.access));
        same("selected", &selected, &Some(("Other", access)))
    }

    /// After the end of a selection.
    pub(super) async fn left(&self, left: Result<(), Error>) -> Result<(), Wrong> {
        left?;
        same("selected", &self.client.view().await?.selected().is_none(), &true)
    }

    fn wanted(&self, uid: u32) -> bool {
        !self.few || (2..8).contains(&uid)
    }

    fn fetch(&self, inbox: &Mailbox, uids: UidSet, items: FetchItems) -> FetchStream {
        let stream = inbox.fetch(uids, items);
        match self.world.portions {
            Portions::Usual => stream,
            Portions::Of(messages, _) => stream.window(messages),
        }
    }

    /// What the server has now, when all that was asked for before is done.
    fn rows(&self, wanted: impl Fn(u32) -> bool) -> Vec<Row> {
        let server = self.link.server();
        let messages = server.mailboxes()["INBOX"].messages.iter().filter(|message| wanted(message.uid));
        messages.map(|m| (m.uid, m.body.len() as u64, m.flags.iter().cloned().collect())).collect()
    }

    pub(super) async fn windows(&self) -> Result<(), Wrong> {
        let inbox = self.reach().await?;
        let wanted = (2..8).filter_map(Uid::new).collect();
        let uids = if self.few { wanted } else { UidSet::all() };
        let mut stream = self.fetch(&inbox, uids, FetchItems::ids().size().flags());
        let mut got = Vec::new();
        while let Some(message) = stream.try_next().await? {
            got.push(row(&message));
        }
        same("fetched", &got, &self.rows(|uid| self.wanted(uid)))
    }

    pub(super) async fn numbered(&self) -> Result<(), Wrong> {
        let inbox = self.reach().await?;
        let number = |number| SeqNum::new(number).expect("a number");
        // The second and the third are there whatever became of others.
        let numbers = if self.few { SeqSet::from(number(1)..=number(2)) } else { SeqSet::all() };
        let got = inbox.fetch(numbers, FetchItems::ids().size().flags()).collect().await?;
        let mut expected = self.rows(|_| true);
        if self.few {
            expected.truncate(2);
        }
        same("fetched by number", &got.iter().map(row).collect(), &expected)
    }

    pub(super) async fn sections(&self) -> Result<(), Wrong> {
        let inbox = self.reach().await?;
        let mut asked = self.bodies("INBOX");
        asked.retain(|uid, _| self.wanted(*uid));
        let mut stream = self.fetch(&inbox, closed(&asked), FetchItems::ids().section(Section::whole()));
        let mut got = Vec::new();
        while let Some(message) = stream.try_next().await? {
            got.push((message.uid().get(), message.section("").unwrap_or_default().into_owned()));
        }
        let mut expected = self.bodies("INBOX");
        expected.retain(|uid, _| asked.contains_key(uid));
        same("fetched bodies", &got, &expected.into_iter().collect())
    }

    pub(super) async fn body(&self) -> Result<(), Wrong> {
        let inbox = self.reach().await?;
        let mut stream = inbox.body(uid(1), Section::whole());
        if let Portions::Of(_, octets) = self.world.portions {
            stream = stream.piece(octets);
        }
        let mut got = Vec::new();
        while let Some(octets) = stream.try_next().await? {
            got.extend_from_slice(&octets);
        }
        same("existed", &stream.existed(), &true)?;
        same("body", &Some(&got), &self.bodies("INBOX").get(&1))
    }

    pub(super) async fn search(&self) -> Result<(), Wrong> {
        let found = self.reach().await?.search(Query::all()).await?;
        same("found", &found.iter().map(Uid::get).collect(), &self.uids("INBOX"))
    }

    pub(super) async fn search_literal(&self) -> Result<(), Wrong> {
        let found = self.reach().await?.search(Query::text(FOUND)).await?;
        same("found", &found.iter().map(Uid::get).collect::<Vec<_>>(), &vec![1])
    }

    pub(super) async fn search_numbers(&self) -> Result<(), Wrong> {
        let found = self.reach().await?.search_numbers(Query::all()).await?;
        same("found", &found.iter().map(SeqNum::get).collect(), &(1..=self.inbox_size()).collect::<Vec<_>>())
    }

    pub(super) async fn search_returning(&self) -> Result<(), Wrong> {
        let returns = Returns::MIN | Returns::MAX | Returns::COUNT;
        let found = self.reach().await?.search_returning(Query::all(), returns).await?;
        let uids = self.uids("INBOX");
        let got = (found.min.map(Uid::get), found.max.map(Uid::get), found.count);
        same("found", &got, &(uids.first().copied(), uids.last().copied(), Some(uids.len() as u64)))
    }

    pub(super) async fn capability(&self) -> Result<(), Wrong> {
        let capabilities = self.client.capabilities().await?;
        same("ENABLE", &capabilities.has(&Capability::Enable), &true)
    }

    pub(super) async fn id(&self) -> Result<(), Wrong> {
        let server = self.client.id(Some(Identification::new().with_name("matrix"))).await?;
        same("server", &server.as_ref().and_then(Identification::name), &Some("strict"))
    }

    pub(super) async fn namespaces(&self) -> Result<(), Wrong> {
        let namespaces = self.client.namespaces().await?;
        let personal: Vec<_> = namespaces.personal.iter().map(|one| (one.prefix.as_str(), one.delimiter)).collect();
        same("personal", &personal, &vec![("", Some('/'))])
    }

    pub(super) async fn enable(&self) -> Result<(), Wrong> {
        let enabled = self.client.enable([Capability::Utf8Accept]).await;
        // What was selected once, by the act before or by the first of all, is too late.
        let is_late = self.inbox.is_some() || self.deselected;
        if is_late && matches!(enabled, Err(Error::Misuse(Misuse::State { .. }))) {
            return Ok(());
        }
        same("enabled", &enabled?.has(&Capability::Utf8Accept), &!is_late)?;
        same("is on", &self.client.view().await?.enabled().has(&Capability::Utf8Accept), &true)
    }

    pub(super) async fn compress(&self) -> Result<(), Wrong> {
        match self.client.compress().await {
            Ok(()) | Err(Error::Misuse(Misuse::AlreadyCompressed)) => {}
            Err(error) => return Err(error.into()),
        }
        same("compressed", &self.client.view().await?.is_compressed(), &true)
    }

    pub(super) async fn raw(&self) -> Result<(), Wrong> {
        let status = Raw::new("STATUS Other (MESSAGES)").map_err(Error::from)?.claims("STATUS").only_asks();
        same("answers", &self.client.run(status).await?.responses.len(), &1)
    }

    pub(super) async fn list(&self) -> Result<(), Wrong> {
        let found = self.client.list(List::all()).await?;
        let found = found.iter().map(|entry| entry.name().as_str().to_owned()).collect::<Vec<_>>();
        same("listed", &found, &self.link.server().mailboxes().keys().cloned().collect())
    }

    pub(super) async fn list_all(&self) -> Result<(), Wrong> {
        let found = self.client.list_all().await?;
        let found = found.iter().map(|entry| entry.name().as_str().to_owned()).collect::<Vec<_>>();
        same("listed", &found, &self.link.server().mailboxes().keys().cloned().collect())
    }

    pub(super) async fn lsub(&self) -> Result<(), Wrong> {
        let found = self.client.lsub("*").await?;
        let found = found.iter().map(|entry| entry.name().as_str().to_owned()).collect::<Vec<_>>();
        same("subscribed", &found, &self.link.server().subscribed().iter().cloned().collect())
    }

    pub(super) async fn list_with_status(&self) -> Result<(), Wrong> {
        let found = self.client.list_with_status(List::all(), StatusItems::counts()).await?;
        let messages = |status: &imap_proto_core::types::Status| status.messages.unwrap_or(u32::MAX) as usize;
        let found: Vec<_> =
            found.iter().map(|entry| (entry.name().as_str().to_owned(), entry.status().map(messages))).collect();
        let server = self.link.server();
        let there = server.mailboxes().iter().map(|(name, mailbox)| (name.clone(), Some(mailbox.messages.len())));
        same("listed", &found, &there.collect())
    }

    pub(super) async fn exists(&self) -> Result<(), Wrong> {
        let other = self.client.exists("Other").await?;
        same("there", &other.map(|entry| entry.name().as_str().to_owned()), &Some("Other".into()))
    }

    pub(super) async fn status(&self) -> Result<(), Wrong> {
        let status = self.client.status("Other", StatusItems::counts().uid_next()).await?;
        same("status", &(status.messages, status.uid_next), &(Some(3), Some(uid(4))))
    }

    pub(super) async fn watch(&self) -> Result<(), Wrong> {
        let inbox = self.reach().await?;
        let mut watch = inbox.watch();
        let mut expected = 0;
        while let Some(notice) = watch.try_next().await? {
            match notice {
                Notice::Idling => {
                    expected = self.inbox_size() + 1;
                    self.link.deliver_in_idle(1);
                }
                // What comes before is of an IDLE that was ended for this one.
                Notice::Response(response) if expected > 0 => {
                    if let Kind::Exists(exists) = response.get().kind() {
                        return same("EXISTS", &exists, &expected);
                    }
                }
                _ => {}
            }
        }
        Err(Wrong::Answer("the watch ended without its error".into()))
    }

    fn inbox_size(&self) -> u32 {
        self.link.server().mailboxes()["INBOX"].messages.len() as u32
    }
}

fn row(message: &FetchedMessage) -> Row {
    let flags = message.flags().unwrap_or_default();
    (message.uid().get(), message.get().size().unwrap_or(0), flags.iter().map(Flag::to_string).collect())
}
