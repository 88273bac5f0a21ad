//! Frames on a byte stream: a length of four bytes, big-endian, then as many bytes.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame, bytes (assumed): above the largest message of any protocol, whose blocks and
/// transfers are bounded by some MiB.
pub const MAX_FRAME: usize = 32 << 20;

/// Puts a message into a frame; `None` if it is too long.
pub fn frame(message: &[u8]) -> Option<Vec<u8>> {
    if message.len() > MAX_FRAME {
        return None;
    }
    let length = u32::try_from(message.len()).ok()?;
    let mut bytes = Vec::with_capacity(4 + message.len());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message);
    Some(bytes)
}

/// Writes a frame that [`frame`] made.
pub async fn write_frame(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await?;
    stream.flush().await
}

/// Reads the message of the next frame. `None` at the end of the stream; a frame that is too long,
/// or that the end cuts off, is an error.
pub async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < length.len() {
        let read = stream
            .read(length.get_mut(have..).unwrap_or_default())
            .await?;
        if read == 0 && have == 0 {
            return Ok(None);
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        have += read;
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes is over the limit of {MAX_FRAME}"),
        ));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(Some(message))
}

#[cfg(test)]
mod tests;
