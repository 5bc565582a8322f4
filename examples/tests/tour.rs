//! The example `tour` as a process: on its own server, and its first part on a real one.

use std::path::PathBuf;
use std::process::Command;

use imap_tests::mailbox::fill_maildir;
use imap_tests::servers::{Dovecot, Server};

/// Cargo builds examples beside the tests of their package.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    test.ancestors().nth(2).expect("it is in deps").join("examples/tour")
}

fn tour(command: &mut Command) -> String {
    let output = command.output().expect("the example is built");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
fn says(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn the_tour_shows_all_it_promises_on_its_own_server() {
    let text = tour(&mut Command::new(program()));
    says(&text, &["== Folders", "  Br\u{fc}cke", "Drafts                       Drafts", "26  8 unread"]);
    says(&text, &["2 attachments", "UNSEEN found 19:26", "Subject: A long story", "stored 12582912 octets as 1"]);
    says(&text, &["interrupted: the future is dropped", "the server says: 27 messages", "== Logged out"]);
    let told = text.lines().find_map(|line| line.strip_prefix("told of ")).expect("a report");
    let numbers: Vec<usize> = told.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [told, doubt, stored] = numbers[..] else { panic!("{numbers:?}") };
    // The messages under way were promised, and are finished.
    assert!((50..100).contains(&told) && doubt == 0 && stored == told, "told {told}, stored {stored}");
    says(&text, &[&format!("the same connection goes on: Imported has {stored} messages")]);
}

#[test]
fn the_tour_of_a_real_account_changes_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    fill_maildir(&dovecot.maildir("alice"), 30).expect("messages");
    let url = format!("imaps://alice@localhost:{}", dovecot.tls_port());
    let run = || {
        let mut command = Command::new(program());
        command.env("IMAP_PASSWORD", Dovecot::PASSWORD).arg("--ca").arg(dovecot.ca_pem_path()).arg(&url);
        tour(&mut command)
    };
    let first = run();
    says(&first, &["== Folders", "The newest of 30 messages in INBOX", "== Searches", "== Message "]);
    assert!(!first.contains("== Uploading"));
    assert_eq!(first, run(), "the first tour changed something");
}
