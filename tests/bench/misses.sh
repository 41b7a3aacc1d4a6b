#!/bin/sh
# What does it cost to ask for what nobody has? Reads of random ids, never the same, at one node and at one of five,
# each beside reads of items that exist at the same node; and beside Redis. The one of five answers from what it knows,
# or asks the others when the reader wants that. Called by `./dev bench misses`.
#
# usage: misses.sh BIN_DIR [--ids N] [--connections N] [--rounds N] [--seconds N] [--json [FILE]]
set -eu

bin=$1
shift
# shellcheck source=tests/support/bench.sh
. "$(dirname "$0")/../support/bench.sh"
ids=10000 connections=64 rounds=5 seconds=4
read_options "usage: misses.sh BIN_DIR [--ids N] [--connections N] [--rounds N] [--seconds N] [--json [FILE]]" \
  "ids connections rounds seconds" "$@"
value_bytes=1024
need_tools wrk curl
use_folder
find_redis

start_node alone
alone_pid=$started
until_ok curl -sf "$node_url/health/ready"
fill_node "$ids" "$value_bytes"
start_redis --appendonly no
fill_redis "$ids" "$value_bytes"
one_node_round() {
  load_http hits "$alone_pid" found "$node_url" ids="$ids"
  load_http misses "$alone_pid" missing "$node_url" ids=new
  load_redis redis-hits -r "$ids" get key:__rand_int__
  load_redis redis-misses -r 1000000000000 get missing:__rand_int__
}
in_turn "$rounds" one_node_round
stop "$alone_pid" "$redis_pid"

start_five 2
fill_node "$ids" "$value_bytes"
five_nodes_round() {
  load_http five-hits "$node_pids" found "$node_url" ids="$ids"
  load_http five-misses "$node_pids" missing "$node_url" ids=new
  load_http five-strong "$node_pids" missing "$node_url" ids=new query=consistency=strong
}
in_turn "$rounds" five_nodes_round

summary() {
  printf 'reads of ids that nobody has, never the same, beside reads of %s items of %s bytes at random;\n' \
    "$ids" "$value_bytes"
  printf 'medians of %s rounds of %s s with %s connections:\n' "$rounds" "$seconds" "$connections"
  print_head reads
  print_row hits "one node, HTTP, wrk -t2"
  print_row misses "the same node"
  print_row redis-hits "Redis $(redis_version), its protocol, redis-benchmark"
  print_row redis-misses "the same Redis"
  print_row five-hits "five nodes without delays, factor 2, all reads at one of them; cpu of all five"
  print_row five-misses "the same nodes; answers from what it knows, as by default"
  print_row five-strong "the same nodes; asks the others, as with ?consistency=strong"
  printf '  ratio of misses to hits %s, among five nodes %s; of misses to those of Redis %s\n' \
    "$(ratio_of_figures misses hits rate)" "$(ratio_of_figures five-misses five-hits rate)" \
    "$(ratio_of_figures misses redis-misses rate)"
  print_notes
}
report=$(
  printf '{"ids": %s, "connections": %s' "$ids" "$connections"
  for label in hits misses redis-hits redis-misses five-hits five-misses five-strong; do
    printf ', "%s": %s' "$(printf %s "$label" | tr - _)" "$(figures_json "$label")"
  done
  printf ', "ratio_to_hits": %s' "$(ratio_of_figures misses hits rate)"
  printf ', "ratio_to_hits_of_five": %s' "$(ratio_of_figures five-misses five-hits rate)"
  printf ', "ratio_to_redis": %s}' "$(ratio_of_figures misses redis-misses rate)"
)
print_report "$report"
