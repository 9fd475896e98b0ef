//! Clients that leave in the middle, and a service that stops.

use crate::common::{PRODUCT, Shop};
use host::{Host, Stream, memory::MemoryNetwork};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const WHOLE: &str = "POST /products/batch HTTP/1.1\r\nhost: product\r\ncontent-type: application/json\r\n\
     content-length: 14\r\n\r\n{\"ids\":[\"p1\"]}";

/// `http_active_requests`, and the sum of `http_requests_total`.
fn active_and_total(host: &Host) -> (f64, f64) {
    let families = host.metrics().gather();
    let of = |name| families.iter().filter(move |family| family.name() == name).flat_map(|family| family.get_metric());
    let active = of("http_active_requests").map(|metric| metric.get_gauge().get_value()).sum();
    (active, of("http_requests_total").map(|metric| metric.get_counter().get_value()).sum())
}

/// Sends this much of a request.
async fn begin(client: &Host, length: usize) -> Stream {
    let mut stream = client.dial("product", PRODUCT).await.unwrap();
    stream.write_all(&WHOLE.as_bytes()[..length]).await.unwrap();
    stream
}

#[tokio::test(start_paused = true)]
async fn after_a_thousand_requests_that_end_in_all_ways_none_is_active() {
    let shop = Shop::open().await;
    let client = shop.network.host("client");
    let mut streams = Vec::new();
    for _ in 0..1000 {
        streams.push(begin(&client, WHOLE.len() - 3).await);
    }
    // On a paused clock this ends when nobody has anything left to do.
    client.sleep(Duration::from_millis(1)).await;
    assert_eq!(active_and_total(&shop.product_host), (1000.0, 0.0));
    for (index, mut stream) in streams.into_iter().enumerate() {
        match index % 4 {
            0 => stream.abort(),
            1 => drop(stream),
            2 => stream.shutdown().await.unwrap(),
            _ => {
                stream.write_all(&WHOLE.as_bytes()[WHOLE.len() - 3..]).await.unwrap();
                let mut response = [0; 12];
                stream.read_exact(&mut response).await.unwrap();
                assert_eq!(&response, b"HTTP/1.1 200");
            }
        }
    }
    client.sleep(Duration::from_millis(1)).await;
    assert_eq!(active_and_total(&shop.product_host), (0.0, 1000.0));
}

#[tokio::test(start_paused = true)]
async fn a_crash_leaves_no_request_active() {
    let shop = Shop::open().await;
    let client = shop.network.host("client");
    let _streams = [begin(&client, WHOLE.len() - 1).await, begin(&client, WHOLE.len() - 1).await];
    client.sleep(Duration::from_millis(1)).await;
    assert_eq!(active_and_total(&shop.product_host), (2.0, 0.0));
    shop.product_tasks.crash();
    client.sleep(Duration::from_millis(1)).await;
    assert_eq!(active_and_total(&shop.product_host), (0.0, 2.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_http_ends_its_own_connection_alone() {
    let shop = Shop::open().await;
    let client = shop.network.host("client");
    let huge = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1_000_000));
    for garbage in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET /products/p1 HTTP/1.1\r\nbad header\r\n\r\n", &huge] {
        let mut stream = client.dial("product", PRODUCT).await.unwrap();
        // It may be cut off before all is written.
        let _ = stream.write_all(garbage.as_bytes()).await;
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response).await;
        let status = String::from_utf8_lossy(&response).chars().skip(9).take(3).collect::<String>();
        assert!(["", "400", "414", "431"].contains(&status.as_str()), "{status}");
    }
    shop.get(PRODUCT, "/products/p1").await.ok();
    assert!(active_and_total(&shop.product_host).0.abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_the_request_under_way_is_answered_and_the_port_is_free() {
    let network = MemoryNetwork::new(1);
    let host = network.host("product");
    let service = host.spawn(services::product::run(host.clone()));
    let client = network.host("client");
    client.sleep(Duration::from_millis(1)).await;
    let mut stream = begin(&client, WHOLE.len() - 1).await;
    client.sleep(Duration::from_millis(1)).await;
    host.shutdown().cancel();
    client.sleep(Duration::from_millis(1)).await;
    assert!(client.dial("product", PRODUCT).await.is_err());
    assert!(!service.is_finished());
    stream.write_all(&WHOLE.as_bytes()[WHOLE.len() - 1..]).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
    service.await.unwrap().unwrap();
    assert!(host.listen(PRODUCT).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_taken_port_and_a_bad_setting_are_errors_that_say_so() {
    let network = MemoryNetwork::new(1);
    let taken = network.host("user");
    let _listener = taken.listen(8001).unwrap();
    let error = services::user::run(taken).await.unwrap_err().to_string();
    assert!(error.starts_with("port 8001 is taken: "), "{error}");
    let settings = [("DATA_SEED", "many")].into_iter().collect();
    let error = services::order::run(network.node("order", settings).0).await.unwrap_err().to_string();
    assert!(error.starts_with("DATA_SEED is `many`, but must be a whole number"), "{error}");
}
