#!/bin/sh
# Runs every bench once, most of them with short settings, and writes one JSON file: the figures of each, the machine,
# the versions of the peers, and which benches were skipped or failed and why. Takes about half an hour, of which
# `geodns` takes ten minutes. Exits with 1 when a bench failed. Called by `./dev bench all`.
#
# usage: all.sh BIN_DIR [--only NAME,NAME...] [--json [FILE]]
#
# NAMES are those of the results, as they stand first in the plan below.
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
only=''
read_options "usage: all.sh BIN_DIR [--only NAME,NAME...] [--json [FILE]]" "only" "$@"
PATH=$PATH:/usr/sbin
use_folder
mkdir "$work/results" "$work/skipped" "$work/failed"

# What runs: the name of the result, the bench, its options.
cat >"$work/all" <<'PLAN'
http          http --rounds 3 --seconds 3 --json
http-tls      http --tls --rounds 3 --seconds 3 --json
http-ids      http --ids 10000 --user --rounds 3 --seconds 3 --json
writes        writes --rounds 3 --seconds 3 --json
misses        misses --rounds 3 --seconds 3 --json
memory        memory --items 500000 --idle 60 --json
start         start --items 200000 --json
tunnel        tunnel --json
anti-entropy  anti-entropy --items 100000 --json
dns           dns --rounds 3 --seconds 2 --json
predict       predict --json
location      location --json
outage        outage --only kill --json
geodns        geodns --quiet --json -
PLAN
for name in $(printf %s "$only" | tr , ' '); do
  grep -q "^$name " "$work/all" || fail "no results called $name; there are: $(awk '{ printf "%s ", $1 }' "$work/all")"
done
awk -v only="$only" 'only == "" || index("," only ",", "," $1 ",")' "$work/all" >"$work/plan"

# run NAME BENCH OPTIONS...: leaves results/NAME, skipped/NAME or failed/NAME, and shows what the bench says.
run() {
  name=$1 script=$(dirname "$0")/$2.sh
  shift 2
  { { sh "$script" "$bin" "$@" </dev/null >"$work/json" || echo $? >"$work/failed/$name"; } 2>&1; } | tee "$work/log" >&2
  if [ "$(cat "$work/failed/$name" 2>/dev/null)" = 77 ]; then
    rm "$work/failed/$name"
    sed -n 's/^skipped: //p' "$work/log" >"$work/skipped/$name"
  elif grep -q '^{' "$work/json"; then
    mv "$work/json" "$work/results/$name"
  elif [ ! -f "$work/failed/$name" ]; then
    echo "no figures" >"$work/failed/$name"
  fi
}

machine() {
  printf '"cores": %s, "cpu": %s' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1 | quoted)"
  printf ', "memory_mib": %s' "$(awk '/^MemTotal/ { printf "%d", $2 / 1024 }' /proc/meminfo)"
  printf ', "kernel": %s, "disk": %s' "$(uname -r | quoted)" "$(stat -f -c %T "$work" | quoted)"
  printf ', "load_before": %s' "$(cut -d ' ' -f 1 /proc/loadavg)"
}

quoted() { sed 's/["\\]/\\&/g; s/.*/"&"/'; }

# Of those that are installed.
versions() {
  printf '"gnomon": %s' "$("$bin/gnomon" --version | sed 's/.* //' | quoted)"
  version wrk wrk -v
  version nginx nginx -v
  version redis redis-cli --version
  version dnsperf dnsperf -h
  version gdnsd gdnsd -c /nonexistent checkconf
  version knot knotd -V
  version unbound unbound -V
}

# version NAME COMMAND...: the first word there that is a number with dots.
version() {
  program=$1
  shift
  command -v "$1" >/dev/null || return 0
  printf ', "%s": %s' "$program" "$("$@" 2>&1 | grep -v default | grep -o '[0-9][0-9]*[.][0-9.]*[0-9]' | head -n 1 | quoted)"
}

# members FOLDER FORM: "NAME": what FORM makes of the file of that name, for each file in the folder.
members() {
  separator=''
  for file in "$work/$1"/*; do
    [ -f "$file" ] || continue
    printf '%s\n  "%s": ' "$separator" "$(basename "$file")"
    "$2" <"$file"
    separator=,
  done
}
as_one_line() { tr '\n' ' ' | sed 's/ *$//'; }
as_text() { as_one_line | quoted; }

began=$(date +%s)
facts=$(printf '"date": "%s",\n"machine": {%s},\n"versions": {%s}' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(machine)" "$(versions)")
count=$(wc -l <"$work/plan")
number=0
while read -r line; do
  number=$((number + 1))
  printf '\n[%s of %s, after %s s]%s\n' "$number" "$count" "$(($(date +%s) - began))" "${line#* }" \
    | sed 's/ --json.*//' | tr -s ' ' >&2
  # shellcheck disable=SC2086 # words
  run $line
done <"$work/plan"

ls_names() { (cd "$work/$1" && for file in *; do [ ! -f "$file" ] || printf '%s: %s\n' "$file" "$(cat "$file")"; done); }
summary() {
  printf 'figures of: %s\n' "$(cd "$work/results" && echo ./* | sed 's|[.]/||g')"
  ls_names skipped | sed 's/^/skipped /'
  ls_names failed | sed 's/^/FAILED  /; s/: \([0-9]*\)$/: exit status \1/'
}
print_report "$(
  printf '{%s,\n"results": {%s},\n"skipped": {%s},\n"failed": {%s}}' \
    "$facts" "$(members results as_one_line)" "$(members skipped as_text)" "$(members failed as_text)"
)"
[ -z "$(ls "$work/failed")" ]
