#!/usr/bin/env bash
# The layering check must fail for each kind of violation, and only then.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

run() {  # FILE CONTENT
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/include" "$tree/src" "$tree/$(dirname "$1")"
  printf '%s\n' "$2" >"$tree/$1"
  bash "$here/check.sh" "$tree" 2>&1
}

violates() {  # RULE FILE CONTENT
  local output
  if output=$(run "$2" "$3"); then
    echo "FAIL: accepted $2: $3"
    failures=$((failures + 1))
  elif [[ $output != *"[$1]"* ]]; then
    printf 'FAIL: %s: expected [%s], got: %s\n' "$2" "$1" "$output"
    failures=$((failures + 1))
  fi
}

accepts() {  # FILE CONTENT
  local output
  if ! output=$(run "$1" "$2"); then
    printf 'FAIL: rejected %s: %s\n' "$1" "$output"
    failures=$((failures + 1))
  fi
}

violates layers src/core/a.cpp '#include <aiserve/serving/batcher.hpp>'
violates layers src/core/a.cpp '#include "http/router.hpp"'
violates layers src/serving/a.cpp '#include <aiserve/http/server.hpp>'
violates layers include/aiserve/serving/a.hpp '#include <aiserve/torch/torch_model.hpp>'
violates layers src/http/a.cpp '#include <aiserve/torch/torch_model.hpp>'
violates layers src/torch/a.cpp '#include <aiserve/serving/batcher.hpp>'
violates layers src/torch/a.cpp '#include <aiserve/http/server.hpp>'
violates layers src/testing/a.cpp '#include <aiserve/http/server.hpp>'
violates layers src/decide/a.cpp '#include <aiserve/core/clock.hpp>'
violates layers src/unheard_of/a.cpp '#include <vector>'
violates decide-std-only src/decide/a.hpp '#include <boost/asio/awaitable.hpp>'
violates decide-std-only src/decide/a.hpp '#include <aiserve/config.hpp>'
violates public-headers include/aiserve/core/a.hpp '#include <boost/asio.hpp>'
violates public-headers include/aiserve/core/a.hpp '#include <nlohmann/json.hpp>'
violates public-headers include/aiserve/http/a.hpp '#include <openssl/ssl.h>'
violates public-headers include/aiserve/http/a.hpp '#  include  <boost/beast/http.hpp>  // hidden'
violates public-headers include/aiserve/torch/a.hpp '#include <torch/script.h>'
violates public-headers include/aiserve/core/a.hpp '#include <sys/socket.h>'
violates public-headers include/aiserve/core/a.hpp '#include "core/inbox.hpp"'
violates third-party src/core/a.cpp '#include <openssl/sha.h>'
violates third-party src/serving/a.cpp '#include <torch/script.h>'
violates third-party src/http/a.cpp '#include <pqxx/pqxx>'
violates coroutines src/core/a.cpp 'co_spawn(io, [x]() -> asio::awaitable<void> { co_return; }(), asio::detached);'
violates coroutines tests/unit/a.cpp 'asio::co_spawn(io, [x]() -> asio::awaitable<void> {
  co_await step(x);
} (), asio::detached);'
violates coroutines src/core/a.cpp 'auto r = co_await op(ctx, {.name = "x"});'
violates coroutines examples/a.cpp 'co_await op(
    {first, second});'
violates coroutines src/core/a.cpp 'co_await runtime.blocking(ctx, [path = path] { return read(path); });'
violates coroutines src/core/a.cpp 'co_await runtime.blocking(ctx, [&a, b]() { return read(b); });'

accepts include/aiserve/core/a.hpp '#include <boost/asio/awaitable.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <aiserve/config.hpp>
#include <aiserve/core/b.hpp>
#include <vector>'
accepts include/aiserve/http/json.hpp '#include <nlohmann/json.hpp>'
accepts src/core/a.cpp '#include <boost/asio.hpp>
#include "decide/batch.hpp"'
accepts src/serving/a.cpp '#include "decide/batch.hpp"'
accepts src/torch/a.cpp '#include <aiserve/serving/model.hpp>
#include <torch/script.h>'
accepts src/core/a.cpp '#include <sys/eventfd.h>'
accepts src/decide/a.cpp '#include "decide/b.hpp"
#include <cstdint>'
accepts src/core/a.cpp 'co_spawn(io, [x]() -> asio::awaitable<void> { co_return; }, asio::detached);'
accepts src/core/a.cpp 'co_await runtime.blocking(ctx, [&] { return read({path}); });'
accepts src/core/a.cpp 'co_await op(ctx, slots[i], name);  // not co_await op({..})'

if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
echo "every rule rejects what breaks it"
