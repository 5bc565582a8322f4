//! Clients of others work against the server: Python's imaplib and curl.
//!
//! Where one is not installed its test says so and is left out; with `IMAP_TESTS_REQUIRE_CLIENTS` set that is a failure.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use imap_testserver::types::Flag;
use imap_testserver::{Listener, TestServer};
use tokio::process::Command;

struct Rig {
    server: TestServer,
    plain: Listener,
    tls: Listener,
    authority: PathBuf,
}

impl Rig {
    async fn start(name: &str) -> Self {
        let server = TestServer::builder().user("alice", "secret").realistic().start();
        let (plain, tls) = (server.listen_plain().await.unwrap(), server.listen_tls().await.unwrap());
        let authority = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
        std::fs::write(&authority, server.ca_pem().unwrap()).unwrap();
        Rig { server, plain, tls, authority }
    }
}

/// Runs it to its end; `None` when there is no such program.
async fn run(program: &str, arguments: &[&OsStr]) -> Option<Output> {
    let installed = Command::new(program).arg("--version").output().await.is_ok_and(|output| output.status.success());
    if !installed {
        let required = std::env::var_os("IMAP_TESTS_REQUIRE_CLIENTS").is_some();
        assert!(!required, "{program} is required and not installed");
        // Past what the test harness captures: a test that passes is to say what it left out.
        let _ = std::io::stderr().write_all(format!("left out: {program} is not installed\n").as_bytes());
        return None;
    }
    let output = Command::new(program).args(arguments).kill_on_drop(true).output().await.unwrap();
    Some(output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn imaplib_lists_fetches_searches_and_changes() {
    let rig = Rig::start("imaplib").await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign.py");
    let (plain, tls) = (rig.plain.port().to_string(), rig.tls.port().to_string());
    let arguments = [script.as_ref(), plain.as_ref(), tls.as_ref(), rig.authority.as_os_str()];
    let Some(output) = run("python3", &arguments).await else { return };
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(rig.server.mailbox("INBOX").messages()[0].flags.contains(&Flag::Flagged));
}

#[tokio::test]
async fn curl_lists_fetches_and_uploads() {
    let rig = Rig::start("curl").await;
    let base = format!("imaps://localhost:{}", rig.tls.port());
    let curl = async |more: &[&str]| {
        let mut arguments: Vec<&OsStr> =
            ["--silent", "--show-error", "--max-time", "60", "--user", "alice:secret", "--cacert"]
                .map(OsStr::new)
                .to_vec();
        arguments.push(rig.authority.as_os_str());
        arguments.extend(more.iter().map(OsStr::new));
        let output = run("curl", &arguments).await?;
        assert!(output.status.success(), "curl {more:?}: {}", text(&output.stderr));
        Some(output.stdout)
    };
    let Some(list) = curl(&[&base]).await else { return };
    assert!(text(&list).contains("* LIST (\\HasNoChildren) \"/\" \"INBOX\""), "{}", text(&list));

    let stored = rig.server.mailbox("INBOX").messages();
    for message in [&stored[0], &stored[11], &stored[21], &stored[24]] {
        let fetched = curl(&[&format!("{base}/INBOX;UID={}", message.uid)]).await.unwrap();
        assert_eq!(text(&fetched), text(&message.octets));
    }
    let found = curl(&[&format!("{base}/INBOX?SUBJECT%20Report")]).await.unwrap();
    assert_eq!(text(&found).trim(), "* SEARCH 12 14");

    let letter = Path::new(env!("CARGO_TARGET_TMPDIR")).join("curl.eml");
    std::fs::write(&letter, "Subject: from curl\r\n\r\nhello\r\n").unwrap();
    curl(&["--upload-file", &letter.to_string_lossy(), &format!("{base}/Archive")]).await.unwrap();
    let archived = rig.server.mailbox("Archive").messages();
    assert_eq!(text(&archived[0].octets), "Subject: from curl\r\n\r\nhello\r\n");
}

#[tokio::test]
async fn curl_takes_up_tls_with_starttls() {
    let rig = Rig::start("starttls").await;
    let url = format!("imap://localhost:{}/INBOX;MAILINDEX=1;SECTION=TEXT", rig.plain.port());
    let mut arguments: Vec<&OsStr> =
        ["--silent", "--show-error", "--max-time", "60", "--ssl-reqd", "--user", "alice:secret", "--cacert"]
            .map(OsStr::new)
            .to_vec();
    arguments.extend([rig.authority.as_os_str(), url.as_ref()]);
    let Some(output) = run("curl", &arguments).await else { return };
    assert_eq!(text(&output.stdout), "Your mailbox is ready.\r\n", "{}", text(&output.stderr));
}
