use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Caseless, InvalidName, MailboxAttribute, MailboxAttributes, MailboxName, SpecialUse, Status};

/// Describes one mailbox of a listing.
///
/// RFC 9051 §7.3.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    name: MailboxName,
    delimiter: Option<char>,
    attributes: MailboxAttributes,
    /// Few have any, and there may be a hundred thousand entries.
    extended: Option<Box<Extended>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Extended {
    child_info: Vec<Caseless>,
    old_name: Option<MailboxName>,
    status: Option<Status>,
}

impl ListEntry {
    pub(crate) fn new(name: MailboxName, delimiter: Option<char>, attributes: MailboxAttributes) -> Self {
        ListEntry { name, delimiter, attributes, extended: None }
    }

    /// Its name.
    pub fn name(&self) -> &MailboxName {
        &self.name
    }

    /// What separates the levels of its name; `None` where names have one level only.
    pub fn delimiter(&self) -> Option<char> {
        self.delimiter
    }

    /// What the server says about it.
    pub fn attributes(&self) -> &MailboxAttributes {
        &self.attributes
    }

    /// The levels of its name, from the top.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        let delimiter = self.delimiter;
        self.name.as_str().split(move |character| Some(character) == delimiter)
    }

    /// The name of a mailbox one level below.
    ///
    /// # Errors
    /// [`InvalidName`] where `level` is no name of one level, or there are no levels here.
    pub fn child(&self, level: &str) -> Result<MailboxName, InvalidName> {
        self.name.child(level, self.delimiter.ok_or(InvalidName::NoLevels)?)
    }

    /// True when it is a mailbox that can be selected.
    pub fn is_selectable(&self) -> bool {
        !self.attributes.has(&MailboxAttribute::NoSelect)
    }

    /// False when the name stands for no mailbox, and is listed for what is below it or for a subscription.
    pub fn exists(&self) -> bool {
        !self.attributes.has(&MailboxAttribute::NonExistent)
    }

    /// True when the user has subscribed to it, as far as that was asked for.
    pub fn is_subscribed(&self) -> bool {
        self.attributes.has(&MailboxAttribute::Subscribed)
    }

    /// Whether there are mailboxes below it; `None` where the server did not say.
    pub fn has_children(&self) -> Option<bool> {
        if self.attributes.has(&MailboxAttribute::HasChildren) {
            return Some(true);
        }
        self.attributes.has(&MailboxAttribute::HasNoChildren).then_some(false)
    }

    /// What it is used for; the first, where it has several uses. RFC 6154
    pub fn special_use(&self) -> Option<SpecialUse> {
        self.attributes.special_uses().next()
    }

    /// The selection options that mailboxes below it meet, such as `SUBSCRIBED`. RFC 9051 §6.3.9.6
    pub fn child_info(&self) -> impl Iterator<Item = &str> {
        self.extended.iter().flat_map(|extended| extended.child_info.iter().map(Caseless::as_str))
    }

    /// The name it had before it was renamed, or that it was asked for by. RFC 9051 §6.3.9.7
    pub fn old_name(&self) -> Option<&MailboxName> {
        self.extended.as_ref()?.old_name.as_ref()
    }

    /// Its status, where it was asked for with the listing and could be told.
    pub fn status(&self) -> Option<&Status> {
        self.extended.as_ref()?.status.as_ref()
    }

    pub(crate) fn set_status(&mut self, status: Status) {
        self.extended.get_or_insert_default().status = Some(status);
    }

    pub(crate) fn set_old_name(&mut self, name: MailboxName) {
        self.extended.get_or_insert_default().old_name = Some(name);
    }

    pub(crate) fn add_child_info(&mut self, option: Caseless) {
        self.extended.get_or_insert_default().child_info.push(option);
    }

    /// An entry of LSUB: subscribed itself, or, where it is not to be selected, only something below it. RFC 3501 §6.3.9
    pub(crate) fn into_subscribed(mut self) -> Self {
        if self.is_selectable() {
            self.attributes.insert(MailboxAttribute::Subscribed);
        } else if self.child_info().next().is_none() {
            self.add_child_info(Caseless::new("SUBSCRIBED"));
        }
        self
    }

    /// The same with a name that can be compared; see [`MailboxName::tidied`].
    pub(crate) fn tidied(mut self, keep_leading: bool) -> Self {
        if let Some(delimiter) = self.delimiter {
            self.name = self.name.tidied(delimiter, keep_leading);
        }
        self
    }
}
