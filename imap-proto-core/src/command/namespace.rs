use super::{Claim, Command, Completion, Request};
use crate::error::Misuse;
use crate::types::{Capability, ListPattern, Namespace, Namespaces};
use crate::wire::{Encoder, Response};

/// `NAMESPACE`: asks where mailboxes are. RFC 9051 §6.3.10 and RFC 2342
///
/// A server that does not offer it is asked for the delimiter of its names by `LIST "" ""`, and all mailboxes are taken for
/// the user's own. Dropped half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug, Default)]
pub struct NamespaceCommand {
    told: Namespaces,
}

impl Command for NamespaceCommand {
    type Output = Namespaces;

    fn request(&self) -> Result<Request, Misuse> {
        let request = Request {
            claim: Claim::named(["NAMESPACE", "LIST"]),
            ..Request::new("NAMESPACE", Encoder::new("NAMESPACE"))?
        };
        Ok(request.or_without(Capability::Namespace, Encoder::new("LIST \"\" \"\""))?)
    }

    fn fold(&mut self, response: Response<'_>) {
        if let Some(told) = response.as_namespaces() {
            self.told = told;
        } else if let Some(root) = response.as_list() {
            let everywhere = ListPattern::from("");
            self.told.personal = alloc::vec![Namespace::new(everywhere.as_name().clone(), root.delimiter())];
        }
    }

    fn finish(self, _: Completion) -> Namespaces {
        self.told
    }
}
