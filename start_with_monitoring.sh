#!/usr/bin/env bash
# Brings up the bundled system in containers, with a proxy on every link, and its monitoring; then
#   chaos run scenarios/redis_down.toml --world attach
# breaks it.
#
#   ./start_with_monitoring.sh                 images, containers, and waits until all are healthy
#   ./start_with_monitoring.sh --from FOLDER   takes programs that are built already, as target/release
#   ./start_with_monitoring.sh --down          takes all of it down, with what Prometheus and Grafana have stored
#
# GRAFANA_USER and GRAFANA_PASSWORD (admin, admin123) are what Grafana is started with the first time, and GRAFANA_BIND (127.0.0.1)
# is the address of this machine that it is published on: beyond loopback, with another password alone.
# Exit codes: 0 it is up, or down; 1 it does not come up; 2 the command line; 3 no engine or no Compose.
set -euo pipefail
cd "$(dirname "$0")"

# A cold start on a busy machine of two cores takes a minute.
readonly patience=180
readonly ports="3000 6379 8000 8001 8002 8003 8400 9090 9100 9121 18000"
say() { printf '%s\n' "$*"; }
fail() { printf 'start_with_monitoring: %s\n' "$*" >&2; exit "${code:-1}"; }

down=false
images=()
case "${1:-}" in
  "") ;;
  --down) down=true ;;
  --from) [ -n "${2:-}" ] || code=2 fail "--from needs a folder"; images=(--from "$2") ;;
  *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac

# Everybody knows the password that it has unless it is told another one.
case "${GRAFANA_BIND:-127.0.0.1}" in
  127.*.*.* | ::1 | "[::1]") ;;
  *) $down || [ "${GRAFANA_PASSWORD:-admin123}" != admin123 ] || code=2 fail "Grafana would be published on $GRAFANA_BIND with the \
password that everybody knows: set GRAFANA_PASSWORD, or leave GRAFANA_BIND out" ;;
esac

command -v docker >/dev/null || code=3 fail "there is no docker on the path"
docker version >/dev/null 2>&1 || code=3 fail "no engine answers docker (is it running, and may this user speak to it?)"
if docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif command -v docker-compose >/dev/null; then
  compose=(docker-compose)
else
  code=3 fail "there is neither docker compose nor docker-compose: install one (on Debian: apt-get install docker-compose)"
fi
compose+=(--project-name chaos --env-file .images.env)

# Who starts it can read the token of the control API: the proxies' container runs as this user.
CHAOS_UID=$(id -u) CHAOS_GID=$(id -g)
export CHAOS_UID CHAOS_GID

if $down; then
  [ -e .images.env ] || : >.images.env
  "${compose[@]}" --profile grafana down --volumes --remove-orphans
  rm -rf .chaos
  exit
fi

scripts/images "${images[@]}"
# shellcheck source=/dev/null
. ./.images.env
if [ -n "${GRAFANA_IMAGE:-}" ]; then
  compose+=(--profile grafana)
else
  say "Grafana's image can't be had here: everything but Grafana is started"
fi

# Made by whoever starts it: the engine would make them root's.
mkdir -p .chaos/metrics
chmod 700 .chaos
chmod 755 .chaos/metrics
# Redis's password, as each of those that use it reads it. They have users of their own, and reach these files alone; on this
# machine nobody but this user enters the folder. It stays the same while the stack is there.
if [ ! -s .chaos/redis-password ]; then
  head -c 24 /dev/urandom | base64 | tr '+/' '-_' >.chaos/redis-password
fi
password=$(cat .chaos/redis-password)
echo "requirepass $password" >.chaos/redis.conf
echo "redis://:$password@proxies:6379" >.chaos/redis-url
echo "{\"redis://redis:6379\": \"$password\"}" >.chaos/redis-exporter.json
chmod 644 .chaos/redis.conf .chaos/redis-url .chaos/redis-exporter.json

if [ -z "$("${compose[@]}" ps --quiet 2>/dev/null)" ]; then
  for port in $ports; do
    if (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port of 127.0.0.1 is taken by another program"; fi
  done
fi

begun=$SECONDS
"${compose[@]}" up --detach --remove-orphans --quiet-pull 2>&1 | sed 's/^/  /' || fail "it does not start"

# What is not well: a container that is neither healthy nor, without a health check, running; or a target that
# Prometheus can't scrape.
ill() {
  local id
  for id in $("${compose[@]}" ps --quiet); do
    docker inspect --format '{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$id"
  done | grep -v -e ' running healthy$' -e ' running $' | sed 's/^\///'
  "${compose[@]}" exec -T prometheus promtool query instant http://localhost:9090 'up == 0' 2>/dev/null \
    | sed -n 's/.*instance="\([^"]*\)", job="\([^"]*\)".*/\2 at \1 is not scraped yet/p'
}

say "waiting until all are well"
until problems=$(ill || true); [ -z "$problems" ]; do
  if [ $((SECONDS - begun)) -gt $patience ]; then
    say "$problems" >&2
    for id in $("${compose[@]}" ps --quiet); do
      name=$(docker inspect --format '{{.Name}}' "$id")
      if grep -q "^${name#/} " <<<"$problems"; then
        say "the last lines of ${name#/}, and its last health checks:" >&2
        docker logs --tail 10 "$id" >&2 || true
        docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{end}}{{end}}' "$id" >&2 || true
      fi
    done
    fail "not well after $patience s; it is left as it is (--down removes it)"
  fi
  sleep 1
done

say "
all are well after $((SECONDS - begun)) s

  gateway     http://127.0.0.1:8000/api/profile/1   (through its proxy; http://127.0.0.1:8000/docs to read about it)
  Prometheus  http://127.0.0.1:9090                 (alerts: http://127.0.0.1:9090/alerts)"
if [ -n "${GRAFANA_IMAGE:-}" ]; then
  say "  Grafana     http://127.0.0.1:3000                 (${GRAFANA_USER:-admin} / ${GRAFANA_PASSWORD:-admin123})"
fi
say "  proxies     http://127.0.0.1:8400                 (their control API; its token is in .chaos/token)
  Redis       127.0.0.1:6379                        (its password is in .chaos/redis-password)

break it:      chaos run scenarios/redis_down.toml --world attach --metrics .chaos/metrics/chaos.prom
take it down:  ./start_with_monitoring.sh --down"
