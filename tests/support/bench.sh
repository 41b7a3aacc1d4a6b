# shellcheck shell=sh disable=SC2034,SC2154 # sourced; who sources it uses these variables and sets those
# What the benches share: how they read options, start servers, put load on them, and where their figures go.
# Who sources it has set $bin, the folder of the programs; who puts load on servers also $connections and $seconds.
support=$(dirname "$0")/../support
json='' keep=''

# --- options, and what there is to run with

# read_options USAGE NAMES ARGUMENTS...: puts the value of each option --SOME-NAME into the variable some_name, and
# notes --json. A name that ends in '!' takes no value: its variable becomes "yes".
read_options() {
  usage=$1 names=$2
  shift 2
  while [ $# -gt 0 ]; do
    name=${1#--} variable=$(printf %s "${1#--}" | tr - _)
    case $1 in
      --json)
        json=-
        case ${2:---} in --*) ;; *) json=$2; shift ;; esac
        ;;
      --?*)
        case " $names " in
          *" $name! "*) eval "$variable=yes" ;;
          *" $name "*)
            [ $# -ge 2 ] || refuse_options
            eval "$variable=\$2"
            shift
            ;;
          *) refuse_options ;;
        esac
        ;;
      *) refuse_options ;;
    esac
    shift
  done
}

refuse_options() {
  echo "$usage" >&2
  exit 2
}

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# skip REASON: ends a bench that cannot run here.
skip() {
  echo "skipped: $*" >&2
  exit 77
}

need_tools() {
  PATH=$PATH:/usr/sbin
  for tool in "$@"; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
  done
}

# --- processes, in a folder that goes with the bench

pids=''
# Sets work: $keep, which stays, or a new folder, which goes when the bench ends. So do all processes.
use_folder() {
  work=${keep:-$(mktemp -d)}
  trap finish EXIT
  trap 'exit 130' INT TERM PIPE
}

# shellcheck disable=SC2317 # called by the trap
finish() {
  # shellcheck disable=SC2086 # process ids
  stop $pids
  [ -n "$keep" ] || rm -rf "$work"
}

# start NAME COMMAND...: runs it in the background, with its output in NAME.log; sets started, its process id.
start() {
  log=$work/$1.log
  shift
  "$@" >"$log" 2>&1 &
  started=$!
  pids="$pids $started"
}

stop() {
  for pid in "$@"; do kill "$pid" 2>/dev/null || true; done
  for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
  left=''
  for pid in $pids; do
    case " $* " in *" $pid "*) ;; *) left="$left $pid" ;; esac
  done
  pids=$left
}

# until_ok COMMAND...: returns as soon as COMMAND succeeds; ends the bench when what was started last has ended, or
# after $patience seconds.
patience=60
until_ok() {
  deadline=$(($(date +%s) + patience))
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 "$started" 2>/dev/null || [ "$(date +%s)" -ge "$deadline" ]; then
      cat "$log" >&2
      fail "this did not succeed: $*"
    fi
    sleep 0.05
  done
}

# free_port: sets last_port. The kernel's lists of sockets have ports as four hexadecimal digits.
last_port=$((20000 + $$ % 20000))
free_port() {
  last_port=$((last_port + 1))
  while awk -v wanted=":$(printf '%04X' "$last_port")\$" '$2 ~ wanted { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 /proc/net/udp; do last_port=$((last_port + 1)); done
}

# Microseconds of processor time that these processes and their children have had, also those that ended.
processor_us() {
  for pid in "$@"; do
    for one in "$pid" $(cat "/proc/$pid/task/$pid/children"); do sed 's/.*) //' "/proc/$one/stat" || true; done
  done 2>/dev/null \
    | awk -v ticks="$(getconf CLK_TCK)" '{ sum += $12 + $13 + $14 + $15 } END { printf "%.0f", sum * 1e6 / ticks }'
}

# memory_kib PID [VmHWM]: what the process takes now, or took at most.
memory_kib() { sed -n "s/^${2:-VmRSS}:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$1/status"; }

# --- servers

