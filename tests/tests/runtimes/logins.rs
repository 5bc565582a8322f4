//! SCRAM against our own server, bound to the TLS below it in each way.

use std::sync::Arc;
use std::thread;

use imap_proto_core::connect::rustls::crypto::ring::default_provider;
use imap_proto_core::connect::rustls::version::{TLS12, TLS13};
use imap_proto_core::connect::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use imap_proto_core::types::Capability;
use imap_proto_core::{Credentials, Error, LoginRefusal, Security};
use imap_testserver::{Listener, TestServer};
use tokio::sync::oneshot;

use crate::harness::Harness;

const MECHANISMS: [&str; 4] = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"];

/// The server listens on tokio, whatever the client runs on.
struct Listening {
    server: TestServer,
    clear: Listener,
    tls: Listener,
    _ends: oneshot::Sender<()>,
}

impl Listening {
    fn start(mechanisms: &[&str]) -> Self {
        let builder = TestServer::builder().user("alice", "secret").without(Capability::Auth("PLAIN".into()));
        let auth = |name: &&str| Capability::Auth((*name).into());
        let server = mechanisms.iter().map(auth).fold(builder, |builder, name| builder.announcing(name)).start();
        let (ends, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listening = {
            let (server, handle) = (server.clone(), runtime.handle().clone());
            let listen =
                move || handle.block_on(async move { (server.listen_plain().await, server.listen_tls().await) });
            thread::spawn(listen).join().expect("it listens")
        };
        thread::spawn(move || runtime.block_on(ended));
        let (clear, tls) = (listening.0.expect("a port"), listening.1.expect("a port"));
        Listening { server, clear, tls, _ends: ends }
    }

    fn trusting(&self, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server.ca_der().expect("a certificate").into()).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(&[version]).expect("ring has it");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    async fn log_in<H: Harness>(&self, harness: H, way: Way, login: Credentials) -> Result<(), Error> {
        let connector = harness.connector("localhost").address("127.0.0.1").credentials(login);
        let connector = match way.0 {
            Security::ImplicitTls => connector.port(self.tls.port()),
            Security::StartTls => connector.port(self.clear.port()).starttls(),
            Security::Plaintext => connector.port(self.clear.port()).plaintext(),
        };
        connector.tls_config(self.trusting(way.1)).connect().await?.logout().await
    }
}

type Way = (Security, &'static SupportedProtocolVersion);

/// `tls-exporter` in TLS 1.3, and `tls-server-end-point` in TLS 1.2.
const BOUND: [Way; 4] = [
    (Security::ImplicitTls, &TLS13),
    (Security::ImplicitTls, &TLS12),
    (Security::StartTls, &TLS13),
    (Security::StartTls, &TLS12),
];
const CLEAR: Way = (Security::Plaintext, &TLS13);

fn password(password: &str, mechanism: &'static str) -> Credentials {
    Credentials::password("alice", password).allow([mechanism])
}

fn is_refused(result: &Result<(), Error>) -> bool {
    result.as_ref().is_err_and(|error| error.login_refusal() == Some(LoginRefusal::Credentials))
}

pub(crate) async fn scram<H: Harness>(harness: H) {
    let listening = Listening::start(&MECHANISMS);
    for way in BOUND.into_iter().chain([CLEAR]) {
        for mechanism in MECHANISMS {
            let right = listening.log_in(harness, way, password("secret", mechanism)).await;
            let wrong = listening.log_in(harness, way, password("another", mechanism)).await;
            if mechanism.ends_with("-PLUS") && way.0 == Security::Plaintext {
                // There is nothing to bind to, and the server does not offer it.
                assert!(matches!(&right, Err(Error::NoMechanism { .. })), "{mechanism}: {right:?}");
            } else {
                assert!(right.is_ok(), "{mechanism} {way:?}: {right:?}");
                assert!(is_refused(&wrong), "{mechanism} {way:?}: {wrong:?}");
            }
        }
    }
}

/// A client that could bind says so where the server does not offer it, and the server takes that for what it is.
pub(crate) async fn unbound<H: Harness>(harness: H) {
    let listening = Listening::start(&MECHANISMS[..2]);
    for way in BOUND {
        let login = listening.log_in(harness, way, password("secret", "SCRAM-SHA-256")).await;
        assert!(login.is_ok(), "{way:?}: {login:?}");
        let bound = listening.log_in(harness, way, password("secret", "SCRAM-SHA-256-PLUS")).await;
        assert!(matches!(&bound, Err(Error::NoMechanism { .. })), "{way:?}: {bound:?}");
    }
}
