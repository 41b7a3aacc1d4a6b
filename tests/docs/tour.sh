#!/bin/bash
# tour.sh README BIN CONFIGS: runs the tour of the README command by command, as a reader would. What stands behind "#>"
# must be in what the command prints, in this order; " ... " stands for anything in between.
set -u
readme=$1 bin=$2 configs=$3
place=$(mktemp -d)
cd "$place" || exit 1
unset GNOMON_SOCKET NO_COLOR PAGER
failures=0

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}
# shellcheck disable=SC2317 # called by the trap
finish() {
  jobs -p | xargs -r kill -KILL 2>/dev/null
  wait
  rm -rf "$place"
}
trap finish EXIT

# The ports of the configs may be taken: four digits in place of 810 and 710, which are free with 1 to 5 behind them.
free_ports() {
  local digits port
  while digits=$(shuf -n 1 -i 2000-3200); do
    for port in 1 2 3 4 5; do
      (exec 3<>"/dev/tcp/127.0.0.1/$digits$port") 2>/dev/null && continue 2
    done
    echo "$digits"
    return
  done
}
http=$(free_ports)
tunnel=$(free_ports)
here() { sed -e "s/\b810\([1-5]\)\b/$http\1/g" -e "s/\b710\([1-5]\)\b/$tunnel\1/g" "$@"; }

mkdir -p build configs
ln -s "$bin" build/bin
cp -r "$configs/five-regions" configs/
for file in configs/five-regions/*.toml; do here "$file" >new && mv new "$file"; done
printf '#!/bin/sh\necho built already\n' >dev
chmod +x dev

# expect PATTERN OUTPUT COMMAND
expect() {
  local pattern=$1 rest=$2 piece
  while [ -n "$pattern" ]; do
    piece=${pattern%% ... *}
    pattern=${pattern#"$piece"}
    pattern=${pattern# ... }
    case $rest in
      *"$piece"*) rest=${rest#*"$piece"} ;;
      *) fail "no '$piece' in what '$3' prints: $2" && return ;;
    esac
  done
}

# A machine that is busy needs more than the tour's three seconds.
wait_for_cluster() {
  for _ in $(seq 200); do
    [ "$(curl -s "localhost:${http}1/cluster" | grep -o '"state":"live"' | wc -l)" = 5 ] && return
    sleep 0.3
  done
  fail "the five nodes do not find each other: $(curl -s "localhost:${http}1/cluster")"
}

mapfile -t lines < <(awk '/^## /{tour = /tour/} tour && /^```/{code = /^```sh/; next} tour && code' "$readme" | here)
[ "${#lines[@]}" -gt 15 ] || fail "the README has no tour"
command=
for line in "${lines[@]}"; do
  command+=$line$'\n'
  bash -n <<<"$command" 2>/dev/null || continue
  case $line in
    *'#> '*)
      output=$(eval "$command" 2>&1 </dev/null) || fail "status $?: $command: $output"
      expect "${line##*\#> }" "$output" "${line%%  *}"
      ;;
    *) eval "$command" >output 2>&1 </dev/null || fail "status $?: $command: $(cat output)" ;;
  esac
  case $line in sleep*) wait_for_cluster ;; esac
  command=
done
[ -z "$command" ] || fail "the tour ends amid a command: $command"
for _ in $(seq 100); do
  [ -n "$(jobs -pr)" ] || break
  sleep 0.2
done
[ -z "$(jobs -pr)" ] || fail "nodes go on running: $(jobs -pr)"

[ "$failures" = 0 ] && echo "all well"
exit "$failures"
