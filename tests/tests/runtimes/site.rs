//! Where a scenario happens: the server, and the way to it.

use imap_proto_core::client::{Client, Mailbox};
use imap_proto_core::command::Append;
use imap_proto_core::connect::rustls::pki_types::CertificateDer;
use imap_proto_core::connect::{Connector, Spawn};
use imap_proto_core::types::MailboxName;
use imap_proto_core::{Credentials, Error, Security};
use imap_tests::servers::{PASSWORD, Server};
use imap_testserver::TestServer;

use crate::harness::Harness;
use crate::pipe::Pipe;

pub(crate) struct Site<H> {
    pub(crate) harness: H,
    way: Way,
    user: &'static str,
    /// What the mailbox of the scenario is called.
    name: &'static str,
}

enum Way {
    Memory(TestServer),
    Real { security: Security, port: u16, root: CertificateDer<'static> },
}

impl<H: Harness> Site<H> {
    /// A server in memory, without TLS.
    pub(crate) fn in_memory(harness: H, name: &'static str) -> Self {
        let server = TestServer::builder().user("alice", PASSWORD).start();
        Site { harness, way: Way::Memory(server), user: "alice", name }
    }

    pub(crate) fn real(
        harness: H,
        name: &'static str,
        server: &dyn Server,
        security: Security,
        user: &'static str,
    ) -> Self {
        let port = if security.begins_with_tls() { server.tls_port() } else { server.plain_port() };
        let root = server.ca_der().to_vec().into();
        Site { harness, way: Way::Real { security, port, root }, user, name }
    }

    pub(crate) fn connector(&self) -> Connector<H::Runtime> {
        let connector = self.harness.connector("localhost").credentials(Credentials::password(self.user, PASSWORD));
        match &self.way {
            Way::Memory(_) => connector.plaintext(),
            Way::Real { security, port, root } => {
                let connector = connector.address("127.0.0.1").port(*port).root(root.clone());
                match security {
                    Security::ImplicitTls => connector,
                    Security::StartTls => connector.starttls(),
                    Security::Plaintext => connector.plaintext(),
                }
            }
        }
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_by(self.connector()).await.expect("the server lets us in")
    }

    pub(crate) async fn connect_by(&self, connector: Connector<H::Runtime>) -> Result<Client, Error> {
        match &self.way {
            Way::Real { .. } => connector.connect().await,
            Way::Memory(server) => {
                let (client, driver) = connector.open_over(Pipe::to(server)).await?;
                H::Runtime::default().spawn(driver);
                Ok(client)
            }
        }
    }

    /// The name of the scenario's own mailbox.
    pub(crate) fn mailbox(&self) -> MailboxName {
        MailboxName::new(self.name).expect("a name")
    }

    /// Connects, makes the scenario's own mailbox, stores messages in it and selects it.
    pub(crate) async fn begin(&self, messages: impl IntoIterator<Item = Vec<u8>>) -> (Client, Mailbox) {
        let client = self.connect().await;
        client.create(self.mailbox()).await.expect("it is made");
        for octets in messages {
            client.append(Append::new(self.mailbox(), octets)).await.expect("it is stored");
        }
        let mailbox = client.select(self.mailbox()).await.expect("it is there");
        (client, mailbox)
    }

    /// Shows that the connection is good to the end.
    pub(crate) async fn end(&self, client: Client) {
        client.noop().await.expect("the connection is good");
        client.settle().await.expect("nothing is left");
        client.logout().await.expect("it says goodbye");
    }
}
