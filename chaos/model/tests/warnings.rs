//! Warnings: what is valid, and probably not what is meant.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::language::load;
use std::{io, path::Path};

/// The warnings on a fault with these lines, on the clients' link unless it says otherwise.
fn warnings(fault: &str) -> String {
    let on = if fault.contains("on = ") { "" } else { "on = \"client -> web\"\n" };
    let text = format!(
        "title = \"it\"\nentry = \"web\"\n[service.web]\nprogram = \"gateway\"\nenv.USER_SERVICE_URL = \
         \"http://{{users}}\"\n[service.users]\nprogram = \"user-service\"\n[load]\nrate = \"9/s\"\nduration = \"9s\"\n\
         vars.user = \"uniform 1..9\"\n[[load.request]]\nrequest = \"GET /users/{{user}}?full=1\"\nheaders.x-tenant = \
         \"blue-{{user}}\"\n[[load.request]]\nrequest = \"POST /orders\"\n[[fault]]\nname = \"it\"\n{on}effect = \
         \"delay\"\ndelay = \"1ms\"\nat = \"1s\"\nfor = \"1s\"\n{fault}\n[[expect]]\nthat = \"it\"\nstatus.200 = \
         \">= 9%\"\n"
    );
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let read = load(Path::new("it.toml"), &[], &read).map_err(|wrong| wrong.render(false, 100)).unwrap();
    read.warnings().map(|warnings| warnings.render(false, 100)).unwrap_or_default()
}

#[test]
fn a_fault_that_no_request_of_the_load_meets_is_warned_of() {
    for (fault, why) in [
        ("only.path = \"/user/*\"", "no request of the load has such a path"),
        ("only.path = \"/users/\"", "no request of the load has such a path"),
        ("only.method = \"PUT|DELETE\"", "no request of the load has such a method"),
        ("only.query = \"full=2\"", "no request of the load has such a query"),
        ("only.header.X-Tenant = \"red*\"", "no request of the load has such a header field `x-tenant`"),
        ("only.header.x-other = \"*\"", "no request of the load has such a header field `x-other`"),
        ("only.baggage.tenant = \"blue\"", "no request of the load has such a baggage `tenant`"),
        ("only.method = \"POST\"\nonly.path = \"/users/*\"", "no request of the load has all of this"),
        ("except.method = \"GET|POST\"", "this spares every request of the load"),
        ("only.method = \"GET\"\nexcept.path = \"/users/*\"", "this spares every request of the load"),
    ] {
        let told = warnings(fault);
        assert!(told.starts_with(&format!("warning: `it`: {why}\n")), "{fault}: {told}");
        assert!(told.contains("= help: clients send `GET /users/{user}?full=1`, `POST /orders`"), "{told}");
    }
    let told = warnings("only.method = \"GET\"\nonly.path = \"/user/*\"");
    assert!(told.contains("^^^^^^^^^\n") && told.contains("it.toml:25:13"), "{told}");
}

#[test]
fn what_may_meet_or_can_not_be_known_is_not_warned_of() {
    for fault in [
        "only.path = \"/users/7\"",
        "only.path = \"/users/*\"\nonly.query = \"full=*\"",
        "only.method = \"POST\"\nonly.query = \"*\"",
        "only.header.x-tenant = \"blue-7\"",
        "only.header.user-agent = \"chaos*\"",
        "only.baggage.'chaos.request' = \"*\"",
        "except.path = \"/users/7\"",
        "except.method = \"GET\"",
        "except.method = \"GET|POST\"\nexcept.first = \"3\"",
        "on = \"web -> users\"\nonly.path = \"/nobody/knows\"",
    ] {
        assert_eq!(warnings(fault), "", "{fault}");
    }
}

/// The warnings on a fault on the link to a Redis that this command starts.
fn of_redis(command: &str) -> String {
    let text = format!(
        "title = \"it\"\nentry = \"web\"\n[service.web]\ncommand = [\"web\", \"--port={{self.port}}\", \"{{redis}}\"]\nprotocol = \"http\"\n\
         [service.redis]\ncommand = {command}\nprotocol = \"redis\"\n[load]\nrate = \"9/s\"\nduration = \"9s\"\nrequest = \
         \"GET /\"\n[[fault]]\nname = \"it\"\non = \"web -> redis\"\neffect = \"hang\"\nat = \"1s\"\nfor = \"1s\"\n\
         [[expect]]\nthat = \"it\"\nstatus.200 = \">= 9%\"\n"
    );
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let read = load(Path::new("it.toml"), &[], &read).map_err(|wrong| wrong.render(false, 100)).unwrap();
    read.warnings().map(|warnings| warnings.render(false, 200)).unwrap_or_default()
}

