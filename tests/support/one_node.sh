# shellcheck shell=sh disable=SC2034 # sourced, by sh and bash; who sources it uses the variables
# One node in a folder of its own, and a count of what failed: for tests that use programs as people and scripts do.
# Makes the folder $place and goes there. A test puts the process id of its node into $node; node and folder are gone
# when the test ends.
place=$(mktemp -d)
cd "$place" || exit 1
unset GNOMON_SOCKET NO_COLOR
node=
failures=0

# shellcheck disable=SC2317 # called by the trap
finish() {
  [ -z "$node" ] || kill -KILL "$node" 2>/dev/null
  [ -z "$node" ] || wait "$node" 2>/dev/null
  rm -rf "$place"
}
trap finish EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}

# The last line of a test: how it ends.
end_test() {
  [ "$failures" = 0 ] && echo "all well"
  exit "$failures"
}

# write_config DATA_DIR HTTP: node.toml, of a node that serves alone.
write_config() {
  cat >node.toml <<TOML
[cluster]
insecure = true
[node]
name = "alone"
region = "eu-central-1"
latitude = 50.1
longitude = 8.7
data_dir = "$1"
[listen]
tunnel = "127.0.0.1:0"
http = "$2"
[placement]
factor = 1
min_copies = 1
TOML
}

# until_served COMMAND...: true as soon as COMMAND succeeds; false when $node has ended, or after ten seconds.
until_served() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    kill -0 "$node" 2>/dev/null && [ "$tries" -lt 100 ] || return 1
    sleep 0.1
  done
}
