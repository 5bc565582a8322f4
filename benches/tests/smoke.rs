//! Each command once with little to do; what is counted and no matter of time meets its gate here too.

use std::process::Command;

use imap_benches::options::Sizes;
use imap_benches::roundtrips;

#[test]
fn many_commands_take_few_round_trips() {
    let sizes = Sizes { commands: 1000, mailboxes: 2, messages: 3, ..Sizes::default() };
    let records = roundtrips::run(&Sizes { contender: Some("ours".to_owned()), ..sizes });
    let trips = |work: &str| {
        let record = records.iter().find(|record| record.work == work).expect("it was done");
        record.value("round_trips").expect("they are counted")
    };
    assert!(trips("1000 STATUS") <= 3.0, "{records:?}");
    assert!(trips("1000 APPEND") <= 5.0, "{records:?}");
}

#[test]
fn peers_run_over_the_slow_link() {
    let sizes = Sizes { commands: 3, mailboxes: 2, messages: 3, ..Sizes::default() };
    let records = roundtrips::run(&sizes);
    let who: std::collections::BTreeSet<_> = records.iter().map(|record| record.contender.as_str()).collect();
    assert_eq!(who.len(), 7, "{records:?}");
}

#[test]
fn connections_are_held_idle() {
    let table = run(COUNT, "scale --connections 20 --dovecot 20 --seconds 1");
    assert!(table.contains("| 20 in IDLE, in-process server | ours |"), "{table}");
}

#[test]
fn much_is_sent() {
    let table = run(COUNT, "sending --messages 50 --megabytes 4");
    assert!(table.contains("| one APPEND of 4 MiB, streamed | ours |"), "{table}");
}

#[test]
fn whole_clients_do_the_same_at_dovecot() {
    let sizes = "--messages 20 --folders 5 --megabytes 1 --rounds 1";
    run(TIME, &format!("dovecot --contender-only ours|async-imap|io-imap|reader {sizes}"));
}

#[test]
fn what_is_compressed_is_less() {
    let table = run(TIME, "compress --messages 50 --rounds 1");
    assert!(table.contains("| 50 ENVELOPE | ours, COMPRESS=DEFLATE |") || !table.contains("| ours |"), "{table}");
}

#[test]
fn everyone_receives_what_is_generated() {
    run(TIME, "peers --rounds 1 --no-count --chunk 1400 --corpus-only C --contender-only proto|async|next|ours");
}

#[test]
fn what_was_recorded_is_received() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/recordings/dovecot.imap");
    let table = run(TIME, &format!("peers --rounds 1 --no-count --chunk whole --contender-only ours --corpus {file}"));
    assert!(!table.contains("| ours: connection, owned | – |"), "{table}");
}

const TIME: &str = env!("CARGO_BIN_EXE_imap-benches");
const COUNT: &str = env!("CARGO_BIN_EXE_imap-benches-count");

/// What a command prints.
fn run(binary: &str, args: &str) -> String {
    // Nothing is to be built anew.
    let output = Command::new(binary).args(args.split(' ')).env_remove("CARGO").output().expect("it starts");
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
