use crate::wire::{Text, TokenKind, Value, Values};

// RFC 9051 §9
//
// address      = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
// addr-name    = nstring
// addr-adl     = nstring
// addr-mailbox = nstring
// addr-host    = nstring

/// Shows the addresses of one header field. RFC 9051 §7.5.2
///
/// `NIL`, `()` and a missing field are all the same: no addresses. Elements that are `NIL` or empty are passed
/// over (quirks 96, 97).
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    values: Values<'a>,
}

impl<'a> Addresses<'a> {
    #[inline]
    pub(crate) fn new(value: Option<Value<'a>>) -> Self {
        Addresses { values: value.and_then(Value::list).unwrap_or(Values::empty()) }
    }

    /// Goes through the addresses, group markers among them, in the order of the header field.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Address<'a>> + Clone {
        self.values.filter_map(Address::new)
    }

    /// True when there are no addresses.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

/// Shows one address, or the marker that begins or ends a group. RFC 9051 §7.5.2
///
/// The strings are those of the server: encoded words are still encoded.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    name: Option<Text<'a>>,
    adl: Option<Text<'a>>,
    mailbox: Option<Text<'a>>,
    host: Option<Text<'a>>,
}

impl<'a> Address<'a> {
    #[inline]
    fn new(value: Value<'a>) -> Option<Self> {
        let Some([name, adl, mailbox, host]) = value.inner() else { return Self::of_another_shape(value) };
        if [name, adl, mailbox, host].iter().any(|field| field.kind() == TokenKind::List) {
            return Self::of_another_shape(value);
        }
        // Four tokens, and none of them a list: they are the four values.
        let text = |field| value.table().text(field);
        Some(Address { name: text(name), adl: text(adl), mailbox: text(mailbox), host: text(host) }.without_brackets())
    }

    #[cold]
    fn of_another_shape(value: Value<'a>) -> Option<Self> {
        let values = value.list()?;
        let mut fields = values;
        let name = fields.next()?.text();
        let [adl, mailbox, host] = [fields.next(), fields.next(), fields.next()].map(|f| f.and_then(Value::text));
        if !fields.is_empty() && { values }.all(|value| value.kind() != TokenKind::List) {
            return Some(Self::from_too_many(values));
        }
        Some(Address { name, adl, mailbox, host }.without_brackets())
    }