# start_node NAME OPTIONS...: a node with one copy of each item; OPTIONS are --set SECTION.KEY=VALUE. Sets node_url and
# node_socket. Does not wait.
start_node() {
  node=$1
  shift
  free_port; node_port=$last_port
  node_url=http://127.0.0.1:$node_port node_socket=$work/$node/gnomon.sock
  free_port
  start "$node" "$bin/gnomond" --set node.name="$node" --set node.region="$node" --set node.latitude=50.1 \
    --set node.longitude=8.7 --set cluster.insecure=true --set node.data_dir="$work/$node" \
    --set listen.http="127.0.0.1:$node_port" --set listen.tunnel="127.0.0.1:$last_port" \
    --set placement.factor=1 --set placement.min_copies=1 "$@"
}

# start_five FACTOR: five nodes without delays that know each other. Sets node_pids; node_url and node_socket are the
# first node's.
start_five() {
  node_pids='' seeds='[]' longitude=0
  for name in one two three four five; do
    longitude=$((longitude + 10))
    start_node "$name" --set cluster.seeds="$seeds" --set node.longitude="$longitude" --set placement.conflicts=lww \
      --set placement.factor="$1" --set placement.min_copies="$1"
    until_ok curl -sf "$node_url/health/ready"
    node_pids="$node_pids $started"
    [ "$name" != one ] || seeds="[\"127.0.0.1:$last_port\"]" first_url=$node_url first_socket=$node_socket
  done
  node_url=$first_url node_socket=$first_socket
  until_ok five_are_live
}

five_are_live() { [ "$(curl -sf "$node_url/cluster" | grep -o '"state":"live"' | wc -l)" = 5 ]; }

# numbered ITEMS BYTES BEFORE DIGITS BETWEEN BEHIND: for each item a line with its number in so many digits and a value
# of its own, between these texts.
numbered() {
  awk -v items="$1" -v bytes="$2" -v before="$3" -v digits="$4" -v between="$5" -v behind="$6" 'BEGIN {
    for (zeros = "0"; length(zeros) < bytes; ) zeros = zeros zeros
    zeros = substr(zeros, 1, bytes)
    for (i = 0; i < items; ++i) {
      number = sprintf("%0*d", digits, i)
      print before number between substr(zeros number, digits + 1) behind
    }
  }'
}

# fill_node ITEMS BYTES: writes bench/0000000000 and so on through node_socket.
fill_node() {
  numbered "$1" "$2" '{"id":"bench/' 10 '","text":"' '"}' | "$bin/gnomon" --socket "$node_socket" import - --in-flight 256 >&2
}

# What Debian's redis-tools brings is the server as well: it looks at the name that it is called by. So the package
# redis-server, which starts a service, is not needed.
find_redis() {
  need_tools redis-benchmark redis-cli
  redis=$(command -v redis-server || true)
  [ -z "$redis" ] || return 0
  need_tools redis-check-rdb
  redis=$work/redis-server
  ln -s "$(command -v redis-check-rdb)" "$redis"
}

redis_version() { "$redis" --version | sed 's/.* v=\([^ ]*\).*/\1/'; }

# start_redis OPTIONS...: sets redis_pid and redis_port; returns when it serves.
start_redis() {
  free_port; redis_port=$last_port
  mkdir -p "$work/redis"
  start redis "$redis" --bind 127.0.0.1 --port "$redis_port" --dir "$work/redis" --save '' "$@"
  redis_pid=$started
  until_ok redis-cli -e -p "$redis_port" get ready
}

# fill_redis ITEMS BYTES: the keys that redis-benchmark asks for.
fill_redis() {
  numbered "$1" "$2" 'SET key:' 12 ' ' '' | redis-cli -p "$redis_port" --pipe >"$work/pipe.log" \
    || fail "Redis did not take all keys"
}

# --- load, and its figures: one line for each round in figures/LABEL, "rate p50_ms p99_ms cpu_us"

# load_http LABEL PIDS ANSWERS URL WHAT...: one round of wrk, which sends WHAT of load.lua. ANSWERS says what all
# answers must be, "found" or "missing"; PIDS are the servers.
load_http() {
  label=$1 servers=$2 answers=$3 url=$4
  shift 4
  # shellcheck disable=SC2086 # process ids
  before=$(processor_us $servers)
  wrk -t2 -c"$connections" -d"$seconds"s -s "$support/load.lua" "$url" -- "$@" >"$work/wrk.log"
  # shellcheck disable=SC2086 # process ids
  used=$(($(processor_us $servers) - before))
  awk -v used="$used" -v answers="$answers" '
    /^figures/ {
      whole = $7 == 0 && $6 == (answers == "missing" ? $2 : 0)
      printf "%s %s %s %.2f\n", $3, $4, $5, used / $2
    }
    END { exit !whole }' "$work/wrk.log" >"$work/round" || refuse_round "$work/wrk.log" "not every answer was $answers"
  note_round
}

