//! Frames: a length of four bytes, then a header, then a message.

use super::versions::Call;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// An answer is a few kilobytes per member or topic; a longer one is no answer of a broker. (`HTTP` and the first bytes of
/// TLS would be 1.2 GB and 350 MB.)
const LONGEST: usize = 64 << 20;

/// How much is set aside before the bytes are there.
const FIRST: usize = 64 << 10;

/// Reads one frame, without its length.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let announced = from.read_i32().await?;
    let length = usize::try_from(announced).ok().filter(|length| *length <= LONGEST).ok_or_else(|| {
        let what =
            format!("a frame of {announced} bytes was announced; is this a PLAINTEXT listener of Kafka?");
        io::Error::new(io::ErrorKind::InvalidData, what)
    })?;
    let mut frame = BytesMut::with_capacity(length.min(FIRST));
    let mut rest = from.take(length as u64);
    while frame.len() < length {
        if rest.read_buf(&mut frame).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}

/// A whole frame with this request; the error says what cannot be written in this version.
pub(super) fn request<C: Call>(
    request: &C,
    version: i16,
    correlation: i32,
    client_id: &str,
) -> Result<Bytes, String> {
    let header = RequestHeader::default()
        .with_request_api_key(C::KEY as i16)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_string(client_id.to_owned())));
    let mut frame = BytesMut::with_capacity(256);
    frame.put_i32(0);
    header.encode(&mut frame, C::header_version(version)).map_err(|error| error.to_string())?;
    request.encode(&mut frame, version).map_err(|error| error.to_string())?;
    let length = i32::try_from(frame.len() - 4).map_err(|_| "the request is too long".to_owned())?;
    (&mut frame[..4]).put_i32(length);
    Ok(frame.freeze())
}

/// The answer in a frame. Its correlation id must be that of the request.
pub(super) fn answer<C: Call>(mut frame: Bytes, version: i16, correlation: i32) -> Result<C::Answer, String> {
    body::<C>(&mut frame, version, correlation)?;
    let answer = C::Answer::decode(&mut frame, version)
        .map_err(|error| format!("the answer to {} cannot be read: {error}", C::NAME))?;
    if frame.has_remaining() {
        return Err(format!("the answer to {} has {} bytes too many", C::NAME, frame.remaining()));
    }
    Ok(answer)
}

/// Moves behind the header.
pub(super) fn body<C: Call>(frame: &mut Bytes, version: i16, correlation: i32) -> Result<(), String> {
    let header = ResponseHeader::decode(frame, C::Answer::header_version(version))
        .map_err(|error| format!("the header of the answer to {} cannot be read: {error}", C::NAME))?;
    if header.correlation_id == correlation {
        Ok(())
    } else {
        Err(format!("an answer to request {} came for request {correlation}", header.correlation_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::HeartbeatRequest;

    async fn read_all(bytes: &[u8]) -> io::Result<Bytes> {
        read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn only_whole_frames_of_a_sane_length_are_taken() {
        assert_eq!(read_all(&[0, 0, 0, 2, 7, 8]).await.unwrap(), &[7, 8][..]);
        assert_eq!(read_all(&[0, 0, 0, 0]).await.unwrap(), &[][..]);
        assert_eq!(read_all(&[0, 0, 0, 2, 7]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(read_all(&[0, 0]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        for strange in
            [&b"HTTP/1.1 400 Bad Request"[..], &[0x15, 3, 3, 0, 2, 2, 70], &[0xff, 0xff, 0xff, 0xff]]
        {
            let error = read_all(strange).await.unwrap_err();
            assert!(error.to_string().contains("PLAINTEXT"), "{error}");
        }
    }

    #[test]
    fn a_request_is_what_the_protocol_guide_says() {
        let heartbeat = HeartbeatRequest::default()
            .with_group_id(StrBytes::from_static_str("g").into())
            .with_generation_id(3)
            .with_member_id(StrBytes::from_static_str("m"));
        let frame = request(&heartbeat, 0, 5, "c").unwrap();
        let expected = [0, 0, 0, 21, 0, 12, 0, 0, 0, 0, 0, 5, 0, 1, b'c', 0, 1, b'g', 0, 0, 0, 3, 0, 1, b'm'];
        assert_eq!(&frame[..], &expected[..]);
    }

    #[test]
    fn an_answer_that_is_cut_off_or_anothers_is_refused() {
        // correlation id 5, throttle time 0, no error
        let whole = [0, 0, 0, 5, 0, 0, 0, 0, 0, 0];
        let read = |bytes: &[u8]| answer::<HeartbeatRequest>(Bytes::copy_from_slice(bytes), 1, 5);
        assert_eq!(read(&whole).unwrap().error_code, 0);
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        assert!(read(&[&whole[..], &[0]].concat()).unwrap_err().contains("too many"));
        assert!(read(&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0]).unwrap_err().contains("request 4"));
    }
}
