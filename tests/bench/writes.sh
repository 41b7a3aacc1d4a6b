#!/bin/sh
# How many writes a second are on disk before they are answered? Writes to random ids, where the last writer wins: to
# one node, in turn with Redis that syncs as well before it answers, and then to one of five nodes of which two keep
# each item. Called by `./dev bench writes`.
#
# usage: writes.sh BIN_DIR [--ids N] [--value-bytes N] [--connections N] [--rounds N] [--seconds N] [--json [FILE]]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
ids=10000 value_bytes=1024 connections=64 rounds=5 seconds=4
read_options "usage: writes.sh BIN_DIR [--ids N] [--value-bytes N] [--connections N] [--rounds N] [--seconds N]
  [--json [FILE]]" "ids value-bytes connections rounds seconds" "$@"
need_tools wrk curl
use_folder
find_redis

disk=$(stat -f -c %T "$work")
[ "$disk" != tmpfs ] || fail "$work is in memory, where a sync costs nothing; set TMPDIR to a folder on a disk"

# Syncs of the disk in a second, one after the other: what bounds a server that syncs for each write.
note_disk() {
  began=$(date +%s%N)
  dd if=/dev/zero of="$work/synced" bs=1024 count=200 oflag=dsync 2>/dev/null
  awk -v ns="$(($(date +%s%N) - began))" 'BEGIN { printf "%.0f\n", 200 * 1e9 / ns }' >>"$work/disk"
}

metric() { curl -sf "$node_url/metrics" | sed -n "s/^gnomon_store_$1_total //p"; }

start_node alone --set placement.conflicts=lww
alone_pid=$started
until_ok curl -sf "$node_url/health/ready"
fill_node "$ids" "$value_bytes"
start_redis --appendonly yes --appendfsync always
fill_redis "$ids" "$value_bytes"
syncs=$(metric syncs) writes=$(metric writes)
one_node_round() {
  note_disk
  load_http gnomon "$alone_pid" found "$node_url" method=PUT ids="$ids" bytes="$value_bytes"
  load_redis redis -t set -r "$ids" -d "$value_bytes"
}
in_turn "$rounds" one_node_round
per_sync=$(awk -v w="$(($(metric writes) - writes))" -v s="$(($(metric syncs) - syncs))" 'BEGIN { printf "%.1f", w / s }')
stop "$alone_pid" "$redis_pid"

start_five 2
fill_node "$ids" "$value_bytes"
five_nodes_round() {
  note_disk
  load_http five "$node_pids" found "$node_url" method=PUT ids="$ids" bytes="$value_bytes"
}
in_turn "$rounds" five_nodes_round
disk_syncs=$(median "$work/disk")

summary() {
  printf 'synced writes of %s bytes to %s ids at random, the last writer wins;\n' "$value_bytes" "$ids"
  printf 'medians of %s rounds of %s s with %s connections, on %s with %s syncs a second one after the other:\n' \
    "$rounds" "$seconds" "$connections" "$disk" "$disk_syncs"
  print_head writes
  print_row gnomon "one node, factor 1, HTTP, wrk -t2; $per_sync writes in a sync"
  print_row redis "Redis $(redis_version), appendonly, appendfsync always, redis-benchmark -t set"
  print_row five "five nodes without delays, factor 2, acks 1, all writes to one of them; cpu of all five"
  printf '  ratio to Redis   %s in writes, %s in processor time for each\n' \
    "$(ratio_of_figures gnomon redis rate)" "$(ratio_of_figures gnomon redis cpu)"
  printf '  p99 to p50       %s, among five nodes %s, of Redis %s\n' "$(spread gnomon)" "$(spread five)" "$(spread redis)"
  print_notes
}
spread() { ratio_of "$(figure "$1" p99)" "$(figure "$1" p50)"; }
report=$(
  printf '{"ids": %s, "value_bytes": %s, "connections": %s' "$ids" "$value_bytes" "$connections"
  printf ', "gnomon": %s, "redis": %s, "five": %s' "$(figures_json gnomon)" "$(figures_json redis)" "$(figures_json five)"
  printf ', "ratio": %s, "cpu_ratio": %s' "$(ratio_of_figures gnomon redis rate)" "$(ratio_of_figures gnomon redis cpu)"
  printf ', "writes_per_sync": %s, "disk_syncs_per_second": %s}' "$per_sync" "$disk_syncs"
)
print_report "$report"
