//! Logs in by OAuth 2.0, and says how many messages the INBOX has.
//!
//! `oauth microsoft USER` has you sign in in a browser; with `OAUTH_REFRESH_TOKEN` set nobody has to. `oauth gmail USER` wants that,
//! as Google allows no mail to programs that are signed in from another device. `OAUTH_CLIENT_ID` is what the program is registered
//! as, `OAUTH_CLIENT_SECRET` its secret where it has one.

use std::env::{args, var};
use std::process::ExitCode;

use imap_examples::{Fallible, Program, Service, Tokens};
use imap_tokio::{Connector, Credentials};
use oauth2::{ClientId, ClientSecret, RefreshToken};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |&cause| cause.source());
            eprintln!("{error}{}", causes.map(|cause| format!(": {cause}")).collect::<String>());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Fallible<()> {
    let arguments: Vec<String> = args().skip(1).collect();
    let [service, user] = &arguments[..] else { return Err("usage: oauth microsoft|gmail USER".into()) };
    let service = match service.as_str() {
        "microsoft" => Service::microsoft(),
        "gmail" => Service::gmail(),
        other => return Err(format!("no service of the name {other}").into()),
    };
    let id = var("OAUTH_CLIENT_ID").map_err(|_| "OAUTH_CLIENT_ID is not set: register the program with the service")?;
    let secret = var("OAUTH_CLIENT_SECRET").ok().map(ClientSecret::new);
    let program = Program { id: ClientId::new(id), secret };
    let tokens = match var("OAUTH_REFRESH_TOKEN") {
        Ok(refresh) => Tokens::of_refresh_token(&service, &program, RefreshToken::new(refresh))?,
        Err(_) => {
            let show = |uri: &str, code: &str| println!("Go to {uri} and enter {code}");
            Tokens::by_signing_in(&service, &program, show).await?
        }
    };
    let login = Credentials::provided(user, tokens);
    let client = Connector::new(service.host).credentials(login).connect().await?;
    let inbox = client.examine("INBOX").await?;
    println!("{} messages in the INBOX of {user}", inbox.exists());
    client.logout().await?;
    Ok(())
}
