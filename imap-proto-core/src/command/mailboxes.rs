use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Command, Completion, Effect, Given, Order, Request, State, checked};
use crate::error::Misuse;
use crate::types::{Capability, Code, IntoMailboxName, SpecialUse};
use crate::wire::Encoder;

/// `CREATE`: makes a mailbox. RFC 9051 §6.3.4
///
/// A name ends without the delimiter, whatever is to be made below it: not all servers take one (quirk 77). Dropped
/// half-way the mailbox is made all the same once any of the command has left.
#[derive(Clone, Debug)]
pub struct Create {
    mailbox: Given,
    uses: Vec<SpecialUse>,
}

impl Create {
    /// Makes `mailbox`.
    pub fn new(mailbox: impl IntoMailboxName) -> Self {
        Create { mailbox: mailbox.into_mailbox_name(), uses: Vec::new() }
    }

    /// Says what it is for. Needs `CREATE-SPECIAL-USE`. RFC 6154 §3
    #[must_use]
    pub fn special_use(mut self, special_use: SpecialUse) -> Self {
        self.uses.push(special_use);
        self
    }
}

impl<N: IntoMailboxName> From<N> for Create {
    fn from(mailbox: N) -> Self {
        Create::new(mailbox)
    }
}

impl Command for Create {
    /// The identifier of the mailbox, when the server tells one. RFC 8474 §4.1
    type Output = Option<String>;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("CREATE");
        encoder.mailbox(checked(&self.mailbox)?);
        let mut needs = Vec::new();
        if !self.uses.is_empty() {
            let uses: Vec<String> = self.uses.iter().map(ToString::to_string).collect();
            encoder.text(" (USE (").text(&uses.join(" ")).text("))");
            needs.push((Capability::CreateSpecialUse, "CREATE-SPECIAL-USE"));
        }
        Ok(Request { needs, ..changing("CREATE", encoder)? })
    }

    fn finish(self, ok: Completion) -> Self::Output {
        match ok.code {
            Some(Code::MailboxId(id)) => Some(id),
            _ => None,
        }
    }
}

/// `RENAME`: gives a mailbox, and those below it, another name. RFC 9051 §6.3.6
///
/// Renaming INBOX moves its messages to a new mailbox and leaves INBOX empty. Dropped half-way it is done all the same once
/// any of the command has left.
#[derive(Clone, Debug)]
pub struct Rename {
    from: Given,
    to: Given,
}

impl Rename {
    /// Gives the mailbox `from` the name `to`.
    pub fn new(from: impl IntoMailboxName, to: impl IntoMailboxName) -> Self {
        Rename { from: from.into_mailbox_name(), to: to.into_mailbox_name() }
    }
}

impl Command for Rename {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("RENAME");
        encoder.mailbox(checked(&self.from)?).mailbox(checked(&self.to)?);
        changing("RENAME", encoder)
    }

    fn finish(self, _: Completion) {}
}

macro_rules! on_one_mailbox {
    ($($(#[$doc:meta])* $command:ident = $name:literal, $order:ident: $does:literal,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $command {
            mailbox: Given,
        }

        impl $command {
            #[doc = $does]
            pub fn new(mailbox: impl IntoMailboxName) -> Self {
                $command { mailbox: mailbox.into_mailbox_name() }
            }
        }

        impl Command for $command {
            type Output = ();

            fn request(&self) -> Result<Request, Misuse> {
                let mut encoder = Encoder::new($name);
                encoder.mailbox(checked(&self.mailbox)?);
                Ok(Request { order: Order::$order, ..changing($name, encoder)? })
            }

            fn finish(self, _: Completion) {}
        }
    )*};
}

on_one_mailbox! {
    /// `DELETE`: removes a mailbox and the messages in it. RFC 9051 §6.3.5
    ///
    /// Dropped half-way it is removed all the same once any of the command has left.
    Delete = "DELETE", Names: "Removes `mailbox`.",
    /// `SUBSCRIBE`: adds a name to those that the user subscribed to. RFC 9051 §6.3.7
    ///
    /// Dropped half-way it is added all the same once any of the command has left.
    Subscribe = "SUBSCRIBE", Subscriptions: "Adds `mailbox`.",
    /// `UNSUBSCRIBE`: takes a name from those that the user subscribed to. RFC 9051 §6.3.8
    ///
    /// Dropped half-way it is taken away all the same once any of the command has left.
    Unsubscribe = "UNSUBSCRIBE", Subscriptions: "Takes away `mailbox`.",
}

fn changing(name: &'static str, encoder: Encoder) -> Result<Request, Misuse> {
    Ok(Request { effect: Effect::Change, order: Order::Names, ..Request::new(name, encoder)? })
}

/// `CHECK`: asks for a checkpoint of the selected mailbox. RFC 3501 §6.4.1
///
/// IMAP4rev2 knows it no more; NOOP does as well there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Check;

impl Command for Check {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request {
            state: State::Selected,
            needs: Vec::from([(Capability::Imap4Rev1, "IMAP4rev1")]),
            ..Request::new("CHECK", Encoder::new("CHECK"))?
        })
    }

    fn finish(self, _: Completion) {}
}
