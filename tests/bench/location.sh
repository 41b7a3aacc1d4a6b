#!/bin/sh
# From how many places is the region chosen the truly nearest holder, and what does a wrong choice cost? Prints the
# share and the mean extra milliseconds against the best choice: by great circle, by the map of the network alone, and
# by the ranking, which corrects the map with what the regions have measured. The client's own round trips decide
# nothing but the truth. Called by `./dev bench location`.
#
# usage: location.sh BIN_DIR [--places FILE --measured FILE [--regions FILE] [--believed FILE]]
#        [--cases N] [--json [FILE]]
#
# PLACES are lines `name,latitude,longitude`, MEASURED `from,to,ms`, each behind one line of names. With --regions the
# regions of the clusters are the places nearest to those of that file; otherwise all places may be regions. With
# --believed clients are taken to be at the places of that file: for what a coarse database costs.
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
places='' measured='' regions='' cases=3200 believed=''
read_options "usage: location.sh BIN_DIR [--places FILE --measured FILE [--regions FILE] [--believed FILE]]
  [--cases N] [--json [FILE]]" "places measured regions cases believed" "$@"

if [ -z "$places$measured" ]; then
  for data in ../shared/data ../../shared/data; do
    [ -f "$data/aws_rtt_p50_ms.csv" ] || continue
    places=$data/aws_regions_latlon.csv measured=$data/aws_rtt_p50_ms.csv
  done
fi
if [ ! -f "$places" ] || [ ! -f "$measured" ]; then
  skip "there are no measured round trips; give --places FILE and --measured FILE"
fi

report=$("$bin/gnomon-bench-location" "$places" "$measured" "$cases" "$regions" "$believed")
summary() {
  printf '%s\n' "$report" | awk '
    function value(line) { sub(/.*: /, "", line); sub(/,$/, "", line); return line }
    function name(line) { sub(/^ *"/, "", line); sub(/": .*/, "", line); return line }
    /^  "(places|regions|cases)"/ { head = head (head == "" ? "" : ", ") value($0) " " name($0) }
    /^  "results"/ {
      print head
      printf "%-48s%22s%22s%22s\n", "nearest chosen, extra ms by", "great circle", "network map", "ranking"
    }
    /^    "/ { setting = name($0) }
    /"nearest"/ { nearest = value($0) }
    /^      "/ { way = name($0) }
    /"extra_ms"/ { extra[way] = value($0) }
    /^      }/ { share[way] = nearest }
    /^    }/ {
      printf "%-48s", setting
      split("great circle,network map,ranking", ways, ",")
      for (i = 1; i <= 3; ++i) printf "%13.1f %% %6.2f", 100 * share[ways[i]], extra[ways[i]]
      print ""
    }
    /^  "ranking_us"/ { printf "one ranking of all places as regions: %.1f us\n", value($0) }'
}
print_report "$(printf '%s' "$report" | tr -d '\n')"
