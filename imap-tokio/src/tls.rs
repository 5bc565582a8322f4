use std::sync::Arc;

use imap_proto_core::Error;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub(crate) enum Trust {
    /// Those of the roots that browsers trust, compiled in.
    #[default]
    Web,
    /// Those of these roots alone.
    Roots(Vec<CertificateDer<'static>>),
    /// Those that the operating system believes.
    #[cfg(feature = "platform-roots")]
    Platform,
    /// Those that the caller's configuration believes.
    Config(Arc<ClientConfig>),
}

impl Trust {
    pub(crate) fn with_root(self, root: CertificateDer<'static>) -> Self {
        match self {
            Trust::Roots(mut roots) => {
                roots.push(root);
                Trust::Roots(roots)
            }
            _ => Trust::Roots(vec![root]),
        }
    }

    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        // Named, since a program may have more than one provider in its tree.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(transport)?;
        let mut store = RootCertStore::empty();
        match self {
            Trust::Config(config) => return Ok(config.clone()),
            #[cfg(feature = "platform-roots")]
            Trust::Platform => {
                use rustls_platform_verifier::BuilderVerifierExt;
                let verified = builder.with_platform_verifier().map_err(transport)?;
                return Ok(Arc::new(verified.with_no_client_auth()));
            }
            Trust::Web => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Trust::Roots(roots) => roots.iter().try_for_each(|root| store.add(root.clone())).map_err(transport)?,
        }
        Ok(Arc::new(builder.with_root_certificates(store).with_no_client_auth()))
    }
}

fn transport(error: rustls::Error) -> Error {
    Error::Transport(Arc::new(error))
}
