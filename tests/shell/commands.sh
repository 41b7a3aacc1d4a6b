#!/bin/sh
# shellcheck disable=SC2015,SC2086 # fail only reports; commands are split into words
# commands.sh GNOMON GNOMOND: the shell, as scripts and people use it, against a node of its own.
set -u
gnomon=$1 gnomond=$2
# shellcheck source=tests/support/one_node.sh
. "$(dirname "$0")/../support/one_node.sh"

# status N COMMAND...: the command ends with N; its output lies in out and err.
status() {
  wanted=$1
  shift
  timeout 20 "$@" >out 2>err </dev/null
  got=$?
  [ "$got" = "$wanted" ] || fail "status $got instead of $wanted: $*: $(cat err)"
}
says() { grep -qF -- "$1" out || fail "no '$1' in: $(cat out)"; }
complains() { grep -qF -- "$1" err || fail "no '$1' in: $(cat err)"; }

start_node() {
  "$gnomond" --config-file=node.toml >node.log 2>&1 &
  node=$!
  until_served "$gnomon" cluster || { fail "the node does not start: $(cat node.log)"; exit 1; }
}
stop_node() {
  kill "$node"
  wait "$node"
  node=
}

write_config run/alone ''

# -- without a node ----------------------------------------------------------------------------
status 0 "$gnomon" --help;                  says "usage: gnomon"; says "Exit status"
status 0 "$gnomon" --version;               says "gnomon "
for word in -V version; do
  status 0 "$gnomon" "$word";               says "gnomon "
done
for word in -h '?'; do
  status 0 "$gnomon" "$word";               says "usage: gnomon"
done
status 0 "$gnomon" put -h;                  says "--new-sibling"
status 2 "$gnomon" put --contxt 1 a b;      complains "did you mean --context?"
status 0 "$gnomon" help put;                says "--new-sibling"
status 0 "$gnomon" put --help;              says "--new-sibling"
status 2 "$gnomon" frobnicate;              complains "no command 'frobnicate'"
status 2 "$gnomon" staus x;                 complains "did you mean 'status'"
status 2 "$gnomon" get;                     complains "usage: get ID"
status 2 "$gnomon" --frob;                  complains "--frob"
status 2 "$gnomon" policy;                  complains "set, get, del, list, show"
status 1 "$gnomon" get x;                   complains "which node?"
status 1 "$gnomon" --socket nowhere get x;  complains "is gnomond running"
status 1 "$gnomon" --json --socket nowhere get x; complains '"code":"unavailable"'

start_node

# -- tokens ------------------------------------------------------------------------------------
status 2 "$gnomon" token create reports;               complains "--role read, write or admin"
status 2 "$gnomon" token create --role root reports;   complains "is no role"
status 2 "$gnomon" token create --role read "a b"
status 0 "$gnomon" token create --role write --type news --type sports --expires 90d importer
token=$(cat out)
case $token in gnomon_*) ;; *) fail "no token: $token" ;; esac
status 1 "$gnomon" token create --role read importer;  complains "revoke that first"
status 0 "$gnomon" token create --role read --header reports; says "Authorization: Bearer gnomon_"
status 0 "$gnomon" token list;                         says "news, sports"; says "reports"
grep -qF "${token#gnomon_*_}" out && fail "the list has the secret"
status 0 "$gnomon" --json token list;                  says '"role"'
status 0 "$gnomon" token revoke importer
status 1 "$gnomon" token revoke importer;              complains "no token of the name importer"

