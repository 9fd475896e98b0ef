//! The numbers in a message, and its form: what is left where they are taken out.

use std::mem::take;

/// The numbers that stand in a message as words of their own, in order, and the message without them. Messages of one form
/// have numbers of the same meaning in the same places.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) form: String,
    pub(super) values: Vec<u64>,
}

impl Numbers {
    pub(super) fn of(message: &str) -> Self {
        let mut this = Self { form: String::with_capacity(message.len()), values: Vec::new() };
        let mut run = String::new();
        for c in message.chars() {
            if c.is_alphanumeric() || c == '-' {
                run.push(c);
            } else {
                this.add(&take(&mut run));
                this.form.push(c);
            }
        }
        this.add(&run);
        this
    }

    /// Adds what stands between other characters than letters, digits and dashes.
    fn add(&mut self, run: &str) {
        if is_uuid(run) {
            // Its parts may be digits alone, and mean nothing.
            return self.form.push('*');
        }
        for (n, word) in run.split('-').enumerate() {
            if n > 0 {
                self.form.push('-');
            }
            match number(word) {
                Some(value) => {
                    self.values.push(value);
                    self.form.push('#');
                }
                // An id of another kind: those of one form differ in it.
                None if word.bytes().any(|byte| byte.is_ascii_digit()) => self.form.push('*'),
                None => self.form.push_str(word),
            }
        }
    }
}

/// A number as the load writes it: digits alone, and no zero before others.
fn number(word: &str) -> Option<u64> {
    let plain = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    word.parse().ok().filter(|_| plain)
}

/// True for `8-4-4-4-12` hexadecimal digits (RFC 9562).
fn is_uuid(run: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    run.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && run.split('-').all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_number_that_stands_alone() {
        let of = |message| {
            let Numbers { form, values } = Numbers::of(message);
            (form, values)
        };
        assert_eq!(of("GET gateway:profile:7"), ("GET gateway:profile:#".to_owned(), vec![7]));
        assert_eq!(of("GET /users/70?page=2&x=0"), ("GET /users/#?page=#&x=#".to_owned(), vec![70, 2, 0]));
        assert_eq!(of("GET v7:profile:user77a:007:+8"), ("GET *:profile:*:*:+#".to_owned(), vec![8]));
        assert_eq!(of("HELLO"), ("HELLO".to_owned(), vec![]));
        assert_eq!(of("GET 99999999999999999999").1, [0; 0], "more than a variable can be");
        assert_eq!(of("GET http://10.0.0.1:8080/").1, [10, 0, 0, 1, 8080]);
        assert_eq!(of("GET /a/2024-1-02"), ("GET /a/#-#-*".to_owned(), vec![2024, 1]));
        let uuid = of("GET /orders/12345678-1234-4123-8123-123456789012/7");
        assert_eq!(uuid, ("GET /orders/*/#".to_owned(), vec![7]), "a UUID of digits alone is one id");
        assert_eq!(of("GET /a/12345678-1234").1, [12_345_678, 1234]);
    }
}
