#!/bin/sh
# The rules of CONTRIBUTING.md that a machine can check. Each offence is one line: file, line, what is wrong.
#
#   sh tests/tidy/style.sh [REPOSITORY]
set -eu
cd "${1:-.}"

folders=$(for folder in actors runtime storage learning examples tests; do [ ! -d $folder ] || echo $folder; done)
# The names hold no blanks: they are ours.
# shellcheck disable=SC2086
sources=$(find $folders \( -name "*.[ch]pp" -o -name "*.sh" \) -type f)
texts=$(find . docs docs/flows docs/decisions -maxdepth 1 -name '*.md' -type f)
# The names hold no blanks: they are ours.
# shellcheck disable=SC2086
offences=$(LC_ALL=C awk '
  # What a source file may include of ours: a regular expression for the path between the quotes.
  function allowed(file) {
    base = "runtime/base/"
    below = "storage/|learning/|runtime/(location|access)/|" base
    if (file ~ /^runtime\/include\//) return "gnomon/"
    if (file ~ /^runtime\/base\//) return base "|gnomon/error.hpp"
    if (file ~ /^runtime\/access\//) return "runtime/access/|" base
    if (file ~ /^runtime\/tls\//) return "runtime/tls/|" base
    if (file ~ /^runtime\/location\//) return "runtime/location/|" base
    if (file ~ /^storage\//) return "storage/|" base
    if (file ~ /^learning\//) return "learning/" rooms_of_learning(file) "/|" base
    if (file ~ /^actors\//) return "actors/" rooms_of_actors(file) "/|" below "|gnomon/(error|watch).hpp"
    if (file ~ /^runtime\/net\//) return "runtime/(net|tls)/|actors/|" below
    if (file ~ /^runtime\/dns\//) return "runtime/dns/|gnomon/error.hpp|" base
    if (file ~ /^runtime\/gateway\//) return "runtime/(gateway|tls)/|actors/|" below
    if (file ~ /^runtime\/report\//) return "runtime/report/|" base
    if (file ~ /^runtime\/replay\//) return "runtime/(re(play|port)|tls)/|learning/economy/|runtime/location/|" base
    if (file ~ /^runtime\/virtual_replay\//) return "runtime/((virtual_)?replay|report)/|learning/|runtime/location/|" base
    if (file ~ /^runtime\/shell\//) return "runtime/(shell|tls)/|gnomon/|" base
    if (file ~ /^runtime\/[a-z_]*[.]cpp$/) return "runtime/|learning/|gnomon/"
    if (file ~ /^runtime\/client\//) return "runtime/(client|net|tls)/|actors/|" below "|gnomon/"
    if (file ~ /^runtime\/node\//) return "runtime/(node|client|net|tls|gateway|dns)/|actors/|" below "|gnomon/"
    if (file ~ /^examples\//) return "gnomon/|[a-z_]*[.]hpp"
    return ""
  }
  # The rooms of a folder stand one upon the other.
  function rooms_of_actors(file) {
    if (file ~ /\/messages\//) return "messages"
    if (file ~ /\/node\//) return "(messages|node)"
    if (file ~ /\/(shadow|cluster|feed|prediction)\//) return "(messages|node|" room(file) ")"
    if (file ~ /\/repair\//) return "(messages|node|shadow|repair)"
    return "(messages|node|shadow|cluster|region)"
  }
  function rooms_of_learning(file) {
    if (file ~ /\/base\//) return "base"
    if (file ~ /\/history\//) return "(base|history)"
    if (file ~ /\/models\//) return "(base|models)"
    if (file ~ /\/economy\//) return "(base|economy)"
    if (file ~ /\/(user|demand)\//) return "(base|history|models|" room(file) ")"
    return "(base|history|models|economy|user|demand|" room(file) ")"
  }
  function room(file,  part) {
    split(file, part, "/")
    return part[2]
  }
  function offence(what) {
    print FILENAME ":" FNR ": " what
  }
  function end_of_file() {
    if (code > 500)
      print name ": " code " lines of code; split it, no file has more than 500"
    if (name ~ /[.]hpp$/ && !once)
      print name ": the header lacks #pragma once"
  }
  FNR == 1 {
    end_of_file()
    name = FILENAME
    code = once = begun = 0
    signature = ""
  }
  /^#pragma once$/ { once = 1 }
  !/^ *($|\/\/|#[^!a-z])/ && name !~ /[.]md$/ { ++code }

  # A function that is no member of a class begins at the margin, and its last brace stands there. Tables of handlers or
  # of rows are why the bound is wider than what CONTRIBUTING.md asks for.
  /^}/ {
    if (begun && FNR - begun > 60)
      offence(signature " has " (FNR - begun) " lines; cut it, no function has more than 60")
    begun = 0
    signature = ""
  }
  !begun && name !~ /[.](md|sh)$/ {
    if (/^[A-Za-z_].*[(]/ && !/^(class|struct|union) /) {
      signature = substr($0, 1, index($0, "(") - 1)
      sub(/.*[ &*]/, "", signature)
    }
    if (signature != "" && /[{]$/)
      begun = FNR
    else if (/^$|;$/)
      signature = ""
  }

  /^ *# *include "/ {
    split($0, part, "\"")
    may = allowed(name)
    if (may != "" && part[2] !~ "^(" may ")")
      offence("this folder must not include " part[2])
  }
  /^ *# *include <leveldb\// && name !~ /^storage\/level_(store|files)[.]/ {
    offence("only storage/level_store and level_files may include LevelDB")
  }
  /^ *# *include <maxminddb[.]h>/ && name !~ /^runtime\/location\/location_(database|record)[.]/ {
    offence("only runtime/location/location_database and location_record may include libmaxminddb")
  }
  /^ *# *include <ldns\// && name !~ /^((runtime|tests)\/dns\/|runtime\/replay\/dns_message[.]cpp)/ {
    offence("only runtime/dns and runtime/replay/dns_message may include ldns")
  }
  /^ *# *include <openssl\/(ssl|x509|x509v3|pem)[.]h>/ && name !~ /^(runtime\/tls|tests)\// {
    offence("only runtime/tls may include OpenSSL for TLS and certificates")
  }
  /^ *# *include <dlib\// && name !~ /^(learning|tests\/learning)\// { offence("only learning may include Dlib") }
  /^ *# *include <caf\/(all|actor|actor_system|typed_actor)[.]hpp>/ && name ~ /^(storage|learning)\// {
    offence("this folder knows no actors")
  }

  /for \([^;]*: [^;]*get\(\)->[a-z_]+\)/ { offence("what get() answers is gone before the loop begins: name it first") }
  /\t/ { offence("no tabs") }
  / $/ { offence("no blanks at the end of a line") }
  /(^|[^A-Za-z0-9_])(TOD[O]|FIXM[E])([^A-Za-z0-9_]|$)/ { offence("do it, or name it as a limit in docs/limits.md") }
  name !~ /[.]md$/ {
    line = $0
    gsub(/[\200-\277]/, "", line) # what follows the first byte of a character
    # As clang-format, which cannot break texts; those and lists of members may run on a little.
    if (length(line) > (line ~ /"|std::tie/ ? 130 : 120))
      offence("a line of " length(line) " characters")
  }
  END { end_of_file() }
' dev .ci/run $sources $texts)

if [ -n "$offences" ]; then
  printf '%s\n' "$offences"
  echo "offences against the rules in CONTRIBUTING.md: $(printf '%s\n' "$offences" | wc -l)"
  exit 1
fi
echo "no offences"
