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
items=2000000 bytes=100 keep=''
read_options "usage: start.sh BIN_DIR [--items N] [--bytes N] [--keep DIR] [--json [FILE]]" "items bytes keep" "$@"

node=''
work=$keep # what is there is used again
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap '[ -z "$node" ] || kill -9 "$node" 2>/dev/null; rm -rf "$work"' EXIT
else
  trap '[ -z "$node" ] || kill -9 "$node" 2>/dev/null' EXIT
fi
trap 'exit 130' INT TERM

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }

if [ ! -d "$work/data/store-0" ]; then
  mkdir -p "$work/data"
  began=$(now)
  "$bin/gnomon-bench-start" "$work/data" a "$items" "$bytes"
  echo "filled in $(since "$began") s" >&2
fi

began=$(now)
"$bin/gnomond" --set node.name=a --set node.region=a --set node.latitude=1 --set node.longitude=2 --set cluster.name=bench \
  --set cluster.insecure=true --set "node.data_dir=$work/data" --set "listen.socket=$work/s" --set listen.http=127.0.0.1:0 \
  --set listen.tunnel=127.0.0.1:0 --set placement.factor=1 --set placement.min_copies=1 2>"$work/log" &
node=$!

port() { sed -n 's/.*http=127.0.0.1:\([0-9]*\).*/\1/p' "$work/log" | head -n 1; }
alive() { kill -0 "$node" 2>/dev/null || { cat "$work/log" >&2; echo "the node ended" >&2; exit 1; }; }
while [ -z "$(port)" ]; do alive; sleep 0.02; done
api=http://127.0.0.1:$(port)
until_ok() { until curl -sf -o /dev/null --max-time 5 "$api$1"; do alive; sleep 0.05; done; since "$began"; }

live=$(until_ok /health/live)
own=$(until_ok "/data/bench/$(printf %010d $((items - 1)))")
whole=$(until_ok /health/ready)
held=$(curl -s "$api/metrics" | sed -n 's/^gnomon_items \([0-9]*\).*/\1/p')
kib=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$node/status")
peak=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$node/status")
[ "$held" = "$items" ] || { echo "the node counts ${held:-no} items, not $items" >&2; exit 1; }

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
