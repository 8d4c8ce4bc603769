//! What a manifest declares, whatever the account: for those who put a connector to the test.

use crate::{connector::Connector, manifest::OperationKind};

impl Connector {
    /// Whether there is any way to do this with the object.
    pub fn offers(&self, object: &str, kind: OperationKind) -> bool {
        self.object(object)
            .is_some_and(|object| !self.ways(object, kind).is_empty())
    }

    /// Whether any write of the object can carry several records.
    pub fn offers_bulk(&self, object: &str) -> bool {
        let Some(object) = self.object(object) else {
            return false;
        };
        let mut writes = OperationKind::ALL.into_iter().filter(|kind| !kind.is_read());
        writes.any(|kind| self.ways(object, kind).iter().any(|way| way.bulk.is_some()))
    }

    /// Whether a record of this object whose answer was lost is looked for on several pages.
    pub fn probes_in_pages(&self, object: &str) -> bool {
        let object = self.object(object);
        object.is_some_and(|object| {
            self.ways(object, OperationKind::Probe)
                .iter()
                .any(|way| way.pages.is_some())
        })
    }

    /// Whether this way to authenticate asks for access tokens.
    pub fn asks_for_tokens(&self, auth_kind: &str) -> bool {
        self.auth
            .iter()
            .any(|auth| auth.name == auth_kind && auth.token.is_some())
    }

    /// The credentials that the answer to a token request may replace.
    pub fn rotating_credentials(&self, auth_kind: &str) -> Vec<String> {
        let auth = self.auth.iter().find(|auth| auth.name == auth_kind);
        let source = auth.and_then(|auth| auth.token.as_ref());
        source.map(|source| source.replaced_credentials()).unwrap_or_default()
    }
}
