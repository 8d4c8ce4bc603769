//! The shape of checks: how a request is known to be the pusher's.

use serde::Deserialize;

use crate::manifest::OneOrMany;

/// A check, or several of which one must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum CheckSpec {
    /// One of several.
    Any(AlternativesSpec),
    /// One.
    One(Box<OneCheckSpec>),
}

/// Checks of which one must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternativesSpec {
    /// In the order in which they are tried.
    pub any: Vec<OneCheckSpec>,
}

/// A check. Exactly one of the ways is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCheckSpec {
    /// For which requests; for others it does not apply. CEL.
    #[serde(default)]
    pub when: Option<String>,
    /// Does not apply while none of its secrets is given.
    #[serde(default)]
    pub optional: bool,
    /// A failure is noted and refuses nothing.
    #[serde(default)]
    pub log_only: bool,
    /// A keyed digest of parts of the request.
    #[serde(default)]
    pub hmac: Option<HmacSpec>,
    /// A digest of parts of the request, one of which is a secret.
    #[serde(default)]
    pub digest: Option<DigestSpec>,
    /// Standard Webhooks.
    #[serde(default)]
    pub standard_webhooks: Option<StandardSpec>,
    /// An Ed25519 signature.
    #[serde(default)]
    pub ed25519: Option<KeySpec>,
    /// An RSA signature, PKCS#1 v1.5 with SHA-256.
    #[serde(default)]
    pub rsa: Option<KeySpec>,
    /// A JSON Web Token.
    #[serde(default)]
    pub jwt: Option<JwtSpec>,
    /// A secret that is sent along.
    #[serde(default)]
    pub shared: Option<SharedSpec>,
    /// User and password.
    #[serde(default)]
    pub basic: Option<BasicSpec>,
    /// Where the request comes from.
    #[serde(default)]
    pub addresses: Option<AddressesSpec>,
}

/// A digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextForm {
    /// Hexadecimal, small letters.
    Hex,
    /// Hexadecimal, capital letters.
    HexUpper,
    /// Base 64 with padding.
    Base64,
    /// Base 64 for addresses, without padding.
    Base64url,
    /// Base 64 of the hexadecimal text.
    Base64OfHex,
}

/// How the bytes of a key are had from the text of a secret.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretForm {
    /// How.
    pub form: SecretCode,
    /// Is taken off first, where it is there.
    pub prefix: Option<String>,
}

/// How a secret is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretCode {
    /// Its bytes are the key.
    #[default]
    Text,
    /// Base 64.
    Base64,
    /// Hexadecimal.
    Hex,
}

/// `hmac` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacSpec {
    /// The digest.
    pub hash: Hash,
    /// Names of secrets; any that is given may fit.
    pub secret: OneOrMany<String>,
    /// How they become keys.
    #[serde(default)]
    pub key: SecretForm,
    /// What is signed.
    pub over: Vec<PartSpec>,
    /// Where the signature stands.
    pub signature: SignatureSpec,
    /// Where its time stands.
    #[serde(default)]
    pub timestamp: Option<TimestampSpec>,
}

/// A keyed digest that we make.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyedSpec {
    /// The digest.
    pub hash: Hash,
    /// The name of a secret, or names; the first that is given is used.
    pub secret: OneOrMany<String>,
    /// How it becomes a key.
    #[serde(default)]
    pub key: SecretForm,
    /// What is signed.
    pub over: Vec<PartSpec>,
    /// How the result is written.
    pub form: TextForm,
}

/// `digest` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestSpec {
    /// The digest.
    pub hash: Hash,
    /// What is digested; one part is a secret.
    pub over: Vec<PartSpec>,
    /// Where the digest stands.
    pub signature: SignatureSpec,
    /// Where its time stands.
    #[serde(default)]
    pub timestamp: Option<TimestampSpec>,
}

/// `ed25519` and `rsa` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// The name of the secret or setting that holds the public key.
    pub public_key: String,
    /// What is signed.
    pub over: Vec<PartSpec>,
    /// Where the signature stands.
    pub signature: SignatureSpec,
    /// Where its time stands.
    #[serde(default)]
    pub timestamp: Option<TimestampSpec>,
}

/// `standard_webhooks` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardSpec {
    /// Names of secrets (`whsec_…`) for `v1`.
    #[serde(default)]
    pub secret: OneOrMany<String>,
    /// The name of the secret or setting that holds the public key (`whpk_…`) for `v1a`.
    #[serde(default)]
    pub public_key: Option<String>,
    /// What the names of the headers begin with: `webhook`.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Which versions are accepted: `v1`.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Seconds, both sides: 300.
    #[serde(default)]
    pub tolerance: Option<u32>,
}

