#!/bin/sh
# How fast is a local read over HTTP? Runs wrk against one node and against nginx that serve the same 1 KiB on this
# machine, in turn, and prints the medians and their ratio. With --tls both speak TLS 1.3 with the same cipher, and a
# node that speaks plain HTTP runs beside them. Called by `./dev bench http`.
#
# usage: http.sh BIN_DIR [--tls] [--json [FILE]] [--rounds N] [--seconds N]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
rounds=5 seconds=4 tls=''
if [ "${1:-}" = --tls ]; then
  tls=yes
  shift
fi
read_options "usage: http.sh BIN_DIR [--tls] [--json [FILE]] [--rounds N] [--seconds N]" "rounds seconds" "$@"

PATH=$PATH:/usr/sbin
for tool in wrk nginx curl ${tls:+openssl}; do
  command -v "$tool" >/dev/null || { echo "http.sh: $tool is missing; install it" >&2; exit 1; }
done

work=$(mktemp -d)
node_pid='' nginx_pid='' plain_pid=''
# shellcheck disable=SC2317 # called by the trap
finish() {
  for pid in $node_pid $nginx_pid $plain_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
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

ask() {
  curl -sf ${tls:+--cacert "$work/certs/ca.pem"} "$@"
}

wait_for() {
  tries=0
  until ask -o /dev/null "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "http.sh: no answer at $1" >&2; cat "$work"/*.log >&2; exit 1; }
    sleep 0.1
  done
}

start_nginx() {
  free_port
  nginx_url=http${tls:+s}://127.0.0.1:$last_port/data/bench
  mkdir -p "$work/www/data" "$work/tmp"
  cp "$work/value" "$work/www/data/bench"
  chmod a+rx "$work"
  chmod -R a+rX "$work/www" "$work/tmp"
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
  server {
    listen 127.0.0.1:$last_port${tls:+ ssl};
    root $work/www;
    $nginx_tls
  }
}
CONF
  nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf" &
  nginx_pid=$!
  wait_for "$nginx_url"
}

# start_node NAME SCHEME: sets started and node_url.
start_node() {
  free_port; http_port=$last_port
  free_port; peer_port=$last_port
  write_node_config "$1" "$2" >"$work/$1.toml"
  "$bin/gnomond" --config-file="$work/$1.toml" >"$work/$1.log" 2>&1 &
  started=$!
  node_url=$2://127.0.0.1:$http_port/data/bench
  wait_for "$2://127.0.0.1:$http_port/health/ready"
  ask -o /dev/null -X PUT --data-binary "@$work/value" "$node_url"
  ask "$node_url" | cmp - "$work/value"
}

write_node_config() {
  cat <<CONF
[cluster]
insecure = true

[node]
name = "bench"
region = "eu-central-1"
latitude = 50.1109
longitude = 8.6821
data_dir = "$work/$1"

[listen]
http = "127.0.0.1:$http_port"
tunnel = "127.0.0.1:$peer_port"

[placement]
factor = 1
min_copies = 1
CONF
  [ "$2" = http ] || printf '[http]\ncertificate = "%s"\nkey = "%s"\n' "$work/certs/bench.pem" "$work/certs/bench.key"
}

make_certificates() {
  "$bin/gnomon" cert new-ca --out "$work/certs" >/dev/null
  "$bin/gnomon" cert issue bench --ca "$work/certs" --out "$work/certs" --host 127.0.0.1 >/dev/null
  nginx_tls="ssl_certificate $work/certs/bench.pem; ssl_certificate_key $work/certs/bench.key; ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"
}

# The cipher that a client of all of TLS 1.3 gets there.
cipher_of() {
  openssl s_client -connect "$(printf %s "$1" | sed 's|.*//||; s|/.*||')" </dev/null 2>/dev/null | sed -n 's/.*Cipher is //p'
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

# compare NAME URL: one round; the figure goes to a file of that name.
compare() {
  measure "$2" >>"$work/$1.rps"
  printf '  %s %s requests/s\n' "$1" "$(tail -n1 "$work/$1.rps")" >&2
}

head -c 1024 /dev/urandom >"$work/value"
nginx_tls='' plain_url='' of_plain=null
[ -z "$tls" ] || make_certificates
start_nginx
if [ -n "$tls" ]; then
  start_node plain http
  plain_pid=$started plain_url=$node_url
fi
start_node node "http${tls:+s}"
node_pid=$started
if [ -n "$tls" ]; then
  cipher=$(cipher_of "$node_url")
  [ "$cipher" = "$(cipher_of "$nginx_url")" ] || { echo "http.sh: the two speak different ciphers" >&2; exit 1; }
fi
round=0
while [ "$round" -lt "$rounds" ]; do
  round=$((round + 1))
  printf 'round %s of %s\n' "$round" "$rounds" >&2
  compare gnomon "$node_url"
  compare nginx "$nginx_url"
  [ -z "$tls" ] || compare plain "$plain_url"
done
node_rps=$(median "$work/gnomon.rps")
nginx_rps=$(median "$work/nginx.rps")
ratio_of() {
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'
}
ratio=$(ratio_of "$node_rps" "$nginx_rps")
if [ -n "$tls" ]; then
  plain_rps=$(median "$work/plain.rps")
  of_plain=$(ratio_of "$node_rps" "$plain_rps")
fi
summary() {
  printf 'a local read of 1 KiB%s, median of %s rounds (wrk -t2 -c64):\n' "${tls:+ in $cipher}" "$rounds"
  printf '  gnomon  %10.0f requests/s\n  nginx   %10.0f requests/s\n' "$node_rps" "$nginx_rps"
  printf '  ratio   %10.3f\n' "$ratio"
  [ -z "$tls" ] || printf '  gnomon in plain HTTP  %.0f requests/s, of which TLS leaves %s\n' "$plain_rps" "$of_plain"
}
report=$(printf '{"gnomon_rps": %s, "nginx_rps": %s, "ratio": %s, "tls": %s, "of_plain": %s}' \
  "$node_rps" "$nginx_rps" "$ratio" "$([ -n "$tls" ] && echo true || echo false)" "$of_plain")
print_report "$report"