# -- items -------------------------------------------------------------------------------------
status 0 "$gnomon" put "news/1 a" "hello world"; says "created news/1 a"
status 0 "$gnomon" get "news/1 a"
[ "$(cat out)" = "hello world" ] || fail "the value came back as $(cat out)"
status 0 "$gnomon" put "news/1 a" "again";   says "wrote"
status 0 "$gnomon" get "news/1 a" --json;    says '"text": "again"'
status 0 "$gnomon" put "news/1 a" "beside" --new-sibling; complains 'it has 2 versions now'; complains 'put "news/1 a" VALUE'
status 1 "$gnomon" get "news/1 a";           complains "2 versions"; complains 'put "news/1 a" VALUE'
[ ! -s out ] || fail "siblings on standard output: $(cat out)"
status 0 "$gnomon" put "news/1 a" "resolved"
status 0 "$gnomon" get "news/1 a";           says "resolved"
head -c 100000 /dev/urandom >bytes
status 0 "$gnomon" put bytes @bytes --type image/png
status 0 "$gnomon" get bytes -o copy
cmp bytes copy || fail "bytes differ"
"$gnomon" put piped <bytes >/dev/null || fail "put from a pipe"
"$gnomon" get piped | cmp - bytes || fail "piped bytes differ"
status 1 "$gnomon" get nothing;              complains "there is no item 'nothing'"
status 1 "$gnomon" get nothing --json;       complains '"code":"not-found"'
status 2 "$gnomon" get "";                   complains "empty"
status 2 "$gnomon" put x y --acks 65;        complains "--acks"
status 0 "$gnomon" put lock mine --if-none-match --json; tag=$(sed -n 's/.*"etag": "\\"\(.*\)\\"".*/\1/p' out)
status 1 "$gnomon" put lock yours --if-none-match; complains "exists"
status 1 "$gnomon" put lock yours --if-match 0;    complains "changed"
status 0 "$gnomon" put lock again --if-match "$tag" --expires 3600
status 1 "$gnomon" del lock --if-match "$tag";     complains "changed"
status 2 "$gnomon" put lock x --if-match 1 --if-none-match; complains "exclude each other"
status 2 "$gnomon" put lock x --expires 0;         complains "--expires"
status 0 "$gnomon" put pair one --request-id r1
status 0 "$gnomon" put pair one --request-id r1 --new-sibling
status 0 "$gnomon" get pair --json;          context=$(sed -n 's/.*"context": "\(.*\)".*/\1/p' out)
status 0 "$gnomon" put pair two --new-sibling
status 1 "$gnomon" get pair;                 complains "2 versions"; complains "one"; complains "two"
status 1 "$gnomon" get pair --json;          says '"text": "one"'; says '"text": "two"'
status 0 "$gnomon" put pair three --context "$context"
status 1 "$gnomon" get pair --json;          says '"text": "two"'; says '"text": "three"'
status 0 "$gnomon" put pair four
status 0 "$gnomon" get pair;                 says "four"
status 2 "$gnomon" get pair --context none;  complains "context"
status 2 "$gnomon" put pair x --request-id "a b"; complains "visible ASCII"
status 0 "$gnomon" del bytes
status 1 "$gnomon" get bytes
status 1 "$gnomon" del bytes;                complains "no item"
# parts and conditions
status 0 "$gnomon" put part 0123456789 --json; tag=$(sed -n 's/.*"etag": "\\"\(.*\)\\"".*/\1/p' out)
status 0 "$gnomon" get part --range 2-4
[ "$(cat out)" = 234 ] || fail "the part came back as $(cat out)"
status 0 "$gnomon" get part --range -3 --json; says '"text": "789"'; says '"offset": 7'; says '"bytes": 10'
status 2 "$gnomon" get part --range 10-;     complains "the value has 10 bytes"
status 2 "$gnomon" get part --range 4-2;     complains "is no range"
status 0 "$gnomon" get part --if-changed "$tag" -o part.out; complains "unchanged"
[ ! -s out ] && [ ! -e part.out ] || fail "what has not changed was written"
status 0 "$gnomon" get part --if-changed "$tag" --json; says '"unchanged": true'
status 0 "$gnomon" get part --if-match "$tag" --range 0-0; says "0"
status 0 "$gnomon" put part new
status 0 "$gnomon" get part --if-changed "$tag"; says "new"
status 1 "$gnomon" get part --if-match "$tag"; complains "another ETag"
status 2 "$gnomon" get part --if-match 1 --if-changed 1; complains "exclude each other"
status 2 "$gnomon" get part --if-changed ""; complains "takes an ETag"
status 0 "$gnomon" list;                     says "news/1 a"
status 0 "$gnomon" count pip;                says "1 here, 1 everywhere"
status 0 "$gnomon" count nothing/ --json;    says '"here": 0'; says '"complete": true'
status 0 "$gnomon" list pip --json;          says '{"id":"piped","bytes":100000'

