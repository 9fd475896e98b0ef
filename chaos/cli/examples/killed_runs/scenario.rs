//! A run that has all that could be left: services that are ours and services that are commands, one that hears no
//! signal, children that leave it, faults that freeze and end services.

use std::path::Path;

/// The scenario's text. A service that is stubborn ends by no SIGTERM, so that taking down takes its time.
pub(crate) fn text(chaos: &Path, is_stubborn: bool) -> String {
    let chaos = chaos.display();
    let trap = if is_stubborn { "trap '' TERM; " } else { "" };
    let shell =
        format!("{trap}(setsid sleep 1000 &); (env -i sleep 2000 &); {chaos} serve user-service & sleep 3000 & wait");
    format!(
        r#"
title = "A run to be killed"
entry = "users"

[service.users]
command  = ["sh", "-c", {shell:?}]
protocol = "http"
ready    = "GET /health"
env.PORT = "{{self.port}}"
env.NEIGHBOUR = "{{orders}}"
env.REDIS     = "redis://{{redis}}"

[service.orders]
program = "order-service"
ready   = "GET /health"

[service.redis]
program  = "redis"
protocol = "redis"

[load]
request   = "GET /users/{{user}}"
rate      = "100/s"
duration  = "500ms"
vars.user = "uniform 1..1000"

[[fault]]
name   = "frozen"
on     = "orders"
effect = "pause"
at     = "50ms"
for    = "400ms"
pulse  = "50ms of 100ms"

[[fault]]
name   = "away"
on     = "client -> users"
effect = "refuse"
at     = "100ms"
for    = "300ms"

[[fault]]
name   = "gone"
on     = "redis"
effect = "kill"
at     = "150ms"
for    = "100ms"

[[expect]]
that   = "it has begun"
during = "run"
unanswered.any = ">= 1%"
"#
    )
}
