#!/bin/sh
# How fast is a local read over HTTP? Runs wrk against one node and against nginx that serve the same 1 KiB on this
# machine, in turn, and prints the medians and their ratio. With --tls both speak TLS 1.3 with the same cipher, and a
# node that speaks plain HTTP runs beside them. With --ids each read is of one of N items, at random, and Redis runs
# beside them; with --user each read also names one of 1,000 users. Called by `./dev bench http`.
#
# usage: http.sh BIN_DIR [--tls | --ids N [--user]] [--json [FILE]] [--rounds N] [--seconds N]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
rounds=5 seconds=4 connections=64 tls='' ids='' user=''
read_options "usage: http.sh BIN_DIR [--tls | --ids N [--user]] [--json [FILE]] [--rounds N] [--seconds N]" \
  "rounds seconds tls! ids user!" "$@"
if [ -n "$tls" ] && [ -n "$ids" ]; then refuse_options; fi
if [ -n "$user" ] && [ -z "$ids" ]; then refuse_options; fi
value_bytes=1024

need_tools wrk nginx curl ${tls:+openssl}
use_folder
head -c "$value_bytes" /dev/urandom >"$work/value"

ask() {
  curl -sf ${tls:+--cacert "$work/certs/ca.pem"} "$@"
}

# start_nginx PATH FILES OPTIONS: serves what is below www, and keeps FILES open; PATH is one of them. Sets nginx_pid
# and nginx_url.
start_nginx() {
  free_port
  nginx_url=http${tls:+s}://127.0.0.1:$last_port
  mkdir -p "$work/tmp"
  chmod a+rx "$work"
  chmod -R a+rX "$work/www" "$work/tmp"
  cat >"$work/nginx.conf" <<CONF
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
worker_processes auto;
worker_rlimit_nofile $(($2 + 2048));
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  open_file_cache max=$2;
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
    $3
  }
}
CONF
  start nginx nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf"
  nginx_pid=$started
  until_ok ask -o /dev/null "$nginx_url/$1"
}

# --- one item, which is read again and again

make_certificates() {
  "$bin/gnomon" cert new-ca --out "$work/certs" >/dev/null
  "$bin/gnomon" cert issue bench --ca "$work/certs" --out "$work/certs" --host 127.0.0.1 >/dev/null
}

# The cipher that a client of all of TLS 1.3 gets there.
cipher_of() {
  openssl s_client -connect "${1#*//}" </dev/null 2>/dev/null | sed -n 's/.*Cipher is //p'
}

# start_server NAME SCHEME OPTIONS...: a node that has the value; sets node_url.
start_server() {
  name=$1 scheme=$2
  shift 2
  start_node "$name" "$@"
  node_url=$scheme://127.0.0.1:$node_port
  until_ok ask "$node_url/health/ready"
  ask -o /dev/null -X PUT --data-binary "@$work/value" "$node_url/data/bench"
  ask "$node_url/data/bench" | cmp - "$work/value"
}

start_tls() {
  make_certificates
  pem=$work/certs/bench.pem key=$work/certs/bench.key
  start_nginx data/bench 100 "ssl_certificate $pem; ssl_certificate_key $key; ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"
  start_server plain http
  plain_url=$node_url plain_pid=$started
  start_server node https --set http.certificate="$pem" --set http.key="$key"
  cipher=$(cipher_of "$node_url")
  [ "$cipher" = "$(cipher_of "$nginx_url")" ] || fail "the two speak different ciphers"
}

hot_round() {
  load_http gnomon "$node_pid" found "$node_url/data/bench"
  load_http nginx "$nginx_pid" found "$nginx_url/data/bench"
  [ -z "$tls" ] || load_http plain "$plain_pid" found "$plain_url/data/bench"
}