# -- copies, policies, the cluster -------------------------------------------------------------
status 0 "$gnomon" status piped;             says "durable"; says "steward"
status 1 "$gnomon" status nothing
status 0 "$gnomon" status bytes;             says "bytes was deleted"; says "deleted"
status 0 "$gnomon" status bytes --json;      says '"deleted": true'
status 0 "$gnomon" status piped --json;      says '"deleted": false'
status 0 "$gnomon" status piped --json;      says '"demand":'
status 0 "$gnomon" explain piped;            says "DEMAND"
status 0 "$gnomon" explain bytes;            says "deleted; kept until"
status 0 "$gnomon" route piped --json;       says '"holds": true'
status 2 "$gnomon" route piped --lat 91 --lon 0; complains "--lat"
status 2 "$gnomon" route piped --from mars;  complains "no region 'mars'"
status 0 "$gnomon" shadow create piped --factor 3; complains "fewer than the factor"
status 2 "$gnomon" shadow create piped --factor 0; complains "--factor"
status 1 "$gnomon" shadow drop piped eu-central-1; complains "is durable"
status 1 "$gnomon" shadow drop piped mars;   complains "no region 'mars'"
status 1 "$gnomon" shadow drop bytes eu-central-1; complains "was deleted"
status 2 "$gnomon" shadow drop piped;        complains "something is missing"
status 0 "$gnomon" policy set type news '{"factor": 1, "min_copies": 1}'
status 0 "$gnomon" policy get type news;     says '"factor": 1'
status 0 "$gnomon" policy list;              says "news"
status 0 "$gnomon" policy show news/9;       says "type news"; says "config"
status 0 "$gnomon" policy show news/9 --json; says '"factor": 1'; says '"scope": "type"'; says '"name": "news"'
status 0 "$gnomon" policy set user ann '{"ttl": 77}'
status 0 "$gnomon" policy show news/9 --user ann; says "user ann"; says "77"
status 0 "$gnomon" policy del user ann
status 2 "$gnomon" policy set type news '{"factor": 0}'; complains "factor"
status 0 "$gnomon" policy set type news '{"residency": ["nowhere"]}'; complains "nowhere, where no node is known"
status 2 "$gnomon" policy set planet x '{}'; complains "no scope"
status 0 "$gnomon" policy del type news
status 1 "$gnomon" policy get type news
status 0 "$gnomon" cluster --json;           says '"self": "alone"'

# -- readers -----------------------------------------------------------------------------------
for page in 1 2 3; do status 0 "$gnomon" put "pages/$page" text; done
for page in 1 2 3 1 2; do status 0 "$gnomon" get "pages/$page" --user ann; done
status 0 "$gnomon" predict ann --json;       says '"repeats_left_out": 3'
status 0 "$gnomon" predict ann;              complains "--repeats shows it"
status 0 "$gnomon" predict ann --repeats --json; says '"id": "pages/3"'; says '"worth_copying"'
status 0 "$gnomon" forget ann;               says "1 region knew"
status 1 "$gnomon" predict ann;              complains "no region has learned"
status 2 "$gnomon" predict ann --limit 21;   complains "--limit"
status 0 "$gnomon" policy set user ann '{"learn": false}'
status 0 "$gnomon" get pages/1 --user ann
status 1 "$gnomon" predict ann
status 0 "$gnomon" policy del user ann
for page in 1 2 3 1 2; do status 0 "$gnomon" report "pages/$page" --user eve; says "reported 1 read"; done
status 0 "$gnomon" predict eve --repeats --json; says '"id": "pages/3"'
status 0 "$gnomon" report pages/1 pages/2 --count 3 --json; says '"reads": 6'
status 2 "$gnomon" report pages/1 --count 0; complains "--count"
status 0 "$gnomon" train --list;             complains "no training job"
for user in $(seq 60); do
  for page in 1 2 3 4 5 6 7 8; do
    echo "{\"user_id\": \"u$user\", \"data_id\": \"pages/$page\", \"timestamp\": $((1700000000 + 10 * page + user))}"
  done
