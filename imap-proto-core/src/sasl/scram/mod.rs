mod hash;
mod salted;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use hash::Digest;
pub use hash::Hash;
use salted::Salting;

use super::prepare::prepared;
use super::{ChannelBinding, ExchangeError, InvalidCredentials, Mechanism, Reply, escaped};
use crate::types::Secret;

/// How many rounds a server may ask for.
pub type Iterations = RangeInclusive<u32>;

/// From what RFC 7677 §4 asks of servers to what takes a second or two.
const ITERATIONS: Iterations = 4096..=1_000_000;

/// `SCRAM-SHA-1` and `SCRAM-SHA-256`, with their `-PLUS` forms: a password that is not sent, and a server that has to show that
/// it knows it. RFC 5802, RFC 7677
///
/// ```text
///  C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO
///  S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096
///  C: c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=
///  S: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=
///  C:
/// ```
#[derive(Debug)]
pub struct Scram {
    hash: Hash,
    binding: ChannelBinding,
    password: Zeroizing<Vec<u8>>,
    nonce: String,
    /// What was said first, without its GS2 header.
    first: String,
    iterations: Iterations,
    stage: Stage,
}

enum Stage {
    /// Nothing was said.
    New,
    /// The server's salt is waited for.
    First,
    Salting {
        salting: Box<Salting>,
        server_first: String,
        final_bare: String,
    },
    /// The server's signature is waited for, which has to be this one.
    Last(Digest),
    Complete,
    Over,
}

impl core::fmt::Debug for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Stage::New => "New",
            Stage::First => "First",
            Stage::Salting { .. } => "Salting",
            Stage::Last(_) => "Last",
            Stage::Complete => "Complete",
            Stage::Over => "Over",
        })
    }
}

impl Scram {
    /// A login as `user`. `nonce` is to be random, of 18 characters or more, printable and without a comma: this crate has no
    /// randomness of its own.
    ///
    /// # Errors
    /// [`InvalidCredentials::Unprepared`] for a name or password that SASLprep refuses, [`InvalidCredentials::Separator`]
    /// for a nonce that is none.
    pub fn new(
        hash: Hash,
        binding: ChannelBinding,
        user: &str,
        password: &Secret,
        nonce: impl Into<String>,
    ) -> Result<Self, InvalidCredentials> {
        let nonce = nonce.into();
        let is_nonce = |octet: u8| octet.is_ascii_graphic() && octet != b',';
        if nonce.is_empty() || !nonce.bytes().all(is_nonce) {
            return Err(InvalidCredentials::Separator);
        }
        let password = core::str::from_utf8(password.expose()).map_err(|_| InvalidCredentials::Unprepared)?;
        let password = Zeroizing::new(prepared(password)?.as_bytes().to_vec());
        let first = format!("n={},r={nonce}", escaped(&prepared(user)?));
        Ok(Scram { hash, binding, password, nonce, first, iterations: ITERATIONS, stage: Stage::New })
    }

    /// Sets how many rounds the server may ask for, 4,096 to 1,000,000 unless it is set: fewer make the password easy to guess
    /// for whoever listens, more keep the client busy.
    pub fn iterations(mut self, iterations: Iterations) -> Self {
        self.iterations = iterations;
        self
    }

    fn header(&self) -> String {
        format!("{},,", self.binding.flag())
    }

    /// `r=…,s=…,i=…`, with extensions after them that are passed over. RFC 5802 §7
    fn begin(&self, server_first: String) -> Result<Stage, ExchangeError> {
        let mut fields = server_first.split(',');
        let mut field = |name: &str| {
            let field = fields.next().and_then(|field| field.strip_prefix(name));
            field.ok_or(ExchangeError::Malformed)
        };
        // `m=` in the first place would be an extension that has to be understood.
        let (nonce, salt, rounds) = (field("r=")?, field("s=")?, field("i=")?);
        if nonce.strip_prefix(self.nonce.as_str()).is_none_or(str::is_empty) {
            return Err(ExchangeError::Nonce);
        }
        let salt = STANDARD.decode(salt).ok().filter(|salt| !salt.is_empty()).ok_or(ExchangeError::Malformed)?;
        let digits = rounds.bytes().all(|octet| octet.is_ascii_digit());
        let rounds: u32 = rounds.parse().ok().filter(|_| digits).ok_or(ExchangeError::Malformed)?;
        if !self.iterations.contains(&rounds) {
            return Err(ExchangeError::Iterations(rounds));
        }
        let mut bound = Zeroizing::new(self.header().into_bytes());
        bound.extend_from_slice(self.binding.data());
        let final_bare = format!("c={},r={nonce}", STANDARD.encode(&*bound));
        let salting = Salting::new(self.hash, &self.password, &salt, rounds).ok_or(ExchangeError::Malformed)?;
        Ok(Stage::Salting { salting: Box::new(salting), server_first, final_bare })
    }

