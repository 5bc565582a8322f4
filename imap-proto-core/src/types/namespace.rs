use alloc::string::ToString;
use alloc::vec::Vec;

use super::{InvalidName, MailboxName};

/// Says where mailboxes are: the user's own, other users', and those that are shared.
///
/// RFC 9051 §6.3.10 and RFC 2342
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Namespaces {
    /// Where the user's own mailboxes are.
    pub personal: Vec<Namespace>,
    /// Where those of other users are.
    pub other_users: Vec<Namespace>,
    /// Where those are that belong to no one user.
    pub shared: Vec<Namespace>,
}

/// A place for mailboxes: what their names begin with.
///
/// ```
/// # use imap_proto_core::types::{InvalidName, MailboxName, Namespace};
/// # fn run(namespace: &Namespace) -> Result<(), InvalidName> {
/// // `INBOX.Clients.Smith` on one server, `Clients/Smith` on another.
/// let smith: MailboxName = namespace.mailbox(&["Clients", "Smith"])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Namespace {
    /// What names in it begin with, the delimiter at its end included where there is one; often empty.
    pub prefix: MailboxName,
    /// What separates the levels of names in it; `None` where names have one level only.
    pub delimiter: Option<char>,
}

impl Namespace {
    pub(crate) fn new(prefix: MailboxName, delimiter: Option<char>) -> Self {
        Namespace { prefix, delimiter }
    }

    /// The name of a mailbox in it, from its levels.
    ///
    /// # Errors
    /// [`InvalidName`] where there are no levels, one of them is empty or holds the delimiter, or there are several where
    /// names have but one.
    pub fn mailbox(&self, levels: &[&str]) -> Result<MailboxName, InvalidName> {
        let (first, below) = levels.split_first().ok_or(InvalidName::Empty)?;
        MailboxName::new(*first)?;
        if self.delimiter.is_some_and(|delimiter| first.contains(delimiter)) {
            return Err(InvalidName::Delimiter);
        }
        let top = MailboxName::new(self.prefix.to_string() + first)?;
        below.iter().try_fold(top, |name, level| name.child(level, self.delimiter.ok_or(InvalidName::NoLevels)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(prefix: &str, delimiter: Option<char>, levels: &[&str]) -> Result<MailboxName, InvalidName> {
        Namespace::new(MailboxName::from_wire(prefix.as_bytes()), delimiter).mailbox(levels)
    }

    #[test]
    fn names_are_built_below_the_prefix() {
        let table: [(&str, Option<char>, &[&str], &str); 5] = [
            ("", Some('/'), &["a"], "a"),
            ("INBOX.", Some('.'), &["a", "b c"], "INBOX.a.b c"),
            ("~", Some('/'), &["fred", "x"], "~fred/x"),
            ("", None, &["a/b"], "a/b"),
            ("", Some('/'), &["inbox"], "INBOX"),
        ];
        for (prefix, delimiter, levels, name) in table {
            assert_eq!(named(prefix, delimiter, levels).as_ref().map(MailboxName::as_str), Ok(name));
        }
    }

    #[test]
    fn what_is_no_name_of_one_level_is_refused() {
        let table: [(Option<char>, &[&str], InvalidName); 6] = [
            (Some('/'), &[], InvalidName::Empty),
            (Some('/'), &[""], InvalidName::Empty),
            (Some('/'), &["a", ""], InvalidName::Empty),
            (Some('/'), &["a/b"], InvalidName::Delimiter),
            (Some('/'), &["a", "b/c"], InvalidName::Delimiter),
            (None, &["a", "b"], InvalidName::NoLevels),
        ];
        for (delimiter, levels, error) in table {
            assert_eq!(named("p", delimiter, levels), Err(error));
        }
    }
}
