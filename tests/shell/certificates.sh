#!/bin/sh
# certificates.sh GNOMON GNOMOND: from nothing to two nodes that talk to each other in TLS, by the words of the docs.
set -u
gnomon=$1 gnomond=$2
place=$(mktemp -d) pids='' failed=0
# shellcheck disable=SC2317 # called by the trap
finish() {
  for pid in $pids; do
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  rm -rf "$place"
}
trap finish EXIT
cd "$place" || exit 1

fail() {
  echo "certificates: $*" >&2
  failed=1
}
# status N COMMAND...: the command ends with N; its output lies in out and err.
status() {
  wanted=$1
  shift
  "$@" >out 2>err
  got=$?
  [ "$got" = "$wanted" ] || fail "$* ended with $got, not $wanted: $(cat out err)"
}
says() {
  grep -qF -- "$1" out err || fail "nothing says '$1': $(cat out err)"
}

# -- the files --------------------------------------------------------------------------------------------------------
status 1 "$gnomon" cert issue us-east-1
says "gnomon cert new-ca makes one"
status 0 "$gnomon" cert new-ca --name "Example authority"
says "certs/ca.key"
status 1 "$gnomon" cert new-ca
says "is there already"
status 0 "$gnomon" cert issue us-east-1
says 'certificate = "certs/us-east-1.pem"'
status 0 "$gnomon" cert issue eu-central-1 --days 10
status 1 "$gnomon" cert issue us-east-1
says "is there already"
status 2 "$gnomon" cert issue "a b"
status 2 "$gnomon" cert issue us-east-1 --days 0
status 1 "$gnomon" cert issue us-east-1 --out long --days 9000
says "fewer days"
status 0 "$gnomon" cert issue web --host node.example --host 127.0.0.1
says "[http]"
status 0 "$gnomon" cert show certs/web.pem
says "DNS:node.example, IP:127.0.0.1"
status 0 "$gnomon" cert issue reports --client
says 'clients = ["reports = read"]'
status 0 "$gnomon" cert show certs/reports.pem
says "for clients of HTTP"
status 2 "$gnomon" cert issue other --client --host node.example
status 0 "$gnomon" cert issue alice --shell
says "gnomon --connect HOST:7101 --certificate certs/alice.pem cluster"
status 0 "$gnomon" cert show certs/alice.pem
says "for shells and embedded clients"
says "URI:gnomon:shell:alice"
status 2 "$gnomon" cert issue other --client --shell
status 2 "$gnomon" cert issue other --shell --host node.example
status 1 "$gnomon" cert issue other --host "a b"
says "neither a host's name nor an IP address"
for key in certs/ca.key certs/us-east-1.key; do
  [ "$(stat -c %a "$key")" = 600 ] || fail "$key has mode $(stat -c %a "$key")"
done
[ "$(stat -c %a certs)" = 700 ] || fail "the new folder has mode $(stat -c %a certs)"
status 0 "$gnomon" cert show certs/us-east-1.pem
says "URI:gnomon:node:us-east-1"
says "CN=Example authority"
status 0 "$gnomon" cert show certs/ca.pem --json
says '"authority": true'
status 1 "$gnomon" cert show certs/us-east-1.key
status 1 "$gnomon" cert show nothing.pem
for words in "cert new-ca" "cert issue" "cert show"; do
  # The words are three commands.
  # shellcheck disable=SC2086
  status 0 "$gnomon" $words --help
done

# -- two nodes --------------------------------------------------------------------------------------------------------
# Ports below those that the kernel gives to other tests.
first=$((20000 + $$ * 7 % 12000)) second=$((first + 1))
node() { # NAME TUNNEL_PORT
  cat >"$1.toml" <<TOML
[cluster]
certificate = "certs/$1.pem"
key = "certs/$1.key"
authorities = "certs/ca.pem"
seeds = ["127.0.0.1:$first"]
advertise = "127.0.0.1:$2"
[node]
name = "$1"
region = "$1"
latitude = 1
longitude = 2
data_dir = "run/$1"
[listen]
tunnel = "0.0.0.0:$2"
http = ""
TOML
  status 0 "$gnomond" "$1.toml" --check
  "$gnomond" "$1.toml" 2>"$1.log" &
  pids="$pids $!"
}
node us-east-1 "$first"
node eu-central-1 "$second"
for _ in $(seq 100); do
  "$gnomon" --socket run/us-east-1/gnomon.sock cluster >out 2>err && [ "$(grep -c "  live  " out)" = 1 ] && break
  sleep 0.1
done
[ "$(grep -c "  live  " out)" = 1 ] || fail "the nodes do not meet: $(cat out err ./*.log)"
status 0 "$gnomon" --socket run/us-east-1/gnomon.sock put greetings/1 "hello"
status 0 "$gnomon" --socket run/eu-central-1/gnomon.sock get greetings/1
says hello
status 0 "$gnomon" --connect "127.0.0.1:$second" --certificate certs/alice.pem get greetings/1
says hello
sed -i 's/certs\/eu-central-1/certs\/us-east-1/' eu-central-1.toml
status 1 "$gnomond" eu-central-1.toml --check --set listen.tunnel=127.0.0.1:0 --set node.data_dir=run/other
says "is no certificate for node eu-central-1"
chmod 640 certs/us-east-1.key
status 1 "$gnomond" us-east-1.toml --check --set listen.tunnel=127.0.0.1:0 --set node.data_dir=run/other
says "chmod 600"
exit $failed
