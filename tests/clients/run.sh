#!/usr/bin/env bash
# run.sh SERVER: curl, wrk and autocannon against a server, and its end at SIGTERM. Without curl it is
# SKIPPED; wrk and autocannon (AISERVE_BROWSER=1 lets npm fetch it) are used where they are there.
set -euo pipefail

server=${1:?usage: run.sh SERVER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v curl >/dev/null || { echo "SKIPPED: curl is missing"; exit 77; }

work=$(mktemp -d)
pid=
finish() {
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
expect() {  # WHAT WANTED GOT
  [[ $2 == "$3" ]] || fail "$1: wanted $(printf %q "$2"), got $(printf %q "${3:0:200}")"
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

mkdir "$work/www"
head -c 3000000 /dev/urandom >"$work/www/random.bin"
echo "<p>index</p>" >"$work/www/index.html"
head -c 5000000 /dev/zero >"$work/zeros"

mkfifo "$work/log"
"$server" "$work/www" 2>"$work/log" &
pid=$!
exec 3<"$work/log"
port=
while [[ -z $port ]] && read -r -t 60 line <&3; do
  [[ $line =~ \"port\":([0-9]+) ]] && port=${BASH_REMATCH[1]}
done
[[ -n $port ]] || fail "the server told no port"
url=http://127.0.0.1:$port

echo "--- curl"
expect hello "hello" "$(curl -s "$url/hello")"
expect "keep-alive" "200 0 200 0" \
  "$(curl -s -o /dev/null -o /dev/null -w '%{http_code} 0 ' "$url/hello" "$url/later" | sed 's/ $//')"
expect "HTTP/1.0" "hello" "$(curl -s -0 "$url/hello")"
expect HEAD 200 "$(status -I "$url/files/random.bin")"
expect OPTIONS 204 "$(status -X OPTIONS "$url/hello")"
expect "OPTIONS *" 204 "$(status -X OPTIONS --request-target '*' "$url")"
expect compressed "100000" "$(curl -s --compressed "$url/text" | wc -c)"
(($(curl -s -H 'Accept-Encoding: gzip' "$url/text" | wc -c) < 2000)) || fail "not compressed"
curl -s "$url/files/random.bin" | cmp - "$work/www/random.bin" || fail "a file came otherwise"
expect index "<p>index</p>" "$(curl -s -L "$url/files")"
curl -s -r 1000-2000000 "$url/files/random.bin" |
  cmp - <(tail -c +1001 "$work/www/random.bin" | head -c 1999001) || fail "a range came otherwise"
head -c 1234567 "$work/www/random.bin" >"$work/resumed"
curl -s -C - -o "$work/resumed" "$url/files/random.bin"
cmp "$work/resumed" "$work/www/random.bin" || fail "a download did not resume"
curl -s --etag-save "$work/etag" -o /dev/null "$url/files/random.bin"
expect etag 304 "$(status --etag-compare "$work/etag" "$url/files/random.bin")"
expect "modified since" 304 "$(status -z "$work/www/random.bin" "$url/files/random.bin")"
expect "path as is" 400 "$(status --path-as-is "$url/files/../run.sh")"
expect "100-continue" "5000000" \
  "$(curl -s -H 'Expect: 100-continue' --data-binary "@$work/zeros" "$url/echo" | wc -c)"
expect chunked "5000000" \
  "$(curl -s -H 'Transfer-Encoding: chunked' --data-binary "@$work/zeros" "$url/echo" | wc -c)"
gzip -c "$work/zeros" >"$work/zeros.gz"
expect "a small bomb" 413 "$(status -H 'Content-Encoding: gzip' --data-binary "@$work/zeros.gz" "$url/echo")"
expect "gzip request" "hello" "$(echo hello | gzip |
  curl -s -H 'Content-Encoding: gzip' --data-binary @- "$url/echo")"
expect upload "who - 3
file random.bin 3000000" "$(curl -s -F who=Ada -F "file=@$work/www/random.bin" "$url/upload")"
expect "a name like a path" 'f ../../etc/%22passwd%22 3' \
  "$(curl -s -F 'f=abc;filename="../../etc/\"passwd\""' "$url/upload")"

if command -v wrk >/dev/null; then
  for path in hello later files/index.html; do
    said=$(wrk -t1 -c32 -d1s "$url/$path")
    echo "--- wrk /$path: $(grep -E 'Requests/sec' <<<"$said")"
    grep -qE 'Socket errors|Non-2xx' <<<"$said" && fail "wrk: $said"
  done
else
  echo "SKIPPED: wrk is missing"
fi

has_autocannon() {
  [[ ${AISERVE_BROWSER:-} == 1 ]] && command -v npm >/dev/null || return
  (cd "$here" && source ../support/npm.sh && install_npm autocannon)
}
if has_autocannon; then
  said=$("$here/node_modules/.bin/autocannon" --json -d 1 -c 16 -p 8 "$url/hello" 2>/dev/null)
  node -e '
    const said = JSON.parse(process.argv[1]);
    console.log(`--- autocannon, 8 in flight: ${said.requests.average} requests/s`);
    process.exit(said.errors + said.timeouts + said.non2xx + said.resets === 0 && said["2xx"] > 0 ? 0 : 1);
  ' "$said" || fail "autocannon: $said"
else
  echo "SKIPPED: autocannon: needs scripts/test --browser, and npm"
fi

expect "service at the end" "hello" "$(curl -s "$url/hello")"
kill -TERM "$pid"
ended=0
wait "$pid" || ended=$?
pid=
expect "exit status" 0 "$ended"
echo "all clients were served"
