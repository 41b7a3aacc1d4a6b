#!/bin/sh
# Puts the figures of `./dev bench all --json FIGURES` into docs/performance.md, between the marks there, and draws
# docs/performance.svg.
#
# usage: figures.sh FIGURES
set -eu

if [ $# != 1 ] || [ ! -f "$1" ]; then
  echo "usage: figures.sh FIGURES" >&2
  exit 2
fi
docs=$(dirname "$0")/../../docs
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

# What is shown: bench; server; its name in the figures; what the reader sees. A line with a bench alone begins a group.
cat >"$made/shown" <<'SHOWN'
http;;;One item of 1 KiB, read again and again
http;ours;gnomon;Gnomon
http;peer;nginx;nginx, a file
http-tls;;;The same in TLS 1.3
http-tls;ours;gnomon;Gnomon
http-tls;peer;nginx;nginx, a file
http-ids;;;10,000 items of 1 KiB at random, for 1,000 users
http-ids;ours;gnomon;Gnomon
http-ids;peer;nginx;nginx, 10,000 files
http-ids;peer;redis;Redis, GET
misses;;;Ids that nobody has
misses;ours;misses;Gnomon, one node
misses;ours;five_misses;Gnomon, one of five nodes
misses;ours;five_strong;Gnomon, one of five, consistency=strong
misses;peer;redis_misses;Redis, GET
writes;;;Synced writes of 1 KiB
writes;ours;gnomon;Gnomon, one node
writes;ours;five;Gnomon, one of five nodes, two copies
writes;peer;redis;Redis, SET, appendfsync always
SHOWN

# For awk: 12345 as "12,345".
with_commas='
  function with_commas(n,  digits, text) {
    for (digits = sprintf("%.0f", n); length(digits) > 3; digits = substr(digits, 1, length(digits) - 3))
      text = "," substr(digits, length(digits) - 2) text
    return digits text
  }'

# Lines "kind;text;rate;p50;p99;cpu;rate as text", with the kinds "group", "ours" and "peer". The figures of a bench
# stand in one line.
awk -F';' "$with_commas"'
  function value(text, name,  at) {
    at = index(text, "\"" name "\": ")
    if (!at) return ""
    return substr(text, at + length(name) + 4) + 0
  }
  NR == FNR {
    if (match($0, /^ *"[a-z-]+": [{]/)) {
      name = $0
      sub(/^ *"/, "", name)
      sub(/".*/, "", name)
      figures[name] = substr($0, index($0, "{"))
    }
    next
  }
  $2 == "" { group = "group;" $4 }
  $1 in figures && $2 != "" {
    at = index(figures[$1], "\"" $3 "\": {")
    if (!at) next
    if (group != "") print group
    group = ""
    text = substr(figures[$1], at)
    rate = value(text, "rate")
    printf "%s;%s;%s;%s;%s;%s;%s\n", $2, $4, rate, value(text, "p50_ms"), value(text, "p99_ms"), value(text, "cpu_us"),
      with_commas(rate)
  }' "$1" "$made/shown" >"$made/lines"

table() {
  echo '| | a second | p50 | p99 | processor time for each |'
  echo '|---|---|---|---|---|'
  awk -F';' '
    $1 == "group" { print "| **" $2 "** | | | | |" }
    $1 != "group" { printf "| %s | %s | %.2f ms | %.2f ms | %.0f µs |\n", $2, $7, $4, $5, $6 }' "$made/lines"
}

# The figures of `bench memory`, as a table of their own.
memory_table() {
  awk "$with_commas"'
    function value(name,  text, at) {
      text = substr($0, index($0, "\"" server "\": {"))
      at = index(text, "\"" name "\": ")
      return substr(text, at + length(name) + 4) + 0
    }
    function cell(moment) { return sprintf("%d MiB, %d B each", value(moment "_bytes") / 1048576, value(moment "_bytes_each")) }
    function row(text, moment,  line) {
      server = "gnomon"
      line = "| " text " | " cell(moment)
      server = "redis"
      print line " | " cell(moment) " |"
    }
    /^ *"memory": {/ {
      server = ""
      idle = value("idle_s")
      printf "\n| %s items of %d bytes | Gnomon | Redis |\n", with_commas(value("items")), value("value_bytes")
      print "|---|---|---|"
      row("right after they were written", "after")
      row("idle for " idle " s", "idle")
      row("after a restart", "restart")
    }' "$1"
}

chart() {
  awk -F';' '
    function bar(y, kind, text, width, figure) {
      printf "<text class=\"t\" x=\"290\" y=\"%d\" text-anchor=\"end\">%s</text>", y + 12, text
      printf "<rect class=\"%s\" x=\"300\" y=\"%d\" width=\"%.0f\" height=\"14\" rx=\"2\"/>", kind, y + 1, width
      printf "<text class=\"t\" x=\"%.0f\" y=\"%d\">%s</text>\n", 306 + width, y + 12, figure
    }
    { kind[NR] = $1; text[NR] = $2; rate[NR] = $3; figure[NR] = $7 }
    $1 == "group" { group = NR }
    $3 > most[group] { most[group] = $3 }
    { of[NR] = group }
    END {
      for (n = 1; n <= NR; ++n) height += kind[n] == "group" ? 32 : 19
      printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 680 %d\" role=\"img\">\n", height + 10
      print "<title>Requests a second of Gnomon and of its peers</title>"
      print "<style>"
      print ".t{font:12px sans-serif}.g{font:bold 13px sans-serif}"
      print ".t,.g{fill:#6e7781}.ours{fill:#2c7fb8}.peer{fill:#9aa3ab}" # to be read on white and on black
      print "</style>"
      y = 0
      for (n = 1; n <= NR; ++n)
        if (kind[n] == "group") {
          printf "<text class=\"g\" x=\"10\" y=\"%d\">%s, requests a second</text>\n", y + 24, text[n]
          y += 32
        } else {
          bar(y, kind[n], text[n], 1 + 300 * rate[n] / most[of[n]], figure[n])
          y += 19
        }
      print "</svg>"
    }' "$made/lines"
}

{ table; memory_table "$1"; } >"$made/tables"
chart >"$docs/performance.svg"
awk -v tables="$made/tables" '
  /^<!-- end of figures/ { inside = 0 }
  !inside { print }
  /^<!-- figures/ {
    inside = 1
    print ""
    while ((getline line <tables) > 0) print line
    print ""
  }' "$docs/performance.md" >"$made/page"
cat "$made/page" >"$docs/performance.md"