done >reads
echo nonsense >>reads
status 0 "$gnomon" train reads --json;       says '"accesses": 480' && says '"learned": 480' && complains "line 481"
job=$(sed -n 's/.*"job": \([0-9]*\),.*/\1/p' out)
status 0 "$gnomon" train --job "$job";       says "reads held back"
{ echo t,user,item; sed -n 's/.*"u\([0-9]*\)".*pages\/\([0-9]\)".*: \([0-9]*\)}/\3,u\1,pages\/\2/p' reads; } | gzip >reads.gz
status 0 "$gnomon" train reads.gz --json;    says '"accesses": 480'
echo nonsense >no-reads
status 2 "$gnomon" train no-reads;           complains "no usable read in 1 lines"; complains "A trace is CSV"
status 0 "$gnomon" train --list;             says "$job"; says "RESULT"
status 0 "$gnomon" train --list --json;      says "\"job\": $job"; says '"jobs"'
status 2 "$gnomon" train
status 2 "$gnomon" train reads --list;       complains "usage: train FILE"
status 1 "$gnomon" train --job 7;            complains "no training job"
status 1 "$gnomon" evaluate --trace nowhere; complains "cannot open nowhere: No such file"
status 2 "$gnomon" evaluate;                 complains "usage: gnomon-evaluate"

# -- import and export -------------------------------------------------------------------------
cat >items <<'LINES'
{"id":"i/1","text":"one"}
{"id":"i/2","value":"dHdv","content_type":"text/plain"}

this is no JSON
{"id":"i/3","value":"?"}
{"id":"i/4","text":"a","siblings":[{"text":"b"}]}
LINES
status 1 "$gnomon" import items;             complains "line 4:"; complains "line 5:"; complains "imported 4 items"
status 0 "$gnomon" get i/2;                  says "two"
status 0 "$gnomon" export out.gz --prefix i/
[ "$(gzip -dc out.gz | wc -l)" = 3 ] || fail "exported $(gzip -dc out.gz)"
status 0 "$gnomon" import out.gz;            complains "imported 4 items"
status 1 "$gnomon" get i/4;                  complains "2 versions"
# an export is no read; types come back, and texts have one
reads_of() { "$gnomon" status "$1" --json | grep '"reads"'; }
"$gnomon" get i/2 >/dev/null
sleep 1.5
before=$(reads_of i/2)
status 0 "$gnomon" export again --prefix i/
sleep 1.5
[ "$(reads_of i/2)" = "$before" ] || fail "an export counts as reading: $before, then $(reads_of i/2)"
"$gnomon" put i/odd x --type image/x-odd >/dev/null
status 0 "$gnomon" export again --prefix i/odd
"$gnomon" del i/odd >/dev/null
status 0 "$gnomon" import again
status 0 "$gnomon" get i/odd --json;         says '"content_type": "image/x-odd"'
status 0 "$gnomon" get i/1 --json;           says '"content_type": "text/plain; charset=utf-8"'
"$gnomon" del i/odd >/dev/null
gzip -dc out.gz | "$gnomon" import - --json 2>/dev/null | grep -q '"failed":0' || fail "import of standard input"
[ "$("$gnomon" export - --prefix i/ 2>/dev/null | wc -l)" = 3 ] || fail "export to standard output"
head -c 60 out.gz >cut.gz
status 1 "$gnomon" import cut.gz;            complains "cut.gz: the gzip data ends too early"
complains "the last line that was read is line"
status 1 "$gnomon" import .;                 complains ". is a directory"
status 1 "$gnomon" put i/mem @/proc/self/mem; complains "/proc/self/mem: Input/output error"
status 1 "$gnomon" get i/mem
# lines for one id keep their order, whatever is under way
for n in $(seq 300); do echo "{\"id\":\"i/order$((n % 3))\",\"text\":\"$n\"}"; done >ordered
status 0 "$gnomon" import ordered;           complains "imported 300 items"
for n in 298 299 300; do
  last=$("$gnomon" get "i/order$((n % 3))")
  [ "$last" = $n ] || fail "i/order$((n % 3)) is $last instead of $n"
