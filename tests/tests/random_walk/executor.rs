use std::pin::Pin;
use std::sync::Arc;

use imap_async_std::AsyncIo;
use imap_async_std::async_std::AsyncStd;
use imap_async_std::smol::Smol;
use imap_proto_core::connect::{self, Spawn};
use imap_tests::servers::Server;
use imap_tokio::{Client, Error, LiteralPolicy, Security, Tokio};
use tokio::runtime::Runtime;

use crate::session::{PATIENCE, connector_on};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Opens another connection of the same kind.
pub(crate) type Connect = Arc<dyn Fn() -> Boxed<Result<Client, Error>> + Send + Sync>;

/// Where walks are done. The rest of a walk is the same on each.
pub(crate) enum Executor {
    Tokio(Runtime),
    Smol,
    AsyncStd,
}

impl Executor {
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self {
            Executor::Tokio(runtime) => runtime.block_on(future),
            Executor::Smol => smol::block_on(future),
            Executor::AsyncStd => async_std::task::block_on(future),
        }
    }

    /// Does it beside others, and gives what it ended with.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Boxed<T> {
        match self {
            Executor::Tokio(runtime) => {
                let task = runtime.spawn(work);
                Box::pin(async { task.await.expect("no operation went wrong") })
            }
            Executor::Smol => Box::pin(smol::spawn(work)),
            Executor::AsyncStd => Box::pin(async_std::task::spawn(work)),
        }
    }

    pub(crate) fn connect(
        &self,
        server: &dyn Server,
        security: Security,
        user: &str,
        literals: LiteralPolicy,
    ) -> Connect {
        match self {
            Executor::Tokio(_) => by(connector_on::<Tokio>(server, security, user), literals),
            Executor::Smol => by(connector_on::<AsyncIo<Smol>>(server, security, user), literals),
            Executor::AsyncStd => by(connector_on::<AsyncIo<AsyncStd>>(server, security, user), literals),
        }
    }
}

fn by<R: Spawn + Clone>(connector: connect::Connector<R>, literals: LiteralPolicy) -> Connect {
    let connector = connector.config(|config| config.literals = literals);
    Arc::new(move || {
        let connector = connector.clone();
        Box::pin(async move { connector.connect().await })
    })
}

/// What a future ends with, or nothing where it hangs.
pub(super) async fn in_time<F: Future>(future: F) -> Option<F::Output> {
    let late = async {
        smol::Timer::after(PATIENCE).await;
        None
    };
    smol::future::or(async { Some(future.await) }, late).await
}
