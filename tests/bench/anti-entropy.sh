#!/bin/sh
# What does anti-entropy move to find the copies that differ? Two stores that hold the same items but for a few, and the
# bytes of all messages until they are equal, beside what it takes to name every id with its digest.
# Called by `./dev bench anti-entropy`.
#
# usage: anti-entropy.sh BIN_DIR [--items N] [--differ N] [--json [FILE]]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
items=1000000 differ=100
read_options "usage: anti-entropy.sh BIN_DIR [--items N] [--differ N] [--json [FILE]]" "items differ" "$@"

use_folder
report=$("$bin/gnomon-bench-anti-entropy" "$work" "$items" "$differ")

field() { printf '%s' "$report" | sed "s/.*\"$1\":\([^,}]*\).*/\1/"; }
summary() {
  printf 'two stores with %s items, %s of which differ:\n' "$items" "$differ"
  printf '  hashes, ids and digests compared   %12s bytes\n' "$(field compared_bytes)"
  printf '  copies that met                    %12s bytes\n' "$(field meeting_bytes)"
  printf '  all ids and digests                %12s bytes\n' "$(field all_ids_and_digests_bytes)"
  awk -v r="$(field ratio)" -v s="$(field seconds)" \
    'BEGIN { printf "  ratio                              %12.4f %%, equal after %.1f s\n", 100 * r, s }'
}
print_report "$report"
