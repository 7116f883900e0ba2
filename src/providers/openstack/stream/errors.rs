//! What a broker refuses, as a decision and as a text that says what to do.

use super::settings::{AmqpSettings, Broker};
use crate::provider::StreamError;
use lapin::{Error, ErrorKind};

/// Reply codes of AMQP 0-9-1.
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// The broker's reply code and text.
fn reply(error: &Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(reply) => Some((reply.get_id(), reply.get_message().to_string())),
        _ => None,
    }
}

/// Whether what was asked for is not there. A queue whose node is down is there.
pub(super) fn is_not_found(error: &Error) -> bool {
    reply(error).is_some_and(|(code, text)| code == NOT_FOUND && !is_down(&text))
}

fn is_down(text: &str) -> bool {
    text.contains("down or inaccessible") || text.contains("home node")
}

/// Whether somebody else reads the queue.
pub(super) fn is_in_use(error: &Error) -> bool {
    reply(error).is_some_and(|(code, text)| code == ACCESS_REFUSED && text.contains("exclusive use"))
}

/// A login that did not succeed.
pub(super) fn login_error(settings: &AmqpSettings, broker: &Broker, error: &Error) -> StreamError {
    let (at, user, vhost) = (broker.shown(), &settings.user, &settings.vhost);
    match reply(error) {
        Some((ACCESS_REFUSED, text)) => StreamError::Unauthorized(format!(
            "{at} does not let the user {user} in: {text}; correct userid and password of authentications.amqp (to \
             compare on the broker: rabbitmqctl authenticate_user {user})"
        )),
        Some((NOT_ALLOWED, text)) if text.contains("not found") => StreamError::Refused(format!(
            "{at} has no vhost {vhost}: {text}; correct endpoints.amqp.vhost, or make it: rabbitmqctl add_vhost {vhost}"
        )),
        Some((NOT_ALLOWED, text)) => StreamError::Unauthorized(format!(
            "{at} does not let the user {user} into vhost {vhost}: {text}; on the broker: {}",
            settings.set_permissions()
        )),
        Some((code, text)) => {
            StreamError::Unreachable(format!("{at} refuses the connection ({code}): {text}"))
        }
        None => {
            let text = error.to_string();
            // rustls does not tell these apart by type once they are I/O errors.
            let hint = match broker.tls {
                Some(_) if text.contains("certificate") && text.contains("UnknownIssuer") => {
                    "; if its authority is your own, paste the PEM text into endpoints.amqp.certificate_authority"
                }
                Some(_) if text.contains("InvalidContentType") || text.contains("corrupt message") => {
                    "; that port speaks no TLS: RabbitMQ's usually is 5671, or set security_protocol: non-ssl"
                }
                Some(_) => "",
                None if matches!(error.kind(), ErrorKind::IOError(_)) && is_cut(&text) => {
                    "; a port that speaks TLS hangs up like this: set security_protocol: ssl"
                }
                // What it says before it hangs up.
                None if matches!(error.kind(), ErrorKind::ParsingError(_)) => {
                    "; that is no AMQP: if the port speaks TLS, set security_protocol: ssl"
                }
                None => "",
            };
            StreamError::Unreachable(format!("{at} cannot be reached: {text}{hint}"))
        }
    }
}

fn is_cut(text: &str) -> bool {
    text.contains("reset") || text.contains("aborted") || text.contains("closed")
}

/// Something asked of a broker that let us in. `what`: `bind the queue to exchange nova`.
pub(super) fn asked_error(settings: &AmqpSettings, broker: &str, what: &str, error: &Error) -> StreamError {
    let cannot = format!("{broker}: cannot {what}");
    match reply(error) {
        Some((ACCESS_REFUSED, text)) if text.contains("exclusive use") => StreamError::Refused(format!(
            "{cannot}: {text}; somebody else reads {}: is there another Catchall with an EMS of this name? Give one of \
             them a queue of its own with endpoints.amqp.queue",
            settings.shown()
        )),
        Some((ACCESS_REFUSED, text)) => StreamError::Unauthorized(format!(
            "{cannot}: {text}; the user {} lacks a right; on the broker: {}",
            settings.user,
            settings.set_permissions()
        )),
        Some((PRECONDITION_FAILED, text)) if text.contains("inequivalent arg") => {
            StreamError::Refused(format!(
                "{cannot}: {text}; {} was made with other settings of queue_length or queue_expiry, or by somebody else. \
             Set them back, name another queue, or have it made anew (what waits in it is lost, and told as a gap): \
             rabbitmqctl delete_queue -p {} {}",
                settings.shown(),
                settings.vhost,
                settings.queue
            ))
        }
        Some((RESOURCE_LOCKED, text)) => StreamError::Refused(format!(
            "{cannot}: {text}; the queue belongs to another connection alone: name another one with endpoints.amqp.queue"
        )),
        Some((NOT_FOUND, text)) if is_down(&text) => StreamError::Unreachable(format!(
            "{cannot}: {text}; the node of the cluster that holds the queue is down, and what is sent meanwhile does not \
             reach it"
        )),
        Some((code, text)) => StreamError::Unreachable(format!("{cannot} ({code}): {text}")),
        None => StreamError::Unreachable(format!("{cannot}: {error}")),
    }
}
