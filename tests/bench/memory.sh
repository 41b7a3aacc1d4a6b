#!/bin/sh
# How much memory does an item take? Writes items to one node, and prints what the process takes before, right after,
# when it was idle for a while, and after a restart; beside it Redis with as many keys and values of the same length.
# Called by `./dev bench memory`.
#
# usage: memory.sh BIN_DIR [--items N] [--value-bytes N] [--idle SECONDS] [--json [FILE]]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
items=1000000 value_bytes=100 idle=60
read_options "usage: memory.sh BIN_DIR [--items N] [--value-bytes N] [--idle SECONDS] [--json [FILE]]" \
  "items value-bytes idle" "$@"
need_tools curl
use_folder
find_redis

# note SERVER MOMENT PID
note() {
  memory_kib "$3" >"$work/$1-$2"
  printf '  %-8s %-8s %8s KiB\n' "$1" "$2" "$(cat "$work/$1-$2")" >&2
}

started_node() {
  start_node alone
  node_pid=$started
  until_ok curl -sf "$node_url/health/ready"
}

started_redis() { start_redis --appendonly yes --appendfsync everysec; }

# How much of the resident memory the parts in /metrics add up to, as a share.
explained() {
  curl -sf "$node_url/metrics" | awk '/^gnomon_memory_bytes/ { sum += $2 } /^process_resident_memory_bytes/ { all = $2 }
    END { printf "%.3f", sum / all }'
}

held() { curl -sf "$node_url/metrics" | sed -n 's/^gnomon_items //p'; }

began=$(date +%s)
started_node
note gnomon before "$node_pid"
fill_node "$items" "$value_bytes"
note gnomon after "$node_pid"
explained_after=$(explained)
[ "$(held)" = "$items" ] || fail "the node counts $(held) items, not $items"
echo "gnomon is idle for $idle s" >&2
sleep "$idle"
note gnomon idle "$node_pid"
explained_idle=$(explained)
stop "$node_pid"
started_node
note gnomon restart "$node_pid"
[ "$(held)" = "$items" ] || fail "the node counts $(held) items after its restart, not $items"
stop "$node_pid"

started_redis
note redis before "$redis_pid"
fill_redis "$items" "$value_bytes"
note redis after "$redis_pid"
echo "Redis is idle for $idle s" >&2
sleep "$idle"
note redis idle "$redis_pid"
stop "$redis_pid"
started_redis
note redis restart "$redis_pid"
echo "took $(($(date +%s) - began)) s" >&2

kib() { cat "$work/$1-$2"; }
# Bytes of memory that each item has added.
each() {
  echo "$(kib "$1" "$2") $(kib "$1" before) $items" | awk '{ printf "%.0f", ($1 - $2) * 1024 / $3 }'
}

summary() {
  printf '%s items of %s bytes with ids of 16 bytes; resident memory, and for each item what is more than before:\n' \
    "$items" "$value_bytes"
  printf '  %-30s %24s %24s\n' '' 'gnomon' "Redis $(redis_version), appendonly"
  row 'before' before
  row 'right after the writes' after
  row "idle for $idle s" idle
  row 'after a restart' restart
  printf '  ratio for each item when idle  %s, after a restart %s\n' "$(ratio_to_redis idle)" "$(ratio_to_redis restart)"
  printf '  /metrics explains %s of the resident memory after the writes, %s when idle\n' "$explained_after" "$explained_idle"
  printf 'Gnomon has values on disk, and in memory as many as [index] max_bytes permits; Redis has all in memory.\n'
}
row() {
  printf '  %-30s' "$1"
  for server in gnomon redis; do
    if [ "$2" = before ]; then each_text=''; else each_text="$(each "$server" "$2") B"; fi
    printf ' %10s MiB %9s' "$(($(kib "$server" "$2") / 1024))" "$each_text"
  done
  echo
}
ratio_to_redis() { ratio_of "$(each gnomon "$1")" "$(each redis "$1")"; }
memory_json() {
  printf '{"before_bytes": %s' "$(($(kib "$1" before) * 1024))"
  for moment in after idle restart; do
    printf ', "%s_bytes": %s, "%s_bytes_each": %s' \
      "$moment" "$(($(kib "$1" $moment) * 1024))" "$moment" "$(each "$1" $moment)"
  done
  printf '}'
}
report=$(
  printf '{"items": %s, "value_bytes": %s, "idle_s": %s' "$items" "$value_bytes" "$idle"
  printf ', "gnomon": %s, "redis": %s' "$(memory_json gnomon)" "$(memory_json redis)"
  printf ', "explained_after": %s, "explained_idle": %s' "$explained_after" "$explained_idle"
  printf ', "ratio_idle": %s, "ratio_restart": %s}' "$(ratio_to_redis idle)" "$(ratio_to_redis restart)"
)
print_report "$report"