/// `jwt` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtSpec {
    /// `HS256`, `HS384`, `HS512`, `RS256` or `EdDSA`; a token of any other is refused.
    pub algorithm: String,
    /// Names of secrets.
    #[serde(default)]
    pub secret: OneOrMany<String>,
    /// The name of the secret or setting that holds the public key.
    #[serde(default)]
    pub public_key: Option<String>,
    /// Where the token stands.
    pub token: WhereSpec,
    /// Seconds by which clocks may differ: 60.
    #[serde(default)]
    pub tolerance: Option<u32>,
    /// Accept tokens that never end.
    #[serde(default)]
    pub without_expiry: bool,
    /// What the claims must be. CEL.
    #[serde(default)]
    pub claims: Option<String>,
    /// The claim that holds a digest of the body.
    #[serde(default)]
    pub body_digest: Option<BodyDigestSpec>,
}

/// A claim that holds a digest of the body.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyDigestSpec {
    /// Its name.
    pub claim: String,
    /// The digest.
    pub hash: Hash,
    /// How it is written.
    pub form: TextForm,
}

/// `shared` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedSpec {
    /// Names of secrets; any that is given may fit.
    pub secret: OneOrMany<String>,
    /// A header.
    #[serde(default)]
    pub header: Option<String>,
    /// A parameter of the address.
    #[serde(default)]
    pub query: Option<String>,
    /// A JSON pointer into the parsed body.
    #[serde(default)]
    pub pointer: Option<String>,
    /// What stands in the address behind the path of the source.
    #[serde(default)]
    pub path: bool,
    /// Must stand before it, and is taken off.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The header's name is compared without `-` and `_`.
    #[serde(default)]
    pub loose: bool,
}

/// A place in a request. Exactly one of `header`, `query`, `pointer` is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhereSpec {
    /// A header.
    pub header: Option<String>,
    /// A parameter of the address.
    pub query: Option<String>,
    /// A JSON pointer into the parsed body.
    pub pointer: Option<String>,
    /// Must stand before it, and is taken off.
    pub prefix: Option<String>,
    /// The header's name is compared without `-` and `_`.
    pub loose: bool,
}

/// `basic` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicSpec {
    /// The name of the secret or setting that holds the user.
    pub user: String,
    /// The name of the secret that holds the password.
    pub password: String,
}

/// `addresses` of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressesSpec {
    /// Addresses and networks (`192.0.2.0/24`).
    #[serde(default)]
    pub list: Vec<String>,
    /// The name of the setting that holds further ones.
    #[serde(default)]
    pub setting: Option<String>,
}

/// A part of what is signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum PartSpec {
    /// Of the request itself.
    Word(PartWord),
    /// From a place.
    Placed(PlacedPart),
}

/// A part that needs no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartWord {
    /// The body, byte by byte.
    Body,
    /// `POST`.
    Method,
    /// The public address with its query.
    Url,
    /// The same with the escapes undone that HubSpot names.
    DecodedUrl,
    /// What stands behind `/in/`.
    Path,
    /// The time of the signature, as it was sent.
    Timestamp,
}

/// A part from a place. Exactly one member is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlacedPart {
    /// As it stands here.
    pub text: Option<String>,
    /// A header.
    pub header: Option<String>,
    /// A parameter of the address.
    pub query: Option<String>,
    /// A JSON pointer into the parsed body.
    pub pointer: Option<String>,
    /// A secret.
    pub secret: Option<String>,
}

/// How several values stand in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListForm {
    /// `k=v,k=v`
    CommaPairs,
    /// Separated by spaces.
    Spaces,
    /// Separated by commas.
    Commas,
}

/// Where a signature stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureSpec {
    /// A header.
    #[serde(default)]
    pub header: Option<String>,
    /// A parameter of the address.
    #[serde(default)]
    pub query: Option<String>,
    /// A JSON pointer into the parsed body.
    #[serde(default)]
    pub pointer: Option<String>,
    /// The header's name is compared without `-` and `_`.
    #[serde(default)]
    pub loose: bool,
    /// Must stand before it.
    #[serde(default)]
    pub prefix: Option<String>,
    /// How it is written.
    pub form: TextForm,
    /// How several stand in one text.
    #[serde(default)]
    pub list: Option<ListForm>,
    /// Its name among pairs.
    #[serde(default)]
    pub member: Option<String>,
}

/// Where the time of a signature stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampSpec {
    /// A header.
    #[serde(default)]
    pub header: Option<String>,
    /// A parameter of the address.
    #[serde(default)]
    pub query: Option<String>,
    /// A JSON pointer into the parsed body.
    #[serde(default)]
    pub pointer: Option<String>,
    /// The header's name is compared without `-` and `_`.
    #[serde(default)]
    pub loose: bool,
    /// How several values stand in one text.
    #[serde(default)]
    pub list: Option<ListForm>,
    /// Its name among pairs.
    #[serde(default)]
    pub member: Option<String>,
    /// What it counts.
    pub unit: TimeUnit,
    /// Seconds, both sides.
    pub tolerance: u32,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Milliseconds,
    /// RFC 3339.
    Rfc3339,
}
