#!/bin/bash
# shellcheck disable=SC2086 # commands are split into words
# starts.sh GNOMON GNOMOND REPLAY EVALUATE: programs that are started strangely: without standard streams, environment,
# folder or files, with full disks and pipes that nobody reads.
set -u
gnomon=$1 gnomond=$2 replay=$3 evaluate=$4
# shellcheck source=tests/support/one_node.sh
. "$(dirname "$0")/../support/one_node.sh"

shell() { "$gnomon" --socket "$place/data/gnomon.sock" "$@"; }
serves() { until_served shell cluster; }
stop() {
  kill "$node"
  wait "$node" || fail "$1: the node ended with $?"
  node=
}
# starts NAME COMMAND...: a node that COMMAND starts serves and ends well.
starts() {
  name=$1
  shift
  "$@" 2>log &
  node=$!
  serves || fail "$name: the node does not serve: $(cat log 2>/dev/null)"
  until_served shell put "starts/$name" yes || fail "$name: a write fails"
}

write_config "$place/data" 127.0.0.1:0
run="$gnomond --config-file=$place/node.toml"

# -- closed standard streams: no file of the store gets their numbers ---------------------------
for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&- 2>&-'; do
  starts "closed $closed" bash -c "exec $run $closed"
  for fd in 0 1 2; do
    case $(readlink "/proc/$node/fd/$fd") in
    "$place/data"*) fail "with $closed descriptor $fd is $(readlink "/proc/$node/fd/$fd")" ;;
    '') fail "with $closed descriptor $fd is closed" ;;
    esac
  done
  stop "closed $closed"
done
grep -rl "gnomond listening" data && fail "the log stands in the store"

# -- logs that cannot be written hold nothing ---------------------------------------------------
starts "full stderr" bash -c "exec $run 2>/dev/full"
stop "full stderr"
starts "broken stderr" bash -c "exec $run 2> >(exec 0<&-; exit)"
stop "broken stderr"
mkfifo nobody
exec 7<>nobody
dd if=/dev/zero of=nobody bs=4096 count=16 oflag=nonblock 2>/dev/null # now it is full
starts "stderr that nobody reads" bash -c "exec $run --set log.level=debug 2>nobody"
for i in $(seq 20); do shell put "nobody/$i" x >/dev/null || fail "a write stalls behind a log that nobody reads"; done
stop "stderr that nobody reads"
exec 7>&-
starts "full log file" bash -c "exec $run --set log.file=/dev/full"
stop "full log file"

# -- environment, folder, mask, limits, signals -------------------------------------------------
starts "no environment" env -i "$gnomond" "--config-file=$place/node.toml"
# Else OpenBLAS takes memory for each core, which a limit may refuse.
tr '\0' '\n' <"/proc/$node/environ" | grep -qx OPENBLAS_NUM_THREADS=1 || fail "OpenBLAS may have many threads"
stop "no environment"
mkdir gone
starts "no folder" bash -c "cd gone && rmdir ../gone && exec $run"
stop "no folder"
mv data before
starts "umask 0" bash -c "umask 0; exec $run"
find data -perm /022 ! -type l ! -type s | grep -q . && fail "others may write: $(find data -perm /022)"
stop "umask 0"
rm -rf data
starts "umask 777" bash -c "umask 777; exec $run"
[ "$(stat -c %A data/store-0 | cut -c1-4)" = drwx ] || fail "umask 777 keeps the node from its own store"
stop "umask 777"
starts "no core, no SIGTERM" bash -c "ulimit -c 0; trap '' TERM HUP; exec $run"
kill -HUP "$node"
sleep 0.3
serves || fail "SIGHUP ended the node"
stop "SIGTERM that was ignored before"
starts "small files" bash -c "ulimit -f 1000; exec $run 2>log"
head -c 2000000 /dev/urandom >large
shell put large @large >/dev/null 2>err && fail "a value above the limit on files was taken"
kill -0 "$node" || fail "SIGXFSZ ended the node"
[ "$(shell get "starts/small files")" = yes ] || fail "after a write that failed the node does not read: $(cat err)"
kill "$node"
wait "$node"
node=
rm -rf data
mv before data
bash -c "ulimit -n 64; exec $run" 2>log && fail "a node started with 64 files"
grep -q "may have 64 files open" log || fail "with 64 files it says: $(cat log)"
bash -c "ulimit -n 64; exec $run --check" 2>log && fail "--check says that 64 files are enough"
for limit in '-v 100000' '-v 200000' '-v 400000' '-s 64'; do
  for program in "$run" "$gnomon --socket $place/data/gnomon.sock cluster" "$replay --help" "$evaluate --help"; do
    timeout 20 bash -c "ulimit $limit; exec $program" >out 2>log
    code=$?
    grep -qi sanitizer log && continue # it needs more itself
    [ $code = 1 ] || fail "$program under ulimit $limit ends with $code"
    grep -q "ulimit ${limit% *}" log || fail "$program under ulimit $limit says: $(cat log)"
  done
