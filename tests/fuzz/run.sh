#!/usr/bin/env bash
# run.sh BIN_DIR SECONDS SEED [TARGET...]: every libFuzzer target of BIN_DIR, or those named, for so many
# seconds, two at a time. What it finds goes to BIN_DIR/found/TARGET; the kept corpus is only read. A
# failure leaves its input in BIN_DIR/failures.
set -euo pipefail

fuzz_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin_dir=${1:?usage: run.sh BIN_DIR SECONDS SEED [TARGET...]}
seconds=${2:?}
seed=${3:?}
shift 3

run_one() {  # TARGET
  local target=$1 log=$bin_dir/$1.log dictionary=()
  local found=$bin_dir/found/$target corpus=$fuzz_dir/corpus/$target
  mkdir -p "$found" "$corpus" "$bin_dir/failures"
  [[ $target != http_* ]] || dictionary=("-dict=$fuzz_dir/http.dict")
  if "$bin_dir/fuzz_$target" -max_total_time="$seconds" -seed="$seed" -max_len=4096 -timeout=10 \
      -rss_limit_mb=1024 "${dictionary[@]}" -artifact_prefix="$bin_dir/failures/$target-" \
      "$found" "$corpus" >"$log" 2>&1; then
    printf '%-18s %s\n' "$target" "$(tail -n1 "$log")"
  else
    tail -n 40 "$log"
    echo "FAILED: $target, see $bin_dir/failures and $log"
    return 1
  fi
}

targets=("$@")
if ((${#targets[@]} == 0)); then
  for program in "$bin_dir"/fuzz_*; do
    [[ -x $program && -f $program ]] && targets+=("${program##*/fuzz_}")
  done
fi
((${#targets[@]})) || { echo "no targets in $bin_dir" >&2; exit 1; }

export fuzz_dir bin_dir seconds seed
export -f run_one
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -euo pipefail -c 'run_one {}'
