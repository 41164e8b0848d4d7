#!/usr/bin/env bash
# serve_test.sh SERVER MAKE_TINY_MODEL: starts the example on a model made on the spot, asks it over
# TCP and checks the answers, errors at start, and a clean end on SIGTERM.
set -euo pipefail
server=$1 make_model=$2

folder=$(mktemp -d)
pid=
cleanup() {
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

"$make_model" "$folder"
exec {out}< <(exec "$server" "$folder/tiny.pt" --port 0 2>"$folder/log")
pid=$!
read -r -t 60 -u "$out" line || fail "it said nothing: $(cat "$folder/log")"
port=${line##*127.0.0.1:} port=${port%%/*}
[[ $line == 'tiny (x: float32 [-1, 2], n: int64 [-1, 2]) -> '* ]] || fail "it said: $line"

ask() {  # METHOD PATH TYPE BODYFILE: the whole response
  exec {tcp}<>"/dev/tcp/127.0.0.1/$port"
  printf '%s\r\n' "$1 $2 HTTP/1.1" 'Host: test' 'Connection: close' "Content-Type: $3" \
    "Content-Length: $(stat -c %s "$4")" '' >&"$tcp"
  cat "$4" >&"$tcp"
  timeout 60 cat <&"$tcp"
  exec {tcp}>&-
}
expect() {  # NAME RESPONSE STATUS PART
  [[ $2 == "HTTP/1.1 $3 "* && $2 == *"$4"* ]] || fail "$1: $2"
}
json() { printf '%s' "$1" >"$folder/body"; ask POST /v1/infer application/json "$folder/body"; }

: >"$folder/empty"
get() { ask GET "$1" text/plain "$folder/empty"; }
expect 'liveness' "$(get /health/live)" 200 ''
expect 'signature' "$(get /v1/model)" 200 '"name":"tiny"'
expect 'arrays' "$(json '{"x": [1.5, -2], "n": [3, 4]}')" 200 '{"doubled":[3.0,-4.0],"sum":7}'
expect 'a batch dimension' \
  "$(json '{"x": [[1, 2]], "n": [3, 4]}')" 200 '{"doubled":[2.0,4.0],"sum":7}'
printf '\0\0\200\77\0\0\0\100\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0' >"$folder/row"  # 1.0 2.0, 5 6
expect 'bytes' "$(ask POST /v1/infer application/octet-stream "$folder/row")" 200 \
  '{"doubled":[2.0,4.0],"sum":11}'

expect 'too few bytes' \
  "$(ask POST /v1/infer application/octet-stream "$folder/empty")" 422 'a row is 24 bytes'
expect 'a missing input' "$(json '{"x": [1, 2]}')" 422 'n\" is missing'
expect 'an unknown input' "$(json '{"x": [1, 2], "n": [3, 4], "z": 1}')" 422 'no input'
expect 'a wrong shape' "$(json '{"x": [1, 2, 3], "n": [3, 4]}')" 422 'x: expected an array of 2'
expect 'a wrong type' "$(json '{"x": [1, 2], "n": [3, 4.5]}')" 422 'n[1]: expected int64'
expect 'no JSON' "$(json '{"x": ')" 400 ''

kill -TERM "$pid"
status=0
wait "$pid" || status=$?
((status == 0)) || fail "exit status $status after SIGTERM: $(cat "$folder/log")"
pid=

status=0
said=$("$server" "$folder/none.pt" "$folder/tiny.json" 2>&1) || status=$?
((status == 2)) || fail "exit status $status without a model file"
[[ $said == "error: model $folder/none.pt: No such file or directory" ]] || fail "it said: $said"
echo "all answers as expected"
