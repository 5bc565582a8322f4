use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Claim, Command, Completion, Request};
use crate::error::Misuse;
use crate::types::{
    Capabilities, Capability, ListEntry, ListPattern, MailboxAttribute, MailboxName, Status, StatusItems,
};
use crate::wire::{Encoder, Response};

/// `LIST`: asks which mailboxes there are. RFC 9051 §6.3.9
///
/// ```
/// use imap_proto_core::command::List;
/// use imap_proto_core::types::StatusItems;
///
/// let list = List::new("%").select_subscribed().recursive_match().return_children().return_status(StatusItems::counts());
/// ```
///
/// With more than one pattern or any option it is the extended LIST. A server without `LIST-EXTENDED` gets a plain one
/// instead, or LSUB where subscribed mailboxes are asked for, of whose answer only what was asked for is kept; return options
/// are lost. Of the options, `SPECIAL-USE` and `STATUS` are left out where the server does not offer them.
///
/// Names that match no pattern, as some servers list them (quirk 71), are left out where there is no reference. Dropped
/// half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug)]
pub struct List {
    reference: MailboxName,
    patterns: Vec<ListPattern>,
    options: u32,
    listing: Listing,
}

const SELECT_SUBSCRIBED: u32 = 1 << 31;
const SELECT_REMOTE: u32 = 1 << 30;
const SELECT_SPECIAL_USE: u32 = 1 << 29;
const RECURSIVE_MATCH: u32 = 1 << 28;
const RETURN_SUBSCRIBED: u32 = 1 << 27;
const RETURN_CHILDREN: u32 = 1 << 26;
const RETURN_SPECIAL_USE: u32 = 1 << 25;
/// The bits of [`StatusItems`].
const RETURN_STATUS: u32 = 0xffff;

