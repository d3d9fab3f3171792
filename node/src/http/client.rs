//! One GET at a time to a node's own pages.
//!
//! HTTP/1.0 on purpose: the server then ends the body by closing, so that nothing needs decoding.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

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
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The rest.
    pub body: BufReader<TcpStream>,
}

/// The JSON of `path` at the node that serves its pages at `address`.
///
/// # Errors
/// [`Error::Unreachable`]; [`Error::TimedOut`]; [`Error::NotFound`] for 404; [`Error::Refused`] for
/// any other status than 200.
pub fn json<T: serde::de::DeserializeOwned>(address: SocketAddr, path: &str) -> Result<T, Error> {
    let answer = get(address, path)?;
    let text = answer.text(address)?;
    serde_json::from_str(&text).map_err(|error| Error::Refused {
        status: 200,
        detail: format!("the answer is not of this version: {error}"),
    })
}

/// The successful answer on `path`, its body unread.
///
/// # Errors
/// As [`json`].
pub fn get(address: SocketAddr, path: &str) -> Result<Answer, Error> {
    let answer = ask(address, path).map_err(|error| failed(address, &error))?;
    if answer.status == 200 {
        return Ok(answer);
    }
    let status = answer.status;
    let text = answer.text(address)?;
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

impl Answer {
    fn text(self, address: SocketAddr) -> Result<String, Error> {
        let mut text = String::new();
        self.body
            .take(BODY_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|error| failed(address, &error))?;
        Ok(text)
    }
}

fn ask(address: SocketAddr, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut body = BufReader::new(stream);
    let status = head(&mut body)?;
    Ok(Answer { status, body })
}

/// Reads up to the empty line and returns the status.
fn head(body: &mut BufReader<TcpStream>) -> io::Result<u16> {
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

fn failed(address: SocketAddr, error: &io::Error) -> Error {
    let address = address.to_string();
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
