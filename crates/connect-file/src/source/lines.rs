//! Bytes to lines. Knows no file.
//!
//! A line ends with `\n`, `\r\n` or `\r`, as Java's connector has it. Positions count UTF-16 characters, line ends included, from the
//! beginning of the file: what Java's connector stores.

use std::borrow::Cow;

/// A line beyond this is an error; Kafka's own limit for a record is far below.
pub(crate) const LONGEST_LINE: usize = 16 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Without its end. Bytes that are no UTF-8 become U+FFFD, as in Java.
    pub(crate) text: String,
    /// The position after its end.
    pub(crate) position: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the line at position {position} has more than {} MiB: this connector is for text with line ends", LONGEST_LINE >> 20)]
pub(crate) struct LineTooLong {
    position: u64,
}

/// Bytes that came and are not lines yet.
#[derive(Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    /// How much of `pending` has been taken.
    taken: usize,
    /// How much of `pending` holds no line end, from its beginning; so that a long line is not searched again and again.
    searched: usize,
    /// The position at `taken`.
    position: u64,
}

impl Lines {
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole line.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, LineTooLong> {
        let Some((bytes, position)) = self.step()? else { return Ok(None) };
        let text = String::from_utf8_lossy(&self.pending[bytes]).into_owned();
        Ok(Some(Line { text, position }))
    }

    /// Passes over the next whole line and says where it ended.
    pub(crate) fn skip(&mut self) -> Result<Option<u64>, LineTooLong> {
        Ok(self.step()?.map(|(_, position)| position))
    }

    /// What is left without a line end, as a last line.
    pub(crate) fn rest(&mut self) -> Option<Line> {
        let rest = &self.pending[self.taken..];
        if rest.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(rest.strip_suffix(b"\r").unwrap_or(rest)).into_owned();
        self.position += units(rest);
        self.pending.clear();
        (self.taken, self.searched) = (0, 0);
        Some(Line { text, position: self.position })
    }

    fn step(&mut self) -> Result<Option<(std::ops::Range<usize>, u64)>, LineTooLong> {
        let unseen = &self.pending[self.searched..];
        let end = unseen.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|at| self.searched + at);
        let Some(end) = end else {
            self.searched = self.pending.len();
            if self.pending.len() - self.taken > LONGEST_LINE {
                return Err(LineTooLong { position: self.position });
            }
            return Ok(None);
        };
        let next = match (self.pending[end], self.pending.get(end + 1)) {
            (b'\n', _) => end + 1,
            (_, Some(b'\n')) => end + 2,
            (_, Some(_)) => end + 1,
            // Whether a \n follows is not known yet.
            (_, None) => {
                self.searched = end;
                return Ok(None);
            }
        };
        let line = self.taken..end;
        self.position += units(&self.pending[line.clone()]) + (next - end) as u64;
        (self.taken, self.searched) = (next, next);
        Ok(Some((line, self.position)))
    }
}

/// How many UTF-16 characters the bytes are.
fn units(bytes: &[u8]) -> u64 {
    let units = match String::from_utf8_lossy(bytes) {
        // Counted by lead bytes: a character of four bytes is a pair.
        Cow::Borrowed(text) => {
            text.bytes().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0)).sum()
        }
        Cow::Owned(text) => text.encode_utf16().count(),
    };
    units as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(lines: &mut Lines) -> Vec<(String, u64)> {
        std::iter::from_fn(|| lines.next().unwrap()).map(|line| (line.text, line.position)).collect()
    }

    /// Read off Java's connector 4.3.0: text and position.
    #[test]
    fn lines_and_positions_as_in_java() {
        for (text, expected) in [
            (&b"hello-1\nhello-2\n"[..], vec![("hello-1", 8), ("hello-2", 16)]),
            (b"a\r\nb\rc\n", vec![("a", 3), ("b", 5), ("c", 7)]),
            (b"\n\r\n\r\r\n", vec![("", 1), ("", 3), ("", 4), ("", 6)]),
            ("é한\n😀x\n".as_bytes(), vec![("é한", 3), ("😀x", 7)]),
            (b"\xff\xfea\xe2\x82\nb\n", vec![("\u{fffd}\u{fffd}a\u{fffd}", 5), ("b", 7)]),
            (b"\xef\xbb\xbfa\n", vec![("\u{feff}a", 3)]),
        ] {
            let mut lines = Lines::default();
            lines.push(text);
            let expected: Vec<_> =
                expected.into_iter().map(|(text, position)| (text.to_owned(), position)).collect();
            assert_eq!(all(&mut lines), expected, "{text:?}");
            assert_eq!(lines.rest(), None);
        }
    }

    #[test]
    fn a_line_without_end_waits() {
        let mut lines = Lines::default();
        lines.push(b"a\nhal");
        assert_eq!(all(&mut lines), [("a".to_owned(), 2)]);
        lines.push(b"f\r");
        assert_eq!(all(&mut lines), []);
        lines.push(b"\nx");
        assert_eq!(all(&mut lines), [("half".to_owned(), 8)]);
        assert_eq!(lines.rest(), Some(Line { text: "x".into(), position: 9 }));
        assert_eq!((lines.rest(), lines.position()), (None, 9));
    }

    #[test]
    fn a_line_may_not_be_endless() {
        let mut lines = Lines::default();
        lines.push(b"a\n");
        lines.next().unwrap();
        for _ in 0..16 {
            lines.push(&vec![b'x'; 1 << 20]);
            assert_eq!(lines.next().unwrap(), None);
        }
        lines.push(b"x");
        let error = lines.next().unwrap_err().to_string();
        assert_eq!(
            error,
            "the line at position 2 has more than 16 MiB: this connector is for text with line ends"
        );
    }

    proptest! {
        /// However the bytes are cut into pieces, the lines and positions are the same.
        #[test]
        fn pieces_do_not_matter(bytes in prop::collection::vec(prop::sample::select(b"a\n\r\xc3\xa9\xf0\x9f\x98\x80\xff".to_vec()), 0..60), cuts in prop::collection::vec(1_usize..6, 1..60)) {
            let mut whole = Lines::default();
            whole.push(&bytes);
            let expected = all(&mut whole);
            let (mut pieces, mut found, mut rest) = (Lines::default(), Vec::new(), &bytes[..]);
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                found.extend(all(&mut pieces));
                rest = more;
            }
            pieces.push(rest);
            found.extend(all(&mut pieces));
            prop_assert_eq!(&found, &expected);
            let text = String::from_utf8_lossy(&bytes).encode_utf16().count() as u64;
            whole.rest();
            prop_assert_eq!(whole.position(), text);
        }
    }
}
