use alloc::string::String;
use alloc::vec::Vec;

use super::Caseless;

/// Says what a program is, for statistics and for bug reports.
///
/// RFC 2971 §3.3. Nobody may decide by it what to send.
///
/// ```
/// use imap_proto_core::types::Identification;
///
/// let ours = Identification::new().with_name("ourmail").with_version("1.0").with("x-build", "7");
/// assert_eq!(ours.get("NAME"), Some("ourmail"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identification {
    fields: Vec<(Caseless, Option<String>)>,
}

macro_rules! common_fields {
    ($($(#[$doc:meta])* $setter:ident $getter:ident = $name:literal,)*) => {
        impl Identification {
            $($(#[$doc])*
            #[must_use]
            pub fn $setter(self, value: impl Into<String>) -> Self {
                self.with($name, value)
            }

            #[doc = concat!("The `", $name, "` field, where it has a value.")]
            pub fn $getter(&self) -> Option<&str> {
                self.get($name)
            })*
        }
    };
}

common_fields! {
    /// Sets the name of the program.
    with_name name = "name",
    /// Sets its version.
    with_version version = "version",
    /// Sets the operating system.
    with_os os = "os",
    /// Sets the version of the operating system.
    with_os_version os_version = "os-version",
    /// Sets who makes the program.
    with_vendor vendor = "vendor",
    /// Sets where to turn to with questions.
    with_support_url support_url = "support-url",
    /// Sets the postal address to turn to.
    with_address address = "address",
    /// Sets the date of the release.
    with_date date = "date",
    /// Sets the command that the program was called by.
    with_command command = "command",
    /// Sets the arguments it was called with.
    with_arguments arguments = "arguments",
    /// Sets what of the environment matters.
    with_environment environment = "environment",
}

impl Identification {
    /// Returns one that says nothing.
    pub const fn new() -> Self {
        Identification { fields: Vec::new() }
    }

    /// Sets a field, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = Caseless::new(name.into());
        self.fields.retain(|(other, _)| *other != name);
        self.fields.push((name, Some(value.into())));
        self
    }

    /// The value of a field, by its name in any case; `None` as well where it is `NIL`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name)?.1.as_deref()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// True when it says nothing.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Adds a field as it came; of several of one name the first counts.
    pub(crate) fn push(&mut self, name: String, value: Option<String>) {
        self.fields.push((Caseless::new(name), value));
    }

    /// True when it keeps to what RFC 2971 §3.3 allows: 30 fields, names of 30 octets, values of 1024.
    pub(crate) fn may_be_sent(&self) -> bool {
        let fits = |(name, value): &(Caseless, Option<String>)| {
            name.as_str().len() <= 30 && value.as_ref().is_none_or(|value| value.len() <= 1024)
        };
        self.fields.len() <= 30 && self.fields.iter().all(fits)
    }
}
