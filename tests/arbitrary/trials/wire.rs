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
        request.push(b'/');
        request.extend(visible(target));
        request.extend_from_slice(b" HTTP/1.1\r\nHost: localhost\r\n");
        for header in headers {
            let header: Vec<u8> =
                header.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            if is_harmless(&header) {
                request.extend_from_slice(&header);
                request.extend_from_slice(b"\r\n");
            }
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

/// What goes out of a target.
pub fn visible(target: &[u8]) -> Vec<u8> {
    target.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control()).collect()
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
            && let Some(end) = end(&head, method)
            && let Some(body) = end.of(rest)
        {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status = status.unwrap_or_else(|| panic!("no status: {head}"));
            let closes =
                head.to_ascii_lowercase().contains("connection: close") || !matches!(end, End::After(_));
            let body = body.to_vec();
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

/// Where a body ends.
enum End {
    /// After so many bytes: all but what follows.
    After(usize),
    /// With its last chunk: exports. The chunks' own lines stay in it, and the connection is not kept.
    LastChunk,
    /// Never: events as they come. Its head is all of the answer.
    Never,
}

impl End {
    /// The body, once all of it is there.
    fn of<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::After(length) => rest.get(..*length),
            Self::LastChunk => rest.ends_with(b"0\r\n\r\n").then_some(rest),
            Self::Never => Some(&[]),
        }
    }
}

fn end(head: &str, method: &str) -> Option<End> {
    let status = head.split(' ').nth(1)?;
    if method == "HEAD" || status == "204" || status == "304" {
        return Some(End::After(0));
    }
    let value = |wanted: &str| {
        let named = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case(wanted);
        head.lines().filter_map(|line| line.split_once(':')).find(named).map(|(_, value)| value.trim())
    };
    if value("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Some(End::Never);
    }
    if value("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked")) {
        return Some(End::LastChunk);
    }
    let length = value("content-length").unwrap_or_else(|| panic!("where does it end? {head}"));
    Some(End::After(length.parse().expect("a length")))
}
