#!/bin/sh
# How long does a node with many items take to start? Prints when it first answers, when it first serves an item of its
# own, when it knows all that it holds, and how much memory it then takes. Called by `./dev bench start`.
#
# usage: start.sh BIN_DIR [--items N] [--bytes N] [--keep DIR] [--json [FILE]]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
items=2000000 bytes=100 patience=600
read_options "usage: start.sh BIN_DIR [--items N] [--bytes N] [--keep DIR] [--json [FILE]]" "items bytes keep" "$@"

use_folder # what is there is used again

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }

if [ ! -d "$work/a/store-0" ]; then
  mkdir -p "$work/a"
  began=$(now)
  "$bin/gnomon-bench-start" "$work/a" a "$items" "$bytes"
  echo "filled in $(since "$began") s" >&2
fi

began=$(now)
start_node a
until_served() {
  until_ok curl -sf --max-time 5 "$node_url$1"
  since "$began"
}

live=$(until_served /health/live)
own=$(until_served "/data/bench/$(printf %010d $((items - 1)))")
whole=$(until_served /health/ready)
held=$(curl -s "$node_url/metrics" | sed -n 's/^gnomon_items \([0-9]*\).*/\1/p')
kib=$(memory_kib "$started")
peak=$(memory_kib "$started" VmHWM)
[ "$held" = "$items" ] || fail "the node counts ${held:-no} items, not $items"

times="\"live_s\":$live,\"own_item_s\":$own,\"whole_s\":$whole"
memory="\"resident_mib\":$((kib / 1024)),\"peak_mib\":$((peak / 1024))"
report="{\"items\":$items,\"bytes\":$bytes,$times,$memory}"
summary() {
  printf 'a node with %s items of %s bytes:\n' "$items" "$bytes"
  printf '  answers after                 %8s s\n' "$live"
  printf '  serves an item of its own     %8s s\n' "$own"
  printf '  knows all that it holds       %8s s\n' "$whole"
  printf '  resident memory               %8s MiB (at most %s)\n' "$((kib / 1024))" "$((peak / 1024))"
}
print_report "$report"
