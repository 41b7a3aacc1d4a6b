#!/bin/sh
# What people's tools and resolvers make of the answers: dig, kdig, delv, and in front unbound with client subnet
# and BIND with cookies. Each tool that is missing is named as skipped.
#
# usage: clients.sh DEMO
set -eu

demo=$1
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
demo_pid='' resolver_pid='' failed=0
# shellcheck disable=SC2317 # called by the trap
finish() {
  for pid in $demo_pid $resolver_pid; do kill "$pid" 2>/dev/null || true; done
  for pid in $demo_pid $resolver_pid; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# expect WHAT PATTERN COMMAND...: the command's output must have a line that matches.
expect() {
  what=$1 pattern=$2
  shift 2
  if "$@" >"$work/out" 2>&1 && grep -Eq -- "$pattern" "$work/out"; then
    echo "ok: $what"
  else
    echo "failed: $what: no line matches '$pattern' in what '$*' printed:"
    sed 's/^/  /' "$work/out"
    failed=1
  fi
}

there() {
  command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; return 1; }
}

start_demo() {
  : >"$work/demo.log"
  "$demo" --listen 127.0.0.1:0 --networks "$work/networks" --nsid node-1 --detector-ms 60000 >"$work/demo.log" 2>&1 &
  demo_pid=$!
  tries=0
  until grep -q '^listening' "$work/demo.log"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$work/demo.log"; exit 1; }
    sleep 0.1
  done
  port=$(sed -n 's/^listening .*://p' "$work/demo.log")
}

# stop_demo: ends it, and leaves what it counted in $work/demo.log.
stop_demo() {
  kill "$demo_pid"
  wait "$demo_pid"
  demo_pid=''
}

cat >"$work/networks" <<'CSV'
127.0.0.0/8,eu-central-1
10.0.0.0/8,us-east-1
10.1.0.0/16,ap-northeast-1
CSV
# us-east-1, eu-central-1 and ap-northeast-1 hold it.
item=$("$demo" --label 11)
start_demo

if there dig; then
  # shellcheck disable=SC2317 # called by expect
  ask() { dig @127.0.0.1 -p "$port" +norecurse +tries=3 +timeout=5 "$@"; }
  expect "dig gets the address of the nearest holder" '^192\.0\.2\.3$' ask +short "$item.g.example" A
  expect "a subnet changes it" '^192\.0\.2\.1$' ask +short +subnet=10.9.9.0/24 "$item.g.example" A
  expect "the scope is that of the ranking" 'CLIENT-SUBNET: 10\.1\.2\.0/24/16' ask +subnet=10.1.2.0/24 "$item.g.example" A
  expect "service records come in order" '^1 eu-central-1\.g\.example\. port=8080 ipv4hint=192\.0\.2\.3' \
    ask +short +tcp "$item.g.example" HTTPS
  expect "the server has a name" 'NSID: .*node-1' ask +nsid g.example SOA
  expect "the cookie is good" 'COOKIE: .*\(good\)' ask g.example SOA
  expect "ANY is minimal" 'RFC8482' ask +short g.example ANY
  expect "transfers are refused" 'Transfer failed' ask g.example AXFR
  expect "an unknown item does not exist" 'status: NXDOMAIN' ask nothing.g.example A
  expect "other zones are refused with the reason" 'EDE: 20' ask example.org A
  expect "TCP works" 'SERVER: .*\(TCP\)' ask +tcp "$item.g.example" A
  expect "a truncated answer is asked again over TCP" '^1 eu-central-1' ask +short +nocookie g.example HTTPS
  expect "updates are not implemented" 'status: NOTIMP' ask +opcode=UPDATE g.example SOA
  expect "text says why" 'for 10\.9\.0\.0/16 by client subnet' ask +short +subnet=10.9.0.0/16 "$item.g.example" TXT
fi
if there kdig; then
  # shellcheck disable=SC2317 # called by expect
  knot_ask() { kdig @127.0.0.1 -p "$port" +norecurse +retry=2 +timeout=5 "$@"; }
  expect "kdig reads HTTPS" 'HTTPS.*1 eu-central-1\.g\.example\. port=8080' knot_ask "$item.g.example" HTTPS
  expect "kdig reads the subnet" 'CLIENT-SUBNET: 10\.0\.0\.0/8/16' knot_ask +subnet=10.0.0.0/8 "$item.g.example" A
  expect "kdig asks twice on one connection" '192\.0\.2\.3' knot_ask +tcp +keepopen +short "$item.g.example" A "$item.g.example" A