#[test]
fn a_redis_whose_clients_go_past_its_proxies_is_warned_of() {
    for (command, what) in [
        (r#"["redis-server", "--port", "{self.port}", "--cluster-enabled", "yes"]"#, "`redis` is a node of a cluster"),
        (r#"["sh", "-c", "redis-server --cluster-enabled yes"]"#, "`redis` is a node of a cluster"),
        (r#"["redis-server", "sentinel.conf", "--sentinel"]"#, "`redis` is a Sentinel"),
        (r#"["/usr/bin/redis-sentinel", "sentinel.conf"]"#, "`redis` is a Sentinel"),
    ] {
        let told = of_redis(command);
        assert!(told.starts_with(&format!("warning: {what}")) && told.contains("announce-port"), "{command}: {told}");
    }
    for command in [
        r#"["redis-server", "--port", "{self.port}", "--cluster-enabled", "no"]"#,
        r#"["redis-server", "--port", "{self.port}", "--cluster-enabled", "yes", "--cluster-announce-port", "7101"]"#,
        r#"["redis-server", "--port", "{self.port}"]"#,
    ] {
        assert_eq!(of_redis(command), "", "{command}");
    }
}

#[test]
fn a_command_that_is_not_told_its_port_is_warned_of() {
    let told = |words: &str, env: &str| {
        let text = format!(
            "title = \"it\"\nentry = \"web\"\n[service.web]\ncommand = [{words}]\nprotocol = \"http\"\n{env}\n[load]\n\
             request = \"GET /\"\nrate = \"9/s\"\nduration = \"9s\"\n[[expect]]\nthat = \"it\"\nstatus.200 = \">= 9%\"\n"
        );
        let read = |path: &Path| match path.to_str() {
            Some("it.toml") => Ok(text.clone()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        let read = load(Path::new("it.toml"), &[], &read).map_err(|wrong| wrong.render(false, 100)).unwrap();
        read.warnings().map(|warnings| warnings.render(false, 100)).unwrap_or_default()
    };
    for words in ["\"./web\"", "\"./web\", \"--port\", \"$PORT\"", "\"./web\", \"--port=8080\""] {
        let told = told(words, "");
        assert!(told.starts_with("warning: nothing tells `web` on which port to listen\n"), "{words}: {told}");
        assert!(told.contains("it.toml:4:11") && told.contains("`{self.port}`"), "{told}");
    }
    assert_eq!(told("\"./web\", \"--port={self.port}\"", ""), "");
    assert_eq!(told("\"./web\"", "env.PORT = \"{self.port}\""), "");
}

#[test]
fn a_comparison_that_can_not_fail_is_warned_of() {
    for (comparison, why) in [
        ("status.200 = \">= 0%\"", "`>= 0%` can't fail, so it shows nothing"),
        ("latency.p50 = \"< 6s\"", "`< 6s` can't fail, so it shows nothing"),
        ("calls.'client -> web' = \">= 0 per request\"", "`>= 0` can't fail, so it shows nothing"),
    ] {
        let text = format!(
            "title = \"it\"\nentry = \"web\"\n[service.web]\nprogram = \"gateway\"\n[load]\nrequest = \"GET /\"\nrate = \
             \"9/s\"\nduration = \"9s\"\ntimeout = \"5s\"\n[[expect]]\nthat = \"it\"\nduring = \"run\"\n{comparison}\n"
        );
        let read = load(Path::new("it.toml"), &[], &|_| Ok(text.clone())).map_err(|wrong| wrong.render(false, 100));
        let read = read.unwrap();
        let told = read.warnings().unwrap().render(false, 100);
        assert!(told.starts_with(&format!("warning: {why}\n")) && told.contains("it.toml:13:"), "{told}");
        assert!(read.expectations[0].checks[0].idle);
    }
}
