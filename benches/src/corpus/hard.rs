//! Single responses of a size at which whoever looks at an octet twice for each chunk needs seconds.

use super::message::words;
use super::rng::Rng;

/// One `* SEARCH` of about so many octets.
pub(super) fn search_of(out: &mut Vec<u8>, rng: &mut Rng, octets: usize) {
    out.extend_from_slice(b"* SEARCH");
    let mut uid = 0;
    while out.len() < octets {
        uid += rng.between(1, 3);
        out.extend_from_slice(format!(" {uid}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// One envelope of about so many octets, all of them addresses of To: a message to a whole company.
pub(super) fn envelope_of(out: &mut Vec<u8>, rng: &mut Rng, octets: usize) {
    envelope(out, |out| {
        let mut n = 0;
        while out.len() < octets {
            let name = words(rng, 2);
            out.extend_from_slice(format!("(\"{name}\" NIL \"person.{n}\" \"example.org\")").as_bytes());
            n += 1;
        }
    });
}

/// One envelope with so many literals, as names with quotes in them are sent.
pub(super) fn literals_of(out: &mut Vec<u8>, rng: &mut Rng, literals: usize) {
    envelope(out, |out| {
        for n in 0..literals {
            let name = format!("{} \"{n}\"", words(rng, 1));
            out.extend_from_slice(format!("({{{}}}\r\n{name} NIL \"p{n}\" \"example.org\")", name.len()).as_bytes());
        }
    });
}

/// One body of so many octets.
pub(super) fn body_of(out: &mut Vec<u8>, octets: usize) {
    out.extend_from_slice(format!("* 1 FETCH (UID 1 BODY[] {{{octets}}}\r\n").as_bytes());
    let end = out.len() + octets;
    let line = [&[b'A'; 76][..], b"\r\n"].concat();
    while out.len() < end {
        out.extend_from_slice(&line[..line.len().min(end - out.len())]);
    }
    out.extend_from_slice(b")\r\n");
}

fn envelope(out: &mut Vec<u8>, to: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"* 1 FETCH (UID 1 ENVELOPE (\"Mon, 07 Feb 1994 21:52:25 -0800\" \"To all\" NIL NIL NIL (");
    to(out);
    out.extend_from_slice(b") NIL NIL NIL \"<1@example.org>\"))\r\n");
}