done
# what has expired ends nothing
printf '\357\273\277%s\r\n' '{"id":"i/1","text":"old","expires":1700000000000}' >expired
echo '{"id":"i/1b","text":"x","expires":1700000000000,"siblings":[{"text":"lives"}]}' >>expired
echo '{"id":"i/far","text":"x","expires":253402300799000}' >far
status 1 "$gnomon" import far;               complains "line 1: "; complains "1 failed"
status 0 "$gnomon" import expired;           complains "imported 1 item"; complains "1 expired"
status 0 "$gnomon" get i/1;                  says "one"
status 0 "$gnomon" get i/1b;                 says "lives"
status 0 "$gnomon" import expired --json;    says '"expired":1'
if mknod full c 1 7 2>/dev/null; then # one of its own: who replaces it replaces no other's
  status 1 "$gnomon" export full;            complains "full: No space left"
  [ -c full ] || fail "a device was replaced"
fi
for command in export "snapshot save"; do
  mkfifo pipe
  cat pipe >came &
  status 0 "$gnomon" $command pipe
  wait $!
  [ -p pipe ] && [ -s came ] || fail "$command into a pipe: $(wc -c <came) bytes, $(ls -l pipe)"
  rm pipe
done
echo before >target && chmod 600 target && ln -s target link
status 0 "$gnomon" export link --prefix i/1
[ -L link ] && [ "$(stat -c %a target)" = 600 ] && [ "$(wc -l <target)" = 2 ] \
  || fail "export to a link: $(ls -l link target)"
{ echo first; "$gnomon" export /dev/stdout --prefix i/1 2>/dev/null; echo last; } >target
[ "$(sed -n '1p;$p' target | tr '\n' ' ')" = "first last " ] && [ "$(wc -l <target)" = 4 ] \
  || fail "export to /dev/stdout: $(cat target)"
for n in $(seq 400); do echo "{\"id\":\"m/$n\",\"text\":\"$(printf %200d 0)\"}"; done >many
"$gnomon" import many >/dev/null 2>&1
{ "$gnomon" export - 2>err; echo $? >export.status; } | head -c 10 >/dev/null
[ "$(cat export.status)" = 1 ] || fail "export into a closed pipe ends with $(cat export.status)"
complains "standard output: Broken pipe"
grep -q part err && fail "it names a file that is not there: $(cat err)"
status 1 "$gnomon" export no/such/folder;    complains "no/such/folder: No such file"
[ ! -e out.gz.part ] || fail "out.gz.part is left"

