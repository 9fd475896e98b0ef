use std::fmt;
use subtle::ConstantTimeEq as _;

/// The secret that a caller has to show. It is made anew at each start, from the machine's randomness; there is no
/// default.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token of 256 random bits.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in random {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// A token as it was handed over; none where there is nothing but blanks, or what no header can carry.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The text, to be handed over.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares an `Authorization` header with it, in a time that tells nothing of the token but its length.
    pub(crate) fn is_shown_by(&self, header: &[u8]) -> bool {
        let (scheme, shown) = header.split_at(header.len().min(7));
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(shown.trim_ascii().ct_eq(self.0.as_bytes()))
    }
}

/// Never the text: it would end up in logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_shown() {
        let token = Token::new([0xA7; 32]);
        let text = token.reveal().to_owned();
        assert_eq!(text, "a7".repeat(32));
        for header in [format!("Bearer {text}"), format!("bearer  {text} ")] {
            assert!(token.is_shown_by(header.as_bytes()), "{header}");
        }
        let shorter = &text[1..];
        let other = text.replace("a7a7", "a7a8");
        for header in ["", "Bearer", "Bearer ", &text, &format!("Basic {text}"), &format!("Bearer {shorter}")] {
            assert!(!token.is_shown_by(header.as_bytes()), "{header}");
        }
        assert!(!token.is_shown_by(format!("Bearer {other}").as_bytes()));
    }

    #[test]
    fn nothing_is_no_token_and_none_is_shown_in_logs() {
        assert_eq!(Token::read(" \n"), None);
        assert_eq!(Token::read("a b"), None);
        let token = Token::read("secret\n").unwrap();
        assert_eq!((token.reveal(), format!("{token:?}")), ("secret", "Token(…)".to_owned()));
    }
}
