#!/bin/sh
# shared_counter.sh PROGRAM FOLDER: one process has the actor, another finds and asks it. The first ends when its input
# does.
set -eu
program=$1
cd "$2"
mkfifo end
"$program" serve counter-a <end >address &
exec 3>end
for _ in $(seq 100); do
  if [ -s address ]; then break; fi
  sleep 0.1
done
status=0
"$program" ask counter-b "$(cat address)" || status=$?
exec 3>&-
wait
exit $status