# -- snapshots ---------------------------------------------------------------------------------
"$gnomon" put snap/1 "first" --user u1 --type text/plain >/dev/null
"$gnomon" put snap/2 "a" >/dev/null
"$gnomon" put snap/2 "b" --new-sibling >/dev/null
"$gnomon" put snap/3 "kept deleted" >/dev/null
"$gnomon" snapshot save early.snap >/dev/null 2>&1 || fail "an early snapshot"
"$gnomon" del snap/3 >/dev/null
"$gnomon" policy set type snap '{"factor": 1, "min_copies": 1}' >/dev/null
status 0 "$gnomon" snapshot save all.snap;     complains "saved"
status 0 "$gnomon" snapshot save all.snap.gz --json; says '"tombstones":'; says '"complete":true'
status 0 "$gnomon" snapshot check all.snap;    says "whole:"; says "of alone in eu-central-1"
status 0 "$gnomon" snapshot check all.snap.gz --json; says '"node": "alone"'
"$gnomon" snapshot save - 2>/dev/null | "$gnomon" snapshot check - >out 2>err || fail "a snapshot through a pipe"
status 1 "$gnomon" snapshot save no/such/folder; complains "no/such/folder: No such file"
"$gnomon" put snap/1 "second" >/dev/null
status 0 "$gnomon" snapshot load all.snap --json; says '"restored":0,"merged":0'; says '"policies":"known"'
status 0 "$gnomon" get snap/1;                 says "second"
status 0 "$gnomon" snapshot load early.snap;   complains "known"
status 1 "$gnomon" get snap/3;                 complains "no item"
# what is damaged is refused before anything is loaded
head -c 300 all.snap >cut.snap
status 1 "$gnomon" snapshot load cut.snap;     complains "cut.snap: entry"; complains "nothing was loaded"
head -c 200 all.snap.gz >cut.snap.gz
status 1 "$gnomon" snapshot load cut.snap.gz;  complains "nothing was loaded"
{ head -c 400 all.snap; printf X; tail -c +402 all.snap; } >bent.snap
status 1 "$gnomon" snapshot check bent.snap;   complains "bent.snap: entry"
{ head -c 7 all.snap; printf '\002'; tail -c +9 all.snap; } >future.snap
status 1 "$gnomon" snapshot load future.snap;  complains "its format number is 2, this version reads 1"
status 1 "$gnomon" snapshot load items;        complains "does not begin as a snapshot does"
status 1 "$gnomon" snapshot load nowhere.snap; complains "nowhere.snap: No such file"
# a new node with an empty disk gets everything back
stop_node
mv run/alone lost
start_node
status 1 "$gnomon" get snap/1
status 0 "$gnomon" snapshot load all.snap.gz --dry-run --report report; complains "would have loaded"
grep -qF '{"id":"snap/1","outcome":"restored"}' report || fail "the report: $(cat report)"
status 1 "$gnomon" get snap/1
status 1 "$gnomon" snapshot load cut.snap --damaged --json; complains "not complete"; says '"policies":"merged"'
status 0 "$gnomon" snapshot load all.snap.gz --json; says '"known":0'; says '"merged":0'
status 0 "$gnomon" get snap/1 --json;          says '"text": "first"'; says '"user": "u1"'; says "text/plain"
status 1 "$gnomon" get snap/2;                 complains "2 versions"
status 1 "$gnomon" get snap/3;                 complains "no item"
status 0 "$gnomon" policy get type snap;       says '"factor": 1'
status 0 "$gnomon" snapshot load all.snap.gz --json; says '"restored":0,"merged":0'
# a copy of the data directory is noticed, and so is the flag
stop_node
rm -rf run/alone
cp -a lost run/alone
start_node
grep -q new-incarnation node.log || fail "a copied data directory was not noticed: $(cat node.log)"
status 0 "$gnomon" get snap/1;                 says "second"

# -- pipes and colours -------------------------------------------------------------------------
grep -q "$(printf '\033')" out && fail "colours without a terminal"
{ "$gnomon" list --json; echo $? >list.status; } | true
case $(cat list.status) in 0 | 141) ;; *) fail "a closed pipe gives $(cat list.status)" ;; esac
[ ! -e /dev/full ] || { "$gnomon" list >/dev/full 2>err; complains "cannot be written"; }
printf 'put script/1 x\n# a comment\n\nget script/1\nget nothing\n' | "$gnomon" >out 2>err
[ $? = 1 ] || fail "a script's worst status"
says "created script/1"
cat >several <<'LINES'
# it isn't a quote
put script/lines "one
two\tthree"
put script/\
next 'a
b'
LINES
"$gnomon" <several >out 2>err || fail "a script with long commands: $(cat err)"
[ "$("$gnomon" get script/lines)" = "$(printf 'one\ntwo\tthree')" ] || fail "several lines: $("$gnomon" get script/lines)"
[ "$("$gnomon" get script/next)" = "$(printf 'a\nb')" ] || fail "joined lines: $("$gnomon" get script/next)"
printf '\357\273\277put script/2 x\r\nput script/3 y\r\n' >marked
"$gnomon" <marked >out 2>err || fail "a script with a byte order mark: $(cat err)"
status 0 "$gnomon" get script/2;             says "x"
printf 'put script/4 -\nthis is the value\n' | "$gnomon" >out 2>err || fail "a value behind its command: $(cat err)"
status 0 "$gnomon" get script/4;             says "this is the value"
"$gnomon" </ >out 2>err
[ $? = 1 ] && complains "directory" || fail "a folder for a script: $(cat err)"
# no byte is changed, and none commands a terminal
printf 'line\n\377\033[31m' >bytes
status 0 "$gnomon" put raw @bytes
status 0 "$gnomon" get raw --json;           says "\"base64\": \"$(base64 bytes)\""
cat >typed.sh <<'TYPED'
id=$(printf 'bad/\033[31m\302\233\342\200\256')
export NO_COLOR=1
"$1" put "$id" "$(printf 'v\033[31m')" --type "$(printf 'text/\302\233')"
"$1" list bad
"$1" list bad --json
"$1" get "$id"
"$1" get "$id" --json
"$1" put "$id" other --new-sibling
"$1" get "$id"
"$1" status "$id"
"$1" watch "$id" --count 1 & sleep 0.5; "$1" del "$id"; wait
"$1" get "no/$id"
"$1" get "no/$id" --json
"$1" "$id"
"$1" import "no/$id"
"$1" policy set type "$id" '{"factor": 1}'
"$1" policy list
printf 'quit %s\n' "$id'" | "$1"
TYPED
if command -v script >/dev/null; then
  script -qec "sh typed.sh '$gnomon'" /dev/null >typed 2>&1 </dev/null
  LC_ALL=C grep -q "$(printf '\033\\|\302\233\\|\342\200\256')" typed && fail "the terminal is commanded: $(cat -v typed)"
  grep -qF 'bad/\x1B[31m\xC2\x9B\xE2\x80\xAE' typed || fail "the id is not shown: $(cat -v typed)"
