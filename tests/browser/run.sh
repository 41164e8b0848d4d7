#!/usr/bin/env bash
# The browser test as CTest runs it: only where somebody asked for it, for it needs node and a browser.
set -euo pipefail
if [[ ${AISERVE_BROWSER:-} != 1 ]]; then
  echo "SKIPPED: browser test: run scripts/test --browser"
  exit 77
fi
exec node "$(dirname "${BASH_SOURCE[0]}")/run.mjs"
