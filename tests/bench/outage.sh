#!/bin/sh
# What do applications notice when regions are cut off, freeze or die? Five nodes on this machine, as far apart as the
# regions of configs/five-regions: 20,000 items, 500 writes a second. Prints the time to detect, the reads that failed
# and for how long, and whether every acknowledged write is there afterwards. Needs root. Called by
# `./dev bench outage`.
#
# usage: outage.sh BIN_DIR [--json] [--only partition|freeze|kill] [--keep DIRECTORY]
set -eu

bin=$1
shift
exec "$bin/test_wan" "$bin/gnomond" configs/five-regions/round-trips.csv --full "$@"
