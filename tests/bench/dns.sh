#!/bin/sh
# How many DNS answers a second, when the answer depends on who holds what and where the client is? Runs dnsperf against
# our server, gdnsd and knot with its geoip module in turn, on this machine, with the same items, networks and number of
# threads, and prints medians and the ratio to the better peer. A peer that is not installed is skipped. Called by
# `./dev bench dns`.
#
# usage: dns.sh BIN_DIR [--json [FILE]] [--rounds N] [--seconds N] [--items N] [--threads N]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
rounds=5 seconds=3 items=10000 threads=1
read_options "usage: dns.sh BIN_DIR [--json [FILE]] [--rounds N] [--seconds N] [--items N] [--threads N]" \
  "rounds seconds items threads" "$@"

need_tools dnsperf
use_folder

# The clients' networks: dnsperf's own address, and some that client subnets name.
networks() {
  echo "127.0.0.0/8,eu-central-1"
  for second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    set -- us-east-1 us-west-2 eu-central-1 ap-northeast-1 sa-east-1
    shift $((second % 5))
    echo "10.$second.0.0/16,$1"
  done
}

# measure PORT OPTIONS...: one run of dnsperf; answers a second. Every answer must be NOERROR.
measure() {
  port=$1
  shift
  dnsperf -s 127.0.0.1 -p "$port" -d "$work/queries" -l "$seconds" -c 8 -T 1 -q 200 "$@" >"$work/dnsperf.log" 2>&1
  awk '/Response codes:/ { good = $3 == "NOERROR" && $0 !~ /,/ } /Queries per second:/ { rate = $4 }
       END { if (!good) exit 1; print rate }' "$work/dnsperf.log" || { cat "$work/dnsperf.log" >&2; exit 1; }
}

wait_for() {
  tries=0
  until dnsperf -s 127.0.0.1 -p "$1" -d "$work/queries" -n 1 -l 1 -t 1 2>/dev/null | grep -q 'NOERROR'; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "dns.sh: no answer at port $1" >&2; cat "$work"/*.log >&2; exit 1; }
  done
}

start_server() {
  start "$@"
  wait_for "$last_port"
  servers="$servers $1:$last_port"
}

start_gnomon() {
  free_port
  start_server "$1" "$bin/gnomon-dns-demo" --listen "127.0.0.1:$last_port" --threads "$threads" --items "$2" \
    --networks "$work/networks"
}

start_gdnsd() {
  free_port
  mkdir -p "$work/gdnsd/run" "$work/gdnsd/state"
  cat >"$work/gdnsd/config" <<CONF
options => {
  listen => [ 127.0.0.1:$last_port ] udp_threads => $threads tcp_threads => 1
  run_dir => $work/gdnsd/run state_dir => $work/gdnsd/state
}
plugins => { geoip => { \$include{geoip} } }
CONF
  start_server gdnsd gdnsd -c "$work/gdnsd" start
}

start_knot() {
  free_port
  mkdir -p "$work/knot"
  cat >"$work/knot.conf" <<CONF
server:
    rundir: $work/knot
    listen: 127.0.0.1@$last_port
    udp-workers: $threads
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
log:
  - target: stderr
    any: warning
database:
    storage: $work/knot
mod-geoip:
  - id: geo
    config-file: $work/geo.conf
    mode: subnet
    ttl: 2
zone:
  - domain: g.example
    file: $work/knot.zone
    module: mod-geoip/geo
CONF
  start_server knot knotd -c "$work/knot.conf"
}

skipped=''
networks >"$work/networks"
mkdir -p "$work/gdnsd"
"$bin/gnomon-dns-demo" --peers "$work" --networks "$work/networks" --items "$items"
servers=''
start_gnomon gnomon "$items"
start_gnomon gnomon-million 1000000
if command -v gdnsd >/dev/null; then start_gdnsd; else skipped="$skipped gdnsd"; fi
if command -v knotd >/dev/null; then start_knot; else skipped="$skipped knot"; fi
one_round() {
  for server in $servers; do
    measure "${server#*:}" >>"$work/${server%:*}.plain"
    measure "${server#*:}" -e -E 8:000118000a0301 >>"$work/${server%:*}.subnet"
  done
}
in_turn "$rounds" one_round

# ratio COLUMN: ours to the better peer's; null without peers.
ratio() {
  for server in $servers; do
    echo "${server%:*} $(median "$work/${server%:*}.$1")"
  done | awk '$1 == "gnomon" { ours = $2 } $1 !~ /^gnomon/ && $2 > best { best = $2 }
              END { if (best) printf "%.3f", ours / best; else printf "null" }'
}

summary() {
  printf 'A queries for %s items that two or three of five regions hold, 16 networks, median of %s rounds of %s s;\n' \
    "$items" "$rounds" "$seconds"
  printf 'UDP threads: %s each; dnsperf -c 8 -T 1 -q 200 on the same machine; answers a second:\n' "$threads"
  printf '  %-16s %12s %12s  %s\n' server 'by address' 'by subnet' 'ran with'
  for server in $servers; do
    name=${server%:*}
    case $name in
      gnomon) with="$items items in the directory, no rate limit, as the others" ;;
      gnomon-million) with="1000000 items in the directory" ;;
      gdnsd)
        with="$(sed -n 's/.*gdnsd version \([^ ]*\).*/\1/p' "$work/gdnsd.log"), geoip plugin, a resource for each set of holders"
        ;;
      knot) with="$(knotd -V | awk '{ print $NF }'), mod-geoip by subnet, each name in its file" ;;
    esac
    printf '  %-16s %12.0f %12.0f  %s\n' "$name" "$(median "$work/$name.plain")" "$(median "$work/$name.subnet")" "$with"
  done
  for name in $skipped; do printf '  %-16s skipped: not installed\n' "$name"; done
  printf '  ratio to the better of the peers: %s by address, %s by subnet\n' "$(ratio plain)" "$(ratio subnet)"
}
report=$(
  printf '{"items": %s, "threads": %s' "$items" "$threads"
  for server in $servers; do
    name=${server%:*}
    printf ', "%s": {"by_address": %s' "$name" "$(median "$work/$name.plain")"
    printf ', "by_subnet": %s}' "$(median "$work/$name.subnet")"
  done
  printf ', "ratio_by_address": %s, "ratio_by_subnet": %s}' "$(ratio plain)" "$(ratio subnet)"
)
print_report "$report"
