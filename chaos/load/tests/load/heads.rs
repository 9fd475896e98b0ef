//! Heads of responses that no server should send and that a user agent has to read (RFC 9112), and their bounds.

use crate::bench::{plan, run_with, serve_raw};
use chaos_load::{Arrival, CheckResponse, Error, Marks, Response};
use host::memory::MemoryNetwork;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

/// Notes the values of `x-test`, and how many fields there are.
#[derive(Default)]
struct Fields(Mutex<(Vec<String>, usize)>);

impl CheckResponse for Fields {
    fn check(&self, _: &Arrival, response: &Response<'_>) -> Marks {
        let values = response.headers.get_all("x-test").iter().map(|value| value.to_str().unwrap().to_owned());
        *self.0.lock().unwrap() = (values.collect(), response.headers.len());
        Marks::default()
    }
}

/// The result of a request whose response has this head, the values of its `x-test` and the number of its fields.
async fn read(fields: &str) -> (Result<u16, Error>, Vec<String>, usize) {
    let network = MemoryNetwork::new(1);
    let response = format!("HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\nok");
    let _target = serve_raw(&network, move |mut stream| {
        let response = response.clone();
        async move {
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    let mut plan = plan("/");
    plan.load.stages = crate::bench::for_so_long(crate::bench::MS);
    let seen = Arc::new(Fields::default());
    let (outcomes, _) =
        run_with(&network.host("client"), plan, Arc::<Fields>::clone(&seen), CancellationToken::new()).await;
    let (values, count) = seen.0.lock().unwrap().clone();
    (outcomes[0].result, values, count)
}

#[tokio::test(start_paused = true)]
async fn folded_lines_are_one_value() {
    for fields in ["x-test: a,\r\n b\r\n", "x-test: a, \r\n\t  b\r\n", "x-test:\r\n a,\r\n b \r\nx-other: c\r\n d\r\n"]
    {
        let (result, values, _) = read(fields).await;
        let values: Vec<&str> = values.iter().map(|value| value.trim_start()).collect();
        assert_eq!((result, values), (Ok(200), vec!["a, b"]), "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn blanks_around_a_colon_are_no_part_of_anything() {
    for fields in ["x-test : a\r\n", "x-test\t:\ta\t\r\n", "X-Test:a\r\n", "x-test:    a   \r\n"] {
        assert_eq!(read(fields).await, (Ok(200), vec!["a".to_owned()], 2), "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_that_comes_several_times_is_handed_on_whole() {
    let (result, values, _) = read("x-test: a\r\nset-cookie: b\r\nX-TEST: c\r\nx-test:\r\n").await;
    assert_eq!((result, values), (Ok(200), vec!["a".to_owned(), "c".to_owned(), String::new()]));
}

#[tokio::test(start_paused = true)]
async fn many_fields_and_large_heads_are_read_up_to_a_bound() {
    let many = |count: usize, length: usize| -> String {
        (0..count).map(|n| format!("x-{n}: {}\r\n", "v".repeat(length))).collect()
    };
    assert_eq!(read(&many(999, 1)).await, (Ok(200), vec![], 1000));
    assert_eq!(read(&many(1000, 1)).await.0, Err(Error::BadResponse));
    // 256 KiB in one field, and in many.
    assert_eq!(read(&many(1, 262_000)).await.0, Ok(200));
    assert_eq!(read(&many(500, 512)).await.0, Ok(200));
    assert_eq!(read(&many(1, 600_000)).await.0, Err(Error::BadResponse));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_no_field_is_no_http() {
    for fields in ["no colon\r\n", "x test: a\r\n", ": a\r\n", "x-test: a\u{0}b\r\n"] {
        assert_eq!(read(fields).await.0, Err(Error::BadResponse), "{fields:?}");
    }
}
