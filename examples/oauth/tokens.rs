use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imap_tokio::sasl::{Refresh, TokenFuture, TokenProvider};
use imap_tokio::types::Secret;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RefreshToken, RequestTokenError, Scope, StandardDeviceAuthorizationResponse,
    TokenResponse, TokenUrl,
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;

use crate::Fallible;

/// Where tokens for a mail server come from.
#[derive(Clone, Debug)]
pub struct Service {
    /// The mail server.
    pub host: String,
    /// Where tokens are asked for. RFC 6749 §3.2
    pub token_url: String,
    /// Where a person is asked to sign in on another device, for services that have that for mail. RFC 8628 §3.1
    pub device_url: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
}

impl Service {
    /// Microsoft 365, for work and private accounts.
    pub fn microsoft() -> Self {
        let url = |end: &str| format!("https://login.microsoftonline.com/common/oauth2/v2.0/{end}");
        Service {
            host: "outlook.office365.com".into(),
            token_url: url("token"),
            device_url: Some(url("devicecode")),
            scopes: vec!["https://outlook.office.com/IMAP.AccessAsUser.All".into(), "offline_access".into()],
        }
    }

    /// Gmail. Google allows no mail to the flow for devices, so that a refresh token has to be had from the one in a browser.
    pub fn gmail() -> Self {
        Service {
            host: "imap.gmail.com".into(),
            token_url: "https://oauth2.googleapis.com/token".into(),
            device_url: None,
            scopes: vec!["https://mail.google.com/".into()],
        }
    }
}

/// What the program is registered as with the service.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its identifier.
    pub id: ClientId,
    /// Its secret, for services that give one to programs like this.
    pub secret: Option<ClientSecret>,
}

type Endpoints = BasicClient<EndpointNotSet, EndpointMaybeSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The access tokens of one account: the one that is held while it is good, and a new one by the refresh token.
///
/// All connections of the account share it. Those that want a new token at the same time wait for one request, which runs to
/// its end whoever is dropped meanwhile: a service may give another refresh token with the answer, and take the old one back.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    endpoints: Endpoints,
    held: Arc<Mutex<Held>>,
    /// How often the access token was renewed.
    renewals: AtomicU64,
}

struct Held {
    access: Option<Access>,
    refresh: RefreshToken,
}

struct Access {
    token: Secret,
    /// `None` where the service does not say.
    good_until: Option<Instant>,
}

/// A token that is over so soon is not used any more: it has to last for the login.
const MARGIN: Duration = Duration::from_secs(60);

impl Tokens {
    /// Those of an account whose refresh token is known.
    ///
    /// # Errors
    /// When a URL of the service is none.
    pub fn of_refresh_token(service: &Service, program: &Program, refresh: RefreshToken) -> Fallible<Self> {
        Ok(Self::new(endpoints(service, program)?, Held { access: None, refresh }))
    }

    /// Has a person sign in on any device that has a browser: `show` tells them where, and the code to enter. RFC 8628
    ///
    /// # Errors
    /// When the service has no such flow, or they do not sign in in time.
    pub async fn by_signing_in(service: &Service, program: &Program, show: impl FnOnce(&str, &str)) -> Fallible<Self> {
        let endpoints = endpoints(service, program)?;
        let asking = endpoints.exchange_device_code().map_err(|_| "the service has no flow for devices")?;
        let scopes = service.scopes.iter().cloned().map(Scope::new);
        let asked: StandardDeviceAuthorizationResponse = asking.add_scopes(scopes).request_async(&send).await?;
        show(asked.verification_uri(), asked.user_code().secret());
        let waiting = endpoints.exchange_device_access_token(&asked);
        let answer = waiting.request_async(&send, tokio::time::sleep, None).await?;
        let refresh = answer.refresh_token().cloned().ok_or("the service gives no refresh token")?;
        let access = Some(Access::of(&answer));
        Ok(Self::new(endpoints, Held { access, refresh }))
    }

    fn new(endpoints: Endpoints, held: Held) -> Self {
        Tokens(Arc::new(Shared { endpoints, held: Arc::new(Mutex::new(held)), renewals: AtomicU64::new(0) }))
    }

    /// The refresh token as it is now, to be kept where passwords are.
    pub async fn refresh_token(&self) -> RefreshToken {
        self.0.held.lock().await.refresh.clone()
    }
}

impl TokenProvider for Tokens {
    fn token(&self, refresh: Refresh) -> TokenFuture<'_> {
        let shared = self.0.clone();
        let seen = shared.renewals.load(Ordering::Acquire);
        Box::pin(async move {
            let held = shared.held.clone().lock_owned().await;
            // One that came while we waited is not the one that was refused.
            let is_newer = shared.renewals.load(Ordering::Acquire) > seen;
            if (refresh == Refresh::IfExpired || is_newer)
                && let Some(access) = held.access.as_ref().filter(|access| access.is_good())
            {
                return Ok(access.token.clone());
            }
            // On a task of its own, which is not dropped with whoever waits for it.
            tokio::spawn(async move { shared.renew(held).await }).await?
        })
    }
}

impl Shared {
    /// RFC 6749 §6
    async fn renew(&self, mut held: OwnedMutexGuard<Held>) -> Result<Secret, Box<dyn Error + Send + Sync>> {
        let asking = self.endpoints.exchange_refresh_token(&held.refresh).request_async(&send).await;
        let answer = asking.map_err(|error| match error {
            // Of the network: it may pass, and is asked again where a connection is opened again.
            RequestTokenError::Request(error) => Box::from(error),
            // Its debug format has what came, which may be a token.
            error => Box::<dyn Error + Send + Sync>::from(error.to_string()),
        })?;
        if let Some(next) = answer.refresh_token() {
            held.refresh = next.clone();
        }
        let access = Access::of(&answer);
        let token = access.token.clone();
        held.access = Some(access);
        self.renewals.fetch_add(1, Ordering::Release);
        Ok(token)
    }
}

impl Access {
    fn of(answer: &BasicTokenResponse) -> Self {
        let token = Secret::from(answer.access_token().secret());
        Access { token, good_until: answer.expires_in().and_then(|time| Instant::now().checked_add(time)) }
    }

    fn is_good(&self) -> bool {
        self.good_until.is_none_or(|until| until > Instant::now() + MARGIN)
    }
}

fn endpoints(service: &Service, program: &Program) -> Fallible<Endpoints> {
    let device_url = service.device_url.clone().map(DeviceAuthorizationUrl::new).transpose()?;
    let mut client = BasicClient::new(program.id.clone()).set_auth_type(AuthType::RequestBody);
    if let Some(secret) = &program.secret {
        client = client.set_client_secret(secret.clone());
    }
    let client = client.set_token_uri(TokenUrl::new(service.token_url.clone())?);
    Ok(client.set_device_authorization_url_option(device_url))
}

/// More than any answer of a token endpoint.
const MOST: u64 = 1 << 20;

/// How long a service may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks a service by HTTP, on a thread for what blocks.
async fn send(request: HttpRequest) -> Result<HttpResponse, io::Error> {
    let asking = spawn_blocking(move || {
        // A redirect could lead the refresh token elsewhere, and a refusal has its reason in its body.
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().new_agent();
        let (parts, mut body) = agent.run(request)?.into_parts();
        let body = body.with_config().limit(MOST).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, body))
    });
    asking.await?.map_err(ureq::Error::into_io)
}
