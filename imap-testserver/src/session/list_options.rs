use imap_proto_core::types::{Capability, MailboxName};

use super::Session;
use super::answer::{Parsed, bad};
use super::args::{Args, pattern};
use super::status::StatusItem;
use crate::store::DELIMITER;

/// A LIST command. RFC 5258, with RFC 5819 and RFC 6154.
#[derive(Debug, Default)]
pub(super) struct ListCommand {
    pub(super) reference: String,
    pub(super) patterns: Vec<String>,
    pub(super) select: Select,
    pub(super) give: Give,
    /// Options or several patterns were used: the answer is that of RFC 5258.
    pub(super) is_extended: bool,
}

/// Which mailboxes are listed.
#[derive(Debug, Default)]
pub(super) struct Select {
    pub(super) subscribed: bool,
    pub(super) special_use: bool,
    /// Also those above what matches.
    pub(super) recursive: bool,
}

/// What is told of each.
#[derive(Debug, Default)]
pub(super) struct Give {
    pub(super) subscribed: bool,
    pub(super) special_use: bool,
    pub(super) status: Vec<StatusItem>,
}

impl Session {
    /// ```abnf
    /// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    /// ```
    pub(super) fn list_command(&mut self, mut args: Args<'_>) -> Parsed<ListCommand> {
        let mut command = ListCommand::default();
        let extended = self.has(&Capability::ListExtended);
        if args.at_list() {
            command.is_extended = true;
            self.select_options(args.list()?, &mut command.select)?;
        }
        command.reference = name_text(&args.astring()?);
        if args.at_list() {
            command.is_extended = true;
            let mut patterns = args.list()?;
            while !patterns.is_empty() {
                command.patterns.push(name_text(&pattern(patterns.next()?)?));
            }
            if command.patterns.is_empty() {
                return bad("Pattern expected");
            }
        } else {
            command.patterns.push(name_text(&pattern(args.next()?)?));
        }
        if args.skip("RETURN") {
            command.is_extended = true;
            self.return_options(args.list()?, &mut command.give)?;
        }
        args.end()?;
        if command.is_extended && !extended {
            return bad("No extended LIST");
        }
        Ok(command)
    }

    fn select_options(&self, mut options: Args<'_>, select: &mut Select) -> Parsed<()> {
        while !options.is_empty() {
            match &options.word()?[..] {
                "SUBSCRIBED" => select.subscribed = true,
                "REMOTE" => {}
                "RECURSIVEMATCH" => select.recursive = true,
                "SPECIAL-USE" if self.has(&Capability::SpecialUse) => select.special_use = true,
                _ => return bad("Unknown selection option"),
            }
        }
        // RFC 5258 §3.1: it must come with one that it can go on from.
        if select.recursive && !select.subscribed && !select.special_use {
            return bad("RECURSIVEMATCH of what?");
        }
        Ok(())
    }

    fn return_options(&mut self, mut options: Args<'_>, give: &mut Give) -> Parsed<()> {
        while !options.is_empty() {
            match &options.word()?[..] {
                "SUBSCRIBED" => give.subscribed = true,
                "CHILDREN" => {}
                "SPECIAL-USE" if self.has(&Capability::SpecialUse) => give.special_use = true,
                "STATUS" if self.has(&Capability::ListStatus) => give.status = self.status_items(options.list()?)?,
                _ => return bad("Unknown return option"),
            }
        }
        Ok(())
    }
}

impl ListCommand {
    /// True when one of the patterns, read from the reference, matches.
    pub(super) fn matches(&self, name: &MailboxName) -> bool {
        self.patterns.iter().any(|pattern| {
            let whole = format!("{}{pattern}", self.reference);
            // INBOX is the same in any case, as it is above others. RFC 9051 §5.1
            let is_inbox = name.as_str().split(DELIMITER).next() == Some("INBOX");
            is_match(whole.as_bytes(), name.as_str().as_bytes(), if is_inbox { "INBOX".len() } else { 0 })
        })
    }
}

fn name_text(wire: &[u8]) -> String {
    MailboxName::from_wire(wire).as_str().to_owned()
}

/// `*` stands for anything, `%` for anything but the delimiter. RFC 9051 §6.3.9
///
/// So many octets at its beginning are the same in any case.
///
/// All places in the name that the pattern so far can reach are walked at once, so that many wildcards cost no more.
fn is_match(pattern: &[u8], name: &[u8], caseless: usize) -> bool {
    let is_same = |at: usize, byte: u8| name[at] == byte || (at < caseless && name[at].eq_ignore_ascii_case(&byte));
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for &byte in pattern {
        let mut next = vec![false; name.len() + 1];
        let mut open = false;
        for at in 0..=name.len() {
            match byte {
                b'*' | b'%' => {
                    open |= reached[at];
                    next[at] = open;
                    if byte == b'%' && name.get(at) == Some(&(DELIMITER as u8)) {
                        open = false;
                    }
                }
                _ => next[at] = at > 0 && reached[at - 1] && is_same(at - 1, byte),
            }
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a*", "a/b/c", true),
            ("a%c", "abc", true),
            ("a%c", "a/c", false),
            ("*c", "a/b/c", true),
            ("%/c", "a/b/c", false),
            ("a/%", "a", false),
            ("*%*%*%*%*x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("", "a", false),
        ] {
            assert_eq!(is_match(pattern.as_bytes(), name.as_bytes(), 0), expected, "{pattern} {name}");
        }
    }
}
