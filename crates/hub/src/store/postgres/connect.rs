//! From the address of a database to connections: TLS, limits, the pool.

use std::{path::Path, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use crate::store::StoreError;

/// How long making a connection, or waiting for one that is free, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections of one process at most, beside that of its session.
const CONNECTIONS: usize = 12;
/// What every connection is told. The statements are few and prepared, so plans are made once; compiling them never pays. A plan that is made
/// while a table is empty stays when it has grown, so none may read a table from end to end where an index leads to the rows. A transaction
/// that its process has forgotten must not keep rows locked.
const OPTIONS: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c idle_in_transaction_session_timeout=60000 \
                       -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3";

/// A database that can be connected to.
#[derive(Clone)]
pub(super) struct Address {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=FILE`. With `sslmode=require`, `verify-ca` or `verify-full`
    /// the certificate is verified and its name compared, against the machine's authorities or those of `sslrootcert`. Without a mode, a
    /// database on this machine is spoken to in clear, and any other one with TLS if it offers that.
    pub fn read(url: &str) -> Result<Self, StoreError> {
        let mut url = Url::parse(url).map_err(|error| unreadable(&error))?;
        let (mut authorities, mut mode, mut rest) = (None, None, Vec::new());
        // The others stay as they are written: what reads them next takes `%20` for a space, and not `+`.
        let query = url.query().unwrap_or_default().to_owned();
        for part in query.split('&') {
            match url::form_urlencoded::parse(part.as_bytes()).next() {
                Some((name, value)) if name == "sslrootcert" => authorities = Some(value.into_owned()),
                Some((name, value)) if name == "sslmode" => mode = Some(value.into_owned()),
                Some(_) => rest.push(part),
                None => {}
            }
        }
        url.set_query((!rest.is_empty()).then(|| rest.join("&")).as_deref());
        let mut config: Config = url.as_str().parse().map_err(|error| unreadable(&error))?;
        let near = config.get_hosts().iter().all(is_near);
        config.ssl_mode(match mode.as_deref() {
            Some("disable") => SslMode::Disable,
            Some("prefer" | "allow") => SslMode::Prefer,
            Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some(other) => {
                return Err(unreadable(&format!(
                    "sslmode={other} is none of disable, prefer, require"
                )));
            }
            None if near => SslMode::Disable,
            None => SslMode::Prefer,
        });
        let options = match config.get_options() {
            Some(given) => format!("{OPTIONS} {given}"),
            None => OPTIONS.to_owned(),
        };
        config.options(options).connect_timeout(PATIENCE);
        config.keepalives_idle(PATIENCE);
        if config.get_application_name().is_none() {
            config.application_name("switchboard");
        }
        Ok(Self {
            config,
            tls: MakeRustlsConnect::new(tls(authorities.as_deref().map(Path::new))?),
        })
    }

    pub fn pool(&self) -> Result<Pool, StoreError> {
        let how = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        Pool::builder(Manager::from_config(self.config.clone(), self.tls.clone(), how))
            .max_size(CONNECTIONS)
            // The one that was used last has everything at hand; taking turns would keep all of them cold.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| StoreError::Failed(error.to_string()))
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!(
        "the address of the database is not of the form postgres://USER:PASSWORD@HOST:PORT/NAME: {error}"
    ))
}

fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let name = name.trim_matches(['[', ']']);
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn tls(authorities: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Failed(format!("TLS cannot be used: {error}"));
    // The first one wins; every user of TLS in this process names the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = ClientConfig::builder();
    let builder = match authorities {
        Some(file) => {
            let mut roots = RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(file)
                .map_err(|error| failed(&format!("sslrootcert={}: {error}", file.display())))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| failed(&error))?;
                roots.add(certificate).map_err(|error| failed(&error))?;
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(|error| failed(&error))?,
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_of_tls_follows_the_address() {
        for (url, mode) in [
            ("postgres://u:p@localhost/d", SslMode::Disable),
            ("postgres://u:p@127.0.0.1:5433/d", SslMode::Disable),
            ("postgres://u:p@db.example.org/d", SslMode::Prefer),
            ("postgres://u:p@db.example.org/d?sslmode=require", SslMode::Require),
            (
                "postgresql://u:p@localhost/d?sslmode=verify-full&connect_timeout=3",
                SslMode::Require,
            ),
        ] {
            let address = Address::read(url).unwrap();
            assert_eq!(address.config.get_ssl_mode(), mode, "{url}");
        }
    }

    #[test]
    fn options_of_the_address_are_told_after_the_own_ones() {
        let url = "postgres://u:p@localhost/d?options=-c%20search_path%3Dcrm&sslmode=disable&application_name=hub";
        let address = Address::read(url).unwrap();
        assert_eq!(
            address.config.get_options(),
            Some(&*format!("{OPTIONS} -c search_path=crm"))
        );
        assert_eq!(address.config.get_application_name(), Some("hub"));
    }

    #[test]
    fn what_is_no_address_is_said_without_the_password() {
        for url in [
            "postgres://u:hunter2@host/d?sslmode=maybe",
            "postgres://u:hunter2@host:x/d",
        ] {
            let Err(error) = Address::read(url) else {
                panic!("{url}")
            };
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