    /// The proof that we know the password, and the signature that the server has to give. RFC 5802 §3
    fn prove(&self, salted: &Digest, server_first: &str, final_bare: &str) -> Option<(Secret, Digest)> {
        let said: [&[u8]; 5] = [self.first.as_bytes(), b",", server_first.as_bytes(), b",", final_bare.as_bytes()];
        let salted = self.hash.keyed(salted.as_slice())?;
        let mut client_key = salted.of(&[b"Client Key"]);
        let stored_key = self.hash.of(client_key.as_slice());
        client_key.xor(&self.hash.keyed(stored_key.as_slice())?.of(&said));
        let signature = self.hash.keyed(salted.of(&[b"Server Key"]).as_slice())?.of(&said);
        let proof = Zeroizing::new(STANDARD.encode(client_key.as_slice()));
        Some((Secret::from(format!("{final_bare},p={}", *proof)), signature))
    }
}

/// `v=…`, or `e=…`. RFC 5802 §7
fn check(challenge: &[u8], expected: &Digest) -> Result<(), ExchangeError> {
    if let Some(error) = challenge.strip_prefix(b"e=") {
        return Err(ExchangeError::Server(crate::error::words(error)));
    }
    let signature = challenge.strip_prefix(b"v=").ok_or(ExchangeError::Malformed)?;
    let signature = signature.split(|octet| *octet == b',').next().unwrap_or_default();
    let signature = STANDARD.decode(signature).map_err(|_| ExchangeError::Malformed)?;
    match bool::from(signature.ct_eq(expected.as_slice())) {
        true => Ok(()),
        false => Err(ExchangeError::Signature),
    }
}

impl Mechanism for Scram {
    fn name(&self) -> &str {
        match (self.hash, self.binding.is_bound()) {
            (Hash::Sha1, false) => "SCRAM-SHA-1",
            (Hash::Sha1, true) => "SCRAM-SHA-1-PLUS",
            (Hash::Sha256, false) => "SCRAM-SHA-256",
            (Hash::Sha256, true) => "SCRAM-SHA-256-PLUS",
        }
    }

    fn initial_response(&mut self) -> Option<Secret> {
        if !matches!(self.stage, Stage::New) {
            return None;
        }
        self.stage = Stage::First;
        Some(Secret::from(format!("{}{}", self.header(), self.first)))
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError> {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::First => {
                let server_first = String::from_utf8(challenge.to_vec()).map_err(|_| ExchangeError::Malformed)?;
                self.stage = self.begin(server_first)?;
                Ok(Reply::Work)
            }
            Stage::Last(expected) => {
                check(challenge, &expected)?;
                self.stage = Stage::Complete;
                Ok(Reply::Say(Secret::from("")))
            }
            _ => Err(ExchangeError::Unexpected),
        }
    }

    fn work(&mut self) -> Result<Reply, ExchangeError> {
        let Stage::Salting { salting, server_first, final_bare } = &mut self.stage else {
            return Err(ExchangeError::Unexpected);
        };
        let Some(salted) = salting.work() else { return Ok(Reply::Work) };
        let (server_first, final_bare) = (core::mem::take(server_first), core::mem::take(final_bare));
        let (said, expected) = self.prove(&salted, &server_first, &final_bare).ok_or(ExchangeError::Malformed)?;
        self.stage = Stage::Last(expected);
        Ok(Reply::Say(said))
    }

    fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Complete)
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::vec;

    use super::*;

    /// What is said to a challenge, and how often it had to work for it.
    fn say(scram: &mut Scram, challenge: &str) -> Result<(String, usize), ExchangeError> {
        let mut reply = scram.respond(challenge.as_bytes())?;
        let mut turns = 0;
        loop {
            match reply {
                Reply::Say(said) => {
                    return Ok((String::from_utf8(said.expose().to_vec()).expect("it is UTF-8"), turns));
                }
                Reply::Work => (reply, turns) = (scram.work()?, turns + 1),
            }
        }
    }

    fn scram(hash: Hash, nonce: &str) -> Scram {
        Scram::new(hash, ChannelBinding::None, "user", &Secret::new("pencil"), nonce).expect("it can be prepared")
    }

    fn first(scram: &mut Scram) -> String {
        String::from_utf8(scram.initial_response().expect("it speaks first").expose().to_vec()).expect("it is UTF-8")
    }

    const SHA_1: [&str; 4] = [
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ];
    const SHA_256: [&str; 4] = [
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ];

    /// RFC 5802 §5 and RFC 7677 §3
    #[test]
    fn the_exchanges_of_the_rfcs_are_had_word_for_word() {
        for (hash, name, [nonce, server_first, last, signature]) in
            [(Hash::Sha1, "SCRAM-SHA-1", SHA_1), (Hash::Sha256, "SCRAM-SHA-256", SHA_256)]
        {
            let mut scram = scram(hash, nonce);
            assert_eq!(scram.name(), name);
            assert_eq!(first(&mut scram), format!("n,,n=user,r={nonce}"));
            assert!(scram.initial_response().is_none());
            assert_eq!(say(&mut scram, server_first), Ok((last.into(), 1)));
            assert!(!scram.is_complete(), "an OK may not be believed before the server has proved itself");
            assert_eq!(say(&mut scram, signature), Ok((String::new(), 0)));
            assert!(scram.is_complete());
            assert_eq!(say(&mut scram, signature), Err(ExchangeError::Unexpected));
        }
    }

    #[test]
    fn what_a_server_says_wrongly_in_its_first_word_ends_the_exchange() {
        let right = SHA_256[1];
        for (said, expected) in [
            (right.replace("rOpr", "xOpr"), ExchangeError::Nonce),
            (right.replace("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""), ExchangeError::Nonce),
            (right.replace("i=4096", "i=4095"), ExchangeError::Iterations(4095)),
            (right.replace("i=4096", "i=1"), ExchangeError::Iterations(1)),
            (right.replace("i=4096", "i=1000001"), ExchangeError::Iterations(1_000_001)),
            (right.replace("i=4096", "i=2147483647"), ExchangeError::Iterations(2_147_483_647)),
            (right.replace("i=4096", "i=99999999999"), ExchangeError::Malformed),
            (right.replace("i=4096", "i=+4096"), ExchangeError::Malformed),
            (right.replace("i=4096", "i="), ExchangeError::Malformed),
            (right.replace(",i=4096", ""), ExchangeError::Malformed),
            (right.replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""), ExchangeError::Malformed),
            (right.replace("W22ZaJ0SNY7soEsUEjb6gQ==", "*"), ExchangeError::Malformed),
            (format!("m=new,{right}"), ExchangeError::Malformed),
            (String::new(), ExchangeError::Malformed),
            (SHA_256[3].to_owned(), ExchangeError::Malformed),
        ] {
            let mut scram = scram(Hash::Sha256, SHA_256[0]);
            first(&mut scram);
            assert_eq!(say(&mut scram, &said), Err(expected), "{said}");
            assert_eq!(say(&mut scram, right), Err(ExchangeError::Unexpected), "it is over");
            assert!(!scram.is_complete());
        }
        let mut latin = scram(Hash::Sha256, SHA_256[0]);
        first(&mut latin);
        assert_eq!(latin.respond(b"r=\xff").map(drop), Err(ExchangeError::Malformed));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        let [nonce, server_first, _, signature] = SHA_256;
        for (said, expected) in [
            (signature.replace("6rri", "6rrj"), ExchangeError::Signature),
            ("v=".to_owned(), ExchangeError::Signature),
            ("v=6rri".to_owned(), ExchangeError::Signature),
            ("v=*".to_owned(), ExchangeError::Malformed),
            (String::new(), ExchangeError::Malformed),
            ("e=invalid-proof".to_owned(), ExchangeError::Server("invalid-proof".to_owned())),
        ] {
            let mut scram = scram(Hash::Sha256, nonce);
            first(&mut scram);
            say(&mut scram, server_first).expect("it proves itself");
            assert_eq!(say(&mut scram, &said), Err(expected), "{said}");
            assert!(!scram.is_complete());
            assert_eq!(say(&mut scram, signature), Err(ExchangeError::Unexpected), "there is no second try");
        }
    }

    #[test]
    fn rounds_are_worked_off_in_slices() {
        let mut scram = scram(Hash::Sha256, SHA_256[0]);
        first(&mut scram);
        let (_, turns) = say(&mut scram, &SHA_256[1].replace("i=4096", "i=40000")).expect("it is allowed");
        assert_eq!(turns, 10);
        let mut few = super::tests::scram(Hash::Sha1, SHA_1[0]).iterations(1..=10);
        first(&mut few);
        assert!(say(&mut few, &SHA_1[1].replace("i=4096", "i=10")).is_ok());
    }

    #[test]
    fn the_binding_is_in_the_header_and_in_the_proof() {
        for (binding, name, header, bound) in [
            (ChannelBinding::NotOffered, "SCRAM-SHA-256", "y,,", "y,,".as_bytes().to_vec()),
            (
                ChannelBinding::Exporter(vec![7; 32]),
                "SCRAM-SHA-256-PLUS",
                "p=tls-exporter,,",
                [b"p=tls-exporter,,".as_slice(), &[7; 32]].concat(),
            ),
            (
                ChannelBinding::EndPoint(vec![9; 32]),
                "SCRAM-SHA-256-PLUS",
                "p=tls-server-end-point,,",
                [b"p=tls-server-end-point,,".as_slice(), &[9; 32]].concat(),
            ),
        ] {
            let scram = Scram::new(Hash::Sha256, binding, "user", &Secret::new("pencil"), SHA_256[0]);
            let mut scram = scram.expect("it can be prepared");
            assert_eq!(scram.name(), name);
            assert_eq!(first(&mut scram), format!("{header}n=user,r={}", SHA_256[0]));
            let (said, _) = say(&mut scram, SHA_256[1]).expect("it proves itself");
            let said =
                said.strip_prefix("c=").and_then(|said| said.split(',').next()).expect("the binding comes first");
            assert_eq!(STANDARD.decode(said).expect("Base64"), bound);
        }
    }

    #[test]
    fn no_field_can_reach_into_the_next() {
        let new =
            |user, password, nonce| Scram::new(Hash::Sha256, ChannelBinding::None, user, &Secret::new(password), nonce);
        let mut odd = new("a,b=c", "pencil", "nonce").expect("it is escaped");
        assert_eq!(first(&mut odd), "n,,n=a=2Cb=3Dc,r=nonce");
        for nonce in ["", "a,b", "a b", "a\r\nb", "\u{e9}"] {
            assert_eq!(new("user", "pencil", nonce).map(drop), Err(InvalidCredentials::Separator), "{nonce:?}");
        }
        for (user, password) in [("a\0", "p"), ("a", "p\r\n")] {
            assert_eq!(new(user, password, "nonce").map(drop), Err(InvalidCredentials::Unprepared));
        }
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let [nonce, server_first, ..] = SHA_256;
        let mut scram = scram(Hash::Sha256, nonce);
        first(&mut scram);
        for turn in 0..3 {
            let shown = format!("{scram:?}");
            assert!(!shown.contains("pencil") && !shown.contains("112, 101, 110"), "{shown}");
            if turn == 0 {
                assert!(matches!(scram.respond(server_first.as_bytes()), Ok(Reply::Work)));
            } else if turn == 1 {
                assert!(matches!(scram.work(), Ok(Reply::Say(_))));
            }
        }
    }
}
