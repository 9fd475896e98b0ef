//! What becomes of the bytes of a body: edits, one behind the other.

use super::{super::fill::Fill, Noise};
use chaos_model::effect::action::{BodyEdit, Part};

/// Bytes of a body, between two edits.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    Fill(Fill),
}

/// Edits in order. Those that would change nothing are left out.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    edits: Vec<Edit>,
    announced: Option<u64>,
}

#[derive(Debug)]
struct Edit {
    what: What,
    /// It gives nothing any more.
    over: bool,
}

#[derive(Debug)]
enum What {
    /// So many bytes, once that is known.
    Keep(Part, Option<u64>),
    Garble(u32, u64, Option<Noise>),
    Replace(String),
    /// This many, of which so many have come.
    Pad(u64, u64),
}

impl Chain {
    /// For a body of this length, where it is known; and then only this part of it comes, where there is one.
    pub(crate) fn new(edits: &[(BodyEdit, u64)], ends: Option<Part>, length: Option<u64>) -> Self {
        let mut chain = Self { edits: Vec::new(), announced: length };
        for (edit, seed) in edits {
            let length = chain.announced;
            let (what, length) = match edit {
                BodyEdit::Shorten(part) => (What::keep(*part, length), length.map(|length| part.of(length))),
                BodyEdit::Garble { parts_per_million } => {
                    let noise = length.map(|length| Noise::of_length(*seed, *parts_per_million, length));
                    (What::Garble(*parts_per_million, *seed, noise), length)
                }
                BodyEdit::Replace(text) => (What::Replace(text.clone()), Some(text.len() as u64)),
                BodyEdit::Pad(size) => (What::Pad(*size, 0), length.map(|length| length.max(*size))),
                BodyEdit::Trickle(_) => continue,
            };
            let idle = match what {
                What::Keep(..) | What::Pad(..) => length.is_some() && length == chain.announced,
                What::Garble(..) => length == Some(0),
                What::Replace(_) => false,
            };
            if !idle {
                chain.edits.push(Edit { what, over: false });
            }
            chain.announced = length;
        }
        if let Some(part) = ends {
            chain.edits.push(Edit { what: What::keep(part, chain.announced), over: false });
        }
        chain
    }

    /// How many bytes there are behind the edits, where that is known, and unless the connection ends before.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether nothing more comes out of it.
    pub(super) fn is_over(&self) -> bool {
        self.edits.last().is_some_and(|edit| edit.over)
    }

    /// How much is known to come, of a body of unknown length: for edits that need to know before they see any of it.
    /// `sure` is the same in whichever pieces the body comes.
    pub(super) fn expect(&mut self, mut first: u64, mut sure: u64) {
        for edit in &mut self.edits {
            match &mut edit.what {
                What::Keep(part, left) => {
                    let left = *left.get_or_insert_with(|| part.of(first));
                    (first, sure) = (first.min(left), sure.min(left));
                }
                What::Garble(parts, seed, noise) => {
                    noise.get_or_insert_with(|| Noise::of_unknown(*seed, *parts, sure));
                }
                What::Replace(_) | What::Pad(..) => {}
            }
        }
    }

    /// These come in, and nothing behind them where it `ends`. Gives what comes out.
    pub(super) fn feed(&mut self, piece: Option<Piece>, mut ends: bool) -> Vec<Piece> {
        let mut pieces = Vec::from_iter(piece);
        for edit in &mut self.edits {
            let mut out = Vec::new();
            if !edit.over {
                edit.feed(pieces, ends, &mut out);
            }
            ends |= edit.over;
            pieces = out;
        }
        pieces
    }
}

impl What {
    fn keep(part: Part, length: Option<u64>) -> Self {
        let bytes = match part {
            Part::Bytes(bytes) => Some(bytes),
            Part::PerMillion(_) => None,
        };
        Self::Keep(part, length.map(|length| part.of(length)).or(bytes))
    }
}

impl Edit {
    fn feed(&mut self, pieces: Vec<Piece>, ends: bool, out: &mut Vec<Piece>) {
        for mut piece in pieces {
            match &mut self.what {
                What::Keep(_, Some(left)) => {
                    piece.shorten(*left);
                    *left -= piece.length();
                }
                What::Garble(_, _, Some(noise)) => piece.garble(noise),
                What::Pad(_, seen) => *seen += piece.length(),
                // Nothing comes before it is known how much.
                What::Keep(_, None) | What::Garble(_, _, None) => {}
                What::Replace(_) => continue,
            }
            out.push(piece);
        }
        match &mut self.what {
            What::Keep(_, left) => self.over = *left == Some(0),
            What::Replace(text) => {
                out.push(Piece::Bytes(std::mem::take(text).into_bytes()));
                self.over = true;
            }
            What::Pad(size, seen) if ends => out.push(Piece::Fill(Fill::new(b' ', size.saturating_sub(*seen)))),
            What::Garble(..) | What::Pad(..) => {}
        }
        self.over |= ends;
    }
}

impl Piece {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Fill(fill) => fill.left(),
        }
    }

    fn shorten(&mut self, length: u64) {
        match self {
            Self::Bytes(bytes) => bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX)),
            Self::Fill(fill) => fill.shorten(length),
        }
    }

    fn garble(&mut self, noise: &mut Noise) {
        match self {
            Self::Bytes(bytes) => noise.garble(bytes),
            // Nothing comes behind it.
            Self::Fill(fill) => fill.garble(noise.clone()),
        }
    }
}
