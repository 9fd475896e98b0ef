//! The conformance tests of runtimes (`tests/worlds`), with containers.

use crate::{
    body::Conformance,
    engine::{Engine, images},
};
use chaos_supervise::supervisor::SupervisorProgram;
use chaos_worlds::docker::{DockerConfig, DockerRuntime, Images};
use host::tcp;
use std::sync::Arc;

/// Everything that a runtime has to do.
pub(crate) async fn conform(_: Arc<Engine>) {
    let temp = tempfile::tempdir().expect("this machine gives it");
    let images = images(None);
    let image = |name: &str| images[name].clone();
    let config = DockerConfig {
        supervisor: SupervisorProgram::new(env!("CARGO_BIN_EXE_chaos")),
        temp: temp.path().to_owned(),
        others: chaos_worlds::Others::local(),
        images: Images { chaos: image("CHAOS_IMAGE"), redis: image("REDIS_IMAGE") },
    };
    let host = tcp::host(tcp::Config::loopback("client")).expect("this machine gives it");
    Conformance::of(DockerRuntime::new(host, config)).await;
    assert_eq!(std::fs::read_dir(temp.path()).expect("this machine gives it").count(), 0, "nothing is left of the run");
}
