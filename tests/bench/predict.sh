#!/bin/sh
# usage: predict.sh BIN [SESSIONS] [--json]: time of one prediction (candidates, features, network and ranker), and of
# the network's training. SESSIONS is a file as gnomon-evaluate --sequences reads; without it, 20,000 made-up sessions
# over 20,000 items.
set -eu
bin=$1
shift
sessions=
json=no
for argument in "$@"; do
  case $argument in
    --json) json=yes ;;
    *) sessions=$argument ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if [ -z "$sessions" ]; then
  sessions=$work/sessions
  awk 'BEGIN {
    srand(1)
    for (k = 0; k < 20000; ++k) {
      item = int(20000 * rand() ^ 3)
      for (step = 0; step < 6; ++step) {
        printf "%s%d", step ? " " : "", item
        item = rand() < 0.7 ? (item * 7 + int(4 * rand())) % 20000 : int(20000 * rand() ^ 3)
      }
      print ""
    }
  }' > "$sessions"
fi

"$bin/gnomon-evaluate" --sequences "$sessions" --epochs 2 --contexts 5000 --hold-back 0.1 --json > "$work/result"
value() { sed -n "s/^  \"$1\": \([0-9.e+-]*\),*$/\1/p" "$work/result"; }
if [ "$json" = yes ]; then
  printf '{"p50_us": %s, "p99_us": %s, "training_events_per_second": %s, "train_seconds": %s}\n' \
    "$(value predict_p50_us)" "$(value predict_p99_us)" "$(value network_events_per_second)" "$(value train_seconds)"
else
  printf 'prediction: p50 %.1f us, p99 %.1f us (targets 40 and 150)\n' "$(value predict_p50_us)" "$(value predict_p99_us)"
  printf 'network training: %.0f accesses/s on one core (target 60000)\n' "$(value network_events_per_second)"
fi
