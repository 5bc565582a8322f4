//! Authorities, certificates, and a server that shows one to its only client, each on a thread of its own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};

use imap_proto_core::connect::rustls::crypto::ring::default_provider;
use imap_proto_core::connect::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use imap_proto_core::connect::rustls::server::WebPkiClientVerifier;
use imap_proto_core::connect::rustls::{self, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Signs certificates.
pub(crate) struct Authority {
    pub(crate) root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with what leads to its root, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key")
    }

    /// Signed by nobody but itself.
    pub(crate) fn of_its_own(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        Identity { chain: vec![made.cert.der().clone()], key: made.signing_key }
    }
}

fn params_of_authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let (params, key) = (params_of_authority(name), KeyPair::generate().expect("a key"));
        let root = params.self_signed(&key).expect("a certificate").der().clone();
        Authority { root, issuer: Issuer::new(params, key) }
    }

    /// A certificate for a server of these names, or as `change` will have it.
    pub(crate) fn issue(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { chain: vec![certificate.der().clone()], key }
    }

    /// An authority that this one vouches for, which it signs with, and its certificate.
    pub(crate) fn intermediate(&self) -> (Authority, CertificateDer<'static>) {
        let (params, key) = (params_of_authority("in between"), KeyPair::generate().expect("a key"));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").der().clone();
        (Authority { root: self.root.clone(), issuer: Issuer::new(params, key) }, certificate)
    }

    pub(crate) fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add(self.root.clone()).expect("a root of our own making");
        store
    }

    /// A configuration that knows this root and no other.
    pub(crate) fn trusted(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(versions).expect("ring has them");
        builder.with_root_certificates(self.store()).with_no_client_auth()
    }
}

/// How a server is.
pub(crate) struct Shows<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) starttls: bool,
    /// Whose certificate a client has to show.
    pub(crate) asks_for: Option<&'a Authority>,
}

/// What the server knows in the end.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) exporter: [u8; 32],
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

/// How a server goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// With TLS ended as it should be. RFC 8446 §6.1
    Properly,
    /// The socket is closed, and no more.
    Truncated,
}

/// A server for one client, which is let in, says these words in answer to its first command, `@` being the tag, and then
/// goes. Returns where it is.
pub(crate) fn say_and_leave(identity: &Identity, words: &'static str, leaves: Leaves) -> SocketAddr {
    let config = Arc::new(config(identity, None));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    spawn(move || -> io::Result<()> {
        let (tcp, _) = listener.accept()?;
        let session = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
        let mut tls = BufReader::new(rustls::StreamOwned::new(session, tcp));
        tls.get_mut().write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")?;
        let tag = read_tag(&mut tls)?.unwrap_or_default();
        let tls = tls.get_mut();
        tls.write_all(words.replace('@', &tag).as_bytes())?;
        if leaves == Leaves::Properly {
            tls.conn.send_close_notify();
        }
        tls.flush()
    });
    address
}

/// A server for one connection.
pub(crate) struct TlsServer {
    pub(crate) address: SocketAddr,
    /// Ends with the connection.
    pub(crate) thread: JoinHandle<io::Result<Seen>>,
}

impl TlsServer {
    pub(crate) fn start(shows: &Shows<'_>) -> Self {
        let config = config(shows.identity, shows.asks_for);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let (config, starttls) = (Arc::new(config), shows.starttls);
        TlsServer { address, thread: spawn(move || serve(&listener, config, starttls)) }
    }
}

pub(crate) fn config(identity: &Identity, asks_for: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.expect("ring has the default versions");
    let builder = match asks_for {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let roots = Arc::new(authority.store());
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.expect("it has a root"))
        }
    };
    builder.with_single_cert(identity.chain.clone(), identity.key()).expect("they fit")
}

fn serve(listener: &TcpListener, config: Arc<ServerConfig>, starttls: bool) -> io::Result<Seen> {
    let (mut tcp, _) = listener.accept()?;
    if starttls {
        tcp.write_all(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")?;
        let tag = read_tag(&mut BufReader::new(Unbuffered(&mut tcp)))?.unwrap_or_default();
        tcp.write_all(format!("{tag} OK go\r\n").as_bytes())?;
    }
    let mut session = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    session.complete_io(&mut tcp)?;
    let exporter = session.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]));
    let exporter = exporter.map_err(io::Error::other)?;
    let certificates = session.peer_certificates().unwrap_or_default().to_vec();
    let mut tls = BufReader::new(rustls::StreamOwned::new(session, tcp));
    if !starttls {
        tls.get_mut().write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")?;
    }
    // Whatever it is, what the server can do is an answer to it. A client that goes away is the end.
    while let Ok(Some(tag)) = read_tag(&mut tls) {
        tls.get_mut().write_all(format!("* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n").as_bytes())?;
    }
    Ok(Seen { exporter, certificates })
}

/// The tag of the next line.
fn read_tag(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let count = reader.read_line(&mut line)?;
    Ok(line.split(' ').next().filter(|_| count > 0).map(str::to_owned))
}

/// Reads one octet at a time, so that nothing of TLS is taken from it.
struct Unbuffered<'a>(&'a mut TcpStream);

impl Read for Unbuffered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(1);
        self.0.read(&mut into[..most])
    }
}
