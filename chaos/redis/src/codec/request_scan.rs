use super::{
    ProtocolError, inline,
    number::parse_integer,
    request::{LINE_BYTES, error},
};

/// Finds where requests end, without keeping them: it takes bytes as they come, each once, so that values of any size
/// pass by. What it keeps is the beginning of the arguments, as much as it is asked to, for whoever wants to know the
/// command. One a connection.
///
/// It is as lax as Redis, and has no limits but those on lines: whether a request is too large is for the server to say.
#[derive(Debug, Default)]
pub struct RequestScanner {
    state: RequestState,
    line: Vec<u8>,
    kept: Kept,
    /// Arguments of the request, its command's name included.
    announced: u64,
    /// Arguments that haven't come whole yet.
    missing: u64,
}

/// The progress of [`RequestScanner::scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPart {
    /// To the end of the bytes, and within an argument.
    Within,
    /// To the end of an argument; others follow.
    Argument,
    /// To the end of the request. One without arguments is no request, and Redis doesn't answer it.
    Whole,
}

#[derive(Clone, Copy, Debug, Default)]
enum RequestState {
    #[default]
    Start,
    /// The first line, or the one before an argument.
    Line,
    /// The one byte behind a line's CR, whatever it is.
    LineFeed,
    Argument {
        left: u64,
    },
    /// The two bytes behind an argument, whatever they are.
    Gap {
        left: usize,
    },
    Inline,
    Whole,
}

/// The beginning of the arguments.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Ends of the arguments that are there as a whole.
    ends: Vec<usize>,
    limit: usize,
    /// Something has not been kept, nor will anything behind it be.
    is_full: bool,
}

impl RequestScanner {
    /// Sets how many bytes of arguments are kept, from here to the end of the request; none behind the first that
    /// doesn't fit.
    pub fn keep(&mut self, bytes: usize) {
        self.kept.limit = bytes;
    }

    /// The argument at this place, 0 being the command's name, where it has come whole and has been kept.
    #[must_use]
    pub fn argument(&self, place: usize) -> Option<&[u8]> {
        let end = *self.kept.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.kept.ends[before]);
        Some(&self.kept.bytes[start..end])
    }

    /// The arguments that have come whole and have been kept.
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.kept.ends.len()).filter_map(|place| self.argument(place))
    }

    /// The count of the request's arguments, whether or not they have come.
    #[must_use]
    pub fn announced(&self) -> u64 {
        self.announced
    }

    /// Looks at bytes that follow those of the last call, up to the end of an argument. Says how many those are. Behind
    /// a whole request the next one begins, with nothing kept.
    ///
    /// # Errors
    /// Where Redis would take the bytes for no request. There is no way on from there.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<(usize, RequestPart), ProtocolError> {
        let mut at = 0;
        while at < bytes.len() {
            let (taken, part) = self.step(&bytes[at..])?;
            at += taken;
            if part != RequestPart::Within {
                return Ok((at, part));
            }
        }
        Ok((at, RequestPart::Within))
    }

    /// Takes some of `bytes`, of which there is at least one.
    fn step(&mut self, bytes: &[u8]) -> Result<(usize, RequestPart), ProtocolError> {
        let (taken, state) = match self.state {
            RequestState::Start | RequestState::Whole => {
                self.line.clear();
                self.kept.clear();
                (self.announced, self.missing) = (0, 0);
                (0, if bytes[0] == b'*' { RequestState::Line } else { RequestState::Inline })
            }
            RequestState::Line => {
                let found = bytes.iter().position(|byte| *byte == b'\r');
                let taken = self.lengthen(bytes, found, "too big count string")?;
                (taken, if found.is_some() { RequestState::LineFeed } else { RequestState::Line })
            }
            RequestState::LineFeed => return Ok((1, self.end_of_line()?)),
            RequestState::Argument { left } => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.kept.add(&bytes[..taken]);
                let left = left - taken as u64;
                (taken, if left > 0 { RequestState::Argument { left } } else { RequestState::Gap { left: 2 } })
            }
            RequestState::Gap { left: 1 } => return Ok((1, self.end_of_argument())),
            RequestState::Gap { left } => (1, RequestState::Gap { left: left - 1 }),
            RequestState::Inline => {
                let found = bytes.iter().position(|byte| *byte == b'\n');
                let taken = self.lengthen(bytes, found, "too big inline request")?;
                if found.is_some() {
                    return Ok((taken, self.inline()?));
                }
                (taken, RequestState::Inline)
            }
        };
        self.state = state;
        Ok((taken, RequestPart::Within))
    }

    /// Takes what belongs to the line, the byte that ends it included; it isn't kept.
    fn lengthen(&mut self, bytes: &[u8], found: Option<usize>, too_long: &str) -> Result<usize, ProtocolError> {
        let part = &bytes[..found.unwrap_or(bytes.len())];
        if self.line.len() + part.len() > LINE_BYTES {
            return Err(error(too_long));
        }
        self.line.extend_from_slice(part);
        Ok(found.map_or(bytes.len(), |end| end + 1))
    }

    fn end_of_line(&mut self) -> Result<RequestPart, ProtocolError> {
        let number = self.line.get(1..).and_then(parse_integer);
        let first = self.line.first().copied();
        self.line.clear();
        if self.announced == 0 {
            let count = number.filter(|count| *count <= i64::from(i32::MAX));
            self.announced = count.ok_or_else(|| error("invalid multibulk length"))?.try_into().unwrap_or(0);
            self.missing = self.announced;
            if self.announced == 0 {
                self.state = RequestState::Whole;
                return Ok(RequestPart::Whole);
            }
            self.state = RequestState::Line;
            return Ok(RequestPart::Within);
        }
        if first != Some(b'$') {
            return Err(error("expected '$'"));
        }
        let left = number.and_then(|length| length.try_into().ok()).ok_or_else(|| error("invalid bulk length"))?;
        self.state = if left > 0 { RequestState::Argument { left } } else { RequestState::Gap { left: 2 } };
        Ok(RequestPart::Within)
    }

    fn end_of_argument(&mut self) -> RequestPart {
        self.kept.end();
        self.missing -= 1;
        if self.missing > 0 {
            self.state = RequestState::Line;
            RequestPart::Argument
        } else {
            self.state = RequestState::Whole;
            RequestPart::Whole
        }
    }

    fn inline(&mut self) -> Result<RequestPart, ProtocolError> {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let words = inline::split(line).ok_or_else(|| error("unbalanced quotes in request"))?;
        self.announced = words.len() as u64;
        for word in words {
            self.kept.add(&word);
            self.kept.end();
        }
        self.state = RequestState::Whole;
        Ok(RequestPart::Whole)
    }
}

impl Kept {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.is_full = false;
    }

    fn add(&mut self, bytes: &[u8]) {
        self.is_full |= self.bytes.len().saturating_add(bytes.len()) > self.limit;
        if !self.is_full {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn end(&mut self) {
        // Arguments without any bytes take memory too.
        self.is_full |= self.ends.len().saturating_add(1).saturating_mul(size_of::<usize>()) > self.limit;
        if !self.is_full {
            self.ends.push(self.bytes.len());
        }
    }
}

#[cfg(test)]
#[path = "request_scan_tests.rs"]
mod tests;
