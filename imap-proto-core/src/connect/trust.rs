use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub(super) enum Trust {
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

/// Who we are, for a server that asks for a certificate.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Trust {
    pub(super) fn with_root(self, root: CertificateDer<'static>) -> Self {
        match self {
            Trust::Roots(mut roots) => {
                roots.push(root);
                Trust::Roots(roots)
            }
            _ => Trust::Roots(vec![root]),
        }
    }

    /// # Errors
    /// For a root that is no certificate, and for a key that does not fit its certificate.
    pub(super) fn config(&self, identity: Option<&Identity>) -> Result<Arc<ClientConfig>, Error> {
        let config = self.without_identity().map_err(transport)?;
        match identity {
            None => Ok(config),
            Some(identity) => identity.over(&config).map(Arc::new).map_err(transport),
        }
    }

    fn without_identity(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        // Named, since a program may have more than one provider in its tree.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut store = RootCertStore::empty();
        match self {
            Trust::Config(config) => return Ok(config.clone()),
            #[cfg(feature = "platform-roots")]
            Trust::Platform => {
                use rustls_platform_verifier::BuilderVerifierExt;
                return Ok(Arc::new(builder.with_platform_verifier()?.with_no_client_auth()));
            }
            Trust::Web => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Trust::Roots(roots) => roots.iter().try_for_each(|root| store.add(root.clone()))?,
        }
        Ok(Arc::new(builder.with_root_certificates(store).with_no_client_auth()))
    }
}

impl Identity {
    fn over(&self, config: &ClientConfig) -> Result<ClientConfig, rustls::Error> {
        let key = CertifiedKey::from_der(self.chain.clone(), self.key.clone_key(), config.crypto_provider())?;
        let mut config = config.clone();
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(key));
        Ok(config)
    }
}

fn transport(error: rustls::Error) -> Error {
    Error::Transport(Arc::new(error))
}