# load_redis LABEL WHAT...: one round of redis-benchmark for as long as a round of wrk, as far as its rate can be known
# before.
load_redis() {
  label=$1
  shift
  requests=$((connections * 100))
  run_redis_benchmark "$@"
  requests=$(awk -v s="$seconds" '{ printf "%.0f", $1 * s }' "$work/round")
  before=$(processor_us "$redis_pid")
  run_redis_benchmark "$@"
  awk -v used="$(($(processor_us "$redis_pid") - before))" -v n="$requests" '{ printf "%s %.2f\n", $0, used / n }' \
    "$work/round" >"$work/round.whole"
  mv "$work/round.whole" "$work/round"
  note_round
}

run_redis_benchmark() {
  redis-benchmark -h 127.0.0.1 -p "$redis_port" -c "$connections" -n "$requests" --csv "$@" >"$work/benchmark.log" 2>&1
  tail -n 1 "$work/benchmark.log" | tr -d '"' | awk -F, '
    NF >= 8 && $(NF - 6) + 0 > 0 { print $(NF - 6), $(NF - 3), $(NF - 1); good = 1 }
    END { exit !good }' >"$work/round" || refuse_round "$work/benchmark.log" "redis-benchmark failed"
}

# refuse_round LOG WHY
refuse_round() {
  cat "$1" >&2
  fail "$label: $2"
}

note_round() {
  mkdir -p "$work/figures"
  cat "$work/round" >>"$work/figures/$label"
  awk -v label="$label" '
    { printf "  %-16s %10.0f /s   p50 %8.2f ms   p99 %8.2f ms   %8.1f us\n", label, $1, $2, $3, $4 }' "$work/round" >&2
}

# in_turn ROUNDS COMMAND: the rounds, each of which is COMMAND.
in_turn() {
  round=0
  while [ "$round" -lt "$1" ]; do
    round=$((round + 1))
    printf 'round %s of %s\n' "$round" "$1" >&2
    "$2"
  done
}

# median FILE [COLUMN]
median() {
  awk -v column="${2:-1}" '{ print $column }' "$1" | sort -n \
    | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# figure LABEL rate|p50|p99|cpu: the median of the rounds.
figure() {
  case $2 in rate) column=1 ;; p50) column=2 ;; p99) column=3 ;; cpu) column=4 ;; esac
  median "$work/figures/$1" "$column"
}

ratio_of() {
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'
}

# ratio_of_figures LABEL LABEL FIGURE
ratio_of_figures() { ratio_of "$(figure "$1" "$3")" "$(figure "$2" "$3")"; }

figures_json() {
  printf '{"rate": %s, "p50_ms": %s, "p99_ms": %s, "cpu_us": %s}' \
    "$(figure "$1" rate)" "$(figure "$1" p50)" "$(figure "$1" p99)" "$(figure "$1" cpu)"
}

print_head() { printf '  %-16s %11s %9s %9s %8s  %s\n' '' "$1/s" 'p50 ms' 'p99 ms' 'cpu us' 'ran with'; }

# print_row LABEL RAN_WITH
print_row() {
  printf '  %-16s %11.0f %9.2f %9.2f %8.1f  %s\n' \
    "$1" "$(figure "$1" rate)" "$(figure "$1" p50)" "$(figure "$1" p99)" "$(figure "$1" cpu)" "$2"
}

# What has to be known to read such a table.
print_notes() {
  printf 'The programs that make the load share the %s cores with the servers. "cpu us" is processor time of the servers for\n' \
    "$(nproc)"
  printf 'each request. The percentiles of wrk count the requests that a stall kept from being sent, those of\n'
  printf 'redis-benchmark do not.\n'
}

# print_report REPORT: what `summary` prints, for people; with --json REPORT, too, to a file or to standard output.
print_report() {
  case $json in
    '') summary ;;
    -) summary >&2; printf '%s\n' "$1" ;;
    *) summary; printf '%s\n' "$1" >"$json" ;;
  esac
}