done
starts "few files" bash -c "ulimit -n 200; exec $run 2>log"
grep -q "few-files" log || fail "few files are not told: $(cat log)"
stop "few files"

# -- what cannot start says so, whatever becomes of what it says --------------------------------
for stream in '2>/dev/full' '2>&-' '0<&- 1>&- 2>&-'; do
  bash -c "$run --set node.color=red $stream"
  [ $? = 1 ] || fail "a bad config with $stream ends with $?"
  bash -c "$gnomond --frob $stream"
  [ $? = 2 ] || fail "a bad command line with $stream ends with $?"
  bash -c "$evaluate --trace nowhere $stream"
  [ $? = 1 ] || fail "evaluate with $stream ends with $?"
  bash -c "$replay load $stream"
  [ $? = 2 ] || fail "replay with $stream ends with $?"
  bash -c "$gnomon frobnicate $stream"
  [ $? = 2 ] || fail "gnomon with $stream ends with $?"
done

# -- what was not written is not called written -------------------------------------------------
starts "one-shot" bash -c "exec $run 2>log"
for stream in '>/dev/full' '>&-'; do
  for command in "$gnomond --help" "$gnomond --version" "$gnomond -V" "$replay --help" "$replay --version" \
    "$evaluate --help" "$evaluate --version" "$gnomon --help" "$gnomon --version" \
    "$gnomon --socket $place/data/gnomon.sock get starts/one-shot" \
    "$gnomon --socket $place/data/gnomon.sock list --json" "$gnomon --socket $place/data/gnomon.sock export -"; do
    bash -c "$command $stream" 2>err
    [ $? = 1 ] || fail "'$command $stream' ends with $?"
    grep -q "standard output" err || fail "'$command $stream' says: $(cat err)"
  done
done
env -i "$gnomon" --socket "$place/data/gnomon.sock" get starts/one-shot >out 2>err || fail "no environment: $(cat err)"
shell put nothing - <&- >/dev/null 2>err && fail "a closed standard input was taken for an empty value"
shell import - <&- >/dev/null 2>err && fail "a closed standard input was taken for an empty file"
shell put folder - </ >/dev/null 2>err && fail "a folder was taken for a value"
grep -q "directory" err || fail "a folder as standard input: $(cat err)"
"$gnomon" --socket "$place/data/gnomon.sock" </ >/dev/null 2>err && fail "a folder was taken for commands"
shell put nothing @/proc/self/mem >/dev/null 2>err && fail "an error of a read was taken for the end of a value"
shell import /proc/self/mem >/dev/null 2>err && fail "an error of a read was taken for the end of a file"
shell get nothing >/dev/null 2>&1 && fail "something was written"
stop "one-shot"

# -- --check and the start agree ----------------------------------------------------------------
agree() { # WHAT SETTINGS...
  what=$1
  shift
  $run --check "$@" >out 2>checked
  [ $? = 1 ] || fail "--check takes $what"
  timeout 20 $run "$@" >out 2>started
  [ $? = 1 ] || fail "the start takes $what"
  cmp -s checked started || fail "$what: --check says $(cat checked), the start $(cat started)"
}
$run --check || fail "--check refuses what starts"
agree "a name" --set listen.http=node.example.com:80
agree "another machine's address" --set listen.http=192.0.2.1:80
agree "a tunnel for everybody" --set listen.tunnel=0.0.0.0:7101
agree "HTTP for everybody" --set listen.http=0.0.0.0:7102
agree "neither TLS nor plain TCP" --set cluster.insecure=false
agree "a certificate that is not there" --set cluster.certificate=a.pem --set cluster.key=a.key --set cluster.authorities=ca.pem
agree "a seed's name" --set 'cluster.seeds=["node-b:7101"]'
agree "one port twice" --set listen.tunnel=127.0.0.1:7101 --set listen.http=localhost:7101
agree "one port for HTTP and DNS" --set listen.http=127.0.0.1:7102 --set listen.dns=localhost:7102 --set 'dns.zones=["g.example"]'
agree "a name for DNS" --set listen.dns=node.example.com:53 --set 'dns.zones=["g.example"]'
agree "a NUL byte" --set 'listen.socket="a\u0000b"'
agree "a file for a folder" --set node.data_dir="$place/node.toml"
agree "a folder that cannot be made" --set node.data_dir=/proc/gnomon --set listen.socket="$place/s"
agree "a socket in no folder" --set listen.socket="$place/none/s"
agree "a log in a file" --set log.file="$place/node.toml/log"
agree "stores of another number" --set store.stores=2
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$place"
  mkdir locked
  cp "$gnomond" "$place/gnomond" # may lie where only root can go
  run="setpriv --reuid 65534 --regid 65534 --clear-groups $place/gnomond --config-file=$place/node.toml"
  agree "a folder of another user" --set node.data_dir="$place/locked/data"
  agree "stores of another user"
  chmod -R go-rwx data
  agree "what it cannot read"
fi

end_test
