//! The types of Kafka's protocol that the group's structs are made of: big-endian, lengths before contents.

use super::codec::CodecError;
use bytes::{BufMut, Bytes, BytesMut};

pub(super) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.left.is_empty()
    }

    fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], CodecError> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(CodecError::Short { field })?;
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], CodecError> {
        let (taken, left) = self.left.split_first_chunk().ok_or(CodecError::Short { field })?;
        self.left = left;
        Ok(*taken)
    }

    pub(super) fn int16(&mut self, field: &'static str) -> Result<i16, CodecError> {
        self.array(field).map(i16::from_be_bytes)
    }

    pub(super) fn int32(&mut self, field: &'static str) -> Result<i32, CodecError> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(super) fn int64(&mut self, field: &'static str) -> Result<i64, CodecError> {
        self.array(field).map(i64::from_be_bytes)
    }

    /// `None` when there is none. Every element takes at least one byte, so that the length is no more than what is left.
    fn length(&mut self, length: i64, field: &'static str) -> Result<Option<usize>, CodecError> {
        match usize::try_from(length) {
            Ok(length) if length <= self.left.len() => Ok(Some(length)),
            Ok(_) => Err(CodecError::Short { field }),
            Err(_) => Ok(None),
        }
    }

    pub(super) fn string(&mut self, field: &'static str) -> Result<&'a str, CodecError> {
        let length = self.int16(field)?;
        let length = self.length(length.into(), field)?.ok_or(CodecError::Missing { field })?;
        std::str::from_utf8(self.take(length, field)?).map_err(|_| CodecError::NotText { field })
    }

    pub(super) fn nullable_bytes(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, CodecError> {
        let length = self.int32(field)?;
        self.length(length.into(), field)?.map(|length| self.take(length, field)).transpose()
    }

    /// How many elements follow.
    pub(super) fn nullable_count(&mut self, field: &'static str) -> Result<Option<usize>, CodecError> {
        let length = self.int32(field)?;
        self.length(length.into(), field)
    }
}

/// The longest text that fits.
pub(super) const MAX_TEXT: usize = i16::MAX as usize;

#[derive(Default)]
pub(super) struct Writer {
    out: BytesMut,
}

impl Writer {
    pub(super) fn finish(self) -> Bytes {
        self.out.freeze()
    }

    pub(super) fn int16(&mut self, value: i16) {
        self.out.put_i16(value);
    }

    pub(super) fn int32(&mut self, value: i32) {
        self.out.put_i32(value);
    }

    pub(super) fn int64(&mut self, value: i64) {
        self.out.put_i64(value);
    }

    /// Cut after [`MAX_TEXT`] bytes.
    pub(super) fn string(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        self.out.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
        self.out.put_slice(text.as_bytes());
    }

    pub(super) fn nullable_bytes(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.int32(-1),
            Some(bytes) => {
                self.count(bytes.len());
                self.out.put_slice(bytes);
            }
        }
    }

    /// More than two thousand million of anything do not fit into memory beside what holds them.
    pub(super) fn count(&mut self, count: usize) {
        self.int32(i32::try_from(count).unwrap_or(i32::MAX));
    }
}
