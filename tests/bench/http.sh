#!/bin/sh
# How fast is a local read over HTTP? Runs wrk against one node and against nginx that serve the same 1 KiB on this
# machine, in turn, and prints the medians and their ratio. Called by `./dev bench http`.
#
# usage: http.sh BIN_DIR [--json [FILE]] [--rounds N] [--seconds N]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
rounds=5 seconds=4
read_options "usage: http.sh BIN_DIR [--json [FILE]] [--rounds N] [--seconds N]" "rounds seconds" "$@"

PATH=$PATH:/usr/sbin
for tool in wrk nginx curl; do
  command -v "$tool" >/dev/null || { echo "http.sh: $tool is missing; install it" >&2; exit 1; }
done

work=$(mktemp -d)
node_pid='' nginx_pid=''
# shellcheck disable=SC2317 # called by the trap
finish() {
  [ -z "$node_pid" ] || kill "$node_pid" 2>/dev/null || true
  [ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null || true
  [ -z "$node_pid" ] || wait "$node_pid" 2>/dev/null || true
  [ -z "$nginx_pid" ] || wait "$nginx_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The kernel's list of listening sockets, where a port stands as four hexadecimal digits.
port_is_free() {
  ! awk -v wanted=":$(printf '%04X' "$1")\$" '$2 ~ wanted && $4 == "0A" { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6
}

last_port=$((20000 + $$ % 20000))
free_port() {
  last_port=$((last_port + 1))
  until port_is_free "$last_port"; do last_port=$((last_port + 1)); done
}

wait_for() {
  tries=0
  until curl -sf -o /dev/null "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "http.sh: no answer at $1" >&2; cat "$work"/*.log >&2; exit 1; }
    sleep 0.1
  done
}

start_nginx() {
  free_port
  nginx_url=http://127.0.0.1:$last_port/data/bench
  mkdir -p "$work/www/data" "$work/tmp"
  cp "$work/value" "$work/www/data/bench"
  chmod -R a+rX "$work"
  cat >"$work/nginx.conf" <<CONF
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  open_file_cache max=100;
  tcp_nopush on;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_body_temp_path $work/tmp;
  proxy_temp_path $work/tmp;
  fastcgi_temp_path $work/tmp;
  uwsgi_temp_path $work/tmp;
  scgi_temp_path $work/tmp;
  server { listen 127.0.0.1:$last_port; root $work/www; }
}
CONF
  nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf" &
  nginx_pid=$!
  wait_for "$nginx_url"
}

start_node() {
  free_port; http_port=$last_port
  free_port; peer_port=$last_port
  write_node_config
  "$bin/gnomond" --config-file="$work/node.toml" >"$work/node.log" 2>&1 &
  node_pid=$!
  wait_for "http://127.0.0.1:$http_port/health/ready"
  node_url=http://127.0.0.1:$http_port/data/bench
  curl -sf -o /dev/null -X PUT --data-binary "@$work/value" "$node_url"
  curl -sf "$node_url" | cmp - "$work/value"
}

write_node_config() {
  cat >"$work/node.toml" <<CONF
[cluster]
insecure = true

[node]
name = "bench"
region = "eu-central-1"
latitude = 50.1109
longitude = 8.6821
data_dir = "$work/data"

[listen]
http = "127.0.0.1:$http_port"
tunnel = "127.0.0.1:$peer_port"

[placement]
factor = 1
min_copies = 1
CONF
}

# Requests a second.
measure() {
  wrk -t2 -c64 -d"$seconds"s "$1" >"$work/wrk.log"
  if grep -q 'Non-2xx' "$work/wrk.log"; then
    cat "$work/wrk.log" >&2
    exit 1
  fi
  awk '/^Requests\/sec:/ { print $2 }' "$work/wrk.log"
}

median() {
  sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

head -c 1024 /dev/urandom >"$work/value"
start_nginx
start_node
round=0
while [ "$round" -lt "$rounds" ]; do
  round=$((round + 1))
  measure "$node_url" >>"$work/node.rps"
  measure "$nginx_url" >>"$work/nginx.rps"
  printf 'round %s of %s: gnomon %s, nginx %s requests/s\n' \
    "$round" "$rounds" "$(tail -n1 "$work/node.rps")" "$(tail -n1 "$work/nginx.rps")" >&2
done
node_rps=$(median "$work/node.rps")
nginx_rps=$(median "$work/nginx.rps")
ratio=$(awk -v a="$node_rps" -v b="$nginx_rps" 'BEGIN { printf "%.3f", a / b }')
summary() {
  printf 'a local read of 1 KiB, median of %s rounds (wrk -t2 -c64):\n' "$rounds"
  printf '  gnomon  %10.0f requests/s\n  nginx   %10.0f requests/s\n' "$node_rps" "$nginx_rps"
  printf '  ratio   %10.3f\n' "$ratio"
}
report=$(printf '{"gnomon_rps": %s, "nginx_rps": %s, "ratio": %s}' "$node_rps" "$nginx_rps" "$ratio")
print_report "$report"
