//! One program on three runtimes: what it says is the same on each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use imap_tests::mailbox::fill_maildir;
use imap_tests::servers::{Dovecot, Server};
use imap_testserver::TestServer;

const PROGRAMS: [&str; 3] = ["on_tokio", "on_smol", "on_async_std"];

/// Cargo builds examples beside the tests of their package.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    test.ancestors().nth(2).expect("it is in deps").join("examples").join(name)
}

fn said(name: &str, password: &str, arguments: &[&str]) -> String {
    let output = Command::new(program(name)).env("IMAP_PASSWORD", password).args(arguments).output();
    let output = output.expect("the example is built");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_runtime_has_the_same_inbox() {
    let server = TestServer::builder().user("alice", "secret").realistic().start();
    let (tls, plain) = (server.listen_tls().await.expect("a port"), server.listen_plain().await.expect("a port"));
    let ca = std::env::temp_dir().join(format!("imap-runtimes-{}.pem", std::process::id()));
    fs::write(&ca, server.ca_pem().expect("a root")).expect("it is written");
    let urls = [
        format!("imaps://alice@localhost:{}", tls.port()),
        format!("imap://alice@127.0.0.1:{}", plain.port()),
        format!("imap+plaintext://alice@127.0.0.1:{}", plain.port()),
    ];
    let arguments = |url| ["--ca", ca.to_str().expect("UTF-8"), url];
    let told = tokio::task::block_in_place(|| {
        urls.each_ref().map(|url| PROGRAMS.map(|name| said(name, "secret", &arguments(url.as_str()))))
    });
    fs::remove_file(&ca).expect("it is there");
    assert!(told[0][0].starts_with("26 messages, 8 of them unseen\n") && told[0][0].lines().count() == 11, "{told:?}");
    assert!(told.iter().flatten().all(|text| *text == told[0][0]), "{told:#?}");
}

#[test]
fn each_runtime_has_the_same_inbox_of_a_real_server() {
    let Some(dovecot) = Dovecot::start() else { return };
    fill_maildir(&dovecot.maildir("alice"), 30).expect("messages");
    let (ca, url) = (dovecot.ca_pem_path(), format!("imaps://alice@localhost:{}", dovecot.tls_port()));
    let ca = Path::to_str(&ca).expect("UTF-8");
    let told = PROGRAMS.map(|name| said(name, Dovecot::PASSWORD, &["--ca", ca, &url]));
    assert!(told[0].starts_with("30 messages, ") && told[0].lines().count() == 11, "{told:?}");
    assert!(told.iter().all(|text| *text == told[0]), "{told:#?}");
}

/// The files of the three differ in what they import and in `main`.
#[test]
fn the_programs_differ_in_their_import_and_their_main_alone() {
    for (name, import) in PROGRAMS.iter().zip(["imap_tokio", "imap_async_std::smol", "imap_async_std::async_std"]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("runtimes/{name}.rs"));
        let source = fs::read_to_string(path).expect("the example is there");
        let (before, main) = source.split_once("main() -> Fallible<()> {").expect("it has a main");
        let mut imports: Vec<&str> = before.lines().filter(|line| line.starts_with("use ")).collect();
        imports.retain(|import| *import != "use imap_examples::Fallible;");
        assert_eq!(imports, [format!("use {import} as imap;")]);
        assert_eq!(main.lines().count(), 3, "{main}");
    }
}