fi
if there delv; then
  expect "delv gets the address" '192\.0\.2\.3' delv @127.0.0.1 -p "$port" -i "$item.g.example" A
fi
if there dig; then
  kill -USR1 "$demo_pid"
  expect "a region that is down is not named any more" '^192\.0\.2\.3$' \
    ask +short +subnet=10.9.9.0/24 +tries=3 "$item.g.example" A
fi
stop_demo

# stop_both: ends the resolver and the demo.
stop_both() {
  kill "$resolver_pid"
  wait "$resolver_pid" || true
  resolver_pid=''
  stop_demo
}

# A port after the demo's that no socket has; in the kernel's lists it stands as four hexadecimal digits.
choose_resolver_port() {
  resolver_port=$((port + 1))
  while awk -v wanted=":$(printf '%04X' "$resolver_port")\$" '$2 ~ wanted { found = 1 } END { exit !found }' \
    /proc/net/udp /proc/net/tcp; do resolver_port=$((resolver_port + 1)); done
}

# Asks the resolver.
resolve() { dig @127.0.0.1 -p "$resolver_port" +tries=3 +timeout=5 "$@"; }

# A resolver asks once for what it may keep. How often the demo was asked shows it.
asks_for_names_that_do_not_exist() {
  tries=0
  until resolve nothing.g.example A | grep -q 'status: NXDOMAIN' || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  for _ in 1 2 3; do
    expect "a resolver says that nobody has the name" 'status: NXDOMAIN' resolve nothing.g.example A
    expect "and that an item has no such record" 'status: NOERROR' resolve "$item.g.example" MX
  done
}

unbound_in_front() {
  start_demo
  choose_resolver_port
  cat >"$work/unbound.conf" <<CONF
server:
  interface: 127.0.0.1@$resolver_port
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "$work"
  pidfile: "$work/unbound.pid"
  use-syslog: no
  do-not-query-localhost: no
  qname-minimisation: no
  local-zone: "example." nodefault
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
  access-control: 127.0.0.0/8 allow
stub-zone:
  name: g.example
  stub-addr: 127.0.0.1@$port
remote-control:
  control-enable: no
CONF
  unbound -c "$work/unbound.conf" >"$work/unbound.log" 2>&1 &
  resolver_pid=$!
  asks_for_names_that_do_not_exist
  expect "a client's subnet reaches us through unbound" '^192\.0\.2\.4$' \
    resolve +short +subnet=10.1.2.0/24 "$item.g.example" A
  expect "the scope lets it answer a neighbour" '^192\.0\.2\.4$' resolve +short +subnet=10.1.99.0/24 "$item.g.example" A
  expect "but not a client elsewhere" '^192\.0\.2\.1$' resolve +short +subnet=10.9.9.0/24 "$item.g.example" A
  expect "service records pass through" '^1 eu-central-1' resolve +short "$item.g.example" HTTPS
  stop_both
  expect "a negative answer was asked for once" 'nxdomain 1$' cat "$work/demo.log"
  expect "the subnet's neighbour was not asked for" '^queries 5 subnets [345]' cat "$work/demo.log"
}

bind_in_front() {
  start_demo
  choose_resolver_port
  cat >"$work/named.conf" <<CONF
options {
  directory "$work";
  pid-file "$work/named.pid";
  listen-on port $resolver_port { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion yes;
  dnssec-validation no;
};
controls { };
zone "g.example" { type forward; forward only; forwarders { 127.0.0.1 port $port; }; };
CONF
  named -f -n 1 -c "$work/named.conf" >"$work/named.log" 2>&1 &
  resolver_pid=$!
  asks_for_names_that_do_not_exist
  expect "an item's address passes through" '^192\.0\.2\.3$' resolve +short "$item.g.example" A
  expect "service records pass through" '^1 eu-central-1' resolve +short "$item.g.example" HTTPS
  stop_both
  expect "a negative answer was asked for once" 'nxdomain 1$' cat "$work/demo.log"
  expect "it sends our cookie back" 'cookies [1-9]' cat "$work/demo.log"
}

if there unbound && there dig; then unbound_in_front; fi
if there named && there dig; then bind_in_front; fi
exit "$failed"
