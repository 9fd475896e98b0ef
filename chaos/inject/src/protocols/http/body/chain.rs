//! The chain of edits that a body's bytes go through, one behind the other.

use crate::{generated_body::GeneratedBody, noise::Noise};
use chaos_model::effect::action::{BodyEdit, Part};

/// Bytes of a body, between two edits.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    Generated(GeneratedBody),
}

/// Edits in order. Those that would change nothing are left out.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    edits: Vec<Edit>,
    announced: Option<u64>,
    /// By place of an edit, what is known of it beforehand.
    changes: Vec<Change>,
}

/// The change that an edit makes to a body, as far as it is known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// None, or none that is seen.
    Nothing,
    /// The body is another.
    Sure,
    /// Undecided: that depends on how long the body will be.
    Open,
}

#[derive(Debug)]
struct Edit {
    what: Stage,
    /// Place among those that were asked for; none for the end of the connection.
    place: Option<usize>,
    /// True once it has changed something.
    acted: bool,
    /// True once it gives nothing any more.
    over: bool,
}

#[derive(Debug)]
enum Stage {
    /// So many bytes more.
    Keep(u64),
    Garble(u32, u64, Option<Noise>),
    Replace(String),
    /// Padding up to this many bytes, of which so many have come.
    Pad(u64, u64),
}

impl Chain {
    /// For a body of this length, where it is known; and then only this part of it comes, where there is one. A share of what
    /// is not known is all of it: whoever asks for one finds the length out first.
    pub(crate) fn new(edits: &[(BodyEdit, u64)], ends: Option<Part>, length: Option<u64>) -> Self {
        let mut chain = Self { edits: Vec::new(), announced: length, changes: vec![Change::Nothing; edits.len()] };
        for (place, (edit, seed)) in edits.iter().enumerate() {
            let length = chain.announced;
            let (what, length) = match edit {
                BodyEdit::Shorten(part) => (Stage::Keep(kept(*part, length)), length.map(|length| part.of(length))),
                BodyEdit::Garble { parts_per_million } => {
                    let noise = length.map(|length| Noise::of_length(*seed, *parts_per_million, length));
                    (Stage::Garble(*parts_per_million, *seed, noise), length)
                }
                BodyEdit::Replace(text) => (Stage::Replace(text.clone()), Some(text.len() as u64)),
                BodyEdit::Pad(size) => (Stage::Pad(*size, 0), length.map(|length| length.max(*size))),
                BodyEdit::Trickle(_) => continue,
            };
            let idle = match what {
                Stage::Keep(_) | Stage::Pad(..) => length.is_some() && length == chain.announced,
                Stage::Garble(..) => length == Some(0),
                Stage::Replace(ref text) => text.is_empty() && chain.announced == Some(0),
            };
            if !idle {
                if let Stage::Replace(_) = what {
                    // Nothing is seen of what was made of the body before.
                    chain.changes.fill(Change::Nothing);
                }
                let is_known = matches!(what, Stage::Replace(_)) || chain.announced.is_some();
                chain.changes[place] = if is_known { Change::Sure } else { Change::Open };
                chain.edits.push(Edit { what, place: Some(place), acted: false, over: false });
            }
            chain.announced = length;
        }
        if let Some(part) = ends {
            let what = Stage::Keep(kept(part, chain.announced));
            chain.edits.push(Edit { what, place: None, acted: false, over: false });
        }
        chain
    }

    /// Tells whether the content becomes another one, and is not only cut off.
    pub(crate) fn is_edited(&self) -> bool {
        self.changes.iter().any(|change| *change != Change::Nothing)
    }

    /// The length behind all edits, where it is known, and unless the connection ends before.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Tells whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The change that the edit of this place makes, as far as it was known beforehand.
    pub(crate) fn change(&self, place: usize) -> Change {
        self.changes.get(place).copied().unwrap_or(Change::Nothing)
    }

    /// Tells whether the edit of this place has changed something by now.
    pub(super) fn has_acted(&self, place: usize) -> bool {
        self.edits.iter().any(|edit| edit.place == Some(place) && edit.acted)
    }

    /// More came than what the edits let through.
    pub(super) fn leave_out(&mut self) {
        let is_full = |edit: &&mut Edit| matches!(edit.what, Stage::Keep(0));
        self.edits.iter_mut().filter(is_full).for_each(|edit| edit.acted = true);
    }

    /// Tells whether nothing more comes out of it.
    pub(super) fn is_over(&self) -> bool {
        self.edits.last().is_some_and(|edit| edit.over)
    }

    /// The count of bytes that are known to come, of a body of unknown length, the same in whichever pieces it comes: for edits
    /// that need to know before they see any of it.
    pub(super) fn expect(&mut self, mut sure: u64) {
        for edit in &mut self.edits {
            match &mut edit.what {
                Stage::Keep(left) => sure = sure.min(*left),
                Stage::Garble(parts, seed, noise) => {
                    noise.get_or_insert_with(|| Noise::of_unknown(*seed, *parts, sure));
                }
                Stage::Replace(_) | Stage::Pad(..) => {}
            }
        }
    }

    /// Takes a piece, with nothing behind it where it `ends`. Gives the pieces that come out.
    pub(super) fn feed(&mut self, piece: Option<Piece>, mut ends: bool) -> Vec<Piece> {
        let mut pieces = Vec::from_iter(piece);
        for edit in &mut self.edits {
            let mut out = Vec::new();
            if edit.over {
                edit.acted |= pieces.iter().any(|piece| piece.length() > 0);
            } else {
                edit.feed(pieces, ends, &mut out);
            }
            ends |= edit.over;
            pieces = out;
        }
        pieces
    }
}

/// The count of bytes that a part is of a body of this length.
fn kept(part: Part, length: Option<u64>) -> u64 {
    match (part, length) {
        (Part::Bytes(bytes), None) => bytes,
        (_, length) => part.of(length.unwrap_or(u64::MAX)),
    }
}

impl Edit {
    fn feed(&mut self, pieces: Vec<Piece>, ends: bool, out: &mut Vec<Piece>) {
        for mut piece in pieces {
            match &mut self.what {
                Stage::Keep(left) => {
                    self.acted |= piece.length() > *left;
                    piece.shorten(*left);
                    *left -= piece.length();
                }
                Stage::Garble(_, _, Some(noise)) => {
                    self.acted |= piece.length() > 0;
                    piece.garble(noise);
                }
                Stage::Pad(_, seen) => *seen += piece.length(),
                // Nothing comes before it is known how much.
                Stage::Garble(_, _, None) => {}
                Stage::Replace(_) => continue,
            }
            out.push(piece);
        }
        match &mut self.what {
            Stage::Keep(left) => self.over = *left == 0,
            Stage::Replace(text) => {
                out.push(Piece::Bytes(std::mem::take(text).into_bytes()));
                self.over = true;
            }
            Stage::Pad(size, seen) if ends => {
                self.acted |= *seen < *size;
                out.push(Piece::Generated(GeneratedBody::new(b' ', size.saturating_sub(*seen))))
            }
            Stage::Garble(..) | Stage::Pad(..) => {}
        }
        self.over |= ends;
    }
}

impl Piece {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Generated(fill) => fill.left(),
        }
    }

    fn shorten(&mut self, length: u64) {
        match self {
            Self::Bytes(bytes) => bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX)),
            Self::Generated(fill) => fill.shorten(length),
        }
    }

    fn garble(&mut self, noise: &mut Noise) {
        match self {
            Self::Bytes(bytes) => noise.garble(bytes),
            // Nothing comes behind it.
            Self::Generated(fill) => fill.garble(noise.clone()),
        }
    }
}
