//! A client that sends what no library would: one connection, kept while the server keeps it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that is silent for so long hangs.
const PATIENCE: Duration = Duration::from_secs(8);
/// No answer of ours is larger.
const LARGEST: usize = 32 << 20;

/// The connection to a server.
pub struct Wire {
    server: SocketAddr,
    open: Option<TcpStream>,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Wire {
    /// Connects with the first request.
    pub fn to(server: SocketAddr) -> Self {
        Self { server, open: None }
    }

    /// Sends one request: a line such as `GET /?ems=a`, then headers, one a line. Line ends and spaces within a line are
    /// made into what keeps it one request; every other byte goes out as it is.
    pub fn ask(&mut self, method: &str, target: &[u8], headers: &[&[u8]]) -> Answer {
        let mut request = method.as_bytes().to_vec();
        request.push(b' ');
        let visible =
            target.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control());
        request.extend(std::iter::once(b'/').chain(visible));
        request.extend_from_slice(b" HTTP/1.1\r\nHost: localhost\r\n");
        for header in headers.iter().filter(|header| is_harmless(header)) {
            request.extend(header.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        // A connection that was kept may have been closed meanwhile; a fresh one may not.
        let kept = self.open.take().and_then(|kept| exchange(kept, &request, method).ok());
        let (answer, open) = kept.unwrap_or_else(|| {
            let fresh = TcpStream::connect(self.server).expect("the server listens");
            fresh.set_nodelay(true).expect("a socket");
            exchange(fresh, &request, method).expect("the server answers")
        });
        self.open = open;
        answer
    }
}

/// Headers that say that more comes would have the server wait for it.
fn is_harmless(header: &[u8]) -> bool {
    let name =
        header.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let waits = ["content-length", "transfer-encoding", "expect", "upgrade", "connection"];
    !header.is_empty() && !waits.iter().any(|known| name == known.as_bytes())
}

fn exchange(
    mut open: TcpStream,
    request: &[u8],
    method: &str,
) -> std::io::Result<(Answer, Option<TcpStream>)> {
    open.set_read_timeout(Some(PATIENCE))?;
    open.write_all(request)?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        if let Some((head, rest)) = split(&bytes)
            && let Some(length) = length(&head, method)
            && rest.len() >= length
        {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            let closes = head.to_ascii_lowercase().contains("connection: close");
            let body = rest[..length].to_vec();
            return Ok((Answer { status, head, body }, (!closes).then_some(open)));
        }
        let count = match open.read(&mut chunk) {
            // The fuzzer's own clock rings by a signal.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..count]);
        assert!(bytes.len() <= LARGEST, "an answer without end");
    }
}

fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 4..]))
}

/// All our answers say how long they are.
fn length(head: &str, method: &str) -> Option<usize> {
    let status = head.split(' ').nth(1)?;
    if method == "HEAD" || status == "204" || status == "304" {
        return Some(0);
    }
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    Some(head.lines().find_map(value).unwrap_or(0))
}
