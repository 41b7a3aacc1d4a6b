#!/bin/sh
# Do clients that find each item by its DNS name get it as near as `./dev run` serves it, and how long is a region still
# named that has died? Starts five regions on this machine twice, with unbound in front the second time, and plays the
# same trace. Exits with 1 when the shares of local answers are over 2 points apart, or when the dead region is named
# later than 5 s and one TTL after its end. Called by `./dev bench geodns`.
#
# usage: geodns.sh BIN_DIR [TRACE] [OPTIONS]     OPTIONS as `gnomon-replay --help` lists them for geodns
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
for argument in "$@"; do
  case $argument in -h | --help) exec "$bin/gnomon-replay" --help ;; esac
done
need_tools unbound
exec "$bin/gnomon-replay" geodns --bin "$bin" --configs configs/five-regions "$@"
