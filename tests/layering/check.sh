#!/usr/bin/env bash
# check.sh ROOT: reads the #include lines of a source tree and reports every one that breaks the layers
# (docs: architecture, "a file may include its own module and what is named here"), the rule for public
# headers, or the coroutine rules that g++ 12 forces on us. Exit status 1 when there is any.
set -euo pipefail

root=${1:?usage: check.sh ROOT}
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"

# What each module may include besides itself. Ports are headers of an engine that adapters implement.
declare -A may_include=(
  [decide]=""
  [core]="decide"
  [serving]="core decide"
  [cache]="core decide ports"
  [events]="core"
  [http]="core decide serving events security storage"
  [security]="core decide"
  [http_jobs]="core http jobs"
  [torch]="core ports"
  [storage]="core"
  [jobs]="core decide ports"
  [postgres]="core decide jobs storage ports"
  [sqlite]="core decide jobs storage ports"
  [testing]="core decide jobs storage ports"
  [http_testing]="core http testing"
)
ports="serving/model.hpp serving/signature.hpp serving/batch.hpp cache/cache_tier.hpp events/event_bus.hpp storage/key_value_store.hpp storage/object_store.hpp storage/store_key.hpp"

# Third-party headers per module, as prefixes, in .cpp files and private headers.
declare -A may_use=(
  [decide]=""
  [core]="boost/ fmt/ nlohmann/"
  [serving]="boost/ fmt/"
  [cache]="boost/ fmt/"
  [storage]="openssl/"
  [jobs]="boost/"
  [http_jobs]=""
  [http]="boost/ brotli/ fmt/ nlohmann/ openssl/"
  [events]="boost/"
  [security]="nlohmann/ openssl/"
  [torch]="torch/ ATen/ c10/ fmt/ nlohmann/ openssl/"
  [postgres]="libpq-fe.h poll.h unistd.h"
  [sqlite]="SQLiteCpp/ sqlite3.h"
  [testing]="boost/ fmt/"
  [http_testing]=""
)

# Public headers: std, these, and each other. Opt-in headers name one more.
public_boost="boost/asio/awaitable.hpp boost/asio/any_io_executor.hpp"
declare -A public_exception=(
  [http/json.hpp]="nlohmann/json.hpp"
)

violations=0
report() {  # FILE LINE RULE DETAIL
  printf '%s:%s: [%s] %s\n' "$1" "$2" "$3" "$4"
  violations=$((violations + 1))
}
contains() { [[ " $1 " == *" $2 "* ]]; }
starts_with_any() {  # TEXT PREFIXES
  local prefix
  for prefix in $2; do [[ $1 == "$prefix"* ]] && return 0; done
  return 1
}

check_ours() {  # FILE LINE MODULE INCLUDED
  local file=$1 line=$2 module=$3 included=$4 target=${4%%/*}
  [[ $target == "$module" ]] && return
  contains "${may_include[$module]}" "$target" && return
  contains "${may_include[$module]}" ports && contains "$ports" "$included" && return
  report "$file" "$line" layers "$module must not include $included"
}

check_include() {  # FILE LINE MODULE PUBLIC(0|1) DELIMITER INCLUDED
  local file=$1 line=$2 module=$3 public=$4 delimiter=$5 included=$6
  if [[ $included == aiserve/config.hpp || $included == build_info.hpp ]]; then
    [[ $module == decide ]] && report "$file" "$line" decide-std-only "decide includes $included"
    return 0
  fi
  if [[ $public == 1 && $delimiter == '"' ]]; then
    report "$file" "$line" public-headers "public headers include <aiserve/...>, not \"$included\""
    return
  fi
  if [[ $included == aiserve/* ]]; then
    check_ours "$file" "$line" "$module" "${included#aiserve/}"
  elif [[ $delimiter == '"' ]]; then
    check_ours "$file" "$line" "$module" "$included"
  elif [[ $included =~ ^[a-z0-9_]+$ ]]; then
    return 0  # std
  elif [[ $module == decide ]]; then
    report "$file" "$line" decide-std-only "decide includes <$included>"
  elif [[ $public == 1 ]]; then
    contains "$public_boost" "$included" && return
    [[ ${public_exception[${file#include/aiserve/}]:-} == "$included" ]] && return
    report "$file" "$line" public-headers "a public header includes <$included>"
  elif [[ $included == */* ]] && ! starts_with_any "$included" "${may_use[$module]}" \
      && [[ ! $included =~ ^(sys|netinet|arpa|linux|bits)/ ]]; then
    report "$file" "$line" third-party "$module must not use <$included>"
  fi
}

check_includes() {
  local file module public line delimiter included
  while IFS= read -r file; do
    case $file in
      include/aiserve/*/*) module=${file#include/aiserve/} public=1 ;;
      src/*/*) module=${file#src/} public=0 ;;
      *) continue ;;
    esac
    module=${module%%/*}
    if [[ ! -v may_include[$module] ]]; then
      report "$file" 1 layers "module $module is not in the table of tests/layering/check.sh"
      continue
    fi
    while read -r line delimiter included; do
      check_include "$file" "$line" "$module" "$public" "$delimiter" "$included"
    done < <(awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]+[>"]/) {
        text = substr($0, RSTART, RLENGTH)
        at = match(text, /[<"]/)
        print FNR, substr(text, at, 1), substr(text, at + 1, length(text) - at - 1)
      }' "$file")
  done < <(find include src -name '*.hpp' -o -name '*.cpp' 2>/dev/null | sort)
}

# R5 and its neighbours: `}()` inside co_spawn reads a dead lambda; a braced temporary or a lambda with a
# by-value capture inside an awaited call is destroyed twice by g++ 12. Name the argument first.
check_coroutines() {
  local file rest
  while IFS= read -r file; do
    while IFS= read -r rest; do
      report "$file" "${rest%% *}" coroutines "${rest#* }"
    done < <(awk -f "$scripts/coroutines.awk" "$file")
  done < <(find include src examples tests bench \( -name '*.hpp' -o -name '*.cpp' \) 2>/dev/null | sort)
}

check_includes
check_coroutines
if ((violations > 0)); then
  echo "$violations violations"
  exit 1
fi
echo "layers, public headers and coroutine rules hold"
