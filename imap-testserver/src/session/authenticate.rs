use imap_proto_core::types::Capability;

use super::answer::{Answer, Bad, Outcome, bad, no, ok};
use super::args::Args;
use super::{Session, Waiting};

impl Session {
    pub(super) fn login(&mut self, mut args: Args<'_>) -> Outcome {
        let (user, password) = (args.astring()?, args.astring()?);
        args.end()?;
        if !self.shared.options.allows_login(self.channel) {
            return no("[PRIVACYREQUIRED] Not without TLS");
        }
        self.log_in(&user, &password)
    }

    /// RFC 9051 §6.2.2, with the initial response of RFC 4959.
    pub(super) fn authenticate(&mut self, tag: &str, mut args: Args<'_>) -> Outcome {
        let mechanism = args.word()?;
        let initial = match args.is_empty() {
            true => None,
            false => Some(args.next()?.atom().ok_or(Bad("Base64 expected".into()))?),
        };
        args.end()?;
        if initial.is_some() && !self.has(&Capability::SaslIr) {
            return bad("No initial response is taken");
        }
        if !self.has(&Capability::Auth(mechanism.as_str().into())) || mechanism != "PLAIN" {
            return no("[CANNOT] No such mechanism");
        }
        if !self.shared.options.allows_login(self.channel) {
            return no("[PRIVACYREQUIRED] Not without TLS");
        }
        match initial {
            Some(response) => self.authenticate_response(if response == b"=" { b"" } else { response }),
            None => {
                self.waiting = Waiting::Response { tag: tag.to_owned() };
                self.go_on("");
                Ok(Answer::Later)
            }
        }
    }

    /// The response to the empty challenge. RFC 4616 §2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`
    pub(super) fn authenticate_response(&mut self, line: &[u8]) -> Outcome {
        if line == b"*" {
            return bad("Cancelled");
        }
        let Some(message) = base64(line) else { return bad("Base64 expected") };
        let mut fields = message.split(|byte| *byte == 0);
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(authorize), Some(user), Some(password), None) if authorize.is_empty() || authorize == user => {
                self.log_in(user, password)
            }
            (Some(_), Some(_), Some(_), None) => no("[AUTHORIZATIONFAILED] Not for somebody else"),
            _ => no("[AUTHENTICATIONFAILED] No message of PLAIN"),
        }
    }

    fn log_in(&mut self, user: &[u8], password: &[u8]) -> Outcome {
        let Some(account) = self.shared.log_in(user, password) else {
            return no("[AUTHENTICATIONFAILED] Wrong name or password");
        };
        self.admit(account);
        let capabilities = self.capabilities();
        ok(format!("[CAPABILITY {capabilities}] Logged in"))
    }
}

/// Base64 with its padding and nothing else. RFC 4648 §4
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in &text[..text.len() - padding] {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_its_padding() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("AGEAYg==", Some(b"\0a\0b")),
            ("YWJj", Some(b"abc")),
            ("YWI=", Some(b"ab")),
            ("YWJ", None),
            ("Y===", None),
            ("Y-Jj", None),
            ("YW=j", None),
        ] {
            assert_eq!(base64(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
