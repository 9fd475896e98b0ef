mod attribution;
mod connection;
mod edits;
mod library;
mod states;
mod streaming;
mod subscriptions;
mod transactions;
mod transparency;
pub(super) mod wire;

#[test]
fn replies_are_told_by_their_first_line() {
    for (bytes, told) in [
        (&b"$-1\r\n"[..], "nil"),
        (b"_\r\n", "nil"),
        (b"$57\r\n{", "57 bytes"),
        (b"*3\r\n", "3 elements"),
        (b"+OK\r\n", "OK"),
        (b":7\r\n", "7"),
        (b"-WRONGTYPE no\r\n", "error: WRONGTYPE no"),
        (b"", "a reply"),
    ] {
        assert_eq!(super::words(bytes), told);
    }
}
