#!/bin/sh
# How fast do bytes travel between two nodes, plain and in TLS? Two tunnels in one process, over loopback: pieces of
# 64 KiB, pieces of 1,000 bytes, and round trips of 100 bytes; the best of five rounds. Called by `./dev bench tunnel`.
#
# usage: tunnel.sh BIN_DIR [--json [FILE]]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
read_options "usage: tunnel.sh BIN_DIR [--json [FILE]]" "" "$@"

report=$("$bin/gnomon-bench-tunnel")
summary() {
  printf '%s\n' "$report" | tr '{},' '[\n*]' | awk -F': *' '
    /"plain"|"tls"/ { kind = $1 ~ /plain/ ? "plain TCP" : "TLS" }
    /bulk_mb/ { bulk = $2 }
    /small_mb/ { small = $2 }
    /round_trip/ { printf "%-10s 64 KiB %6d MB/s   1000 B %5d MB/s   100 B there and back %6.1f us\n", kind, bulk, small, $2 }
    /bulk_ratio/ { printf "TLS moves %d%% of the bytes", 100 * $2 }
    /small_ratio/ { printf ", and %d%% in small pieces\n", 100 * $2 }'
}
print_report "$report"
