//! A Redis that asks for a password: it is ready, and made to forget by whoever knows the password.

use chaos_model::{
    Protocol, Service, Set,
    language::{self, Known},
};
use chaos_run::{Address, Instance, InstanceId, flush::flush, ready};
use host::{Host, Settings, memory::MemoryNetwork};
use std::{io, path::Path};

/// The service `redis` of a system in which a program uses it by this URL, and where it has these keys.
fn service(url: &str, keys: &str, variable: Option<&str>) -> Service {
    let text = format!(
        "title = \"a password\"\nentry = \"web\"\n[service.web]\nprogram = \"gateway\"\nenv.CACHE = \"{url}\"\n\
         [service.redis]\nprogram = \"redis\"\n{keys}\n\
         [load]\nrequest = \"GET /\"\nrate = \"20/s\"\nduration = \"1s\"\n\
         [[expect]]\nthat = \"served\"\nduring = \"run\"\nstatus.200 = \">= 99%\"\n"
    );
    let variable = |name: &str| variable.filter(|_| name == "CACHE_PASSWORD").map(str::to_owned);
    let known = Known { variable: &variable, ..Known::BUILT_IN };
    let sets: &[Set] = &[];
    let scenario = language::load_with(Path::new("test.toml"), sets, &known, &|_: &Path| io::Result::Ok(text.clone()));
    scenario.map_err(|wrong| wrong.render(false, 100)).unwrap().system.services["redis"].clone()
}

/// A Redis with a password, and the machine that asks it.
fn redis() -> (Host, Address) {
    let network = MemoryNetwork::new(0);
    let (server, _) = network.node("redis", Settings::from_iter([("REDIS_PASSWORD", "s3cret")]));
    drop(server.spawn(chaos_redis::run(server.clone())));
    (network.host("runner"), Address { host: "redis".to_owned(), port: Protocol::REDIS.usual_port })
}

async fn flushed(service: &Service) -> Result<(), String> {
    let (host, address) = redis();
    let (id, what, ports) = (InstanceId::first("redis"), "redis".to_owned(), std::collections::BTreeMap::new());
    let instance = Instance { id, address: address.clone(), ports, what };
    let asked = async || ready::wait(&host, service, &instance, None).await;
    while asked().await.is_err() {}
    flush(&host, service, &address).await.map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_redis_with_a_password_is_ready_and_forgets_by_the_url_of_a_link_or_a_variable() {
    assert_eq!(flushed(&service("redis://:s3cret@{redis}", "", None)).await, Ok(()));
    assert_eq!(flushed(&service("redis://default:s3cret@{redis}/0", "", None)).await, Ok(()));
    let named = "password = \"{env:CACHE_PASSWORD}\"";
    assert_eq!(flushed(&service("redis://{redis}", named, Some("s3cret"))).await, Ok(()));
    // The service's own wins.
    assert_eq!(flushed(&service("redis://:old@{redis}", named, Some("s3cret"))).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_flush_without_the_password_is_refused_with_what_to_do() {
    let none = flushed(&service("redis://{redis}", "", None)).await.unwrap_err();
    assert!(none.contains("asks for a password") && none.contains("password = \"{env:NAME}\""), "{none}");
    let named = "password = \"{env:CACHE_PASSWORD}\"";
    let unset = flushed(&service("redis://{redis}", named, None)).await.unwrap_err();
    assert!(unset.contains("CACHE_PASSWORD") && unset.contains("is not set"), "{unset}");
    let wrong = flushed(&service("redis://:wrong@{redis}", "", None)).await.unwrap_err();
    assert!(wrong.contains("does not take the login") && wrong.contains("WRONGPASS"), "{wrong}");
}
