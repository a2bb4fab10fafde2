//! One keep-alive connection: sends rendered requests, reads replies, and does as little else as it can.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpStream;

/// The longest reply that is read.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// A connection. A reply other than 200 is an error: nothing that is measured may fail.
pub struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    received: usize,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: vec![0; MAX_REPLY_BYTES].into(), received: 0 })
    }

    /// Sends a request and gives the reply: its head, its body.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<(&[u8], &[u8])> {
        self.write(request).await?;
        self.received = 0;
        let (head, length) = loop {
            self.read().await?;
            if let Some(head) = find(&self.buffer[..self.received], b"\r\n\r\n") {
                break (head + 4, content_length(&self.buffer[..head + 2])?);
            }
        };
        while self.received < head + length {
            self.read().await?;
        }
        let reply = &self.buffer[..self.received];
        if !reply.starts_with(b"HTTP/1.1 200 ") || reply.len() != head + length {
            return Err(io::Error::new(ErrorKind::InvalidData, String::from_utf8_lossy(reply).into_owned()));
        }
        Ok(reply.split_at(head))
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut self.buffer[self.received..]) {
                // No room is left, or the server closed the connection.
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    self.received += read;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

pub fn content_length(head: &[u8]) -> io::Result<usize> {
    const NAME: &[u8] = b"\ncontent-length:";
    let at = head.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME));
    let value = at.map(|at| &head[at + NAME.len()..]).and_then(|rest| rest.split(|byte| *byte == b'\r').next());
    let value = value.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "a reply without a length"))
}

pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
