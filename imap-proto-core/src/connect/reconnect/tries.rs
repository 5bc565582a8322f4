use super::policy::ReconnectPolicy;
use super::verdict::may_pass;
use crate::client::{Client, Operation};
use crate::connection::Health;
use crate::error::{Error, Fate};

/// What is left of doing something again.
pub(super) struct Tries {
    left: u32,
}

impl Tries {
    pub(super) fn new(policy: &ReconnectPolicy) -> Self {
        Tries { left: policy.most_attempts() }
    }

    /// The result, or `None` where the connection was lost under it and it may be done again.
    pub(super) async fn result<T>(&mut self, ended: Result<T, Error>, client: &Client) -> Option<Result<T, Error>> {
        let Err(error) = &ended else { return Some(ended) };
        self.left = self.left.saturating_sub(1);
        let is_again = self.left > 0 && may_pass(error) && is_lost(client).await;
        (!is_again).then_some(ended)
    }

    /// The same for an operation, by what is known of its effect.
    pub(super) async fn operation<T>(
        &mut self,
        mut operation: Operation<T>,
        client: &Client,
    ) -> Option<Result<T, Error>> {
        let ended = (&mut operation).await;
        match ended {
            Err(error) if error.is_fatal() => match operation.cancel().await {
                Fate::NotSent | Fate::Cancelled => self.result(Err(error), client).await,
                _ => Some(Err(Error::InDoubt(error.into()))),
            },
            ended => Some(ended),
        }
    }
}

/// The error may be of something else.
async fn is_lost(client: &Client) -> bool {
    matches!(client.health().await, Health::MustClose(_))
}
