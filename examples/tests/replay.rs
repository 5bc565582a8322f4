//! The example `replay` as a process, on recordings of real servers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const RECORDINGS: [&str; 3] = ["dovecot.imap", "cyrus.imap", "courier.imap"];

fn recording(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings").join(name);
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Cargo builds examples beside the tests of their package.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    test.ancestors().nth(2).expect("it is in deps").join("examples/replay")
}

fn replay(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the example is built");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it was written");
    output
}

fn lines(arguments: &[&str], input: &[u8]) -> (Vec<String>, Option<i32>) {
    let output = replay(arguments, input);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (text.lines().map(str::to_owned).collect(), output.status.code())
}

#[test]
fn recordings_of_real_servers_are_read_without_loss() {
    // What is unknown has no type yet: data of extensions, and codes.
    for (name, responses) in RECORDINGS.iter().zip([75, 85, 70]) {
        let (lines, status) = lines(&["--json", &recording(name)], b"");
        assert_eq!(status, Some(0));
        let last = lines.last().expect("the counts");
        assert!(last.ends_with(r#""malformed":0,"lost":0}"#), "{name}: {last}");
        let number = |key: &str| -> usize {
            let (_, rest) = last.split_once(&format!("\"{key}\":")).expect("a member");
            rest.split([',', '}']).next().and_then(|text| text.parse().ok()).expect("a number")
        };
        assert!(number("responses") > responses, "{name}: {last}");
        assert!(number("typed") > number("responses"), "{name}: {last}");
        let of_responses = lines.iter().filter(|line| line.contains(r#""items":[{"#) || line.contains("[]"));
        assert_eq!(of_responses.count(), lines.len() - 1);
        assert!(lines.iter().any(|line| line.starts_with(r#"{"event":"body","text":"17000 octets""#)), "{name}");
    }
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    for name in RECORDINGS {
        for form in [&["--json"][..], &[]] {
            let whole = lines(&[form, &[&recording(name)]].concat(), b"");
            for chunk in ["1", "2", "7", "4096"] {
                assert_eq!(
                    lines(&[form, &["--chunk", chunk, &recording(name)]].concat(), b""),
                    whole,
                    "{name} {chunk}"
                );
            }
        }
    }
}

#[test]
fn every_kind_of_line_is_told_and_counted() {
    let input = b"A7 NO [OVERQUOTA] \"no\"\\\r\n\
        * 3 FETCH (UID 9 FLAGS (\\Seen) X-GM-MSGID 17 RFC822.SIZE oops)\r\n\
        * XFOO \x01\xff\r\n\
        (what is this\r\n\
        * OK [X-ODD 5] text\r\n\
        * SEARCH 1 2 3\r\n\
        + more";
    let (lines, status) = lines(&["--json", "-"], input);
    assert_eq!(status, Some(0));
    let expected = [
        r#"{"event":"tagged","text":"A7 NO [OVERQUOTA] \"no\"\\","items":[{"name":"No","state":"typed","value":"OverQuota \"no\"\\"}]}"#,
        r#"{"name":"X-GM-MSGID","state":"unknown","value":"17"},{"name":"RFC822.SIZE","state":"malformed","value":""}]}"#,
        r#"{"event":"other","text":"* XFOO \u0001�","#,
        r#"{"event":"garbage","text":"(what is this","#,
        r#"{"event":"status","text":"* OK [X-ODD 5] text","items":[{"name":"Ok","state":"unknown","#,
        r#"{"event":"search","text":"* SEARCH 1 2 3","items":[{"name":"SEARCH","state":"typed","value":"3 numbers"}]}"#,
        r#"{"event":"unfinished","#,
        r#"{"responses":6,"typed":4,"unknown":3,"malformed":2,"lost":0}"#,
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{line}\n{expected}");
    }
}

#[test]
fn only_a_lost_boundary_is_a_failure() {
    let (lines, status) = lines(&["--json", "-"], b"* OK fine\r\n* 1 FETCH (BODY[] {99999999999999999999999}\r\nx");
    assert_eq!(status, Some(1), "{lines:?}");
    assert!(lines[1].starts_with(r#"{"event":"lost","#), "{lines:?}");
    assert_eq!(lines[2], r#"{"responses":1,"typed":1,"unknown":0,"malformed":0,"lost":1}"#);
}

#[test]
fn what_cannot_be_read_is_said() {
    for (arguments, said) in [
        (&[][..], "no file is named"),
        (&["--chunk", "0", "x"][..], "--chunk needs a number"),
        (&["--yaml", "x"][..], "--yaml is unknown"),
        (&["/nowhere/at/all"][..], "/nowhere/at/all"),
    ] {
        let output = replay(arguments, b"");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{arguments:?}");
    }
}
