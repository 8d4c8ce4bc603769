//! What a person says about one connection: the configured account of a connector.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether a connection may carry traffic. The numbers are stored; never renumber them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ConnectionState {
    /// Something is missing (credentials, a board …); deliveries wait.
    Draft = 0,
    /// At work.
    Active = 1,
    /// A person has stopped it; deliveries wait.
    Paused = 2,
    /// The vendor does not accept the credentials; deliveries wait.
    Error = 3,
}

impl ConnectionState {
    /// The state with this stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Paused, Self::Error]
            .into_iter()
            .find(|state| *state as u8 == number)
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Error => "error",
        }
    }
}

/// The wish: how a connection is to be. Secrets are in clear here and nowhere else; the store seals them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionSpec {
    /// The user's own id, unique in the workspace: `primary-crm`.
    pub key: String,
    /// The connector's slug: `salesforce`.
    pub connector: String,
    /// The name that people see.
    pub name: String,
    /// `false`: kept, but nothing is sent.
    pub enabled: bool,
    /// Among connections of one connector the one with the smallest number is meant when a strategy names the system only.
    pub priority: i64,
    /// Which of the connector's kinds of authentication.
    pub auth_kind: String,
    /// Settings without secrets, an object of the shape that the manifest gives.
    pub settings: Map<String, Value>,
    /// Credentials, an object of the shape that the manifest gives.
    pub secrets: Map<String, Value>,
    /// Mapping by object; empty means the connector's own default mappings.
    pub mappings: IndexMap<String, Value>,
    /// CEL; what must hold for an event to come here when no strategy names this connection. `None`: every event.
    pub condition: Option<String>,
    /// Objects to make when no route says which; empty means every object that has a mapping.
    pub objects: Vec<String>,
    /// What was translated or explained while the configuration was read, for the person.
    pub notes: Vec<String>,
    /// How values are brought into form on their way.
    #[serde(default, skip_serializing_if = "ValueRules::is_empty")]
    pub values: ValueRules,
}

/// What holds for every connection of a workspace that says nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Defaults {
    /// The country (ISO 3166, two letters) of telephone numbers without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The time zone (IANA) of times without an offset, and the one that times are shown in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// How the values of a connection's records are brought into form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueRules {
    /// The country (ISO 3166, two letters) of telephone numbers without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The time zone (IANA) of times without an offset, and the one that times are shown in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Filters that values pass through, by object and field; see [`crate::mapping::rules`].
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, IndexMap<String, String>>,
}

impl ValueRules {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Debug for ConnectionSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionSpec")
            .field("key", &self.key)
            .field("connector", &self.connector)
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