    /// The display name; `None` for `NIL`.
    #[inline]
    pub fn name(self) -> Option<Text<'a>> {
        self.name
    }

    /// The source route (“at-domain-list”), which is obsolete and nearly always `None`.
    #[inline]
    pub fn adl(self) -> Option<Text<'a>> {
        self.adl
    }

    /// The part before the `@`, or the name of a group that begins.
    #[inline]
    pub fn mailbox(self) -> Option<Text<'a>> {
        self.mailbox
    }

    /// The part behind the `@`; `None` for group markers.
    #[inline]
    pub fn host(self) -> Option<Text<'a>> {
        self.host
    }

    /// True for the marker that begins a group; [`mailbox`](Self::mailbox) is the name of the group.
    #[inline]
    pub fn is_group_start(self) -> bool {
        self.host.is_none() && self.mailbox.is_some()
    }

    /// True for the marker that ends a group. It may come without a beginning, or not at all (quirk 99).
    #[inline]
    pub fn is_group_end(self) -> bool {
        self.host.is_none() && self.mailbox.is_none() && self.name.is_none()
    }

    /// A name whose literal is too short, or that has bare quotes in it, falls into several values: the last three
    /// are still what they should be (quirk 18).
    #[cold]
    fn from_too_many(values: Values<'a>) -> Self {
        let mut fields = values.skip(values.count().saturating_sub(4));
        let name = match (values.peek(), fields.next()) {
            (Some(first), Some(last)) => first.text_through(last).or(first.text()),
            _ => None,
        };
        let [adl, mailbox, host] = [fields.next(), fields.next(), fields.next()].map(|f| f.and_then(Value::text));
        Address { name, adl, mailbox, host }.or_reversed(values)
    }

    /// `(NIL NIL "<user=example.org" "example.org>")` (quirk 101), and what is reversed (quirk 102).
    #[inline]
    fn without_brackets(self) -> Self {
        let (Some(mailbox), Some(host)) = (self.mailbox, self.host) else { return self.reversed() };
        match (mailbox.as_raw(), host.as_raw()) {
            ([b'<', local @ ..], [domain @ .., b'>']) => {
                Address { mailbox: Some(mailbox.stretch(local)), host: Some(host.stretch(domain)), ..self }
            }
            _ => self,
        }
    }

    /// `("<user@example.org>" NIL "Display Name" NIL)` (quirk 102).
    fn reversed(self) -> Self {
        match (self.name, self.mailbox) {
            (Some(address), Some(name)) if self.host.is_none() => Self::bracketed(address, Some(name)).unwrap_or(self),
            _ => self,
        }
    }

    /// The same with bare quotes in the display name, where it is all between the second value and the last.
    fn or_reversed(self, mut values: Values<'a>) -> Self {
        if self.host.is_some() || self.mailbox.is_none() {
            return self;
        }
        let (address, adl, first) = (values.next(), values.next(), values.next());
        let last = values.take(values.count().saturating_sub(1)).last();
        let reversed = match (address, adl, first, last) {
            (Some(address), Some(adl), Some(first), Some(last)) if adl.kind() == TokenKind::Nil => {
                address.text().and_then(|address| Self::bracketed(address, first.text_through(last)))
            }
            _ => None,
        };
        reversed.unwrap_or(self)
    }

    fn bracketed(address: Text<'a>, name: Option<Text<'a>>) -> Option<Self> {
        let inner = address.as_raw().strip_prefix(b"<")?.strip_suffix(b">")?;
        let at = memchr::memrchr(b'@', inner)?;
        let (mailbox, host) = (address.stretch(&inner[..at]), address.stretch(&inner[at + 1..]));
        Some(Address { name, adl: None, mailbox: Some(mailbox), host: Some(host) })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;
    use crate::wire::Parsed;

    /// `name|adl|mailbox|host`, a `-` for what is absent.
    fn shown(list: &str) -> Vec<String> {
        let parsed = Parsed::of(list);
        let field = |text: Option<Text<'_>>| text.map_or("-".into(), |text| text.to_str().into_owned());
        Addresses::new(parsed.values().next())
            .iter()
            .map(|a| [a.name(), a.adl(), a.mailbox(), a.host()].map(field).join("|"))
            .collect()
    }

    #[test]
    fn addresses_are_read_whatever_servers_make_of_them() {
        for (quirk, list, addresses) in [
            (0, r#"(("n" NIL "u" "h")("m" NIL "v" "h"))"#, &["n|-|u|h", "m|-|v|h"][..]),
            (7, r#"((NIL NIL "u" "h") (NIL NIL "v" "h"))"#, &["-|-|u|h", "-|-|v|h"]),
            (8, r#"(("a "b" c" NIL "u" "h"))"#, &[r#"a "b" c|-|u|h"#]),
            (18, "(({8}\r\nРецепция №6 NIL \"facility\" \"x.com\"))", &["Рецепция №6|-|facility|x.com"]),
            (21, "((n NIL u h))", &["n|-|u|h"]),
            (96, "()", &[]),
            (96, "NIL", &[]),
            (96, "", &[]),
            (97, r#"(NIL ("n" NIL "u" "h"))"#, &["n|-|u|h"]),
            (97, r#"(() NIL)"#, &[]),
            (98, "(NIL ({3}\r\na b NIL \"u\" \"h\"))", &["a b|-|u|h"]),
            (98, r#"(atom "string" ("n" NIL "u" "h"))"#, &["n|-|u|h"]),
            (99, r#"((NIL NIL "boys" NIL)(NIL NIL NIL NIL))"#, &["-|-|boys|-", "-|-|-|-"]),
            (99, r#"((NIL NIL "boys" NIL)(NIL NIL "aaron" "X"))"#, &["-|-|boys|-", "-|-|aaron|X"]),
            (100, r#"(("Exchange" NIL NIL ".MISSING-HOST-NAME."))"#, &["Exchange|-|-|.MISSING-HOST-NAME."]),
            (101, r#"((NIL NIL "<m=h.com" "m.h.com>"))"#, &["-|-|m=h.com|m.h.com"]),
            (102, r#"(("<s@d.com>" NIL "=?UTF-8?Q?"D"?=" NIL))"#, &[r#"=?UTF-8?Q?"D"?=|-|s|d.com"#]),
            (102, r#"(("<s@d.com>" NIL "D" NIL))"#, &["D|-|s|d.com"]),
            (103, r#"(("n" "@r1,@r2" "u" "h"))"#, &["n|@r1,@r2|u|h"]),
            (106, r#"(("\"n\"" NIL "" ""))"#, &[r#""n"|-||"#]),
            (0, r#"(("n") ("n" NIL) ("n" NIL "u"))"#, &["n|-|-|-", "n|-|-|-", "n|-|u|-"]),
            (0, r#"((((("n" NIL "u" "h")))))"#, &["-|-|-|-"]),
            (0, r#"(("n" NIL "u" "h" (x) y))"#, &["n|-|u|h"]),
            (0, r#"(("n" NIL "u" "h")"#, &["n|-|u|h"]),
        ] {
            assert_eq!(shown(list), addresses, "quirk {quirk}: {list}");
        }
    }

    #[test]
    fn quirk_99_group_markers_are_told_from_addresses() {
        let list = r#"((NIL NIL "g" NIL)(NIL NIL "u" "h")(NIL NIL NIL NIL)("n" NIL NIL NIL)(NIL NIL NIL "h"))"#;
        let parsed = Parsed::of(list);
        let kinds: Vec<_> = Addresses::new(parsed.values().next())
            .iter()
            .map(|a| format!("{}{}", u8::from(a.is_group_start()), u8::from(a.is_group_end())))
            .collect();
        assert_eq!(kinds, ["10", "00", "01", "00", "00"]);
    }
}
