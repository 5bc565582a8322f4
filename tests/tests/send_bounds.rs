//! What users move between threads can be moved, and the adapters are no more than adapters.

use std::fs;
use std::path::Path;

use imap_tokio::types::UidSet;
use imap_tokio::{
    AppendAll, AppendReport, BodyStream, Canceller, Client, Connector, Error, FetchStream, FetchedMessage, Ledger,
    Mailbox, Operation, Stopper, TokioWire, Watch,
};
use tokio::io::DuplexStream;
use tokio::net::TcpStream;

fn is_send<T: Send + 'static>() {}
fn is_shared<T: Send + Sync + 'static>() {}
fn is_sent<T: Send + 'static>(_: &T) {}
fn is_clone<T: Clone>() {}

#[test]
fn handles_and_errors_are_shared_between_threads() {
    is_shared::<Client>();
    is_shared::<Mailbox>();
    is_shared::<Canceller>();
    is_shared::<Connector>();
    is_shared::<imap_async_std::Connector>();
    is_shared::<imap_async_std::smol::Connector>();
    is_shared::<imap_async_std::async_std::Connector>();
    // Everything is in the modules of the runtimes as well.
    is_shared::<imap_async_std::smol::connect::Route>();
    is_shared::<imap_async_std::async_std::types::UidSet>();
    is_shared::<imap_tokio::connect::Route>();
    is_shared::<Stopper>();
    is_shared::<AppendReport>();
    is_shared::<Error>();
    is_shared::<FetchedMessage>();
    is_shared::<Box<dyn std::error::Error + Send + Sync>>();
    is_clone::<Client>();
    is_clone::<Mailbox>();
    is_clone::<Error>();
}

#[test]
fn operations_streams_and_drivers_are_sent_between_threads() {
    is_send::<Operation<()>>();
    is_send::<Operation<Mailbox>>();
    is_send::<Operation<UidSet>>();
    is_send::<AppendAll>();
    is_send::<Ledger>();
    is_send::<FetchStream>();
    is_send::<BodyStream>();
    is_send::<Watch>();
    is_send::<imap_tokio::Driver<TokioWire<TcpStream>>>();
    is_send::<imap_tokio::Driver<TokioWire<DuplexStream>>>();
    is_send::<imap_tokio::BodyReader>();
    is_send::<imap_async_std::BodyReader>();
    is_send::<imap_tokio::Source>();
}

/// Checked by the compiler; a generic bound would not see what a future holds across its awaits.
#[test]
fn the_future_of_connecting_is_sent_between_threads() {
    #[expect(clippy::manual_async_fn, reason = "the bound is what is tested")]
    fn connecting(connector: Connector) -> impl Future<Output = Result<Client, Error>> + Send + 'static {
        async move { connector.connect().await }
    }
    #[expect(clippy::manual_async_fn, reason = "the bound is what is tested")]
    fn opening(connector: Connector) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        async move {
            let (_client, driver) = connector.open().await?;
            is_sent(&driver);
            Err(driver.await)
        }
    }
    #[expect(clippy::manual_async_fn, reason = "the bound is what is tested")]
    fn elsewhere(
        smol: imap_async_std::smol::Connector,
        other: imap_async_std::Connector,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        async move {
            let _client = smol.connect().await?;
            let (_client, driver) = other.open().await?;
            is_sent(&driver);
            Err(driver.await)
        }
    }
    let connector = Connector::new("localhost");
    drop((connecting(connector.clone()), opening(connector)));
    drop(elsewhere(imap_async_std::smol::Connector::new("localhost"), imap_async_std::Connector::new("localhost")));
}

#[test]
fn whole_sessions_are_sent_between_threads() {
    #[expect(clippy::manual_async_fn, reason = "the bound is what is tested")]
    fn session(client: Client) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        async move {
            let inbox = client.select(imap_tokio::types::MailboxName::inbox()).await?;
            let found = inbox.search(imap_tokio::types::Query::all()).await?;
            let mut messages = inbox.fetch(found, imap_tokio::types::FetchItems::summary());
            while let Some(message) = messages.try_next().await? {
                let mut body = inbox.body(message.uid(), imap_tokio::types::Section::whole());
                while body.try_next().await?.is_some() {}
            }
            inbox.watch().try_next().await?;
            client.settle().await?;
            client.logout().await
        }
    }
    let _: fn(Client) -> _ = session;
}

/// The sources of the adapters, by line: which file and which number, and the line without its comment.
fn sources() -> Vec<(&'static str, Vec<(String, String)>)> {
    ["imap-tokio", "imap-async-std"].map(|adapter| (adapter, lines(adapter))).into()
}

fn lines(adapter: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(adapter).join("src");
    let (mut lines, mut files) = (Vec::new(), 0);
    for entry in fs::read_dir(dir).expect("the adapter has sources") {
        let path = entry.expect("a directory can be read").path();
        let source = fs::read_to_string(&path).expect("sources are text");
        files += 1;
        for (number, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            lines.push((format!("{}:{}: {line}", path.display(), number + 1), code.to_owned()));
        }
    }
    assert!(files >= 4, "{files} files were looked at");
    lines
}

#[test]
fn the_adapters_have_no_lock_and_look_at_no_protocol_value() {
    const FORBIDDEN: &[&str] =
        &["Mutex", "RwLock", "RefCell", "unsafe", "Kind", "Condition", "Data", "Event", "Response", "Code", "Token"];
    for (_, lines) in sources() {
        for (place, code) in lines {
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let found = words.find(|word| FORBIDDEN.contains(word));
            assert_eq!(found, None, "{place}");
        }
    }
}

/// What they have in common is in the core.
#[test]
fn the_adapters_are_small() {
    for (adapter, lines) in sources() {
        let code = lines.iter().filter(|(_, code)| !code.trim().is_empty()).count();
        println!("{adapter}: {code} lines of code");
        assert!(code < 700, "{adapter} has {code} lines of code");
    }
}
