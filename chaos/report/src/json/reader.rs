//! Recordings, read. What is unknown is passed over, so that a recording of a later program can be read as far as this one
//! understands it: other events, and other fields of known events.

use chaos_model::{Event, Record, event::FORMAT};
use serde::Deserialize;
use std::io::{self, BufRead};

/// Reasons why a recording could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The reader's.
    #[error("the recording can't be read")]
    Io(#[from] io::Error),
    /// The first line is not the beginning of a run.
    #[error("line 1: this is no recording of a run, which starts with the event `begin`")]
    NoBegin,
    /// The recording was written in another format.
    #[error(
        "line {line}: the recording has format {found}, and this program reads format {FORMAT}; \
         use the version of chaos that wrote it"
    )]
    Format {
        /// The line, from 1.
        line: usize,
        /// The recording's format.
        found: u32,
    },
    /// A line is no event.
    #[error("line {line}: this is no event of a run: {source}")]
    NoEvent {
        /// The line, from 1.
        line: usize,
        /// The mistake that the JSON reader found.
        source: serde_json::Error,
    },
    /// The last line is not whole.
    #[error("line {line}: the recording is cut off here, since what wrote it was ended")]
    CutOff {
        /// The line, from 1.
        line: usize,
    },
}

/// All events of a recording, which may hold several runs one after another.
///
/// # Errors
/// The first that [`Reader`] meets.
pub fn read(recording: impl BufRead) -> Result<Vec<Record>, ReadError> {
    Reader::new(recording).collect()
}

/// The number of runs in a recording, as far as it can be read: lines are looked at no further than for their kind.
#[must_use]
pub fn count_runs(mut recording: impl BufRead) -> usize {
    let (mut text, mut runs) = (Vec::new(), 0);
    while matches!(recording.read_until(b'\n', &mut text), Ok(read) if read > 0) {
        runs += usize::from(serde_json::from_slice::<Head>(&text).is_ok_and(|head| head.event == "begin"));
        text.clear();
    }
    runs
}

/// The events of a recording one by one, so that those before a mistake can be used. It ends after the first mistake.
#[derive(Debug)]
pub struct Reader<R> {
    recording: R,
    line: usize,
    begun: bool,
    ended: bool,
}

/// The part of a line that says whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    event: String,
    format: Option<u32>,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `recording`.
    pub fn new(recording: R) -> Self {
        Self { recording, line: 0, begun: false, ended: false }
    }

    fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        let mut text = Vec::new();
        loop {
            text.clear();
            self.line += 1;
            if self.recording.read_until(b'\n', &mut text)? == 0 {
                return if self.begun { Ok(None) } else { Err(ReadError::NoBegin) };
            }
            if !text.trim_ascii().is_empty()
                && let Some(record) = self.parse(&text)?
            {
                return Ok(Some(record));
            }
        }
    }

    /// The event of a line; none where it is of a kind that is not known here.
    fn parse(&mut self, text: &[u8]) -> Result<Option<Record>, ReadError> {
        let line = self.line;
        let cut_off = |source: &serde_json::Error| source.is_eof() && !text.ends_with(b"\n");
        match serde_json::from_slice::<Head>(text) {
            Ok(Head { event, format: Some(found) }) if event == "begin" && found != FORMAT => {
                return Err(ReadError::Format { line, found });
            }
            Ok(Head { event, .. }) if event != "begin" && !self.begun => return Err(ReadError::NoBegin),
            Ok(Head { event, .. }) if !Event::NAMES.contains(&event.as_str()) => return Ok(None),
            Err(source) if cut_off(&source) => return Err(ReadError::CutOff { line }),
            Err(_) if !self.begun => return Err(ReadError::NoBegin),
            _ => {}
        }
        let record: Record = serde_json::from_slice(text).map_err(|source| ReadError::NoEvent { line, source })?;
        self.begun |= matches!(record.event, Event::Begin(_));
        Ok(Some(record))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.next_record().transpose();
        self.ended = !matches!(record, Some(Ok(_)));
        record
    }
}
