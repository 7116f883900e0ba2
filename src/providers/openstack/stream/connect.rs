//! A connection to the first broker that answers, in the order of the settings, at every start anew.

use super::errors::login_error;
use super::settings::{AmqpSettings, Broker};
use super::tls;
use crate::provider::StreamError;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};
use std::io;
use std::time::Duration;

/// Until TCP and TLS stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the broker has let us in.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(15);
/// Both sides send something so often; a broker that is silent for twice as long is dead. It is also proposed as little as
/// this to a broker whose own is longer.
const HEARTBEAT: u16 = 15;

/// Logs in to one broker after the other.
///
/// # Errors
/// What all of them said. A refusal decides over an address that nobody answers at: the brokers are one cluster, so it is
/// the refusal that can be helped.
pub(super) async fn connect(settings: &AmqpSettings) -> Result<(Connection, String), StreamError> {
    let mut errors = Vec::new();
    for broker in &settings.brokers {
        match login(settings, broker).await {
            Ok(connection) => {
                for error in &errors {
                    log::warn!("{}: {error}; {} answers", settings.ems, broker.shown());
                }
                return Ok((connection, broker.shown()));
            }
            Err(error) => errors.push(error),
        }
    }
    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let decisive = errors.iter().find(|error| !matches!(error, StreamError::Unreachable(_)));
    Err(match decisive {
        Some(StreamError::Unauthorized(_)) => StreamError::Unauthorized(text),
        Some(StreamError::Refused(_)) => StreamError::Refused(text),
        Some(StreamError::Unreachable(_) | StreamError::Throttled { .. }) | None => {
            StreamError::Unreachable(text)
        }
    })
}

async fn login(settings: &AmqpSettings, broker: &Broker) -> Result<Connection, StreamError> {
    let connector = match &broker.tls {
        Some(tls) => Some(tls::connector(tls).map_err(StreamError::Refused)?),
        None => None,
    };
    let uri = AMQPUri {
        scheme: if connector.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: settings.user.clone(),
                password: settings.password.expose().to_owned(),
            },
            host: broker.host.clone(),
            port: broker.port,
        },
        vhost: settings.vhost.clone(),
        query: AMQPQueryString { heartbeat: Some(HEARTBEAT), ..AMQPQueryString::default() },
    };
    let properties = ConnectionProperties::default()
        .with_client_property("product".into(), "Catchall".into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into())
        .with_connection_name(format!("catchall {}", settings.ems).into());
    let failed = |error: &lapin::Error| login_error(settings, broker, error);
    let runtime = lapin::runtime::default_runtime().map_err(|error| failed(&error))?;
    let host = broker.host.clone();
    let connection = Connection::connector(
        uri,
        runtime,
        async move |uri: AMQPUri, runtime| {
            let address = (uri.authority.host.clone(), uri.authority.port);
            let connecting = async {
                let addresses: Vec<_> = tokio::net::lookup_host(address).await?.collect();
                let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
                match &connector {
                    Some(connector) => stream.into_rustls(connector, &host).await,
                    None => Ok(stream),
                }
            };
            let late =
                |_| io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {CONNECT_TIMEOUT:?}"));
            Ok(tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(late)??)
        },
        properties,
    );
    match tokio::time::timeout(LOGIN_TIMEOUT, connection).await {
        Ok(answer) => answer.map_err(|error| failed(&error)),
        Err(_) => Err(StreamError::Unreachable(format!(
            "{} did not let us in within {LOGIN_TIMEOUT:?}; is it a RabbitMQ, and the port that of AMQP?",
            broker.shown()
        ))),
    }
}
