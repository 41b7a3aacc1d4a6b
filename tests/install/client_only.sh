#!/bin/sh
# client_only.sh GNOMOND PROGRAM FOLDER: runs the program against a node.
set -eu
mkdir -p "$3"
cd "$3"
cat >one.toml <<'TOML'
[cluster]
insecure = true
[node]
name = "one"
region = "eu-central-1"
latitude = 50.1
longitude = 8.7
data_dir = "node"
[listen]
tunnel = "127.0.0.1:0"
http = "127.0.0.1:0"
TOML
"$1" --config-file=one.toml >log 2>&1 &
node=$!
trap 'kill $node 2>/dev/null; wait' EXIT
for _ in $(seq 150); do
  if [ -S node/gnomon.sock ]; then break; fi
  sleep 0.1
done
"$2" node/gnomon.sock
