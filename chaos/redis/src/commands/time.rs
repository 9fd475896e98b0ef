use super::Command;
use crate::codec::Frame;

/// `TIME`: seconds since the Unix epoch, and microseconds of this one.
pub(super) const TIME: Command = Command::new("time", |call| {
    let (seconds, rest_ms) = (call.now_ms.div_euclid(1000), call.now_ms.rem_euclid(1000));
    Ok(Frame::Array(vec![Frame::bulk(seconds.to_string()), Frame::bulk((rest_ms * 1000).to_string())]))
});
