#!/usr/bin/env bash
# run.sh BUILD_DIR: installs what BUILD_DIR built into an empty prefix, builds each consumer project against
# it (add_subdirectory: against the source tree) and runs it.
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build_dir=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Whatever happens is in the log; on failure it is shown.
quietly() {
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    echo "FAILED: $*" >&2
    exit 1
  }
}

build_consumer() {  # NAME CMAKE-OPTION...
  local name=$1
  shift
  echo "--- $name"
  quietly cmake -S "$source_dir/tests/consumer/$name" -B "$work/$name" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" "$@"
  quietly cmake --build "$work/$name"
}

must_not_link() {  # PROGRAM LIBRARY...
  local program=$1 linked library
  shift
  linked=$(ldd "$program" | sed 's/ (0x[0-9a-f]*)$//')  # an address may spell a name
  for library in "$@"; do
    if grep -q "$library" <<<"$linked"; then
      printf '%s\nFAILED: %s links %s\n' "$linked" "$program" "$library" >&2
      exit 1
    fi
  done
}

quietly cmake --install "$build_dir" --prefix "$work/prefix"
installed=(-DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)

build_consumer batcher_only "${installed[@]}"
"$work/batcher_only/batcher_only"
must_not_link "$work/batcher_only/batcher_only" libssl libcrypto torch c10 pqxx sqlite

build_consumer host_loop "${installed[@]}"
"$work/host_loop/host_loop"

build_consumer find_package "${installed[@]}"
"$work/find_package/find_package"

build_consumer add_subdirectory -DAISERVE_SOURCE_DIR="$source_dir"
"$work/add_subdirectory/add_subdirectory"

echo "--- a component that was not installed is named"
if cmake -S "$source_dir/tests/consumer/find_package" -B "$work/missing" -G Ninja "${installed[@]}" \
    -DCONSUMER_COMPONENTS=no_such_component >"$work/log" 2>&1; then
  echo "FAILED: find_package accepted a component that does not exist" >&2
  exit 1
fi
grep -q no_such_component "$work/log"

echo "5 consumers passed, 0 failed"
