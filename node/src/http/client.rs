//! One request at a time to a node's own pages and to its controls.
//!
//! HTTP/1.0 on purpose: the server then ends the body by closing, so that nothing needs decoding.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::admin;
use crate::error::Error;

/// How long the connection may take: the node is on this machine.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the node may be silent.
const SILENCE: Duration = Duration::from_secs(10);
/// The longest head of an answer.
const HEAD_BYTES_MAX: u64 = 16 * 1024;
/// The longest answer that is read at once.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer<S> {
    /// The status of HTTP.
    pub status: u16,
    /// The rest.
    pub body: BufReader<S>,
}

/// The JSON of `path` at the node that serves its pages at `address`.
///
/// # Errors
/// [`Error::Unreachable`]; [`Error::TimedOut`]; [`Error::NotFound`] for 404; [`Error::Refused`] for
/// any other status than 200.
pub fn json<T: DeserializeOwned>(address: SocketAddr, path: &str) -> Result<T, Error> {
    get(address, path)?.json(&address.to_string())
}

/// The successful answer on `path`, its body unread.
///
/// # Errors
/// As [`json`].
pub fn get(address: SocketAddr, path: &str) -> Result<Answer<TcpStream>, Error> {
    let connect = || {
        let stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(stream)
    };
    let host = address.to_string();
    exchange(&host, connect, &format!("GET {path}"), &[])?.successful(&host, path)
}

/// What the control `path` of the node with this home says.
///
/// # Errors
/// As [`json`].
pub fn controls<T: DeserializeOwned>(home: &Path, path: &str) -> Result<T, Error> {
    control(home, "GET", path, &[])
}

/// Puts `body` to the control `path` of the node with this home; what it answers.
///
/// # Errors
/// As [`json`].
pub fn put<T: DeserializeOwned>(
    home: &Path,
    path: &str,
    body: &impl Serialize,
) -> Result<T, Error> {
    // Structs and maps of text and numbers always have a form.
    let body = serde_json::to_vec(body).unwrap_or_default();
    control(home, "PUT", path, &body)
}

fn control<T: DeserializeOwned>(
    home: &Path,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<T, Error> {
    let socket = home.join(admin::SOCKET);
    let host = socket.display().to_string();
    let connect = || {
        let stream = UnixStream::connect(&socket)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(stream)
    };
    exchange(&host, connect, &format!("{method} {path}"), body)?
        .successful(&host, path)?
        .json(&host)
}

impl<S: Read> Answer<S> {
    fn successful(self, host: &str, path: &str) -> Result<Self, Error> {
        if self.status == 200 {
            return Ok(self);
        }
        let status = self.status;
        let text = self.text(host)?;
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no reason given");
        Err(match status {
            404 => Error::NotFound {
                what: path.to_owned(),
            },
            status => Error::Refused {
                status,
                detail: detail.to_owned(),
            },
        })
    }

    fn json<T: DeserializeOwned>(self, host: &str) -> Result<T, Error> {
        serde_json::from_str(&self.text(host)?).map_err(|error| Error::Refused {
            status: 200,
            detail: format!("the answer is not of this version: {error}"),
        })
    }

    fn text(self, host: &str) -> Result<String, Error> {
        let mut text = String::new();
        self.body
            .take(BODY_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|error| failed(host, &error))?;
        Ok(text)
    }
}

/// The answer to one request, its body unread.
fn exchange<S: Read + Write>(
    host: &str,
    connect: impl FnOnce() -> io::Result<S>,
    request: &str,
    body: &[u8],
) -> Result<Answer<S>, Error> {
    let length = body.len();
    let head_text =
        format!("{request} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
    let exchanged = || {
        let mut stream = connect()?;
        stream.write_all(head_text.as_bytes())?;
        stream.write_all(body)?;
        let mut body = BufReader::new(stream);
        let status = head(&mut body)?;
        Ok(Answer { status, body })
    };
    exchanged().map_err(|error| failed(host, &error))
}

/// Reads up to the empty line and returns the status.
fn head(body: &mut impl BufRead) -> io::Result<u16> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let mut lines = body.take(HEAD_BYTES_MAX);
    let mut line = String::new();
    lines.read_line(&mut line)?;
    let status = line
        .strip_prefix("HTTP/1.")
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(malformed)?;
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Err(malformed());
        }
        if line.trim_end().is_empty() {
            return Ok(status);
        }
    }
}

fn failed(host: &str, error: &io::Error) -> Error {
    let address = host.to_owned();
    if matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    ) {
        let seconds = SILENCE.as_secs();
        return Error::TimedOut { address, seconds };
    }
    Error::Unreachable {
        address,
        reason: error.to_string(),
    }
}
