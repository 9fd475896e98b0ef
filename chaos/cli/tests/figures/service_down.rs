//! One service is killed or frozen, and nothing is cached.

use crate::{load, system::System};
use chaos_model::Variable;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const USERS: Variable = Variable::Uniform { low: 1, high: 1000 };
const RATE: u32 = 100;
const BROKEN: Duration = Duration::from_secs(4);
const END: Duration = Duration::from_secs(12);
const DEADLINE: Duration = Duration::from_millis(1500);

/// From here on the circuit is open, but for one probe at a time.
const OPEN: Duration = Duration::from_secs(6);

async fn all_are_answered(service: &'static str, breaks: fn(&System, &str)) {
    let system = System::start(&[("GATEWAY_CACHE", "off")]).await;
    let label = service.trim_end_matches("-service");
    let of = |name: &str| format!("service_{name}_total{{service=\"{label}\"}}");
    let started = Instant::now();
    let breaking = async {
        sleep_until(started + BROKEN).await;
        breaks(&system, service);
        let state = format!("breaker_state{{service=\"{label}\",state=\"open\"}}");
        system.until(&state, |value| value > 0.0, OPEN - BROKEN).await;
        sleep_until(started + OPEN).await;
        system.metric(&of("calls")).await
    };
    let (outcomes, calls_until_open) = tokio::join!(load::put(&system, RATE, END, USERS), breaking);
    let second = Duration::from_secs(1);
    let well = outcomes.within(second, BROKEN);
    let (broken, open) = (outcomes.within(BROKEN + second, END), outcomes.within(OPEN, END));
    let (calls, first) = (system.metric(&of("calls")).await, system.metric(&of("first_attempts")).await);
    let limit = well.latency(99_000) + Duration::from_millis(10);
    let (slow, probes) = (open.slower_than(limit), calls - calls_until_open);
    println!(
        "{service}: p50 {:?}, p99 {:?} well, p50 {:?} with an open circuit, {slow} of {} slower than {limit:?}, \
         {probes} probes, slowest {:?}; {} of {} partial; {calls} calls for {first} ({:.3})",
        well.latency(50_000),
        well.latency(99_000),
        open.latency(50_000),
        open.count(),
        outcomes.slowest(),
        broken.partial(),
        broken.count(),
        calls / first
    );
    assert_eq!(outcomes.failed(), 0);
    // Some have ordered nothing, and miss no products.
    let least = if service == "product-service" { 0.8 } else { 1.0 };
    assert!(broken.partial() as f64 >= least * broken.count() as f64, "what is missing is said");
    assert!(outcomes.slowest() <= DEADLINE);
    assert!(slow as f64 <= probes + 1.0, "an open circuit costs nothing but to the one request at a time that probes");
    assert!(open.latency(99_000) <= limit, "and that is less than one in a hundred");
    assert!(calls <= 1.1 * first + END.as_secs_f64(), "{calls} calls for {first} first ones");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and wants a release build and a quiet machine"]
async fn one_service_down_is_200_partial_and_in_time() {
    for service in ["user-service", "order-service", "product-service"] {
        all_are_answered(service, System::kill).await;
        all_are_answered(service, System::freeze).await;
    }
}
