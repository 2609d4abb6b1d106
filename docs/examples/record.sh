#!/bin/sh
# Records one run of call.mjs on a bench of its own: record.sh OUT.pcapng [options of naptlab up, such as --nat 104a=symmetric].
# Ends with the exit code of the caller. Nothing waits by the clock: programs say when they are ready.
set -eu
out=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
lab=${NAPTLAB:-npx naptlab}
name=call-$$
said=$(mktemp -d)
trap 'rm -r "$said"' EXIT
until_said() { until grep -q "$1" "$said/$2" 2> /dev/null; do sleep 0.1; done; }

$lab up fig1 --name "$name" "$@"
$lab record --bench "$name" --out "$out" --filter udp 101 104a 104b 2> "$said/record" &
recorder=$!
until_said 'Ctrl-C ends it' record
$lab exec 101 --bench "$name" -- node "$here/call.mjs" server 1200 > "$said/server" &
until_said ready server
$lab exec 103 --bench "$name" -- node "$here/call.mjs" wait bob 130.74.23.6:1200 &
result=0
$lab exec 102 --bench "$name" -- node "$here/call.mjs" call alice 130.74.23.6:1200 bob || result=$?
$lab down "$name"
wait "$recorder"
exit "$result"
