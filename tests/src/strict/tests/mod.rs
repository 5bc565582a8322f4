mod behaviour;
mod legal;
mod violations;

use super::{Options, StrictServer};

/// A server whose client has logged in, with three messages in INBOX.
fn logged_in(options: Options) -> StrictServer {
    let mut server = StrictServer::new(options);
    for subject in ["one", "two", "three"] {
        let body = format!("From: \"A, B\" <ab@example.org>\r\nSubject: {subject}\r\n\r\nText of {subject}.\r\n");
        server.deliver("INBOX", body.as_bytes());
    }
    server.take_output();
    exchange(&mut server, "login LOGIN alice secret\r\n");
    exchange(&mut server, "capability CAPABILITY\r\n");
    server
}

fn selected(options: Options) -> StrictServer {
    let mut server = logged_in(options);
    exchange(&mut server, "select SELECT INBOX\r\n");
    server
}

fn exchange(server: &mut StrictServer, client: impl AsRef<[u8]>) -> String {
    server.receive(client.as_ref());
    String::from_utf8(server.take_output()).expect("the test's answers are text")
}

/// Plays a transcript: `C:` lines go in, and what comes out must start as the `S:` lines do, one for one.
fn play(server: &mut StrictServer, transcript: &str) {
    let mut output = String::new();
    let mut lines = 0;
    for line in transcript.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let (who, text) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        match who {
            "C" => {
                assert_eq!(output, "", "more output than the transcript has before {line:?}");
                output = exchange(server, format!("{text}\r\n"));
            }
            "S" => {
                if output.is_empty() {
                    output = String::from_utf8(server.take_output()).expect("the test's answers are text");
                }
                let (first, rest) = output.split_once("\r\n").unwrap_or((&output, ""));
                assert!(first.starts_with(text), "expected {text:?}, got {first:?}");
                output = rest.to_owned();
            }
            _ => panic!("neither C: nor S: in {line:?}"),
        }
        lines += 1;
    }
    assert!(lines > 0, "the transcript is empty");
    assert_eq!(output, "", "more output than the transcript has at its end");
    assert_eq!(server.violations(), []);
}