macro_rules! options {
    ($($(#[$doc:meta])* $method:ident = $bit:ident,)*) => {
        impl List {
            $($(#[$doc])*
            #[must_use]
            pub fn $method(mut self) -> Self {
                self.options |= $bit;
                self
            })*
        }
    };
}

options! {
    /// Lists what the user subscribed to, whether or not it exists. RFC 9051 §6.3.9.1
    select_subscribed = SELECT_SUBSCRIBED,
    /// Lists mailboxes on other servers as well. RFC 9051 §6.3.9.1
    select_remote = SELECT_REMOTE,
    /// Lists only what has a special use. RFC 6154 §2
    select_special_use = SELECT_SPECIAL_USE,
    /// Lists also what has something below it that is selected, and matches no pattern itself; only with
    /// [`select_subscribed`](Self::select_subscribed). RFC 9051 §6.3.9.1
    recursive_match = RECURSIVE_MATCH,
    /// Asks which of them the user subscribed to. RFC 9051 §6.3.9.2
    return_subscribed = RETURN_SUBSCRIBED,
    /// Asks whether there are others below them. RFC 9051 §6.3.9.2
    return_children = RETURN_CHILDREN,
    /// Asks what they are used for. RFC 6154 §2
    return_special_use = RETURN_SPECIAL_USE,
}

impl List {
    /// Lists the mailboxes whose names match `pattern`.
    pub fn new(pattern: impl Into<ListPattern>) -> Self {
        List {
            reference: ListPattern::from("").as_name().clone(),
            patterns: alloc::vec![pattern.into()],
            options: 0,
            listing: Listing::default(),
        }
    }

    /// Lists all of them.
    pub fn all() -> Self {
        List::new("*")
    }

    /// Lists those that match this pattern as well.
    #[must_use]
    pub fn or(mut self, pattern: impl Into<ListPattern>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Takes patterns to be relative to `reference`, in whatever way the server understands that.
    #[must_use]
    pub fn below(mut self, reference: MailboxName) -> Self {
        self.reference = reference;
        self
    }

    /// Asks for the status of each. RFC 5819
    #[must_use]
    pub fn return_status(mut self, items: StatusItems) -> Self {
        self.options |= u32::from(items.bits());
        self
    }

    fn is_plain(&self) -> bool {
        self.options == 0 && self.patterns.len() == 1
    }

    /// The command without any extension.
    fn basic(&self, name: &str) -> Encoder {
        let mut encoder = Encoder::new(name);
        encoder.mailbox(&self.reference).mailbox(ListPattern::covering(&self.patterns).as_name());
        encoder
    }

    fn extended(&self) -> Encoder {
        let mut encoder = Encoder::new("LIST");
        encoder.offered(self.options, selection).mailbox(&self.reference);
        match self.patterns.as_slice() {
            [only] => encoder.mailbox(only.as_name()),
            several => {
                let mut before = " (";
                for pattern in several {
                    encoder.text(before).name(pattern.as_name());
                    before = " ";
                }
                encoder.text(")")
            }
        };
        encoder.offered(self.options, returning);
        encoder
    }

    fn is_wanted(&self, entry: &ListEntry) -> bool {
        if self.options & SELECT_SPECIAL_USE != 0 && !entry.attributes().may_have_use() {
            return false;
        }
        let matches = |name: &MailboxName| {
            self.patterns.iter().any(|pattern| {
                let pattern_is = |text: &str| pattern.as_str() == text;
                pattern_is("*") || pattern_is("") || pattern.matches(name.as_str(), entry.delimiter())
            })
        };
        // What a server makes of characters beyond ASCII, or of a reference, is its own affair. But one pattern may have
        // been sent for several, and then it tells more than was asked for.
        let is_ours = self.patterns.len() > 1 || self.patterns.iter().all(|one| one.as_str().is_ascii());
        !self.reference.as_str().is_empty()
            || !is_ours
            || matches(entry.name())
            || entry.old_name().is_some_and(matches)
            || matches(&self.tidied(entry.name().clone(), entry.delimiter()))
    }

    /// LSUB also tells names of which only something below is subscribed, and Courier does so for `*` too. A LIST does not,
    /// unless it is asked for them. RFC 3501 §6.3.9
    fn only_has_subscribed_below(&self, entry: &ListEntry, response: &Response<'_>) -> bool {
        self.options & (SELECT_SUBSCRIBED | RECURSIVE_MATCH) == SELECT_SUBSCRIBED
            && response.is_named("LSUB")
            && entry.attributes().has(&MailboxAttribute::NoSelect)
    }

    fn tidied(&self, name: MailboxName, delimiter: Option<char>) -> MailboxName {
        match delimiter {
            Some(delimiter) => name.tidied(delimiter, self.begins_with(delimiter)),
            None => name,
        }
    }

    /// True where the delimiter is asked for in front of names.
    fn begins_with(&self, delimiter: char) -> bool {
        let patterns = self.patterns.iter().map(ListPattern::as_str);
        patterns.chain([self.reference.as_str()]).any(|text| text.starts_with(delimiter))
    }
}

/// ```abnf
/// list-select-opts = "(" [(*(list-select-opt SP) list-select-base-opt *(SP list-select-opt)) /
///                    (list-select-independent-opt *(SP list-select-independent-opt))] ")"
/// ```
fn selection(options: u32, capabilities: &Capabilities) -> String {
    let has_uses = capabilities.offers(&Capability::SpecialUse);
    let table = [
        (SELECT_SUBSCRIBED, "SUBSCRIBED", true),
        (SELECT_REMOTE, "REMOTE", true),
        (RECURSIVE_MATCH, "RECURSIVEMATCH", true),
        (SELECT_SPECIAL_USE, "SPECIAL-USE", has_uses),
    ];
    let words = table.iter().filter(|(bit, _, offered)| options & bit != 0 && *offered).map(|(_, word, _)| *word);
    in_parens("", words.map(String::from).collect())
}

/// ```abnf
/// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
/// return-option    = "SUBSCRIBED" / "CHILDREN" / status-option / option-extension
/// ```
fn returning(options: u32, capabilities: &Capabilities) -> String {
    let has_uses = capabilities.offers(&Capability::SpecialUse);
    let table = [
        (RETURN_SUBSCRIBED, "SUBSCRIBED", true),
        (RETURN_CHILDREN, "CHILDREN", true),
        (RETURN_SPECIAL_USE, "SPECIAL-USE", has_uses),
    ];
    let words = table.iter().filter(|(bit, _, offered)| options & bit != 0 && *offered).map(|(_, word, _)| *word);
    let mut words: Vec<String> = words.map(String::from).collect();
    let items = StatusItems::from_bits((options & RETURN_STATUS) as u16);
    if !items.is_empty() && capabilities.offers(&Capability::ListStatus) {
        words.push(alloc::format!("STATUS ({})", items.offered(capabilities)));
    }
    in_parens(" RETURN", words)
}

fn in_parens(before: &str, words: Vec<String>) -> String {
    if words.is_empty() { String::new() } else { alloc::format!("{before} ({})", words.join(" ")) }
}

impl Command for List {
    /// The mailboxes, in the order of the server.
    type Output = Vec<ListEntry>;

    fn request(&self) -> Result<Request, Misuse> {
        if self.options & RECURSIVE_MATCH != 0 && self.options & SELECT_SUBSCRIBED == 0 {
            return Err(Misuse::LoneRecursiveMatch);
        }
        let claim = Claim::named(match self.options & RETURN_STATUS {
            0 => LISTINGS.to_vec(),
            _ => LISTINGS_WITH_STATUS.to_vec(),
        });
        if self.is_plain() {
            return Ok(Request { claim, ..Request::new("LIST", self.basic("LIST"))? });
        }
        let request = Request { claim, ..Request::new("LIST", self.extended())? };
        let name = if self.options & SELECT_SUBSCRIBED == 0 { "LIST" } else { "LSUB" };
        Ok(request.or_without(Capability::ListExtended, self.basic(name))?)
    }

    fn fold(&mut self, response: Response<'_>) {
        if let Some((name, status)) = response.as_status() {
            let name = self.tidied(name, self.listing.delimiter());
            self.listing.take_status(name, status);
        } else if let Some(entry) = response.as_list()
            && self.is_wanted(&entry)
            && !self.only_has_subscribed_below(&entry, &response)
        {
            let keep_leading = entry.delimiter().is_some_and(|delimiter| self.begins_with(delimiter));
            self.listing.take_entry(entry.tidied(keep_leading), &response);
        }
    }

    fn finish(self, _: Completion) -> Vec<ListEntry> {
        self.listing.finish()
    }
}

/// Which data is a listing. They wait for each other: some servers answer one with the name of another.
const LISTINGS: &[&str] = &["LIST", "LSUB", "XLIST"];
const LISTINGS_WITH_STATUS: &[&str] = &["LIST", "LSUB", "XLIST", "STATUS"];

/// `LSUB`: asks for what the user subscribed to. RFC 3501 §6.3.9
///
/// IMAP4rev2 has [`List::select_subscribed`] instead, which falls back on this. An entry that is not
/// [subscribed](ListEntry::is_subscribed) itself stands for something below it that is. Dropped half-way its answer is read
/// over; it changes nothing.
#[derive(Clone, Debug)]
pub struct Lsub {
    list: List,
}

impl Lsub {
    /// Lists the subscribed names that match `pattern`.
    pub fn new(pattern: impl Into<ListPattern>) -> Self {
        Lsub { list: List::new(pattern) }
    }
}

impl Command for Lsub {
    /// The names, in the order of the server.
    type Output = Vec<ListEntry>;

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request { claim: Claim::named(LISTINGS.to_vec()), ..Request::new("LSUB", self.list.basic("LSUB"))? })
    }

    fn fold(&mut self, response: Response<'_>) {
        self.list.fold(response);
    }

    fn finish(self, _: Completion) -> Vec<ListEntry> {
        self.list.listing.finish()
    }
}

/// The answer of a LIST so far.
#[derive(Clone, Debug, Default)]
struct Listing {
    entries: Vec<ListEntry>,
    /// Where the next STATUS belongs, if they come in the order of the names.
    next: usize,
    /// Those that came in another order, or before their names.
    late: Vec<(MailboxName, Status)>,
}

impl Listing {
    fn delimiter(&self) -> Option<char> {
        self.entries.last().and_then(ListEntry::delimiter)
    }

    fn take_entry(&mut self, entry: ListEntry, response: &Response<'_>) {
        self.entries.push(if response.is_named("LSUB") { entry.into_subscribed() } else { entry });
    }

    /// RFC 5819 §2: the data of a mailbox may come right behind its name, or later.
    fn take_status(&mut self, name: MailboxName, status: Status) {
        for at in [self.next, self.entries.len().wrapping_sub(1)] {
            if let Some(entry) = self.entries.get_mut(at).filter(|entry| *entry.name() == name) {
                entry.set_status(status);
                self.next = at + 1;
                return;
            }
        }
        self.late.push((name, status));
    }

    fn finish(mut self) -> Vec<ListEntry> {
        if !self.late.is_empty() {
            let late: BTreeMap<MailboxName, Status> = self.late.into_iter().collect();
            for entry in &mut self.entries {
                late.get(entry.name()).cloned().into_iter().for_each(|status| entry.set_status(status));
            }
        }
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::wire::{Decoder, Limits};

    fn fold(list: &mut List, lines: impl Iterator<Item = String>) {
        let mut decoder = Decoder::new(Limits::default());
        for line in lines {
            decoder.space()[..line.len()].copy_from_slice(line.as_bytes());
            decoder.received(line.len());
            decoder.advance().ok();
            list.fold(decoder.response());
        }
    }

    fn name(number: u32) -> String {
        format!("* LIST (\\HasNoChildren) \"/\" \"Lists/box {number}\"\r\n")
    }

    fn status(number: u32) -> String {
        format!("* STATUS \"Lists/box {number}\" (MESSAGES {number})\r\n")
    }

    #[test]
    fn a_hundred_thousand_names_cost_what_each_of_them_costs() {
        const NAMES: u32 = 100_000;
        assert!(size_of::<ListEntry>() <= 96, "{}", size_of::<ListEntry>());
        let list = || List::new("Lists/%").return_status(StatusItems::counts());
        let (mut by_turns, mut one_after_the_other, mut reversed) = (list(), list(), list());
        fold(&mut by_turns, (0..NAMES).flat_map(|number| [name(number), status(number)]));
        fold(&mut one_after_the_other, (0..NAMES).map(name).chain((0..NAMES).map(status)));
        assert!(by_turns.listing.late.is_empty() && one_after_the_other.listing.late.is_empty());
        fold(&mut reversed, (0..NAMES).map(name).chain((0..NAMES).rev().map(status)));
        for list in [by_turns, one_after_the_other, reversed] {
            let entries = list.finish(Completion::default());
            assert_eq!(entries.len(), NAMES as usize);
            for (number, entry) in (0..).zip(&entries) {
                assert_eq!(entry.status().and_then(|status| status.messages), Some(number));
            }
        }
    }
}
