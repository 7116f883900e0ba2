//! The connection under an answer, so that it can be cut: a client that reads no more would else keep it for ever, since a
//! server that waits to write notices nothing.

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use std::any::Any;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::Arc;

/// A second handle of the connection.
#[derive(Clone)]
pub(in crate::http) struct Socket(Arc<std::net::TcpStream>);

impl Socket {
    /// Ends the connection, whatever still waits to be written.
    pub(super) fn cut(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// To be called for each new connection: remembers it. One with TLS is not ours to cut: its client loses its place and what
/// waited for it, and keeps the connection until it reads or leaves.
pub(in crate::http) fn remember(connection: &dyn Any, extensions: &mut Extensions) {
    let plain = connection.downcast_ref::<TcpStream>();
    if let Some(handle) = plain.and_then(|stream| stream.as_fd().try_clone_to_owned().ok()) {
        extensions.insert(Socket(Arc::new(handle.into())));
    }
}
