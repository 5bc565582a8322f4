//! Each command once with little to do; what is counted and no matter of time meets its gate here too.

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