fi
# a long answer goes through the pager, a short one does not, and a pager that is left ends the answer
if command -v script >/dev/null; then
  cat >paged.sh <<'PAGED'
stty rows 10 cols 80
export PAGER='sed s/^/paged:/'
"$1" list m/ --limit 5
"$1" list m/ --limit 40
PAGER= "$1" list m/ --limit 30
PAGER=no-such-pager "$1" list m/ --limit 30
PAGER='head -n 2' "$1" list --json
echo "status $?"
PAGED
  script -qec "sh paged.sh '$gnomon'" /dev/null 2>&1 </dev/null | tr -d '\r' >paged
  [ "$(grep -c '^paged:m/' paged)" = 40 ] || fail "$(grep -c '^paged:' paged) lines were paged: $(cat paged)"
  [ "$(grep -c '^m/' paged)" = 65 ] || fail "$(grep -c '^m/' paged) lines were not paged: $(cat paged)"
  [ "$(grep -c '^{"id"' paged)" = 2 ] && grep -q '^status 0' paged || fail "a pager that is left: $(cat paged)"
fi
printf "put 'x\n" | "$gnomon" >out 2>err
[ $? = 2 ] || fail "an unclosed quote in a script"

# -- watching, over a restart of the node ------------------------------------------------------
timeout 60 "$gnomon" watch watched --values --count 4 >seen 2>/dev/null &
watcher=$!
sleep 0.5
"$gnomon" put watched 1 >/dev/null
stop_node
start_node
sleep 1
"$gnomon" put watched 2 >/dev/null
wait $watcher || fail "watch ended with $?"
[ "$(awk '{ printf "%s ", $2 }' seen)" = "written gap present written " ] || fail "watch saw: $(cat seen)"
grep -q 'written .* 2$' seen || fail "watch saw no value: $(cat seen)"
status 2 "$gnomon" watch;                    complains "an ID, --prefix PREFIX, or --cluster"
status 2 "$gnomon" watch a --cluster;        complains "an ID, --prefix PREFIX, or --cluster"
status 2 "$gnomon" watch a --after x;        complains "not the position of a change"
timeout 60 "$gnomon" watch --cluster --count 2 --json >seen 2>/dev/null || fail "watch --cluster ended with $?"
grep -q '"event":"node-up"' seen || fail "watch --cluster saw: $(cat seen)"
timeout 60 "$gnomon" watch --prefix watch --count 1 --json >seen 2>/dev/null || fail "watch --prefix ended with $?"
after=$(sed 's/.*"position":"\([^"]*\)".*/\1/' seen)
timeout 60 "$gnomon" watch --prefix watch --after "$after" --count 1 >seen 2>/dev/null &
watcher=$!
"$gnomon" del watched >/dev/null
wait $watcher || fail "watch --after ended with $?"
grep -q 'deleted  watched' seen || fail "watch --after saw: $(cat seen)"
"$gnomon" put watched 2 >/dev/null
status 0 "$gnomon" get watched;              says "2"

end_test