read_one_item() {
  mkdir -p "$work/www/data"
  cp "$work/value" "$work/www/data/bench"
  if [ -n "$tls" ]; then
    start_tls
  else
    start_nginx data/bench 100 ''
    start_server node http
  fi
  node_pid=$started
  in_turn "$rounds" hot_round
  of_plain=null
  [ -z "$tls" ] || of_plain=$(ratio_of_figures gnomon plain rate)
  ratio=$(ratio_of_figures gnomon nginx rate)
  summary() {
    printf 'a local read of 1 KiB%s, median of %s rounds (wrk -t2 -c64):\n' "${tls:+ in $cipher}" "$rounds"
    printf '  gnomon  %10.0f requests/s\n  nginx   %10.0f requests/s\n' "$(figure gnomon rate)" "$(figure nginx rate)"
    printf '  ratio   %10.3f\n' "$ratio"
    [ -z "$tls" ] \
      || printf '  gnomon in plain HTTP  %.0f requests/s, of which TLS leaves %s\n' "$(figure plain rate)" "$of_plain"
  }
  print_report "$(
    printf '{"gnomon_rps": %s, "nginx_rps": %s, "ratio": %s' "$(figure gnomon rate)" "$(figure nginx rate)" "$ratio"
    printf ', "tls": %s, "of_plain": %s' "$([ -n "$tls" ] && echo true || echo false)" "$of_plain"
    printf ', "gnomon": %s, "nginx": %s}' "$(figures_json gnomon)" "$(figures_json nginx)"
  )"
}

# --- items at random

most_files=100000 # that nginx serves
most_open=10000   # that it keeps open

write_files() {
  mkdir -p "$work/www/data/bench"
  # shellcheck disable=SC2016 # the inner shell's variables
  awk -v ids="$ids" 'BEGIN { for (i = 0; i < ids; ++i) printf "%010d\n", i }' \
    | (cd "$work/www/data/bench" && xargs -n 1000 sh -c 'tee "$@" <"$0" >/dev/null' "$work/value")
}

random_round() {
  load_http gnomon "$node_pid" found "$node_url" ids="$ids" ${user:+users=1000}
  [ -z "$nginx_url" ] || load_http nginx "$nginx_pid" found "$nginx_url" ids="$ids"
  load_redis redis -t get -r "$ids"
}

read_at_random() {
  find_redis
  start_node node
  node_pid=$started
  until_ok ask "$node_url/health/ready"
  fill_node "$ids" "$value_bytes"
  start_redis --appendonly no
  fill_redis "$ids" "$value_bytes"
  nginx_url='' labels='gnomon redis' open=$((ids < most_open ? ids : most_open))
  if [ "$ids" -le "$most_files" ]; then
    write_files
    start_nginx data/bench/0000000000 "$open" ''
    labels='gnomon nginx redis'
  fi
  in_turn "$rounds" random_round
  summary() {
    printf 'a local read of 1 KiB, one of %s items at random, medians of %s rounds of %s s with %s connections:\n' \
      "$ids" "$rounds" "$seconds" "$connections"
    print_head reads
    print_row gnomon "one node, HTTP, wrk -t2${user:+; each read names one of 1000 users}"
    if [ -n "$nginx_url" ]; then
      print_row nginx "$(nginx -v 2>&1 | sed 's/.*: //'), a file for each item, of which it keeps $open open, wrk -t2"
    else
      printf '  %-16s left out: not more than %s files\n' nginx "$most_files"
    fi
    print_row redis "Redis $(redis_version), its protocol, nothing on disk, redis-benchmark -t get"
    printf '  ratio to nginx %s, to Redis %s\n' "$to_nginx" "$to_redis"
    print_notes
  }
  to_redis=$(ratio_of_figures gnomon redis rate) to_nginx=null
  [ -z "$nginx_url" ] || to_nginx=$(ratio_of_figures gnomon nginx rate)
  print_report "$(
    printf '{"ids": %s, "users": %s' "$ids" "$([ -n "$user" ] && echo 1000 || echo 0)"
    for label in $labels; do printf ', "%s": %s' "$label" "$(figures_json "$label")"; done
    printf ', "ratio_to_nginx": %s, "ratio_to_redis": %s}' "$to_nginx" "$to_redis"
  )"
}

if [ -n "$ids" ]; then read_at_random; else read_one_item; fi
