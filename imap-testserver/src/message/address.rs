use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use super::header::Field;
use super::wire::write_nstring;

/// Stands between `=` and `?`, so that mail-parser leaves encoded words alone: ENVELOPE gives them away as they are.
const MASK: char = '\u{1}';

/// Writes the addresses of a field, or `NIL` where there are none.
///
/// ```abnf
/// env-from = "(" 1*address ")" / nil
/// address  = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
/// ```
pub(super) fn write_addresses(field: Option<Field<'_>>, out: &mut Vec<u8>) {
    let Some(field) = field else { return write_nstring(None, out) };
    let value = masked(field.body());
    let mut list = Vec::new();
    match MessageStream::new(&value).parse_address() {
        HeaderValue::Address(Address::List(addresses)) => write_each(&addresses, &mut list),
        HeaderValue::Address(Address::Group(groups)) => {
            for group in groups {
                // What stands outside of any group comes as one without a name.
                let name = group.name.as_deref().map(unmasked);
                if let Some(name) = &name {
                    write_parts(None, Some(name), None, &mut list);
                }
                write_each(&group.addresses, &mut list);
                if name.is_some() {
                    write_parts(None, None, None, &mut list);
                }
            }
        }
        _ => {}
    }
    if list.is_empty() {
        return write_nstring(None, out);
    }
    out.push(b'(');
    out.extend_from_slice(&list);
    out.push(b')');
}

fn write_each(addresses: &[Addr<'_>], out: &mut Vec<u8>) {
    for address in addresses {
        let name = address.name.as_deref().map(unmasked);
        // A word alone is a mailbox without a host, not a name.
        let (name, address) = match address.address.as_deref() {
            None | Some("") => (None, name.unwrap_or_default()),
            Some(address) => (name, unmasked(address)),
        };
        // NIL for the host would be the begin of a group.
        let (mailbox, host) = address.rsplit_once('@').unwrap_or((&address, ""));
        write_parts(name.as_deref(), Some(mailbox), Some(host), out);
    }
}

fn write_parts(name: Option<&str>, mailbox: Option<&str>, host: Option<&str>, out: &mut Vec<u8>) {
    out.push(b'(');
    write_nstring(name.map(str::as_bytes), out);
    out.extend_from_slice(b" NIL ");
    write_nstring(mailbox.map(str::as_bytes), out);
    out.push(b' ');
    write_nstring(host.map(str::as_bytes), out);
    out.push(b')');
}

fn masked(value: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(value.len() + 8);
    for (at, &byte) in value.iter().enumerate() {
        masked.push(byte);
        if byte == b'=' && value.get(at + 1) == Some(&b'?') {
            masked.push(MASK as u8);
        }
    }
    if !masked.ends_with(b"\n") {
        masked.extend_from_slice(b"\r\n");
    }
    masked
}

fn unmasked(text: &str) -> Cow<'_, str> {
    if text.contains(MASK) { Cow::Owned(text.replace(MASK, "")) } else { Cow::Borrowed(text) }
}
