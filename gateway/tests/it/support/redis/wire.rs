//! Just enough of RESP: bulk strings out, commands in.

pub(super) fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// One command and its length, if it is there in whole.
pub(super) fn parse(buffer: &[u8]) -> Option<(Vec<String>, usize)> {
    fn line(buffer: &[u8], at: &mut usize) -> Option<usize> {
        let end = buffer[*at..].windows(2).position(|pair| pair == b"\r\n")? + *at;
        let number = std::str::from_utf8(&buffer[*at + 1..end]).unwrap().parse().unwrap();
        *at = end + 2;
        Some(number)
    }
    let mut at = 0;
    let count = line(buffer, &mut at)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = line(buffer, &mut at)?;
        words.push(String::from_utf8(buffer.get(at..at + length)?.to_vec()).unwrap());
        at += length + 2;
        buffer.get(..at)?;
    }
    Some((words, at))
}
